"""The line of the first screen on the cache model tells of every class of disagreement there is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from billed import Billed
from costscan.reports.analysis.cache_model import cache_model
from costscan.schema.tables.cache import GROWTH

PROVEN = {"side-call", "hidden-call", "shared-outside", "outlived"}
"""What the replay has from the reads: such turns are foreseen."""
CLASSES = (
    GROWTH.columns["disagreement"]
    .meaning.partition(": ")[2]
    .replace("(which the replay has from the reads)", "")
)


@pytest.mark.parametrize("name", sorted({*CLASSES.replace(" ", "").split(",")} - PROVEN))
def test_the_class_that_most_comes_from_is_told(samples: Billed, name: str) -> None:
    row = {"provider": "anthropic", "class": name, "is_proven": False, "turns": 3, "off_usd": Decimal(2)}
    summary = replace(
        samples.summary,
        replay=replace(samples.summary.replay, classes=(row,), off_share=0.2, exact_share=0.9),
    )
    ((said, _),) = cache_model(summary)
    assert said.startswith("90.0% of calls exact, 20.0% of dollars off: 3 calls ")
    assert said.endswith(" ($2.00)")
    assert "something else" not in said


def test_one_that_is_new_is_told_too(samples: Billed) -> None:
    row = {"provider": "x", "class": "new", "is_proven": False, "turns": 1, "off_usd": Decimal(1)}
    replay = replace(samples.summary.replay, classes=(row,), off_share=0.2)
    ((said, _),) = cache_model(replace(samples.summary, replay=replay))
    assert said.endswith(": 1 call read something else than was foreseen ($1.00)")
