"""Words that stand with what they count."""

import pytest

from costscan.rulebook.counted import Word


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("{n:call} sent", "1", "1 call sent"),
        ("{n:call} sent", "12", "12 calls sent"),
        ("{n:call} sent", "0", "0 calls sent"),
        ("{n:entry/entries}", "1", "1 entry"),
        ("{n:entry/entries}", "1,200", "1,200 entries"),
        ("{n}", "1", "1"),
        ("{n:call}", "?", "? calls"),
    ],
)
def test_one_and_many(text: str, value: str, shown: str) -> None:
    assert text.format_map({"n": Word(value)}) == shown
