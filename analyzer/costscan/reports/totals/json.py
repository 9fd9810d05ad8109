"""Totals as JSON: a row a line, each with its models where they are asked for."""

from typing import Any

from costscan.reports.text.json import plain, text_of
from costscan.totals import Totals


def document(totals: Totals, *, breakdown: bool) -> dict[str, Any]:
    """Return the totals as plain values; USD rounded to 1e-9, unknown is null."""
    rows = plain(totals.rows)
    if breakdown and totals.by != "model":
        models: dict[str, list[dict[str, Any]]] = {}
        for model in plain(totals.models):
            models.setdefault(model.pop(totals.by), []).append(model)
        for row in rows:
            row["breakdown"] = models[row[totals.by]]
    (total,) = plain(totals.total)
    names = ("schema_version", "costscan_version", "generated_at", "by", "tz", "prices")
    return {
        **{name: plain(getattr(totals, name)) for name in names},
        "inputs": {
            "files": totals.files,
            "skipped_lines": totals.skipped_lines,
            "unusable_files": totals.unusable_files,
            "unread_files": len(totals.unread),
        },
        "totals": total,
        "rows": rows,
    }


def encoded(totals: Totals, *, breakdown: bool = False) -> bytes:
    """Return the totals as UTF-8 text."""
    return text_of(document(totals, breakdown=breakdown))
