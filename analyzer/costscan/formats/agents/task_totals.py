"""What a task cost in all, where some of its calls are told as sums alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from costscan.formats.agents.blocks import word
from costscan.formats.agents.runs import ToldCall, usd
from costscan.reading.conversation.usage import Counters
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.timestamps import time_of

UNKNOWN: Final = "unknown"
_COUNTERS: Final = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")


class TaskTotals:
    """The tokens of each model and the dollars of a task, as far as they are told."""

    def __init__(self) -> None:
        self._models: dict[str, list[Counters]] = defaultdict(list)
        self._usd: list[str | None] = []
        self._has_sums = False

    def add(self, told: ToldCall) -> None:
        """Add a call that is logged."""
        self._models[word(told.model) or UNKNOWN].append(told.counters)
        self._usd.append(usd(told.recorded_usd))

    @property
    def only_model(self) -> str:
        """The model of all calls; an unknown one where there are several or none."""
        return next(iter(self._models)) if len(self._models) == 1 else UNKNOWN

    def add_sums(self, sums: Mapping[str, Any], counters: Counters, model: str | None = None) -> None:
        """Add calls that are told as a sum, of the only model where none is named."""
        if not counters.is_zero or sums.get("cost"):
            self._models[model or self.only_model].append(counters)
            self.add_usd(sums.get("cost"))
            self._has_sums = True

    def add_usd(self, cost: object) -> None:
        """Add the dollars of calls that are not told otherwise."""
        self._usd.append(usd(cost))
        self._has_sums = self._has_sums or bool(cost)

    def rows(self, session: str, path: str, last: tuple[int, float | None]) -> Iterator[RecordedRow]:
        """Yield what was used in all, where that is more than the logged calls.

        Args:
            session: the task.
            path: its file.
            last: the line and the time of its last message, in milliseconds.
        """
        if not self._has_sums:
            return
        at = time_of(None if last[1] is None else str(last[1]))
        row = RecordedRow(session=session, path=path, line=last[0], at=at, event="task")
        for model, counted in self._models.items():
            plain, read, written, output = (_sum([getattr(c, name) for c in counted]) for name in _COUNTERS)
            yield row._replace(
                part="model",
                model_raw=model,
                input_tokens=plain,
                cache_read_tokens=read,
                cache_write_tokens=written,
                cache_write_1h_tokens=0,
                output_tokens=output,
                web_searches=0,
            )
        dollars = [Decimal(cost) for cost in self._usd if cost is not None]
        if len(dollars) == len(self._usd):
            yield row._replace(part="total", usd=usd(sum(dollars, Decimal(0))))


def _sum(counters: list[int | None]) -> int | None:
    known = [counter for counter in counters if counter is not None]
    return sum(known) if len(known) == len(counters) else None
