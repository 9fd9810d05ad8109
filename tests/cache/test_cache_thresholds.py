"""The limits that the replay of a cache takes, each with a case just within it and one just beyond."""

import polars as pl
import pytest

from costscan.cache import agreement, prefix_chains


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
    assert turn.select(agreement._class()).item() == name


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
