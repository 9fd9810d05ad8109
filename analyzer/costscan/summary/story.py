"""One run for `explain`: what it cost with its sub-agents, and what its own turns sent and cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.actions import Advised
from costscan.aggregates import known_sum, nearest_rank
from costscan.levers.catalogue import CATALOGUE
from costscan.meters import WRITTEN_TOKENS
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.summary.below import below, row_of, sub_agents, sums
from costscan.summary.findings import message_at_place
from costscan.summary.misses import MISSED_TOKENS, with_misses

KINDS: Final = ("not logged", "system and tools", "tool results", "assistant", "user")
"""What the input of a turn is made of, in the order it is stacked."""
CUT_SHARE: Final = 0.5
"""The context was cut where at least so much of it left at once: what is edited out of it is less."""
_TERMS: Final = tuple(lever.name for lever in CATALOGUE if lever.keeps_prompts)
"""The levers that leave what is sent as it is, and change what it is billed at."""


@dataclass(frozen=True)
class Story:
    """One run with all that is below it, or one sub-agent with what is below that.

    Attributes:
        run: its row of the `runs` frame; where the log of its main thread is not there, the id, the task and
            what the first thread below it tells.
        usd: what it cost with all that is below it; None where nothing of it has a price.
        own_usd: what its own turns cost.
        sums: of itself and all below it: turns, prompt_tokens, cache_read_tokens, output_tokens, models.
        turns: its own: turn, usd, prompt_tokens, cache_read_tokens, carried_tokens, output_tokens, model, at,
            gap_s, written_tokens (to the cache), missed_tokens (what had been sent before and was not read
            from the cache; 0 where that is normal), why (the cause and place of that, where it is known),
            cut_tokens (what left the context at once, by compaction or otherwise), a column of prompt tokens
            per kind.
        calls: the tool calls of its own turns: turn, tool.
        blocks: its own, most expensive first: block, kind, tool, turn_in, turn_out, line, tokens, used_share,
            content_hash, call_id, entry_usd, usd (written once, and in all its prompts).
        tools: per tool of its own: calls, p50_tokens, p95_tokens, max_tokens, entry_usd, carried_usd, usd.
        findings: of itself and all below it, most expensive first.
        sub_agents: the threads below it, most expensive first: run_id, agent, n_turns, usd, findings.
        saved: scenario and saved_usd of each lever and part that saves anything, levers first.
        lifetimes: its row of the `lifetimes` frame, None where it writes nothing to the cache.
        actions: those that change what it and all below it cost, in their order: rank, title, risk, saved_usd
            (of it alone; below zero where it is dearer, and others are cheaper).
    """

    run: dict[str, Any]
    usd: Decimal | None
    own_usd: Decimal | None
    sums: dict[str, Any]
    turns: pl.DataFrame
    calls: pl.DataFrame
    blocks: pl.DataFrame
    tools: pl.DataFrame
    findings: pl.DataFrame
    sub_agents: pl.DataFrame
    saved: pl.DataFrame
    lifetimes: dict[str, Any] | None
    actions: pl.DataFrame

    @property
    def avoidable_usd(self) -> Decimal:
        """What the findings cost together; at most the run with all that is below it.

        Of those on one block it is the largest, and of the rules on caching, routing and batching too: they
        price the same tokens otherwise, and what they save does not add up.
        """
        priced = self.findings.filter(pl.col("usd").is_not_null())
        is_terms = pl.col("lever").is_in(_TERMS)
        terms = priced.filter(is_terms).group_by("rule").agg(pl.col("usd").sum())
        rest = priced.filter(~is_terms)
        on_blocks = (
            rest.filter(pl.col("block").is_not_null()).group_by("run_id", "block").agg(pl.col("usd").max())
        )
        others = rest.filter(pl.col("block").is_null())
        most_expensive = terms["usd"].sort(descending=True).head(1)
        avoidable = sum([*most_expensive, *on_blocks["usd"], *others["usd"]], Decimal(0))
        return min(avoidable, self.usd or Decimal(0))


def story(analysis: Advised, run_id: str) -> Story:
    """Tell of a run; `run_id` is a run or a root of the `runs` frame."""
    under = below(analysis.runs, run_id)
    whole = pl.col("run_id").is_in([run_id, *under["run_id"]])
    every, findings = analysis.turns.filter(whole), analysis.findings.filter(whole)
    turns = every.filter(pl.col("run_id") == run_id).sort("turn")
    blocks = _blocks(analysis, run_id)
    return Story(
        run=row_of(analysis.runs, run_id),
        usd=every.select(known_sum("usd")).item(),
        own_usd=turns.select(known_sum("usd")).item(),
        sums=sums(every),
        turns=_turns(analysis, turns, blocks),
        calls=analysis.tool_calls.filter(pl.col("run_id") == run_id).select("turn", "tool"),
        blocks=blocks.sort("usd", "block", descending=[True, False]),
        tools=_tools(analysis, run_id, blocks),
        findings=findings.with_columns(message_at_place()),
        sub_agents=sub_agents(under, every, findings),
        saved=_saved(analysis.scenarios.filter(whole)),
        lifetimes=next(analysis.lifetimes.filter(pl.col("run_id") == run_id).iter_rows(named=True), None),
        actions=_actions(analysis, whole),
    )


def prompts(analysis: Diagnosis, run_ids: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return the turns of some runs, as a story has them; their blocks are read once."""
    own = pl.col("run_id").is_in(list(run_ids))
    wanted = ("run_id", "tokens", "turn_in", "turn_out")
    blocks = analysis.blocks.filter(own).select(*wanted, group=_group()).collect()
    turns = analysis.turns.filter(own).sort("run_id", "turn")
    return {
        run: _turns(analysis, turns.filter(pl.col("run_id") == run), blocks.filter(pl.col("run_id") == run))
        for run in run_ids
    }


def _actions(analysis: Advised, whole: pl.Expr) -> pl.DataFrame:
    """Return what each action saves of some threads together, where it changes what they cost."""
    saved = analysis.of_runs.filter(whole).group_by("rank").agg(pl.col("saved_usd").sum())
    every = analysis.actions.select("rank", "title", "risk")
    return every.join(saved.filter(pl.col("saved_usd") != 0), on="rank").sort("rank")


def _saved(scenarios: pl.DataFrame) -> pl.DataFrame:
    is_part = pl.col("scenario").str.contains("/")
    return (
        scenarios.filter(~pl.col("scenario").str.contains("+", literal=True))
        .group_by("scenario", maintain_order=True)
        .agg(pl.col("saved_usd").sum())
        .filter(pl.col("saved_usd") > 0)
        .sort(is_part, "saved_usd", descending=[False, True], maintain_order=True)
        .select("scenario", "saved_usd")
    )


def _blocks(analysis: Diagnosis, run_id: str) -> pl.DataFrame:
    own = pl.col("run_id") == run_id
    costs = analysis.block_costs.filter(own).drop("run_id")
    return (
        analysis.blocks.filter(own)
        .join(costs, on="block")
        .with_columns(usd=pl.col("entry_usd") + pl.col("carried_usd") + pl.col("output_usd"), group=_group())
        .collect()
    )


def _group() -> pl.Expr:
    kind = pl.col("kind")
    return (
        pl.when(kind == "hidden")
        .then(pl.lit(KINDS[0]))
        .when(pl.col("layer") != "messages")
        .then(pl.lit(KINDS[1]))
        .when(kind == "tool_result")
        .then(pl.lit(KINDS[2]))
        .when(pl.col("role") == "assistant")
        .then(pl.lit(KINDS[3]))
        .otherwise(pl.lit(KINDS[4]))
    )


def _turns(analysis: Diagnosis, turns: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    joined = with_misses(analysis, turns.with_columns(prompt_tokens=PROMPT))
    dropped = pl.col("dropped_tokens")
    is_cut = (dropped >= (pl.col("carried_tokens") + dropped) * CUT_SHARE) & (dropped > MISSED_TOKENS)
    return joined.select(
        "turn",
        "usd",
        "prompt_tokens",
        "cache_read_tokens",
        "carried_tokens",
        "output_tokens",
        "model",
        "at",
        "gap_s",
        "missed_tokens",
        "why",
        cut_tokens=pl.when(is_cut).then(dropped).otherwise(0),
        written_tokens=pl.sum_horizontal(WRITTEN_TOKENS, ignore_nulls=False),
    ).hstack(_stacked(blocks, turns.height))


def _stacked(blocks: pl.DataFrame, n_turns: int) -> pl.DataFrame:
    """Return, per turn, the tokens of each kind in its prompt: running sums of what came and what left."""
    came = blocks.select("group", "tokens", turn="turn_in")
    left = blocks.select("group", -pl.col("tokens"), turn="turn_out")
    moves = (
        pl.concat([came, left])
        .filter(pl.col("turn") < n_turns)
        .group_by("turn", "group")
        .agg(pl.col("tokens").sum())
    )
    every = pl.DataFrame({"turn": range(n_turns)}, schema={"turn": pl.Int64})
    columns = []
    for kind in KINDS:
        own = every.join(moves.filter(pl.col("group") == kind), on="turn", how="left", maintain_order="left")
        columns.append(own["tokens"].fill_null(0).cum_sum().alias(kind))
    return pl.DataFrame(columns)


def _tools(analysis: Diagnosis, run_id: str, blocks: pl.DataFrame) -> pl.DataFrame:
    results = (
        analysis.tool_calls.filter(pl.col("run_id") == run_id)
        .group_by("tool")
        .agg(
            calls=pl.len().cast(pl.Int64),
            p50_tokens=nearest_rank("result_tokens", 50),
            p95_tokens=nearest_rank("result_tokens", 95),
            max_tokens=pl.col("result_tokens").max(),
        )
    )
    costs = (
        blocks.filter(pl.col("tool").is_not_null())
        .group_by("tool")
        .agg(
            entry_usd=pl.col("entry_usd").sum() + pl.col("output_usd").sum(),
            carried_usd=pl.col("carried_usd").sum(),
        )
        .with_columns(usd=pl.col("entry_usd") + pl.col("carried_usd"))
    )
    return costs.join(results, on="tool", how="left").sort("usd", "tool", descending=[True, False])
