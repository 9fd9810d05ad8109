"""Counters of any producer to token classes: numbers worked out by hand, and any split told in any way."""

from hypothesis import assume, given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401
from costscan.reading.conversation.token_classes import ANTHROPIC, GEMINI, OPENAI, Counting, Told, classes_of
from costscan.reading.conversation.usage import Counters

OPENCODE = Counting(cache_inside=False, reasoning_inside=False)
counts = st.integers(0, 10_000)
countings = st.builds(Counting, st.booleans(), st.booleans())


def billed(
    fresh: int | None,
    read: int | None,
    written: int | None,
    output: int | None,
    reasoned: int | None = 0,
    *,
    contradictory: bool = False,
) -> Counters:
    ttl = "unknown" if written else None
    return Counters(fresh, read, written, 0, output, reasoned, 0, contradictory, ttl)


def test_cached_tokens_inside_the_input_are_taken_out_of_it() -> None:
    """A Codex call: 24,098 went in, 2,432 of them cached; 389 came out, 266 of them reasoned."""
    told = Told(24_098, 389, cache_read_tokens=2_432, reasoning_tokens=266, total_tokens=24_487)
    assert classes_of(told, OPENAI) == billed(21_666, 2_432, 0, 389, 266)


def test_what_was_written_to_the_cache_is_inside_the_input_too() -> None:
    """5,000 in: 3,000 read, 1,500 written, so 500 are left."""
    told = Told(5_000, 10, cache_read_tokens=3_000, cache_write_5m_tokens=1_500)
    assert classes_of(told, OPENAI) == billed(500, 3_000, 1_500, 10)


def test_reasoning_beside_the_output_is_added_to_it() -> None:
    """A Gemini call: 14 in, 16 out, 181 thought, 211 in all: 197 are billed as output."""
    told = Told(14, 16, reasoning_tokens=181, total_tokens=211)
    assert classes_of(told, GEMINI) == billed(14, 0, 0, 197, 181)


def test_the_prompt_of_a_tool_is_input_beside_the_input() -> None:
    """100 + 40 in, 30 of the 100 cached: 110 at the full price."""
    told = Told(100, 5, cache_read_tokens=30, tool_prompt_tokens=40, total_tokens=145)
    assert classes_of(told, GEMINI) == billed(110, 30, 0, 5)


def test_additive_counters_stay_as_they_are() -> None:
    told = Told(832, 40, cache_read_tokens=21_208, cache_write_5m_tokens=300, cache_write_1h_tokens=200)
    whole = Counters(832, 21_208, 300, 200, 40, 0, 0, contradictory=False, cache_write_ttl="unknown")
    assert classes_of(told, ANTHROPIC) == whole
    assert classes_of(told._replace(cache_write_ttl=None), ANTHROPIC).cache_write_ttl is None


def test_the_total_decides_over_the_usual_way() -> None:
    """OpenCode 1.18: 30 + 8 of a billed 38; 1.2 told 38 of which 8 were reasoned. The totals tell them apart."""
    newer = Told(100, 30, cache_read_tokens=900, reasoning_tokens=8, total_tokens=1_038)
    older = Told(100, 38, cache_read_tokens=900, reasoning_tokens=8, total_tokens=1_038)
    assert classes_of(newer, OPENCODE) == classes_of(older, OPENCODE) == billed(100, 900, 0, 38, 8)


def test_more_cached_than_went_in_is_told_apart_from_it() -> None:
    assert classes_of(Told(120, 9, cache_read_tokens=2_816), OPENAI) == billed(120, 2_816, 0, 9)


def test_as_much_cached_as_went_in_is_inside_it() -> None:
    assert classes_of(Told(2_816, 9, cache_read_tokens=2_816), OPENAI) == billed(0, 2_816, 0, 9)


def test_more_reasoned_than_came_out_is_told_apart_from_it() -> None:
    assert classes_of(Told(10, 16, reasoning_tokens=181), OPENAI) == billed(10, 0, 0, 197, 181)


def test_a_total_that_no_way_gives_is_a_contradiction_at_the_smaller_bill() -> None:
    """100 + 20 = 120 and 100 + 60 + 20 = 180 are what 150 could be, and it is neither."""
    told = Told(100, 20, cache_read_tokens=60, total_tokens=150)
    for usual in (OPENAI, ANTHROPIC):
        assert classes_of(told, usual) == billed(40, 60, 0, 20, contradictory=True)


def test_a_total_that_ways_of_different_meaning_give_is_a_contradiction() -> None:
    """158 is 100 + 50 read + 8, or 100 + 8 + 50 reasoned; neither is the usual way, in which it would be 108."""
    told = Told(100, 8, cache_read_tokens=50, reasoning_tokens=50, total_tokens=158)
    assert classes_of(told, ANTHROPIC).contradictory is False
    assert classes_of(told, GEMINI).contradictory is False
    assert classes_of(told._replace(output_tokens=58, total_tokens=208), OPENAI).contradictory is True


def test_what_follows_from_an_unknown_counter_is_unknown() -> None:
    assert classes_of(Told(100, 9, cache_read_tokens=None), OPENAI) == billed(None, None, 0, 9)
    assert classes_of(Told(100, 9, cache_read_tokens=None), ANTHROPIC) == billed(100, None, 0, 9)
    assert classes_of(Told(10, 9, reasoning_tokens=None), GEMINI) == billed(10, 0, 0, None, None)
    assert classes_of(Told(None, None), OPENAI) == billed(None, 0, 0, None)
    assert classes_of(Told(None, 7, total_tokens=50), OPENAI) == billed(None, 0, 0, 7)


def told_as(way: Counting, counters: Counters, *, with_total: bool) -> Told:
    """Tell classes in a way."""
    fresh, read, w5m, w1h = (
        counters.input_tokens or 0,
        counters.cache_read_tokens or 0,
        counters.cache_write_5m_tokens or 0,
        counters.cache_write_1h_tokens or 0,
    )
    out, reasoned = counters.output_tokens or 0, counters.thinking_tokens or 0
    return Told(
        fresh + (read + w5m + w1h if way.cache_inside else 0),
        out - (0 if way.reasoning_inside else reasoned),
        read,
        w5m,
        w1h,
        reasoned,
        fresh + read + w5m + w1h + out if with_total else None,
    )


splits = st.builds(
    lambda fresh, read, w5m, w1h, said, reasoned: Counters(
        fresh, read, w5m, w1h, said + reasoned, reasoned, 0, False, "unknown" if w5m else None
    ),
    *[counts] * 6,
)


@given(splits, countings, st.booleans())
def test_any_split_comes_back_from_the_way_of_its_format(
    split: Counters, way: Counting, with_total: bool
) -> None:
    assert classes_of(told_as(way, split, with_total=with_total), way) == split


@given(splits, countings, countings)
def test_any_split_comes_back_from_another_way_by_its_total_or_is_a_contradiction(
    split: Counters, way: Counting, usual: Counting
) -> None:
    cached, _, written = split.prompt_side
    # Only then two ways that differ in both respects give one total.
    assume((split.cache_read_tokens or 0) + (written or 0) != split.thinking_tokens)
    found = classes_of(told_as(way, split, with_total=True), usual)
    assert found.contradictory or found == split
    assert cached is not None
