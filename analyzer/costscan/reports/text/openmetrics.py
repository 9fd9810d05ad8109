"""Gauges and summaries in the OpenMetrics text format.

https://prometheus.io/docs/specs/om/open_metrics_spec/. What is not known is left out. No type is new in
OpenMetrics, so that the textfile collector of node_exporter reads the file too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Final, NamedTuple

PREFIX: Final = "costscan"
_UNITS: Final = ("usd", "tokens", "ratio", "seconds")

Value = Decimal | int | float | None
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Family:
    """One gauge: its name without the prefix, ending in the unit; what it is; and its values by labels."""

    name: str
    help: str
    values: Mapping[Labels, Value]

    def lines(self) -> Iterator[str]:
        """Yield its lines; none where nothing of it is known."""
        known_values = {labels: value for labels, value in self.values.items() if _is_known(value)}
        if not known_values:
            return
        yield from _head(self.name, "gauge", self.help)
        for labels, value in known_values.items():
            yield f"{PREFIX}_{self.name}{_labelled(labels)} {_number(value)}"


class Ranked(NamedTuple):
    """Some values by their ranks: the quantiles, how many there are, and their sum; None is not known."""

    quantiles: Mapping[str, Value]
    number: Value = None
    total: Value = None


@dataclass(frozen=True)
class Ranks:
    """One summary: as `Family`, with values by their ranks for labels."""

    name: str
    help: str
    values: Mapping[Labels, Ranked]

    def lines(self) -> Iterator[str]:
        """Yield its lines; none where nothing of it is known."""
        lines = [line for labels, ranked in self.values.items() for line in self._of(labels, ranked)]
        if lines:
            yield from _head(self.name, "summary", self.help)
            yield from lines

    def _of(self, labels: Labels, ranked: Ranked) -> Iterator[str]:
        name = f"{PREFIX}_{self.name}"
        for rank, value in ranked.quantiles.items():
            if _is_known(value):
                yield f"{name}{_labelled((*labels, ('quantile', rank)))} {_number(value)}"
        for ending, value in (("count", ranked.number), ("sum", ranked.total)):
            if _is_known(value):
                yield f"{name}_{ending}{_labelled(labels)} {_number(value)}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    unit = name.rpartition("_")[2]
    yield f"# TYPE {PREFIX}_{name} {kind}"
    if unit in _UNITS:
        yield f"# UNIT {PREFIX}_{name} {unit}"
    yield f"# HELP {PREFIX}_{name} {_escaped(text)}"


def _is_known(value: Value) -> bool:
    if value is None:
        return False
    return value.is_finite() if isinstance(value, Decimal) else isfinite(value)


def _number(value: Value) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _labelled(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def one(name: str, text: str, value: Value) -> Family:
    """Return a gauge with one value."""
    return Family(name, text, {(): value})


def by(name: str, text: str, label: str, values: Mapping[str, Value]) -> Family:
    """Return a gauge with a value per value of a label."""
    return Family(name, text, {((label, key),): value for key, value in values.items()})


def text_of(families: Iterable[Family | Ranks]) -> str:
    """Return gauges and summaries as a document."""
    lines = [line for family in families for line in family.lines()]
    return "\n".join([*lines, "# EOF"]) + "\n"
