"""Totals as JSON: a row a line, each with its models where they are asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from costscan.reports.text.plain import plain, text_of
from costscan.totals import Row, Totals


def document(totals: Totals, *, breakdown: bool) -> dict[str, Any]:
    """Return the totals as plain values; USD rounded to 1e-9, unknown is null."""
    rows = _plain(totals.rows)
    if breakdown and totals.by != "model":
        models: dict[str, list[dict[str, Any]]] = {}
        for model in _plain(totals.models):
            models.setdefault(model.pop(totals.by), []).append(model)
        for row in rows:
            row["breakdown"] = models[row[totals.by]]
    (total,) = _plain([totals.total])
    names = ("schema_version", "costscan_version", "generated_at", "by", "tz", "prices")
    return {
        **{name: plain(getattr(totals, name)) for name in names},
        "inputs": {
            "files": totals.files,
            "skipped_lines": totals.skipped_lines,
            "unusable_files": totals.unusable_files,
            "unread_files": len(totals.unread),
        },
        "totals": total | {"charged_usd": plain(totals.charged_usd)},
        "rows": rows,
    }


def encoded(totals: Totals, *, breakdown: bool = False) -> bytes:
    """Return the totals as UTF-8 text."""
    return text_of(document(totals, breakdown=breakdown))


def _plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in rows]


def _value(value: object) -> Any:
    return _moment(value) if isinstance(value, datetime) else plain(value)


def _moment(moment: datetime) -> str:
    """Return a moment with as many digits of its second as it has: none, three or six."""
    utc = moment.astimezone(UTC)
    exact = "microseconds" if utc.microsecond % 1000 else "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=exact).replace("+00:00", "Z")
