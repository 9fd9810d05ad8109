"""The metrics of Claude Code: tokens and dollars of a session, by model, as totals of it."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from costscan.formats.agents.blocks import word
from costscan.formats.agents.otlp import Point
from costscan.formats.agents.runs import usd
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.timestamps import time_of

_TOKENS: Final = "claude_code.token.usage"
_COST: Final = "claude_code.cost.usage"
_COUNTER: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cacheCreation": "cache_write_tokens",
}


class Totals:
    """What the metrics of a file come to."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._before: dict[tuple[str, ...], Decimal] = {}
        self._last: dict[str, tuple[int, str | None]] = {}

    def add(self, line: int, point: Point) -> None:
        """Add a data point. One that counts on from the one before adds what it has grown by."""
        session, model = (word(point.attributes.get(name)) for name in ("session.id", "model"))
        counter = _counter(point)
        if session is None or model is None or counter is None:
            return
        value = Decimal(str(point.value))
        if point.is_total:
            series = (point.metric, point.since, repr(sorted(point.attributes.items(), key=repr)))
            value, self._before[series] = value - self._before.get(series, Decimal(0)), value
        self._sums[session, model][counter] += value
        self._last[session] = line, point.at

    def rows(self, path: str) -> Iterator[RecordedRow]:
        """Yield what each session used, by model, and what that cost by the client's price list."""
        costs: dict[str, Decimal] = defaultdict(Decimal)
        for (session, model), sums in self._sums.items():
            line, at = self._last[session]
            row = RecordedRow(session=session, path=path, line=line, at=time_of(at), event="metrics")
            plain, output, cache_read, written = (
                int(sums[name]) if name in sums else None for name in _COUNTER.values()
            )
            dollars = usd(sums["usd"]) if "usd" in sums else None
            costs[session] += sums.get("usd", Decimal(0))
            yield row._replace(
                part="model",
                model_raw=model,
                input_tokens=plain,
                output_tokens=output,
                cache_read_tokens=cache_read,
                cache_write_tokens=written,
                web_searches=0,
                usd=dollars,
            )
        for session, total in costs.items():
            line, at = self._last[session]
            row = RecordedRow(session=session, path=path, line=line, at=time_of(at), event="metrics")
            yield row._replace(part="total", usd=usd(total))


def _counter(point: Point) -> str | None:
    if point.metric == _COST:
        return "usd"
    return _COUNTER.get(str(point.attributes.get("type"))) if point.metric == _TOKENS else None
