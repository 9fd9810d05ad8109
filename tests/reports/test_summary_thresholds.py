"""What a run's story marks, each with a case just within the limit and one just beyond."""

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.schema.frames import empty
from costscan.summary.misses import with_misses
from costscan.summary.story import _turns

TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def told(read: int, carried: int, dropped: int = 0) -> Any:
    """Return an analysis of one turn, and the turn."""
    turn = {
        "run_id": "r", "turn": 1, "usd": 1.0, "model": "m", "at": None, "gap_s": 1.0, "output_tokens": 1,
        **dict.fromkeys(TOKENS, 0), "cache_read_tokens": read,
    }  # fmt: skip
    grown = {"run_id": "r", "turn": 1, "carried_tokens": carried, "dropped_tokens": dropped}
    analysis = SimpleNamespace(growth=pl.DataFrame([grown]), prefix_breaks=empty("prefix_breaks"))
    return analysis, pl.DataFrame([turn])


@pytest.mark.parametrize(("read", "carried", "missed"), [
    (4999, 10_000, 5001), (5000, 10_000, 0), (0, 2001, 2001), (0, 2000, 0),
])  # fmt: skip
def test_a_turn_missed_the_cache_with_less_than_half_of_it_read(read: int, carried: int, missed: int) -> None:
    """By more than 2,000 tokens, a cent at 5 USD per million: less is not worth a mark."""
    assert with_misses(*told(read, carried))["missed_tokens"].to_list() == [missed]


@pytest.mark.parametrize(("dropped", "carried", "cut"), [
    (5000, 5000, 5000), (4999, 5001, 0), (2001, 0, 2001), (2000, 0, 0),
])  # fmt: skip
def test_a_context_was_cut_of_which_half_went(dropped: int, carried: int, cut: int) -> None:
    """A compaction takes most of it; what is less shows in the tokens of the turn."""
    blocks = pl.DataFrame(
        schema={"group": pl.String, "tokens": pl.Int64, "turn_in": pl.Int64, "turn_out": pl.Int64}
    )
    analysis, turns = told(carried, carried, dropped)
    assert _turns(analysis, turns, blocks)["cut_tokens"].to_list() == [cut]
