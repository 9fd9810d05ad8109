"""What calls of the OpenMetrics report were like, beside what they cost: how long they took, and what failed.

A quantile of several names together is none of theirs, so names that share a label are ranked together.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from costscan.aggregates import nearest_rank
from costscan.reports.text.openmetrics import Family, Labels, Ranked, Ranks, by
from costscan.rulebook import Diagnosis

QUANTILES: Final[Mapping[int, str]] = {50: "0.5", 90: "0.9", 99: "0.99"}
_TIMES: Final[Mapping[str, tuple[str, str]]] = {
    "duration_s": ("call_seconds", "Seconds until the response of a call ended"),
    "first_token_s": ("first_token_seconds", "Seconds until the first token of a call"),
}
"""By column of turns, what its summary is called, and what it is."""
_LABEL: Final = "label"
_DIGITS: Final = 6


def families(analysis: Diagnosis, names: Mapping[str, Mapping[str, str]]) -> Iterator[Family | Ranks]:
    """Yield what the summary of a report does not hold.

    Args:
        analysis: what was made of the logs.
        names: the labels of the names of models, tasks and tools.
    """
    turns = analysis.turns
    for column, (called, about) in _TIMES.items():
        # No call takes no time: a log that tells only when one ended has it begin there.
        timed = turns.filter(pl.col(column) > 0)
        ranks: dict[Labels, Ranked] = {}
        if timed.height:
            ranks[()] = _ranked(timed.select(_ranks(column)).row(0, named=True))
        yield Ranks(called, f"{about}, by rank.", ranks)
        for name in ("model", "task"):
            rows = _labelled(timed, name, names[name]).group_by(_LABEL).agg(_ranks(column)).sort(_LABEL)
            ranks = {((name, str(row[_LABEL])),): _ranked(row) for row in rows.iter_rows(named=True)}
            yield Ranks(f"{name}_{called}", f"{about}, by {name} and rank.", ranks)
    yield from _tool_errors(analysis.tool_calls, names["tool"])


def _labelled(frame: pl.DataFrame, name: str, labels: Mapping[str, str]) -> pl.DataFrame:
    label = pl.col(name).replace_strict(labels, default=None, return_dtype=pl.String)
    return frame.with_columns(label.alias(_LABEL)).filter(pl.col(_LABEL).is_not_null())


def _ranks(column: str) -> list[pl.Expr]:
    ranks = [nearest_rank(column, percent).alias(told) for percent, told in QUANTILES.items()]
    rounded = [seconds.round(_DIGITS) for seconds in (*ranks, pl.col(column).sum().alias("sum"))]
    return [*rounded, pl.len().alias("count")]


def _ranked(row: Mapping[str, Any]) -> Ranked:
    return Ranked({told: row[told] for told in QUANTILES.values()}, row["count"], row["sum"])


def _tool_errors(calls: pl.DataFrame, labels: Mapping[str, str]) -> Iterator[Family]:
    errors = _labelled(calls, "tool", labels).group_by(_LABEL).agg(pl.col("is_error").sum()).sort(_LABEL)
    yield by("tool_errors", "The calls by tool whose result is an error.", "tool", dict(errors.iter_rows()))


__all__ = ["QUANTILES", "families"]
