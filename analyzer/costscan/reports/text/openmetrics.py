"""Gauges in the OpenMetrics text format.

https://prometheus.io/docs/specs/om/open_metrics_spec/. What is not known is left out. No type is new in
OpenMetrics, so that the textfile collector of node_exporter reads the file too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Final

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
        name = f"{PREFIX}_{self.name}"
        unit = self.name.rpartition("_")[2]
        yield f"# TYPE {name} gauge"
        if unit in _UNITS:
            yield f"# UNIT {name} {unit}"
        yield f"# HELP {name} {_escaped(self.help)}"
        for labels, value in known_values.items():
            yield f"{name}{_labelled(labels)} {_number(value)}"


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


def text_of(families: Iterable[Family]) -> str:
    """Return gauges as a document."""
    lines = [line for family in families for line in family.lines()]
    return "\n".join([*lines, "# EOF"]) + "\n"
