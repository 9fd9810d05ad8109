"""One row per run: the table behind the worst-run list, the CSV and the Parquet report."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.frames import USD
from costscan.growth import PROMPT, per_run
from costscan.levers import ALL, LEVERS
from costscan.summary.findings import by_run
from costscan.summary.money import known_sum, share
from costscan.summary.scenarios import no_caching_usd
from costscan.summary.tables import TOKENS
from costscan.unlogged import SUFFIX
from costscan.usage import UNPRICED, UNREPORTED

CONTRACT: Final = (
    "run_id",
    "root_run_id",
    "parent_run_id",
    "task",
    "path",
    "source",
    "models",
    "turns",
    "usd",
    "usd_with_subagents",
    "usd_after_all",
    "prompt_tokens",
    "carried_share",
    "cache_hit_rate",
    "growth_tokens_per_turn",
    "top_finding",
)
"""The columns every report of runs has."""
MORE: Final = (
    "agent",
    "started_at",
    "ended_at",
    "interactive",
    *TOKENS,
    "web_searches",
    "carried_tokens",
    "tool_calls",
    "unpriced_turns",
    "placeholder_turns",
    "unreported_turns",
    "recorded_usd",
    "usd_no_caching",
    *(f"usd_{name}" for name in (*LEVERS, ALL)),
    "usd_all_with_subagents",
    "is_quadratic",
    "findings",
)

IS_SUB_AGENT: Final = pl.col("parent_run_id").is_not_null() & ~pl.col("run_id").str.ends_with(SUFFIX)


def runs_table(x: Analysis, recorded: Mapping[str, Decimal], rank: str = "cost") -> pl.DataFrame:
    """Give the runs, worst first.

    Args:
        x: the analysis.
        recorded: what the log itself says that they cost.
        rank: cost (with sub-agents), waste (what all levers save of it), or a lever.
    """
    found = _known(x, recorded)
    for name in (*LEVERS, ALL):
        found = _with_scenario(found, x, name)
    ranked = found.with_columns(rank=_rank(rank))
    for own, name in (
        ("usd", "usd_with_subagents"),
        ("usd_all", "usd_all_with_subagents"),
        ("rank", "_rank"),
    ):
        family = _frame(_with_children(ranked, own), name)
        found = found.join(family, on="run_id", how="left", maintain_order="left")
    order = ("_rank", "usd_with_subagents", "usd", "run_id")
    return (
        found.with_columns(
            pl.col("tool_calls", "findings").fill_null(0),
            usd_after_all=pl.col("usd_all"),
            cache_hit_rate=share(pl.col("cache_read_tokens"), pl.col("prompt_tokens")),
            growth_tokens_per_turn=pl.col("growth_tokens_per_turn").cast(pl.Float64),
            carried_share=pl.col("carried_share").cast(pl.Float64),
        )
        .sort(order, descending=[True, True, True, False], nulls_last=True)
        .select(*CONTRACT, *MORE)
    )


def _known(x: Analysis, recorded: Mapping[str, Decimal]) -> pl.DataFrame:
    """Give the runs with their sums, their growth, and what was called, recorded and found in them."""
    grown = per_run(x.growth).drop("prompt_tokens")
    known = x.runs
    for more in (_sums(x), grown, _called(x), _frame(recorded, "recorded_usd"), by_run(x)):
        known = known.join(more, on="run_id", how="left", maintain_order="left")
    return known


def _rank(name: str) -> pl.Expr:
    """Give what a run is ranked by, its sub-agents apart."""
    if name == "cost":
        return pl.col("usd")
    return pl.col("usd") - pl.col("usd_all" if name == "waste" else f"usd_{name}")


def _with_scenario(runs: pl.DataFrame, x: Analysis, name: str) -> pl.DataFrame:
    """Add the cost of runs in a scenario; what is in no turn of the log stays as it is."""
    saved = x.scenarios.filter(scenario=name).select("run_id", saved="saved_usd")
    cost = pl.when(pl.col("unpriced_turns") == 0).then(pl.col("usd") - pl.col("saved").fill_null(0))
    known = cost if saved.height else pl.lit(None, USD)
    joined = runs.join(saved, on="run_id", how="left", maintain_order="left")
    return joined.with_columns(known.cast(USD).alias(f"usd_{name}")).drop("saved")


def _sums(x: Analysis) -> pl.DataFrame:
    turns = x.turns.with_columns(no_caching=no_caching_usd(x))
    return turns.group_by("run_id").agg(
        *(pl.col(name).sum() for name in (*TOKENS, "web_searches")),
        models=pl.col("model").unique().sort(),
        turns=pl.len().cast(pl.Int64),
        usd=known_sum("usd"),
        usd_no_caching=known_sum("no_caching"),
        prompt_tokens=PROMPT.sum(),
        unpriced_turns=UNPRICED.sum().cast(pl.Int64),
        unreported_turns=UNREPORTED.sum().cast(pl.Int64),
        placeholder_turns=(pl.col("usage_from") == "placeholder").sum().cast(pl.Int64),
    )


def _called(x: Analysis) -> pl.DataFrame:
    return x.tool_calls.group_by("run_id").agg(tool_calls=pl.len().cast(pl.Int64))


def _frame(values: Mapping[str, Decimal], name: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"run_id": list(values), name: list(values.values())}, schema={"run_id": pl.String, name: USD}
    )


def _with_children(runs: pl.DataFrame, name: str) -> dict[str, Decimal]:
    """Sum each run with all that descend from it; what has no price adds nothing."""
    sums = {run: usd for run, usd in runs.select("run_id", name).iter_rows() if usd is not None}
    own = dict(sums)
    parents = {run: parent for run, parent in runs.select("run_id", "parent_run_id").iter_rows() if parent}
    every = set(runs["run_id"])
    for run, parent in parents.items():
        seen = {run}
        above: str | None = parent
        while above in every and above not in seen and run in own:
            seen.add(above)
            sums[above] = sums.get(above, Decimal(0)) + own[run]
            above = parents.get(above)
    return sums
