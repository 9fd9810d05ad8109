"""Where the money went by model, task, day and tool: tables whose `usd` adds up to the bill exactly."""

from decimal import Decimal
from typing import Final

import polars as pl

from costscan.aggregates import known_sum, nearest_rank, share, total
from costscan.attribution import PARTS, server
from costscan.days import UNKNOWN_DAY, day
from costscan.meters import TOKENS
from costscan.prices import usd_of
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.schema.tables.runs import OWNERS
from costscan.totals.periods import key
from costscan.usage import UNPRICED
from costscan.zones import DEFAULT

MORE_PERIODS: Final = ("hour", "week", "month")
"""What else than days the bill is summed by."""
OF_OWNERS: Final = (*OWNERS, "session")
TOOL_COLUMNS: Final = (
    "tool",
    "calls",
    "result_tokens",
    "carried_usd",
    "p50_tokens",
    "p95_tokens",
    "usd",
    "share",
    "server",
    "max_tokens",
    "entry_usd",
)


def by_model(turns: pl.DataFrame) -> pl.DataFrame:
    """Return a row per model, most expensive first, with `provider`."""
    return _most_expensive_first(_grouped(turns, pl.col("model"), pl.col("provider")), "model")


def by_task(turns: pl.DataFrame) -> pl.DataFrame:
    """Return a row per task, most expensive first; a task owns the sub-agents of its runs."""
    return _most_expensive_first(_grouped(turns, pl.col("task")), "task")


def by_day(turns: pl.DataFrame, tz: str) -> pl.DataFrame:
    """Return a row per day of a time zone in order, turns without a time last as "unknown"."""
    days = day("at", tz).fill_null(UNKNOWN_DAY).alias("day")
    return _grouped(turns, days).sort(pl.col("day") == UNKNOWN_DAY, "day")


def by_period(analysis: Diagnosis, name: str, tz: str) -> pl.DataFrame:
    """Return a row per hour, week or month of a time zone in order, turns without a time as "unknown"."""
    periods = key(name, analysis.turns, tz).fill_null(UNKNOWN_DAY)
    turns = analysis.turns.with_columns(periods)
    return _grouped(turns, pl.col(name)).sort(pl.col(name) == UNKNOWN_DAY, name)


def by_owner(analysis: Diagnosis, name: str) -> pl.DataFrame:
    """Return a row per session, project, branch or user, most expensive first; null is not in the log."""
    owners = analysis.runs.select("run_id", *OWNERS)
    turns = analysis.turns.join(owners, on="run_id", how="left", maintain_order="left")
    named = turns.with_columns(key(name, turns, DEFAULT))
    return _most_expensive_first(_grouped(named, pl.col(name)), name)


def _grouped(turns: pl.DataFrame, *names: pl.Expr) -> pl.DataFrame:
    """Sum turns up by something; `runs` counts root runs."""
    groups = turns.group_by(*names, maintain_order=True).agg(
        runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
        turns=pl.len().cast(pl.Int64),
        usd=known_sum("usd"),
        unpriced_turns=UNPRICED.sum().cast(pl.Int64),
        prompt_tokens=known_sum(PROMPT),
        **{name: known_sum(name) for name in TOKENS},
    )
    first = [c for c in groups.columns if c not in TOKENS]
    place = first.index("usd") + 1
    return groups.with_columns(
        share=_of_bill(turns),
        cache_hit_rate=share(pl.col("cache_read_tokens"), pl.col("prompt_tokens")),
    ).select(*first[:place], "share", *first[place:], *TOKENS, "cache_hit_rate")


def by_tool(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per tool, most expensive first, and one per part of the bill that belongs to no tool.

    `usd` is all that a tool's definition, calls and results cost over all turns that carried them,
    `carried_usd` what sending its results again cost. Parts are named in parentheses; their `calls` are null.
    """
    costs = parts_by(analysis, "part")
    calls = analysis.tool_calls.group_by("tool").agg(
        calls=pl.len().cast(pl.Int64),
        result_tokens=pl.col("result_tokens").sum(),
        result_carried_usd=known_sum("carried_usd"),
        p50_tokens=nearest_rank("result_tokens", 50),
        p95_tokens=nearest_rank("result_tokens", 95),
        max_tokens=pl.col("result_tokens").max(),
    )
    calls = calls.rename({"tool": "part"})
    joined = costs.join(calls, on="part", how="full", coalesce=True).rename({"part": "tool"})
    is_part = pl.col("tool").is_in(list(PARTS.values()))
    return _most_expensive_first(
        joined.with_columns(
            pl.when(~is_part).then(pl.col("calls").fill_null(0)),
            carried_usd=pl.when(is_part).then("again_usd").otherwise("result_carried_usd"),
            share=_of_bill(analysis.turns),
            server=server("tool"),
        ),
        "tool",
    ).select(TOOL_COLUMNS)


def parts_by(analysis: Diagnosis, by: str | pl.Expr, *, parts: pl.DataFrame | None = None) -> pl.DataFrame:
    """Sum the parts of all runs by something: usd, entry_usd (with what was written) and again_usd.

    Null where no run that has the part has a price; the latter two also where no turn of it is in the log.
    """
    priced = analysis.turns.filter(pl.col("usd").is_not_null()).select("run_id").unique()
    every = analysis.parts if parts is None else parts
    runs = every.join(priced.with_columns(priced=pl.lit(True)), on="run_id", how="left")
    is_priced = pl.col("priced").is_not_null()
    logged = ~pl.col("run_id").str.ends_with(SUFFIX)
    cost = usd_of(pl.col("pico_usd")) + usd_of(pl.col("output_pico_usd"))
    again = usd_of(pl.col("pico_usd")) - usd_of(pl.col("entry_pico_usd"))
    entry = usd_of(pl.col("entry_pico_usd")) + usd_of(pl.col("output_pico_usd"))
    return runs.group_by(by).agg(
        usd=known_sum(pl.when(is_priced).then(cost)),
        entry_usd=pl.when(logged.any()).then(known_sum(pl.when(is_priced).then(entry))),
        again_usd=pl.when(logged.any()).then(known_sum(pl.when(is_priced).then(again))),
    )


def carried_usd(analysis: Diagnosis) -> Decimal:
    """Return what sending tokens again cost, over all parts."""
    again = usd_of(pl.col("pico_usd")) - usd_of(pl.col("entry_pico_usd"))
    return Decimal(analysis.parts.select(again.sum()).item() or 0)


def _of_bill(turns: pl.DataFrame) -> pl.Expr:
    return share(pl.col("usd"), pl.lit(float(total(turns["usd"]))))


def _most_expensive_first(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.sort("usd", name, descending=[True, False], nulls_last=True)
