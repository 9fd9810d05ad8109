"""What findings cost: the ways to price one, each declared once, and no dollar twice inside a rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from costscan.rulebook.pricing_cache import CacheMoney
from costscan.rulebook.pricing_routing import RoutingMoney
from costscan.rulebook.pricing_spending import SpendingMoney
from costscan.scenarios import PricedAnalysis

Columns = Mapping[str, type[pl.DataType]]
_RUN: Final = {"run_id": pl.String}
_TURN: Final = {**_RUN, "turn": pl.Int64}
_SPAN: Final = {**_TURN, "turn_end": pl.Int64}
_TOKENS: Final = {"tokens": pl.Int64}
_BLOCK: Final = {**_TURN, "block": pl.Int64, **_TOKENS}
_CAUSE: Final = {**_SPAN, "cause": pl.String}
_ROW: Final = "row"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to price findings.

    Attributes:
        name: what a rule calls it.
        columns: what its query must give.
        of: the class that knows what is priced.
        price: its method, which says what is priced; takes what was found, numbered by `row`.
    """

    name: str
    columns: Columns
    of: type
    price: Callable[[Any, pl.DataFrame], pl.DataFrame]


WAYS: Final = MappingProxyType({way.name: way for way in (
    Way("block", _BLOCK, SpendingMoney, SpendingMoney.block),
    Way("ride", _BLOCK, SpendingMoney, SpendingMoney.ride),
    Way("turns", _SPAN, SpendingMoney, SpendingMoney.turns),
    Way("prompt", {**_SPAN, **_TOKENS}, SpendingMoney, SpendingMoney.prompt),
    Way("output", {**_TURN, **_TOKENS}, SpendingMoney, SpendingMoney.output),
    Way("run", {**_RUN, "share": pl.Float64}, SpendingMoney, SpendingMoney.run),
    Way("lost", _CAUSE, CacheMoney, CacheMoney.lost),
    Way("lost-in-run", _CAUSE, CacheMoney, CacheMoney.lost_in_run),
    Way("lost-at", {**_CAUSE, "path": pl.String}, CacheMoney, CacheMoney.lost_at),
    Way("unread", {**_SPAN, **_TOKENS}, CacheMoney, CacheMoney.unread),
    Way("written", {**_TURN, **_TOKENS}, CacheMoney, CacheMoney.written),
    Way("saved", {**_RUN, "scenario": pl.String}, CacheMoney, CacheMoney.saved),
    Way("lifetime", {**_RUN, "cheaper": pl.String}, CacheMoney, CacheMoney.lifetime),
    Way("fast", _SPAN, RoutingMoney, RoutingMoney.fast),
    Way("thinking", {**_SPAN, **_TOKENS}, RoutingMoney, RoutingMoney.thinking),
    Way("switched", _TURN, RoutingMoney, RoutingMoney.switched),
)})  # fmt: skip
"""The ways by their names; the first is that of a rule that names none."""
_PRICED_COLUMNS: Final = tuple(dict.fromkeys(column for way in WAYS.values() for column in way.columns))
"""What prices are worked out from; what else a query gives is for its texts."""


class Money:
    """What the turns of some runs cost, made once for all rules; `frames` are those in memory."""

    def __init__(
        self,
        analysis: PricedAnalysis,
        runs: pl.Series,
        frames: Mapping[str, pl.LazyFrame] = MappingProxyType({}),
    ) -> None:
        self._pricers: Mapping[type, object] = {
            SpendingMoney: SpendingMoney(analysis, runs, frames),
            CacheMoney: CacheMoney(analysis, runs),
            RoutingMoney: RoutingMoney(analysis, runs),
        }

    def price(self, matches: pl.DataFrame, how: str) -> pl.DataFrame:
        """Add `usd` to findings (null where a price is unknown), and leave out what counts a dollar twice.

        Args:
            matches: what a query gave, with the columns of its way to price it.
            how: the name of one of `WAYS`.
        """
        columns = [name for name in _PRICED_COLUMNS if name in matches.columns]
        way = WAYS[how]
        priced = way.price(self._pricers[way.of], matches.select(columns).with_row_index(_ROW))
        return matches[priced[_ROW]].with_columns(priced["turn"], priced["usd"])


__all__ = ["WAYS", "Money"]
