"""Streams of a session whose client records what it cost, and the totals it records."""

from decimal import Decimal
from typing import Any, TypeAlias

from logs import HAIKU, OPUS, Json, at, result, streamed, totals, usage, usd

USED = usage(10, read=1000, w1h=200, out=3)
LOGGED = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=3)
TRUE = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=90)
"""The client knows the final output, 90 tokens, where the stream shows 3."""
SIDE = usd(HAIKU, **{"in": 700}, out=20)
SIDE_TOTAL = totals(700, out=20, cost=SIDE)


def main_total(n: int = 1) -> Json:
    """Return the total of n calls."""
    return totals(10 * n, read=1000 * n, write=200 * n, out=90 * n, cost=n * TRUE)


def stream(n: int, first: int = 0, session: str = "s1") -> list[Json]:
    """Return n calls of a session as the stream shows them."""
    return [
        streamed(f"msg_{session}_{i}", USED, timestamp=at(10 * i), session_id=session)
        for i in range(first, first + n)
    ]


Tokens: TypeAlias = dict[str, int]
"""Tokens of a call as `usd` takes them: in, read, w5m, w1h, out."""

STEPS: tuple[Tokens, ...] = (
    {"in": 5, "w1h": 20_000, "out": 300},
    {"in": 6, "read": 20_000, "w1h": 22_000, "out": 500},
    {"in": 7, "read": 84_000, "w1h": 30_000, "out": 900},
)
"""What each step of a job used, a process of its own that resumes one session."""
STEPS_USD = tuple(map(Decimal, ("0.207525", "0.24253", "0.364535")))
"""Worked out by hand from the prices of Opus: 5, 0.5, 10 and 25 USD per million tokens."""


def used(tokens: Tokens, **more: Any) -> Json:
    """Return the usage beside a result; the lifetimes of the writes are not told."""
    told = usage(
        tokens.get("in", 0),
        read=tokens.get("read", 0),
        w5m=tokens.get("w5m", 0) + tokens.get("w1h", 0),
        out=tokens.get("out", 0),
        **more,
    )
    del told["cache_creation"]
    return told


def own(tokens: Tokens, cost: Any, times: int = 1, **more: Any) -> Json:
    """Return the entry of a model whose client counted its tokens so many times."""
    writes = tokens.get("w5m", 0) + tokens.get("w1h", 0)
    counts = (tokens.get("in", 0), tokens.get("read", 0), writes, tokens.get("out", 0))
    plain, read, write, out = (times * n for n in counts)
    return totals(plain, read=read, write=write, out=out, cost=cost) | more


def ended(tokens: Tokens, cost: Any, *, times: int = 1, model: str = OPUS, **more: Any) -> Json:
    """Return a result as `--output-format json` writes it: all that a process used, and its usage beside it."""
    line = result(cost, {model: own(tokens, cost, times)}, more.pop("session", "s1"))
    return line | {"usage": used(tokens)} | more
