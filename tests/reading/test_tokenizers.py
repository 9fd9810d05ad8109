"""The families of tokenizers are data: each has all its figures, and the code asks for them."""

from math import ceil

import pytest

from costscan.formats import available
from costscan.reading.content.token_estimate import by_length, weigh
from costscan.tokenizers import FAMILIES, FIRST, SECOND, UNKNOWN, TokenizerFamily, family


def test_each_family_has_another_one() -> None:
    assert [*FAMILIES.values()] == [FIRST, SECOND]
    assert (FIRST.other, SECOND.other) == (SECOND, FIRST)
    assert all(one.name == name for name, one in FAMILIES.items())


def test_models_and_formats_are_of_a_family_that_is_told() -> None:
    assert (family(FIRST.name), family(SECOND.name)) == (FIRST, SECOND)
    assert family(None) is family("of another maker") is UNKNOWN
    assert {known.tokenizer for known in available().values()} <= set(FAMILIES)


@pytest.mark.parametrize("one", FAMILIES.values(), ids=list(FAMILIES))
def test_a_start_counts_no_more_than_the_estimate_has_bits_for(one: TokenizerFamily) -> None:
    for name, most in (("capitals", 1), ("marks", 2), ("numbers", 3)):
        assert 1 <= getattr(one.starts, name) <= most


def test_a_text_weighs_its_counts() -> None:
    """13 bytes, 4 spaces, 1 line end; starts: 1 of capitals, 1 of marks, 2 of numbers."""
    said = "ab CD 12-- 3\n"
    for one, weight in zip((FIRST, SECOND), weigh(said), strict=True):
        starts = one.starts.capitals + one.starts.marks + 2 * one.starts.numbers
        of = one.weights
        assert weight == ceil(13 * of.plain + 4 * of.space + of.line + starts * of.start)


def test_text_that_is_not_logged_goes_by_its_length() -> None:
    assert by_length(1000) == (ceil(1000 / FIRST.chars_per_token), ceil(1000 / SECOND.chars_per_token))


def test_hidden_text_is_as_much_longer_one_way_as_it_is_shorter_the_other() -> None:
    assert FIRST.other_ratio == SECOND.relative_length / FIRST.relative_length
    assert FIRST.other_ratio * SECOND.other_ratio == pytest.approx(1)
