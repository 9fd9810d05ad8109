"""Streams of a session whose client records what it cost, and the totals it records."""

from logs import HAIKU, OPUS, Json, at, streamed, totals, usage, usd

USED = usage(10, read=1000, w1h=200, out=3)
LOGGED = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=3)
TRUE = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=90)
"""The client knows the final output, 90 tokens, where the stream shows 3."""
SIDE = usd(HAIKU, **{"in": 700}, out=20)
SIDE_TOTAL = totals(700, out=20, cost=SIDE)


def main_total(n: int = 1) -> Json:
    """Give the total of n calls."""
    return totals(10 * n, read=1000 * n, write=200 * n, out=90 * n, cost=n * TRUE)


def stream(n: int, first: int = 0, session: str = "s1") -> list[Json]:
    """Give n calls of a session as the stream shows them."""
    return [
        streamed(f"msg_{session}_{i}", USED, timestamp=at(10 * i), session_id=session)
        for i in range(first, first + n)
    ]
