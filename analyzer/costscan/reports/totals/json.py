"""Totals as JSON: a row a line, each with its models where they are asked for."""

from typing import Any

from costscan.reports.text.json import plain, text_of
from costscan.totals import Totals


def document(found: Totals, *, breakdown: bool) -> dict[str, Any]:
    """Return the totals as plain values; USD rounded to 1e-9, unknown is null."""
    rows = plain(found.rows)
    if breakdown and found.by != "model":
        models = plain(found.models)
        for row in rows:
            own = [model for model in models if model[found.by] == row[found.by]]
            row["breakdown"] = [{k: v for k, v in model.items() if k != found.by} for model in own]
    (total,) = plain(found.total)
    names = ("schema_version", "costscan_version", "generated_at", "by", "tz", "prices")
    return {
        **{name: plain(getattr(found, name)) for name in names},
        "inputs": {name: getattr(found, name) for name in ("files", "skipped_lines", "unread")},
        "totals": total,
        "rows": rows,
    }


def encoded(found: Totals, *, breakdown: bool = False) -> bytes:
    """Return the totals as UTF-8 text."""
    return text_of(document(found, breakdown=breakdown))
