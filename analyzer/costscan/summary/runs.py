"""The runs: each is its whole tree, its sub-agents and what no line of the log tells included.

Every report, breakdown and comparison counts and prices runs by this table, or by `root_run_id` as it does.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.aggregates import known_sum, share
from costscan.attribution.growth import per_run
from costscan.levers import ALL, LEVERS
from costscan.meters import TOKENS
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.rulebook import Diagnosis
from costscan.schema.frames import money
from costscan.schema.tables.runs import OWNERS
from costscan.summary.findings import by_root

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
SCENARIOS: Final = ("usd_no_caching", *(f"usd_{name}" for name in (*LEVERS, ALL)))
USED: Final = (*TOKENS, "web_searches")
COUNTS: Final = ("tool_calls", "unpriced_turns", "placeholder_turns", "unreported_turns")
MORE: Final = (
    "agents",
    "sub_agents",
    "usd_main_thread",
    "started_at",
    "ended_at",
    "interactive",
    *OWNERS,
    *USED,
    *COUNTS,
    "carried_tokens",
    "recorded_usd",
    *SCENARIOS,
    "is_quadratic",
    "findings",
)
AGENT: Final = (
    "run_id",
    "parent_run_id",
    "agent",
    "path",
    "models",
    "turns",
    "usd",
    "unpriced_turns",
    "prompt_tokens",
    "output_tokens",
    "cache_hit_rate",
    "tool_calls",
    "findings",
)
"""What a run tells of each thread below its main one; the threads of `<run>/unlogged` are no sub-agents."""
IS_MAIN: Final = pl.col("run_id") == pl.col("root_run_id")
IS_UNLOGGED: Final = pl.col("run_id").str.ends_with(SUFFIX)
IS_SUB_AGENT: Final = ~IS_MAIN & ~IS_UNLOGGED


def runs_table(
    analysis: Diagnosis, threads: pl.DataFrame, recorded: Mapping[str, Decimal], rank: str = "cost"
) -> pl.DataFrame:
    """Return a row per root run with the figures of its whole tree, worst first.

    `usd` and `usd_<scenario>` are sums of what is known: null where nothing is, and `unpriced_turns` counts
    what is missing. `agents` lists what is below the main thread, `sub_agents` counts the sub-agents among
    it, `usd_main_thread` is what is left without it. `parent_run_id` is null: a tree is under no other.

    Args:
        analysis: the analysis.
        threads: from `threads_table`, most expensive first.
        recorded: what the log itself says that sessions cost.
        rank: cost, waste (what all levers save), or a lever.
    """
    trees = _summed(threads)
    for more in (_grown(analysis), _recorded(recorded), by_root(analysis)):
        trees = trees.join(more, on="root_run_id", how="left", maintain_order="left")
    return (
        trees.with_columns(
            run_id="root_run_id",
            parent_run_id=pl.lit(None, pl.String),
            usd_with_subagents="usd",
            usd_after_all="usd_all",
            cache_hit_rate=share(pl.col("cache_read_tokens"), pl.col("prompt_tokens")),
            growth_tokens_per_turn=pl.col("growth_tokens_per_turn").cast(pl.Float64),
            carried_share=pl.col("carried_share").cast(pl.Float64),
            rank=_rank(rank),
        )
        .sort("rank", "usd", "run_id", descending=[True, True, False], nulls_last=True)
        .select(*CONTRACT, *MORE)
    )


def _summed(threads: pl.DataFrame) -> pl.DataFrame:
    """Return the figures of trees that are sums and counts of those of their threads."""
    main_first = threads.sort(~IS_MAIN, maintain_order=True)
    return main_first.group_by("root_run_id", maintain_order=True).agg(
        pl.col("path", "source", "interactive", *OWNERS).first(),
        pl.col("root_task").first().alias("task"),
        pl.col("models").explode().unique().sort(),
        pl.col("started_at").min(),
        pl.col("ended_at").max(),
        pl.col("turns", "findings", *COUNTS).sum(),
        *(known_sum(name).alias(name) for name in ("usd", "prompt_tokens", *USED, *SCENARIOS)),
        pl.struct(AGENT).filter(~IS_MAIN).alias("agents"),
        IS_SUB_AGENT.sum().cast(pl.Int64).alias("sub_agents"),
        pl.col("usd").filter(IS_MAIN).first().alias("usd_main_thread"),
    )


def _grown(analysis: Diagnosis) -> pl.DataFrame:
    logged = analysis.growth.with_columns(added_tokens=pl.when(~IS_UNLOGGED).then("added_tokens"))
    return per_run(analysis.rooted(logged))


def _recorded(recorded: Mapping[str, Decimal]) -> pl.DataFrame:
    ids = pl.Series("root_run_id", list(recorded), dtype=pl.String)
    return pl.DataFrame([ids, money(recorded.values()).alias("recorded_usd")])


def _rank(name: str) -> pl.Expr:
    """Return what runs are ranked by."""
    if name == "cost":
        return pl.col("usd")
    return pl.col("usd") - pl.col("usd_all" if name == "waste" else f"usd_{name}")
