"""Plans that are replayed side by side: each as if it were alone, and as a slow walk has it."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from costscan.cache.requests import POSITIONS, REQUESTS
from costscan.cache_policy import LONG_US, SHORT_US
from costscan.levers.asks import ASKS
from costscan.levers.plan import TTLS, Breakpoints, Plan
from costscan.levers.stack import Stack
from hypothesis_profile import examples
from slow_cache import slow

SECOND = 1_000_000
Row = dict[str, Any]
Set = tuple[int, int] | None
MARKS = st.sampled_from([None, SHORT_US, LONG_US])
SETS = st.sampled_from([None, (SHORT_US, SHORT_US), (LONG_US, LONG_US), (SHORT_US, LONG_US)])
"""The TTL that is set of what follows the prefix, and of the prefix, which has 200 tokens."""
PREFIX = 200


@st.composite
def requests_of(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Requests of one log, one beginning in another; the prefixes of all plans have the same keys."""
    starts = sorted(draw(st.lists(st.integers(0, 9000), min_size=1, max_size=8, unique=True)))
    requests: list[Row] = []
    positions: list[Row] = []
    for n, start in enumerate(starts):
        at_us = start * SECOND
        requests.append({"req": n, "domain": draw(st.integers(0, 1)), "at_us": at_us, "ready_us": at_us + SECOND,
                         "prompt_tokens": 500, "min_tokens": draw(st.sampled_from([0, 150]))})  # fmt: skip
        positions += [
            {"req": n, "key": depth, "tokens": 100 * depth, "ttl_us": draw(MARKS)}
            for depth in range(1, draw(st.integers(1, 4)) + 1)
        ]
    return requests, positions


def as_set(position: Row, ttls: Sequence[Set]) -> Row:
    set_us = ttls[position["req"]]
    if position["ttl_us"] is None or set_us is None:
        return position
    return position | {"ttl_us": set_us[position["tokens"] <= PREFIX]}


def plan_of(requests: list[Row], positions: list[Row], ttls: Sequence[Set]) -> Plan:
    breakpoints = Breakpoints(
        pl.DataFrame(requests, schema=REQUESTS), pl.DataFrame(positions, schema=POSITIONS)
    )
    other = [(n, *ttl) for n, ttl in enumerate(ttls[: len(requests)]) if ttl]
    shared = pl.lit(PREFIX, pl.Int64)
    steps = pl.DataFrame({"req": [row["req"] for row in requests]}, schema={"req": pl.Int64}).with_columns(
        shared_tokens=shared, stable_shared_tokens=shared
    )
    return Plan(
        steps, breakpoints, breakpoints, NO_GROUPS, ttls=pl.DataFrame(other, schema=TTLS, orient="row")
    )


Parts = tuple[list[Row], list[Row], list[Set]]
NO_GROUPS = pl.DataFrame(schema={"run_id": pl.String, "group": pl.Int64})
PARTS: st.SearchStrategy[Parts] = st.tuples(requests_of(), st.lists(SETS, min_size=8, max_size=8)).map(
    lambda drawn: (*drawn[0], drawn[1])
)


@examples(40)
@given(st.lists(PARTS, min_size=1, max_size=6), st.booleans())
def test_each_plan_is_replayed_as_if_it_were_alone(parts: list[Parts], longest_only: bool) -> None:
    stack = Stack.of([plan_of(*part) for part in parts])
    found = stack.classes(longest_only=longest_only)
    rows = iter(found.iter_rows())
    for requests, positions, ttls in parts:
        slowly = slow(requests, [as_set(row, ttls) for row in positions], longest_only=longest_only)
        assert {row[0]: row[1:] for _, row in zip(requests, rows, strict=False)} == slowly
    assert next(rows, None) is None


def test_a_prompt_that_is_sent_again_is_billed_with_its_turn_in_its_own_plan() -> None:
    """A prompt of 500 tokens is written, then re-sent with 20 more: 500 are read, 20 are plain; once, in plan 2."""
    requests: list[Row] = [
        {"req": n, "domain": 1, "at_us": n * 60 * SECOND, "ready_us": n * 60 * SECOND + SECOND,
         "prompt_tokens": 500, "min_tokens": 0}
        for n in range(2)
    ]  # fmt: skip
    positions = [{"req": 0, "key": 7, "tokens": 500, "ttl_us": SHORT_US}]
    plain = plan_of(requests, positions, [None, None])
    asks = pl.DataFrame([(0, 1, 20)], schema=ASKS, orient="row")
    asking = Plan(plain.steps, plain.breakpoints, plain.stable, NO_GROUPS, asks=asks)
    found = Stack.of([plain, asking]).classes().rows()
    assert found == [(0, 0, 0, 500, 0), (1, 0, 0, 0, 500), (0, 500, 0, 500, 20), (1, 0, 0, 0, 500)]


def test_no_plan_finds_what_another_one_wrote() -> None:
    requests = [{"req": 0, "domain": 1, "at_us": 0, "ready_us": 1, "prompt_tokens": 500, "min_tokens": 0}]
    later = [requests[0] | {"at_us": SECOND, "ready_us": SECOND + 1}]
    positions = [{"req": 0, "key": 7, "tokens": 500, "ttl_us": SHORT_US}]
    found = Stack.of([plan_of(rows, positions, [None]) for rows in (requests, later)]).classes()
    assert found["read_tokens"].to_list() == [0, 0]
