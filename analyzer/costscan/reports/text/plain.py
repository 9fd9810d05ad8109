"""Values as JSON has them, laid out with a row a line."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import singledispatch
from math import isfinite
from typing import Any, Final

import msgspec

DECIMALS: Final = 9


@singledispatch
def plain(value: Any) -> Any:
    """Return a value as JSON has it: USD rounded to 1e-9, times in ISO 8601, what is not finite as null."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


@plain.register
def _(value: Decimal) -> float | None:
    return float(round(value, DECIMALS)) if value.is_finite() else None


@plain.register
def _(value: float) -> float | None:
    return value if isfinite(value) else None


@plain.register
def _(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


@plain.register
def _(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@plain.register(list)
@plain.register(tuple)
def _(value: Sequence[Any]) -> list[Any]:
    return [plain(item) for item in value]


@plain.register(Mapping)
def _(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): plain(item) for key, item in value.items()}


def text_of(report: Mapping[str, Any]) -> bytes:
    """Return plain values as UTF-8 text: every key on its own line, and every row of a table."""
    parts = [f"  {line_of(key)}: {_value(value)}" for key, value in report.items()]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {line_of(row)}" for row in value) + "\n  ]"
    return line_of(value)


def line_of(value: Any) -> str:
    """Return a value as JSON; a # after another is escaped: `##[` in what a job prints is a command of it."""
    return msgspec.json.encode(value).decode().replace("##", r"#\u0023")
