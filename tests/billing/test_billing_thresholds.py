"""From what first read on a transcript begins in the middle: a case just within the limit and one just beyond."""

import polars as pl
import pytest

from costscan.billing.clipped import with_clipped


@pytest.mark.parametrize(("read", "other", "is_clipped"), [
    (60_000, 1, True), (59_999, 1, False), (60_000, 60_000, False),
])  # fmt: skip
def test_a_first_read_of_sixty_thousand_tokens_is_a_conversation(
    read: int, other: int, *, is_clipped: bool
) -> None:
    """Nine of ten first prompts have 47,000 at most; what another run begins with too is its tools and system."""
    calls = pl.DataFrame({
        "copy": [0, 1], "seq": [0, 0], "model": ["m"] * 2, "speed": ["s"] * 2, "root_run_id": ["a", "b"],
        "begins_late": [False] * 2, "is_exact": [False] * 2, "input_tokens": [9] * 2, "cache_read_tokens": [read, other],
        "cache_write_5m_tokens": [0] * 2, "cache_write_1h_tokens": [0] * 2,
    })  # fmt: skip
    assert with_clipped(calls)["is_clipped"].to_list()[0] == is_clipped
