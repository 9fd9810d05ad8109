"""The limits of how tokens are attributed, each with a case just within it and one just beyond."""

import polars as pl
import pytest

from costscan.attribution.growth import per_run
from costscan.attribution.kept_tokens import _Row, _sizes
from costscan.attribution.token_split import SENT, _sent


@pytest.mark.parametrize(("turns", "carried", "is_quadratic"), [
    (6, 50, True), (5, 50, False), (6, 49, False), (5, 99, False),
])  # fmt: skip
def test_a_run_is_quadratic_that_resends_half_of_its_input_over_six_turns(
    turns: int, carried: int, *, is_quadratic: bool
) -> None:
    """Of n prompts that grow alike (n - 1) / (n + 1) is resent, of three already half: short runs all would be."""
    prompts = pl.DataFrame({
        "root_run_id": "r", "turn": range(turns), "prompt_tokens": 100, "carried_tokens": carried, "added_tokens": 9,
    })  # fmt: skip
    told = per_run(prompts)
    assert told["carried_share"].item() == carried / 100
    assert told["is_quadratic"].item() == is_quadratic


@pytest.mark.parametrize(("estimated", "grew", "sent"), [
    (50, 200, 200), (50, 201, 200), (500, 1100, 1100), (500, 1101, 1100),
])  # fmt: skip
def test_what_came_in_takes_twice_its_estimate_and_a_hundred_tokens(
    estimated: int, grew: int, sent: int
) -> None:
    """No estimate that was measured is off by so much (docs/token-weights.md): what is beyond was not logged."""
    turn = pl.DataFrame({"grew": [grew], "written": [0], "w_sent": [estimated], "is_exact": [False]})
    assert turn.select(_sent()).item() == sent


@pytest.mark.parametrize(("prompt", "is_kept"), [(1199, False), (1200, True), (1900, True), (1901, False)])
def test_a_block_keeps_its_tokens_while_what_is_new_fits_its_estimate(prompt: int, *, is_kept: bool) -> None:
    """Beside 1,000 kept ones, 400 estimated have half to twice as many and a hundred: 200 to 900."""
    old, new = (_row(n, prompt, weight) for n, weight in enumerate((1000, 400)))
    of_old = 1000 if is_kept else prompt * 1000 / 1400
    assert _sizes([old, new], [1000.0, None]) == pytest.approx([of_old, prompt - of_old])


def _row(number: int, prompt: int, weight: int) -> _Row:
    return _Row(
        nr=number, id=number, copy=0, start=3, row_in=number * 3, side=SENT, weight=weight, is_sized=False, tokens=0,
        of_tool_use=0.0, kind="text", content_hash=None, is_later=True, is_exact=True, prompt_tokens=prompt, wrote=None,
        added_tokens=0,
    )  # fmt: skip
