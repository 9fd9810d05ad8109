"""The limits that the replay of a cache takes, each with a case just within it and one just beyond."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from costscan.cache import cache_use, disagreement, prefix_chains, proven_calls
from costscan.cache.breaks import cause
from costscan.cache.prefix_tokens import billed_prefixes
from costscan.cache.requests import with_minimums


@pytest.mark.parametrize(("hour_tokens", "gap_s", "name"), [
    (0, 240.0, "unexplained-loss"),
    (0, 240.1, "expired-early"),
    (9, 2880.0, "unexplained-loss"),
    (9, 2880.1, "expired-early"),
])  # fmt: skip
def test_a_loss_is_an_early_end_in_the_last_fifth_of_a_lifetime(
    hour_tokens: int, gap_s: float, name: str
) -> None:
    """Of five minutes four must be over, of an hour 48 minutes: before, nothing says that time was the cause."""
    turn = pl.DataFrame({
        "given": [False], "kind": [None], "unexplained_tokens": [-5], "gap_s": [gap_s], "cache_write_1h_tokens": [hour_tokens],
    }, schema_overrides={"kind": pl.String})  # fmt: skip
    assert turn.select(disagreement.class_of_turn()).item() == name


@pytest.mark.parametrize(("tokens", "is_little"), [(900, True), (899, False)])
def test_a_prompt_that_lost_a_tenth_goes_on_from_the_one_before(tokens: int, *, is_little: bool) -> None:
    """One that lost more is another context: its history was replaced, not trimmed."""
    calls = pl.DataFrame({
        "copy": [0, 0], "context": [0, 0], "shrank": [False, False], "model": ["m", "m"], "speed": ["s", "s"],
        "prompt_tokens": [1000, tokens],
    })  # fmt: skip
    told = prefix_chains._with_talks(calls)
    assert told["is_little"].to_list() == [False, is_little]
    assert (told["talk"].n_unique() == 1) == is_little


def test_three_older_prompts_are_looked_at() -> None:
    """Behind the last one: a turn may find the newest three of its run unfinished, hardly ever more."""
    calls = pl.DataFrame(
        {"copy": [0] * 6, "model": ["m"] * 6, "speed": ["s"] * 6, "talk": [0] * 6, "key": range(6)}
    )
    assert calls.select(prefix_chains._earlier("key")).to_series()[5].to_list() == [3, 2, 1]


QUIET: dict[str, Any] = {
    "since_s": 10.0, "lives_us": 300_000_000, "ready_us": 10_000_000, "before_us": 0, "is_shown": False, "uses": True,
    "miss_reason": None, "prompt_tokens": 5000, "min_tokens": 1024, "has_breakpoint": True, "had_breakpoint": True,
    "in_reach": True, "model_switched": False, "was_refused": False, "text": False, "setting_changed": False,
    "is_cut": False, "earlier_tokens": [], "cache_read_tokens": 0,
}  # fmt: skip
"""A turn that lost something of which nothing in the log says why."""


@pytest.mark.parametrize("lost", [99, 100])
@pytest.mark.parametrize(("more", "name"), [
    ({"setting_changed": True}, "setting-changed"), ({"is_cut": True}, "compaction"), ({}, "unexplained"),
])  # fmt: skip
def test_fewer_than_a_hundred_tokens_are_a_reminder_that_was_left_out(
    lost: int, more: dict[str, Any], name: str
) -> None:
    """Its text has some dozen tokens, and nobody could mend that."""
    types: dict[str, Any] = {"miss_reason": pl.String, "earlier_tokens": pl.List(pl.Int64)}
    turn = pl.DataFrame([QUIET | more | {"tokens_lost": lost}], schema_overrides=types)
    assert turn.select(cause._cause()).item() == (name if lost == 100 else None)


@pytest.mark.parametrize(("read", "kind"), [
    (992, "hidden-call"), (993, "side-call"), (1208, "side-call"), (1209, "hidden-call"),
])  # fmt: skip
def test_an_answer_ends_within_eight_tokens_of_what_was_billed(read: int, kind: str) -> None:
    """Of 1,000 tokens asked and 200 answered: what encloses a message takes fewer than eight."""
    turn = pl.DataFrame({
        "cache_read_tokens": [read], "before_tokens": [900], "asked_tokens": [1000], "answered_tokens": [1200],
        "prompt_tokens": [2000],
    })  # fmt: skip
    assert turn.select(proven_calls._kind()).item() == kind


@pytest.mark.parametrize(("estimate", "by_others", "is_found"), [
    (970, False, True), (969, False, False), (1030, False, True), (1031, False, False),
    (850, True, True), (849, True, False), (1150, True, True), (1151, True, False),
])  # fmt: skip
def test_a_read_ends_at_a_position_that_is_nearly_as_long(
    estimate: int, *, by_others: bool, is_found: bool
) -> None:
    """Within 3 % of 1,000 tokens; of the few that another request had written, within 15 %."""
    windows = pl.DataFrame({
        "copy": [0, 0], "seq": [0, 1], "position": [0, 0], "family": ["v", "v"],
        "prefix_hash": [7 if by_others else 8, 7], "tokens": [5000, estimate], "end_tokens": [0, 0],
        "read_tokens": [0, 1000], "breakpoint": ["5m", None],
    })  # fmt: skip
    whole = pl.DataFrame({"role": ["whole"], "family": ["v"], "prefix_hash": [9], "prompt_tokens": [1200]})
    told = dict(billed_prefixes(windows, whole).select("prefix_hash", "exact_tokens").iter_rows())
    assert told == {9: 1200} | ({7: 1000} if is_found else {})


@pytest.mark.parametrize(("read", "reach"), [(970, [1000]), (969, [])])
def test_a_read_of_97_percent_reaches_what_was_marked(read: int, reach: list[int]) -> None:
    """The tokens of a position are estimated, so that a read that ends there may be 3 % shorter."""
    steps = pl.DataFrame({"req": [0, 1], "domain": [5, 5], "at_us": [0, 9], "cache_read_tokens": [0, read]})
    positions = pl.DataFrame({"req": [0, 1], "key": [7, 7], "tokens": [1000, 1000], "ttl_us": [300, None]})
    marked = positions.filter(req=0)
    assert cache_use._reach(steps, positions, marked)["reach_tokens"].to_list() == reach


def test_a_model_of_which_nothing_is_known_caches_from_1024_tokens() -> None:
    """The minimum of most models of Anthropic and of all of OpenAI: to take less would promise too much."""
    turn = pl.DataFrame({"model": ["unheard-of"], "at": [datetime(2026, 7, 1, tzinfo=UTC)]})
    assert with_minimums(turn)["min_tokens"].to_list() == [1024]
