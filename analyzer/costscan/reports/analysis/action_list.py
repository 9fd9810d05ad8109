"""All actions, one line each."""

from typing import Any

from rich.text import Text

from costscan.reports.text.numbers import usd, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary import Summary


def action_list(summary: Summary, width: int) -> list[Text]:
    """Return the actions in their order; nothing where there are none."""
    return table(action_columns(summary), width) if summary.actions else []


def action_columns(summary: Summary) -> list[Column]:
    """Return the columns of that table."""
    actions = summary.actions
    return [
        Column("do", [f"{a['rank']}  {inert(a['title'])}" for a in actions], name=True, prose=True),
        Column("saves", usd_column(a["saved_usd"] for a in actions), style="green"),
        Column("range", [_range(a) for a in actions], give=3),
        Column("alone", usd_column(a["saved_alone_usd"] for a in actions), give=2),
        Column("left", usd_column(a["usd_after"] for a in actions)),
        Column("risk", [a["risk"].replace("-", " ") for a in actions], left=True),
        Column("how", [inert(a["how"]) for a in actions], name=True, prose=True, give=1),
    ]


def _range(action: dict[str, Any]) -> str:
    """Return the ends between which the saving lies; nothing where it is sure to the cent that is shown."""
    low, high = (usd(action[f"saved_{end}_usd"]) for end in ("low", "high"))
    return "" if low == high else f"{low}-{high.removeprefix('$')}"


__all__ = ["action_columns", "action_list"]
