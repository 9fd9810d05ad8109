"""What each lever would have saved, on the terminal: a line a lever, with its parts."""

from decimal import Decimal
from typing import Final

from rich.text import Text

from costscan.reports.table import Column, table
from costscan.reports.wording import count, is_fine, percent, usd
from costscan.summary import Summary
from costscan.summary.model import Scenario

LEVERS: Final = ("caching", "trimming", "routing", "batching")
_LEAST_SHARE: Final = Decimal("0.005")
"""A lever that would have saved less than this share of the bill is not worth a line."""


def levers_table(summary: Summary, width: int) -> list[Text]:
    """Give what each lever would have saved alone; nothing where that is nothing to speak of."""
    billed = summary.totals.usd
    found = [s for name in LEVERS if (s := summary.scenario(name)) is not None]
    rows = [s for s in found if billed and s.saved_usd and s.saved_usd >= billed * _LEAST_SHARE]
    if not rows or not billed:
        return []
    fine = is_fine(s.saved_usd for s in rows)
    columns = [
        Column("lever", [s.scenario for s in rows], name=True, style="bold"),
        Column("saves", [usd(s.saved_usd, fine=fine) for s in rows], style="bold green"),
        Column("", [percent(float((s.saved_usd or 0) / billed)) for s in rows]),
        Column("runs", [count(s.runs) for s in rows], give=2),
        Column("risk", [(s.risk or "").replace("-", " ") for s in rows], left=True, give=3),
        Column("its parts, each alone", [_parts(summary, s) for s in rows], name=True, prose=True),
    ]
    return table(columns, width)


def _parts(summary: Summary, lever: Scenario) -> str:
    parts = [s for s in summary.scenarios if s.scenario.startswith(f"{lever.scenario}/") and s.saved_usd]
    ranked = sorted(parts, key=lambda s: -(s.saved_usd or 0))
    return " · ".join(f"{s.scenario.partition('/')[2]} {usd(s.saved_usd)}" for s in ranked)
