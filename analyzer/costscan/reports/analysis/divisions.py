"""The bill by tool, MCP server, skill, kind of block and agent: one table, and what differs as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.aggregates import total
from costscan.attribution import PARTS
from costscan.reports.text.numbers import bar, count, is_fine, percent, plural, tokens, usd, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary import Summary

Rows = Sequence[Mapping[str, Any]]
_SHORT_BAR: Final = 8
_LEAST_NAME: Final = len(PARTS["hidden"])


@dataclass(frozen=True)
class Division:
    """One division of the bill.

    Attributes:
        name: its column, and its word on the command line.
        one: what a row is.
        counted: what `calls` counts.
        sized: whose tokens the percentiles are.
        parted: whether what its rows cost is parted into `entry_usd` and `carried_usd`; of a tool the latter
            is of its results alone.
        shown: plainer names for some rows.
    """

    name: str
    one: str
    counted: str = "calls"
    sized: str = "result"
    parted: bool = True
    shown: Mapping[str, str] = field(default_factory=dict)

    def table(self, summary: Summary, top: int, width: int) -> list[Text]:
        """Return its most expensive rows, and the sum of the rest."""
        frame = summary.division(self.name)
        rows = frame.head(top).to_dicts()
        return [
            *table(self.columns(rows), width),
            *rest(rows, "usd", frame["usd"][top:], f"more {self.one}"),
        ]

    def columns(self, rows: Rows) -> list[Column]:
        """Return the columns of that table."""
        names = [self.shown.get(row[self.name], row[self.name]) for row in rows]
        return [*priced(rows, self.one, names), *self._sizes(rows), *self._parts(rows)]

    def _sizes(self, rows: Rows) -> list[Column]:
        return [
            Column(self.counted, [count(row["calls"]) for row in rows], give=2),
            Column(f"{self.sized} p50", [tokens(row["p50_tokens"]) for row in rows], give=3),
            Column("p95", [tokens(row["p95_tokens"]) for row in rows], give=5),
            Column("max", [tokens(row["max_tokens"]) for row in rows], give=4),
        ]

    def _parts(self, rows: Rows) -> list[Column]:
        fine = is_fine(row["usd"] for row in rows)
        entry = Column("at entry", [usd(row["entry_usd"], fine=fine) for row in rows], give=1)
        again = Column("re-sent", [usd(row["carried_usd"], fine=fine) for row in rows], give=1)
        return [entry, again] if self.parted else [again]


DIVISIONS: Final = (
    Division("tool", "tool", parted=False),
    Division("server", "MCP server"),
    Division("skill", "skill", "blocks", "tokens"),
    Division(
        "kind",
        "kind",
        "blocks",
        "tokens",
        shown={
            "hidden": PARTS["hidden"],
            "system": "system prompt",
            "tool_def": "tool definition",
            "tool_use": "tool call",
            "tool_result": "tool result",
        },
    ),
    Division("agent", "agent", "threads", "tokens"),
)


def priced(rows: Rows, one: str, names: Sequence[str], *, prose: bool = False) -> list[Column]:
    """Return the columns that every table of the bill begins with: names, costs, shares of the bill."""
    return [
        Column(f"by {one}", [inert(name) for name in names], name=True, prose=prose, least=_LEAST_NAME),
        Column("cost", usd_column(row["usd"] for row in rows), style="bold"),
        Column("", [percent(row["share"]) for row in rows]),
        Column("", [bar(row["share"], _SHORT_BAR) for row in rows], give=6, style="cyan", left=True),
    ]


def rest(shown: Rows, column: str, costs: pl.Series, word: str) -> list[Text]:
    """Say how many rows are left out, and what they cost with the decimals of those shown."""
    if not len(costs):
        return []
    fine = is_fine(row[column] for row in shown)
    spent = usd(total(costs), fine=fine) if costs.count() else "unpriced"
    return [Text(f"  … {plural(len(costs), word)}, {spent}", style="dim")]
