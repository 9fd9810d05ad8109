"""A bill summed up: by day, session, project, user or model."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from costscan import __version__
from costscan.aggregates import known_sum
from costscan.billing import TOTALS_ONLY, Billed, Selection
from costscan.ingest import Reading
from costscan.meters import TOKENS
from costscan.price_basis import PriceBasis
from costscan.recorded_cost import Recorded
from costscan.schema.tables.runs import OWNERS
from costscan.totals import PERIODS, SCHEMA_VERSION, UNKNOWN, Totals
from costscan.totals.periods import key
from costscan.usage import OTHER_WRITES, PLACEHOLDER, UNPRICED, UNREPORTED


def totals(
    bill: Billed,
    reading: Reading,
    *,
    by: str,
    tz: str,
    paths: tuple[str, ...],
    prices: PriceBasis,
    now: datetime,
    selection: Selection | None = None,
) -> Totals:
    """Sum a bill up.

    Args:
        bill: the turns and their costs.
        reading: what was read.
        by: what to sum by, one of `KEYS`.
        tz: the time zone of days.
        paths: the logs, as they were asked for.
        prices: whose prices.
        now: the moment of the report.
        selection: what was asked for; None for all.
    """
    owners = bill.runs.select("run_id", *OWNERS)
    turns = bill.turns.join(owners, on="run_id", how="left", maintain_order="left")
    turns = turns.with_columns(key(by, turns, tz).fill_null(UNKNOWN))
    return Totals(
        schema_version=SCHEMA_VERSION,
        costscan_version=__version__,
        generated_at=now,
        paths=paths,
        by=by,
        tz=tz,
        prices=prices,
        files=reading.files,
        skipped_lines=reading.skipped_lines,
        unusable_files=len(reading.unusable),
        unread=reading.unread,
        total=turns.select(**_sums()).row(0, named=True),
        rows=_rows(turns, by),
        charged_usd=sum((t.unproven_usd for t in bill.recorded if _is_charged(t, selection)), Decimal(0)),
        models=_ordered(turns.group_by(*dict.fromkeys((by, "model"))).agg(**_sums()), by),
    )


def _is_charged(total: Recorded, selection: Selection | None) -> bool:
    """Whether a total is a sum of its own in the time that was asked for; one without a time is in none."""
    if total.billed is None:
        return False
    since, until = (None, None) if selection is None else (selection.since, selection.until)
    if total.at is None:
        return since is None and until is None
    return (since is None or total.at >= since) and (until is None or total.at < until)


def _rows(turns: pl.DataFrame, by: str) -> list[dict[str, Any]]:
    of_session = {"project": pl.col("project").drop_nulls().first(), "ended_at": pl.col("at").max()}
    more = of_session if by == "session" else {}
    models = pl.col("model").drop_nulls().unique().sort()
    return _ordered(turns.group_by(by).agg(**more, **_sums(), models=models), by)


def _sums() -> dict[str, pl.Expr]:
    counts = {
        "turns": pl.len().cast(pl.Int64),
        "unpriced_turns": UNPRICED.sum().cast(pl.Int64),
        "unreported_turns": UNREPORTED.sum().cast(pl.Int64),
        "placeholder_turns": PLACEHOLDER.sum().cast(pl.Int64),
        "sum_turns": (pl.col("task") == TOTALS_ONLY).sum().cast(pl.Int64),
        **{name: known_sum(name) for name in (*TOKENS, "web_searches")},
        "cache_write_other_tokens": OTHER_WRITES.sum(),
    }
    return {"usd": known_sum("usd"), **counts}


def _ordered(rows: pl.DataFrame, by: str) -> list[dict[str, Any]]:
    """Return periods in the order of time, what has none last; others with the most expensive first."""
    if by in PERIODS:
        in_order = (pl.col(by) == UNKNOWN, by, "usd")
        return rows.sort(*in_order, descending=[False, False, True], nulls_last=True).to_dicts()
    return rows.sort("usd", by, descending=[True, False], nulls_last=True).to_dicts()
