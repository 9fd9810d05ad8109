"""A transcript of three calls, for the tests that damage, wrap and reformat it."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from logs import OPUS, assistant, at, encoded, usage, usd
from seen import Seen

CALL = usage(10, read=100, out=5)
A, B, C = (assistant(f"msg_{i}", CALL, timestamp=at(i), uuid=f"u{i}") for i in range(3))
EACH = usd(OPUS, **{"in": 10}, read=100, out=5)


def plain(line: Any) -> str:
    return encoded(line).decode()


def calls(seen: Seen) -> list[tuple[str, int]]:
    """The calls with their lines."""
    return list(zip(seen.column("message_id"), seen.column("line"), strict=True))


def whole(told: Mapping[str, pl.DataFrame], calls: int) -> None:
    """Check that every log tells that many calls, each at its price."""
    for name, turns in told.items():
        assert (turns.height, turns["usd"].sum()) == (calls, calls * EACH), name
