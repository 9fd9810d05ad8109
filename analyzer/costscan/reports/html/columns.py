"""Tables as the page holds them: a list a column, short, and nothing of a log that is not inert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from math import isfinite
from typing import Any, Final, Literal

from costscan.reports.text.numbers import is_fine
from costscan.reports.text.sanitize import ELLIPSIS, inert

MOST_CHARS: Final = 1000
"""As long as the longest text of a finding."""
_NAME_CHARS: Final = 200
_EDGES: Final = {0.0, 0.005, 0.995, 1.0}
"""Where a share is written otherwise: what is near one of them stays on its side."""
_USD_DECIMALS, _SHARE_DECIMALS = 6, 4
Kind = Literal["name", "prose", "spread", "choice", "usd", "change", "count", "tokens", "percent", "time"]
"""`spread` is a text that is aligned as a number, `change` dollars with their sign."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: its heading.
        kind: how its values are written, and whether they can be chosen from a list.
        values: one a row.
        give: the larger, the sooner it makes room on a narrow page; 0 never.
        on_demand: whether it is shown only of a row that is opened.
        copy: whether its texts are to be copied.
    """

    title: str
    kind: Kind
    values: Sequence[Any]
    give: int = 0
    on_demand: bool = False
    copy: bool = False

    def encoded(self, pools: "Pools") -> dict[str, Any]:
        """Return it as the page reads it: in place of texts, their numbers in the pool of the title.

        What can be chosen from a list has a pool of its own: nothing is offered that no row has.
        """
        column: dict[str, Any] = {"title": self.title, "kind": self.kind, "give": self.give}
        if self.on_demand:
            column["onDemand"] = True
        if self.copy:
            column["copy"] = True
        if self.kind in {"usd", "change"}:
            column["fine"] = is_fine(self.values)
        values = [plain(value, self.kind) for value in self.values]
        if self.kind == "choice":
            own: dict[str, int] = {}
            values = [own.setdefault(value, len(own)) for value in values]
            column["texts"] = list(own)
        elif self.kind in {"name", "prose", "spread"}:
            pool = pools.setdefault(self.title, {})
            values = [pool.setdefault(value, len(pool)) for value in values]
            column["pool"] = self.title
        return column | {"values": values}


Pools = dict[str, dict[str, int]]
"""Texts by the title of their columns, each with its number: tasks and runs are in more than one table."""


@dataclass(frozen=True)
class Table:
    """A table that can be sorted and filtered.

    Attributes:
        name: what the page calls it.
        words: what one row is, and what many are.
        columns: from left to right.
        sort: the title of the column it is sorted by at first; the largest first, but for names. "": as told.
        total: the title of the column that is added up.
        note: what is to be said of it.
        rises: whether the smallest comes first at first.
        of: the run that each row is about, by its row in the table of runs; None of none.
    """

    name: str
    words: tuple[str, str]
    columns: Sequence[Column]
    sort: str = "cost"
    total: str = "cost"
    note: str = ""
    rises: bool = False
    of: Sequence[int | None] = ()

    def encoded(self, pools: Pools) -> dict[str, Any]:
        """Return it as the page reads it."""
        more = {"rises": True} if self.rises else {}
        return (
            more
            | ({"of": list(self.of)} if self.of else {})
            | {
                "name": self.name,
                "words": self.words,
                "sort": self.sort,
                "total": self.total,
                "note": self.note,
                "columns": [column.encoded(pools) for column in self.columns],
            }
        )


def text(value: str, most: int = MOST_CHARS) -> str:
    """Return a text of a log as it may stand on the page."""
    shown = inert(value)
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + ELLIPSIS


@singledispatch
def plain(value: Any, kind: str = "") -> Any:
    """Return a value with no more digits than the page shows of it."""
    del kind
    return value


@plain.register
def _(value: str, kind: str = "") -> str:
    return text(value, _NAME_CHARS if kind == "name" else MOST_CHARS)


@plain.register
def _(value: Decimal, kind: str = "") -> float | None:
    del kind
    return money(value)


@plain.register
def _(value: float, kind: str = "") -> float | None:
    del kind
    if not isfinite(value):
        return None
    short = round(value, _SHARE_DECIMALS)
    return value if short in _EDGES else short


@plain.register
def _(value: datetime, kind: str = "") -> int:
    """Return the minutes since 1970."""
    del kind
    return int(value.timestamp()) // 60


def money(value: Decimal | None) -> float | None:
    """Return dollars to a millionth; what is less is not nothing."""
    return None if value is None else float(round(value, _USD_DECIMALS) or value)
