"""JSON values by what they mean: the order of names, space and the way a number is written do not count."""

import math
from typing import Any, TypeAlias

MOST_DEPTH = 200
Canonical: TypeAlias = tuple[Any, ...]


def canonical(value: Any, depth: int = 0) -> Canonical:
    """Return a value that equals that of another JSON value exactly where the two mean the same.

    Raises:
        RecursionError: it is nested deeper than `MOST_DEPTH`.

    >>> canonical({"b": [1.0, True], "a": None}) == canonical({"a": None, "b": [1, True]})
    True
    >>> canonical(1) == canonical(True)
    False
    """
    if depth > MOST_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return ("object", *sorted((str(name), canonical(item, depth + 1)) for name, item in value.items()))
    if isinstance(value, list):
        return ("array", *(canonical(item, depth + 1) for item in value))
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return ("number", int(value))
    if isinstance(value, int | float):
        return ("number", value)
    return ("null",) if value is None else ("string", str(value))


__all__ = ["Canonical", "canonical"]
