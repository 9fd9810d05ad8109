"""Whose the bill is by other divisions than tools: MCP servers, skills, kinds of blocks, types of agents.

Each division is whole: its `usd` adds up to the bill exactly, and is `entry_usd` and `carried_usd` together.
What cannot be told of a row is null.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from costscan.aggregates import known_sum, nearest_rank, share, total
from costscan.attribution import PARTS, server
from costscan.cache_policy import LONG, SHORT
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.summary.runs import IS_MAIN, IS_UNLOGGED
from costscan.summary.tables import parts_by

NO_SERVER: Final = "(no server)"
NO_SKILL: Final = "(no skill)"
MAIN: Final = "(main)"
COLUMNS: Final = (
    "calls",
    "p50_tokens",
    "p95_tokens",
    "max_tokens",
    "entry_usd",
    "carried_usd",
    "usd",
    "share",
)


def by_server(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per MCP server; `calls` are its tool calls and the tokens those of their results."""
    costs = parts_by(analysis, server("part").fill_null(NO_SERVER).alias("server"))
    calls = analysis.tool_calls.group_by(pl.col("server").fill_null(NO_SERVER)).agg(*_sizes("result_tokens"))
    return _whole(analysis, costs, calls, "server").with_columns(pl.col("calls").fill_null(0))


def by_skill(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per skill; `calls` are the blocks that loaded it, and the tokens theirs."""
    costs = parts_by(analysis, pl.col("skill").fill_null(NO_SKILL))
    blocks = analysis.blocks.select("run_id", "block", "tokens", "kind")
    skills = analysis.block_costs.filter(pl.col("skill").is_not_null()).select("run_id", "block", "skill")
    sizes = skills.join(blocks, on=["run_id", "block"]).group_by("skill").agg(*_sizes("tokens")).collect()
    return _whole(analysis, costs, sizes, "skill")


def by_kind(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per kind of block; `calls` are the blocks and the tokens theirs."""
    sizes = analysis.blocks.group_by("kind").agg(*_sizes("tokens")).collect()
    return _whole(analysis, parts_by(analysis, "kind"), sizes, "kind")


def by_agent(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per type of agent; `calls` are its threads, tokens all of their prompts and outputs."""
    name = (
        pl.when(IS_UNLOGGED)
        .then(pl.lit(PARTS["unlogged"]))
        .when(IS_MAIN)
        .then(pl.lit(MAIN))
        .otherwise(pl.col("agent").fill_null("sub-agent"))
    )
    names = analysis.runs.select("run_id", agent=name)
    costs = analysis.parts.join(names, on="run_id", how="left")
    used = analysis.turns.group_by("run_id").agg(tokens=(PROMPT + pl.col("output_tokens")).sum())
    sizes = names.join(used, on="run_id").group_by("agent").agg(*_sizes("tokens"))
    return _whole(analysis, parts_by(analysis, "agent", parts=costs), sizes, "agent")


def _sizes(column: str) -> list[pl.Expr]:
    return [
        pl.len().cast(pl.Int64).alias("calls"),
        nearest_rank(column, 50).alias("p50_tokens"),
        nearest_rank(column, 95).alias("p95_tokens"),
        pl.col(column).max().alias("max_tokens"),
    ]


def _whole(analysis: Diagnosis, costs: pl.DataFrame, sizes: pl.DataFrame, name: str) -> pl.DataFrame:
    bill = pl.lit(float(total(analysis.turns["usd"])))
    return (
        costs.join(sizes, on=name, how="left")
        .with_columns(carried_usd="again_usd", share=share(pl.col("usd"), bill))
        .select(name, *COLUMNS)
        .sort("usd", name, descending=[True, False], nulls_last=True)
    )


DIVISIONS: Final[Mapping[str, Callable[[Diagnosis], pl.DataFrame]]] = {
    "server": by_server,
    "skill": by_skill,
    "kind": by_kind,
    "agent": by_agent,
}


def by_route(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per model, target and evidence: how many turns of how many runs, most turns first.

    `wrong_turns` are those of them that are made again on the model that served them.
    """
    one = ["model", "to_model", "evidence", "confidence", "reason"]
    return (
        analysis.rooted(analysis.routes)
        .group_by(one)
        .agg(
            turns=pl.len().cast(pl.Int64),
            wrong_turns=pl.col("is_wrong").sum().cast(pl.Int64),
            runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
        )
        .sort("turns", *one, descending=[True, *[False] * len(one)], nulls_last=True)
        .select("model", "to_model", "turns", "wrong_turns", "runs", "evidence", "confidence", "reason")
    )


def by_ttl(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per task that writes to the cache, the one that could save most first.

    `ttl` is what its runs wrote with (`both` where they differ), `cheaper` what would cost less for all of
    them together, `saved_usd` what each agent thread saves with the one that is cheaper for it.
    """
    saved = analysis.scenarios.filter(scenario="caching/ttl").select("run_id", "saved_usd")
    runs = analysis.runs.select("run_id", "root_run_id", task="root_task")
    ttl_rows = analysis.lifetimes.join(runs, on="run_id", how="left").join(saved, on="run_id", how="left")
    tokens = ("written_tokens", "rewritten_tokens", "break_even_tokens")
    one = pl.col("ttl").n_unique() == 1
    sums = ttl_rows.group_by("task").agg(
        runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
        ttl=pl.when(one).then(pl.col("ttl").first()).otherwise(pl.lit("both")),
        usd_5m=known_sum("usd_5m"),
        usd_1h=known_sum("usd_1h"),
        saved_usd=known_sum("saved_usd"),
        **{name: pl.col(name).sum() for name in tokens},
    )
    less = (
        pl.when(pl.col("usd_1h") < pl.col("usd_5m"))
        .then(pl.lit(LONG))
        .when(pl.col("usd_1h") > pl.col("usd_5m"))
        .then(pl.lit(SHORT))
    )
    return (
        sums.with_columns(cheaper=less)
        .select("task", "runs", "ttl", "cheaper", "usd_5m", "usd_1h", "saved_usd", *tokens)
        .sort("saved_usd", "task", descending=[True, False], nulls_last=True)
    )
