"""The limit below which a finding is not told, with a case just within it and one just beyond."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.rulebook.overlaps import _left_of
from costscan.schema.frames import USD


@pytest.mark.parametrize(("price", "left", "is_told"), [
    ("saved", 0.25, True), ("saved", 0.2499, False), ("run", 0.25, True), ("run", 0.2499, False), ("block", 0.01, True),
])  # fmt: skip
def test_what_restates_others_is_told_with_a_quarter_of_its_price_left(
    price: str, left: float, *, is_told: bool
) -> None:
    """With less, the findings that explain it have told it already; what a block costs is a fact of its own."""
    rule: Any = SimpleNamespace(price=price)
    usd = pl.Series([Decimal(1)], dtype=USD)
    rows = pl.DataFrame({"fingerprint": ["f"], "usd": usd})
    assert _left_of(rule, rows, {0: left}).height == is_told
