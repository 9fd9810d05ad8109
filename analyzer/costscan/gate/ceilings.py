"""What a ceiling is held against: the sums of a side, as a whole or per run, task, day or tool."""

from typing import Final

import polars as pl

from costscan.aggregates import known_sum, share
from costscan.gate.limits import Limit
from costscan.gate.metrics import ACTIONS, METRICS
from costscan.gate.side import COUNTED, ComparisonSide
from costscan.summary.cost_of import is_test

BY_USAGE: Final = frozenset({"usd", "cache_hit_rate", *COUNTED})
"""The metrics that are not known where a call tells no usage."""
_PRICED: Final = frozenset({"usd", *(name for name, metric in ACTIONS.items() if metric.unit == "usd")})
_KEYS: Final = {"run": "run_id", "task": "task", "day": "day"}


def members(side: ComparisonSide, limit: Limit) -> pl.DataFrame:
    """Return the members of the scope of a limit: `member`, `value` (null where unknown).

    A run stands with its sub-agents, on the day on which it began.
    """
    if limit.scope == "tool":
        return _tools(side, limit)
    units = _chosen(_measured(side, limit.metric), limit)
    key = pl.col(_KEYS[limit.scope]) if limit.scope else pl.lit("")
    return units.group_by(key.alias("member"), maintain_order=True).agg(_value(limit.metric).alias("value"))


def measured(side: ComparisonSide, limit: Limit) -> tuple[float | None, str | None]:
    """Return the value that counts, and which member has it where it is one that stands out."""
    if limit.metric in ACTIONS:
        return _of_actions(side, limit.metric)
    every = members(side, limit)
    with_value = every.drop_nulls("value")
    if with_value.is_empty():
        return (None if every.height else 0.0), None
    ranked = with_value.sort("value", "member", descending=[not _floor(limit), False])
    if limit.stat == "mean":
        return float(str(with_value["value"].mean())), None
    place = 0 if limit.stat == "max" else ranked.height - -(-ranked.height * int(limit.stat[1:]) // 100)
    row = ranked.row(place, named=True)
    return row["value"], row["member"] if limit.scope else None


def unknown(side: ComparisonSide, limit: Limit) -> str:
    """Return, in words, what is not known of the turns that a limit is about; nothing where all is."""
    if limit.metric in ACTIONS and side.actions is None:
        return "a report does not tell what to change, nor do some runs of one"
    unpriced = _sum(side, limit, "unpriced_turns") if limit.metric in _PRICED else 0
    phrases = [unreported(side, limit), f"{unpriced:,} calls have no known price" if unpriced else ""]
    return ", ".join(filter(None, phrases))


def unreported(side: ComparisonSide, limit: Limit) -> str:
    """Return, in words, how many calls leave the metric of a limit open; nothing where none does."""
    calls = _sum(side, limit, "unreported_turns") if limit.metric in BY_USAGE else 0
    return f"{calls:,} {'call has' if calls == 1 else 'calls have'} no usage in the log" if calls else ""


def _sum(side: ComparisonSide, limit: Limit, column: str) -> int:
    units = side.units if limit.scope == "tool" else _chosen(side.units, limit)
    return int(units[column].sum())


def _floor(limit: Limit) -> bool:
    metric = METRICS.get(limit.metric)
    return metric is not None and not metric.more_is_worse


def _chosen(units: pl.DataFrame, limit: Limit) -> pl.DataFrame:
    if limit.of is None:
        return units
    return units.filter(pl.col("day" if limit.scope == "day" else "task") == limit.of)


def _measured(side: ComparisonSide, metric: str) -> pl.DataFrame:
    """Return the units with a column for a rule, where the metric is one."""
    if metric in METRICS:
        return side.units
    hits = side.nested("found").filter(pl.col("name") == metric)
    per_run = hits.group_by("run_id").agg(pl.len().cast(pl.Int64).alias(metric))
    return side.units.join(per_run, on="run_id", how="left", maintain_order="left").with_columns(
        pl.col(metric).fill_null(0)
    )


def _value(metric: str) -> pl.Expr:
    if metric == "usd":
        return known_sum("known_usd").cast(pl.Float64)
    if metric == "cache_hit_rate":
        return share(
            (pl.col("cache_hit_rate") * pl.col("prompt_tokens")).sum(), pl.col("prompt_tokens").sum()
        )
    return pl.col(metric).sum().cast(pl.Float64)


def _tools(side: ComparisonSide, limit: Limit) -> pl.DataFrame:
    parts = side.nested("parts").filter(~pl.col("part").str.starts_with("("))
    own = parts if limit.of is None else parts.filter(pl.col("part") == limit.of)
    column = "usd" if limit.metric == "usd" else "sent_tokens"
    return (
        own.group_by(member="part").agg(pl.col(column).sum().cast(pl.Float64).alias("value")).sort("member")
    )


def _of_actions(side: ComparisonSide, metric: str) -> tuple[float | None, str | None]:
    """Return how many actions there are, or what they save, and the title of the one that saves most."""
    if side.actions is None:
        return None, None
    own = [one for one in side.actions if not (metric.startswith("safe_") and is_test(one))]
    first = max(own, key=lambda one: one["saved_usd"], default=None)
    saved = float(sum(one["saved_usd"] for one in own))
    return float(len(own)) if ACTIONS[metric].unit == "count" else saved, first["title"] if first else None
