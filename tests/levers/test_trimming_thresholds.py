"""The limits of trimming, each with a case just within it and one just beyond."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.levers.plan import EXTRA_OUTPUT, PREFIX_ERROR, Plan
from costscan.levers.trimming import compact_history, context_editing
from costscan.levers.trimming.cap_tool_results import best_caps, with_caps, with_fetches
from costscan.levers.trimming.defer_unused_tools import unused_tools
from costscan.levers.trimming.drop_repeated_results import repeated_results
from costscan.levers.trimming.prefix_end import _whole_prefix
from costscan.levers.trimming.prune_at_task_boundary import _results_of_tasks
from costscan.levers.trimming.resize_images import large_images
from costscan.levers.uncertainty import with_errors
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from logs import write
from seen import analyzed
from workloads import lines, loops

Cut = tuple[int, float, bool, float]
"""A result over a cap: the cap, what cutting saves, whether what is behind it was used, what fetching costs."""


def best(cuts: Sequence[Cut]) -> list[int]:
    """Return the cap of a tool with these results."""
    frame = pl.DataFrame(cuts, schema=["cap_tokens", "gross_usd", "is_used", "fetch_usd"], orient="row")
    return best_caps(frame.with_columns(tool=pl.lit("Read"), told_used="is_used"))["cap_tokens"].to_list()


@pytest.mark.parametrize(("cap", "caps"), [(2000, [2000]), (1999, [])])
def test_no_tool_is_cut_to_less_than_two_thousand_tokens(cap: int, caps: list[int]) -> None:
    """In less, a tool is not told what it asked for."""
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
    """Of 98 of which reading told, 41 had been taken up: docs/used-share.md."""
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


def block(tokens: int, **more: Any) -> dict[str, Any]:
    own = {
        "run_id": "r", "block": 0, "turn_in": 1, "turn_out": 9, "layer": "messages", "kind": "tool_result", "role": "user",
        "tool": "Read", "call_id": None, "content_hash": 5, "tokens": tokens, "error_tokens": 0.0,
    }  # fmt: skip
    return own | more


@pytest.mark.parametrize(("tokens", "cut"), [(1568, []), (1569, [1])])
def test_a_picture_has_at_most_what_older_models_took(tokens: int, cut: list[int]) -> None:
    """1,568 pixels a side: https://platform.claude.com/docs/en/build-with-claude/vision."""
    assert large_images(pl.DataFrame([block(tokens, kind="image")]))["tokens"].to_list() == cut


@pytest.mark.parametrize(("tokens", "cut"), [(30, []), (31, [1])])
def test_a_note_of_thirty_tokens_stands_in_place_of_a_result(tokens: int, cut: list[int]) -> None:
    """A sentence that says what stood there; what is no longer than that stays."""
    twice = [block(tokens), block(tokens, block=1, turn_in=2)]
    assert repeated_results(pl.DataFrame(twice))["tokens"].to_list() == cut
    asked = block(9, kind="text", block=1, turn_in=3)
    assert _results_of_tasks(pl.DataFrame([block(tokens), asked]))["cut_tokens"].to_list() == cut


@pytest.mark.parametrize(("tokens", "cut"), [(500, []), (501, [501, -500])])
def test_a_search_tool_of_five_hundred_tokens_takes_the_place_of_tools(tokens: int, cut: list[int]) -> None:
    """https://www.anthropic.com/engineering/advanced-tool-use says so; fewer definitions stay where they are."""
    tools = pl.DataFrame([block(tokens, kind="tool_def", layer="tools", turn_in=0)])
    calls = pl.DataFrame(schema={"run_id": pl.String, "tool": pl.String})
    runs = pl.DataFrame({"run_id": ["r"], "task": ["t"]})
    assert unused_tools(tools, calls, runs)["tokens"].to_list() == cut


def test_a_summary_may_be_half_as_long_or_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 3,000 tokens 1,500 less or 3,000 more: in each later prompt, and once in what is written."""
    turns = pl.DataFrame(
        {"req": [4, 5], "run_id": ["r"] * 2, "context": [0] * 2, "turn": [4, 5], "since": [4, 4]}
    )
    monkeypatch.setattr(compact_history, "later", lambda *_: turns)
    plan: Any = SimpleNamespace(steps=turns.select("req", pl.lit(0.0).alias(PREFIX_ERROR)))
    since = pl.DataFrame(schema=dict(compact_history._SINCE))
    told = compact_history._doubts(plan, turns, since, 3000)
    assert told.drop("req").rows() == [(3000.0, 1500.0, 3000.0, 1500.0), (3000.0, 1500.0, 0.0, 0.0)]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    log = tmp_path_factory.mktemp("plan") / "calls.jsonl"
    with analyzed(write(log, *lines(loops("plan", runs=1, turns=3)))) as x:
        yield Workspace(x, Settings()).plan


def test_what_asks_for_a_summary_has_five_hundred_tokens(plan: Plan) -> None:
    """Assumed: a few paragraphs that say what to keep; the summary itself is written, and not sent."""
    at = pl.DataFrame({"before_req": [0], "req": [1]})
    asking = compact_history._with_request(plan, at, 3000)
    assert asking.asks["asked_tokens"].to_list() == [500]
    assert asking.steps[EXTRA_OUTPUT].to_list() == [3000, 0, 0]


def test_to_fetch_a_part_of_a_result_takes_120_tokens(plan: Plan) -> None:
    """The call of a tool with a path and a range; two results of one turn take two of them."""
    fetched = plan.steps.select("run_id", "turn").head(2)
    asking = with_fetches(plan, pl.concat([fetched, fetched.head(1)]))
    assert asking.steps[EXTRA_OUTPUT].to_list() == [240, 120, 0]
