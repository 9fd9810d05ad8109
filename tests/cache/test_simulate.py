"""The cache simulator: the same to the token as a slow one that walks through the requests, and by hand."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from costscan.cache.simulator import simulate
from costscan.cache_policy import LONG_US, SHORT_US
from hypothesis_profile import examples
from slow_cache import slow

SECOND = 1_000_000
FIVE, HOUR = SHORT_US, LONG_US
REQUEST = dict.fromkeys(("req", "domain", "at_us", "ready_us", "prompt_tokens", "min_tokens"), pl.Int64)
POSITION = dict.fromkeys(("req", "key", "tokens", "ttl_us"), pl.Int64)
Row = dict[str, Any]


def told(
    requests: list[Row], positions: list[Row], *, longest_only: bool = False
) -> dict[int, tuple[int, ...]]:
    frames = pl.DataFrame(requests, schema=REQUEST), pl.DataFrame(positions, schema=POSITION)
    found = simulate(*frames, longest_only=longest_only)
    return {row[0]: row[1:] for row in found.iter_rows()}


@st.composite
def sequences(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Requests whose prompts are paths in one tree, marked here and there, with answers short and long."""
    starts = sorted(draw(st.lists(st.integers(0, 9000), min_size=1, max_size=25, unique=True)))
    requests: list[Row] = []
    positions: list[Row] = []
    for n, start in enumerate(starts):
        path = draw(st.lists(st.booleans(), min_size=1, max_size=4))
        at = start * SECOND
        requests.append({
            "req": n, "domain": draw(st.integers(0, 1)), "at_us": at,
            "ready_us": at + draw(st.sampled_from([0, 1, 5, 50, 400, 4000])) * SECOND,
            "prompt_tokens": 100 * (len(path) + 1), "min_tokens": draw(st.sampled_from([0, 150])),
        })  # fmt: skip
        for depth in range(1, len(path) + 1):
            key = sum(2**i for i, side in enumerate(path[:depth]) if side) + 2**depth * 1000
            ttl = draw(st.sampled_from([None, None, FIVE, HOUR]))
            positions.append({"req": n, "key": key, "tokens": 100 * depth, "ttl_us": ttl})
    return requests, positions


@examples(30)
@given(st.lists(sequences(), min_size=20, max_size=30))
def test_it_is_what_a_walk_through_the_requests_gives(many: list[tuple[list[Row], list[Row]]]) -> None:
    # Many sequences at once, each with models of its own, so that they do not touch.
    requests = [
        row | {"req": row["req"] + 100 * n, "domain": row["domain"] + 10 * n}
        for n, (rows, _) in enumerate(many)
        for row in rows
    ]
    positions = [row | {"req": row["req"] + 100 * n} for n, (_, rows) in enumerate(many) for row in rows]
    assert told(requests, positions) == slow(requests, positions)
    alone = told(requests, positions, longest_only=True)
    assert alone == slow(requests, positions, longest_only=True)


def one(n: int, at_s: float, prompt: int, took_s: float = 1) -> Row:
    at = int(at_s * SECOND)
    return {
        "req": n, "domain": 1, "at_us": at, "ready_us": at + int(took_s * SECOND),
        "prompt_tokens": prompt, "min_tokens": 1024,
    }  # fmt: skip


def mark(n: int, key: int, tokens: int, ttl: int | None = FIVE) -> Row:
    return {"req": n, "key": key, "tokens": tokens, "ttl_us": ttl}


def test_a_conversation_reads_what_it_wrote_until_five_minutes_after_the_last_start() -> None:
    requests = [one(0, 0, 2000), one(1, 300, 3000), one(2, 601, 3500)]
    positions = [
        mark(0, 1, 1990),
        mark(1, 1, 1990, None),
        mark(1, 2, 2990),
        mark(2, 2, 2990, None),
        mark(2, 3, 3490),
    ]
    assert told(requests, positions) == {0: (0, 0, 1990, 10), 1: (1990, 0, 1000, 10), 2: (0, 0, 3490, 10)}


def test_time_runs_from_the_start_of_a_request_however_long_its_answer_takes() -> None:
    requests = [one(0, 0, 2000, took_s=240), one(1, 299, 2000), one(2, 600, 2000)]
    positions = [mark(n, 1, 1990) for n in range(3)]
    assert told(requests, positions) == {0: (0, 0, 1990, 10), 1: (1990, 0, 0, 10), 2: (0, 0, 1990, 10)}


def test_a_hit_on_a_longer_entry_keeps_a_shorter_one_or_not() -> None:
    """A conversation for eight minutes, then another one with the same beginning."""
    talk = [one(0, 0, 2000), one(1, 200, 3000), one(2, 400, 3500)]
    both = [mark(n, 1, 1500) for n in range(4)]
    both += [mark(0, 2, 1990), mark(1, 2, 1990, None), mark(1, 3, 2990), mark(2, 3, 2990, None)]
    both += [mark(2, 4, 3490), mark(3, 5, 1990)]
    requests = [*talk, one(3, 500, 2000)]
    assert told(requests, both)[3] == (1500, 0, 490, 10)
    assert told(requests, both, longest_only=True)[3] == (0, 0, 1990, 10)


def test_parallel_requests_all_write() -> None:
    requests = [one(n, 0.1 * n, 2000, took_s=5) for n in range(3)] + [one(3, 6, 2000)]
    positions = [mark(n, 1, 1990) for n in range(4)]
    assert [row[:3] for row in told(requests, positions).values()] == [(0, 0, 1990)] * 3 + [(1990, 0, 0)]


def test_what_is_shorter_than_the_model_caches_is_neither_written_nor_read() -> None:
    requests, positions = [one(0, 0, 1500), one(1, 9, 1500)], [mark(0, 1, 1023), mark(1, 1, 1023)]
    assert told(requests, positions) == {0: (0, 0, 0, 1500), 1: (0, 0, 0, 1500)}


def test_marks_of_both_lifetimes_are_billed_apart() -> None:
    requests = [one(0, 0, 2048), one(1, 400, 2048)]
    positions = [
        mark(n, key, tokens, ttl) for n in (0, 1) for key, tokens, ttl in ((1, 1900, HOUR), (2, 2000, FIVE))
    ]
    assert told(requests, positions) == {0: (0, 1900, 100, 48), 1: (1900, 0, 100, 48)}
