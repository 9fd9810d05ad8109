"""The limits of trimming, each with a case just within it and one just beyond."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.levers.trimming import context_editing
from costscan.levers.trimming.cap_tool_results import best_caps, with_caps
from costscan.levers.trimming.prefix_end import _whole_prefix
from costscan.levers.uncertainty import with_errors

Cut = tuple[int, float, bool, float]
"""A result over a cap: the cap, what cutting saves, whether what is behind it was used, what fetching costs."""


def best(cuts: Sequence[Cut]) -> list[int]:
    """Return the cap of a tool with these results."""
    frame = pl.DataFrame(cuts, schema=["cap_tokens", "gross_usd", "is_used", "fetch_usd"], orient="row")
    return best_caps(frame.with_columns(tool=pl.lit("Read"), told_used="is_used"))["cap_tokens"].to_list()


@pytest.mark.parametrize(("cap", "caps"), [(2000, [2000]), (1999, [])])
def test_no_tool_is_cut_to_less_than_two_thousand_tokens(cap: int, caps: list[int]) -> None:
    """A tool that answers in a page cannot say what it was asked for in less."""
    assert best([(cap, 1.0, False, 0.0)]) == caps


@pytest.mark.parametrize(("fetch_usd", "caps"), [(0.5, [4000]), (0.51, [])])
def test_fetching_takes_at_most_half_of_what_a_cap_saves(fetch_usd: float, caps: list[int]) -> None:
    """Of a dollar; what was used in the next log is not known, and more of it would leave nothing."""
    cuts = [
        (4000, 0.5, False, 0.0),
        (4000, 0.25, False, 0.0),
        (4000, 0.25, False, 0.0),
        (4000, 0.0, True, fetch_usd),
    ]
    assert best(cuts) == caps


@pytest.mark.parametrize(("used", "caps"), [(25, [4000]), (26, [])])
def test_of_a_quarter_of_the_results_something_behind_a_cap_may_be_used(used: int, caps: list[int]) -> None:
    """However cheap it is to fetch again: a tool that is needed whole is not capped."""
    assert best([(4000, 1.0, n < used, 0.01) for n in range(100)]) == caps


@pytest.mark.parametrize(("longer", "cap"), [(0.9, 8000), (0.89, 4000)])
def test_a_longer_cap_is_taken_that_saves_nine_tenths_as_much(longer: float, cap: int) -> None:
    """A tenth is within what the next log differs by, and the longer one cuts off less."""
    assert best([(4000, 1.0, False, 0.0), (8000, longer, False, 0.0)]) == [cap]


def test_of_results_that_do_not_tell_two_fifths_are_taken_to_be_used() -> None:
    """As docs/used-share.md counted it."""
    results = pl.DataFrame({
        "run_id": ["r"] * 100, "block": range(100), "tool": ["Read"] * 100, "turn_in": range(100), "tokens": [600] * 100,
        "used_to": [None] * 100, "entry_usd": [1.0] * 100, "carried_usd": [1.0] * 100,
    }, schema_overrides={"used_to": pl.Float64})  # fmt: skip
    fetch = pl.DataFrame(schema={"run_id": pl.String, "turn_in": pl.Int64, "fetch_usd": pl.Float64})
    assert with_caps(results, fetch)["is_used"].to_list().count(True) == 40


@pytest.mark.parametrize(("blocks", "is_shown", "prefix"), [
    (800, False, 1000), (799, False, 799), (1200, False, 1000), (1201, False, 1201), (799, True, 1000),
])  # fmt: skip
def test_the_first_read_of_a_transcript_is_its_prefix_within_a_fifth(
    blocks: int, *, is_shown: bool, prefix: int
) -> None:
    """Weights of definitions are off by as much; a session that goes on elsewhere reads its messages, too."""
    step = pl.DataFrame({"fixed_tokens": [blocks], "shared_tokens": [1000], "is_shown": [is_shown]})
    assert step.select(_whole_prefix()).item() == prefix


@pytest.mark.parametrize(("tokens", "gone"), [(1030, [0]), (1029, [])])
def test_old_results_go_where_that_frees_a_tenth_of_the_threshold(
    tokens: int, gone: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10,000; a note of 30 tokens stands in place of each, and the newest three stay."""
    prompts = pl.DataFrame({
        "run_id": ["r"], "context": [0], "turn": [4], "prompt_tokens": [10_001], "before_tokens": [9000],
    })  # fmt: skip
    monkeypatch.setattr(context_editing, "with_prefix", lambda *_: prompts)
    left = pl.DataFrame({
        "run_id": ["r"] * 4, "context": [0] * 4, "block": range(4), "turn_in": range(1, 5), "turn_out": [9] * 4,
        "tokens": [tokens, 2000, 2000, 2000],
    })  # fmt: skip
    plan: Any = SimpleNamespace(steps=prompts)
    none = left.clear().with_columns(turn=pl.lit(0, pl.Int64))
    going = context_editing._going(plan, left, left, none, pl.lit(10_000))
    assert going["block"].to_list() == gone


@pytest.mark.parametrize(("kind", "error"), [
    ("tool_result", 100), ("text", 100), ("tool_def", 200), ("image", 200), ("document", 200),
])  # fmt: skip
def test_by_how_much_a_block_may_be_off(kind: str, error: int) -> None:
    """By a tenth, as docs/token-weights.md measured most texts; definitions, pictures and documents by a fifth."""
    blocks = pl.DataFrame(
        {"run_id": ["r", "r"], "turn_in": [0, 0], "kind": [kind, "text"], "tokens": [1000, 3000]}
    )
    off = with_errors(blocks, pl.Series(["other"]))["error_tokens"]
    assert off.to_list() == pytest.approx([error, 300])
    known = with_errors(blocks, pl.Series(["r"]))["error_tokens"]
    assert known.to_list() == pytest.approx([error * 3 / 4, 300 / 4])
