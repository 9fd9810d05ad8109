"""A router sees a call before it is made: what comes after decides nothing, and what was wrong is paid twice."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import cast

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billed import ROOT
from costscan.analysis import Analysis
from costscan.levers.routing import MOVES, evidence_of, evidence_rules, known_before, ways
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.workspace import Workspace
from costscan.schema.tables.levers import TURN_WORK
from costscan.settings.keys import Settings
from hypothesis_profile import examples
from seen import analyzed
from workloads import HAIKU45, SONNET46

OF_ANSWER = ("calls", "writes", "errors", "repeats", "output_tokens", "thought", "stop_reason")
"""What of the work of a turn is known after it."""


@pytest.fixture(scope="module")
def samples() -> Iterator[Analysis]:
    with analyzed(ROOT / "sample_logs") as x:
        yield x


def sent(work: pl.DataFrame, tool_calls: pl.DataFrame) -> set[tuple[str, str, int]]:
    """The calls that each rule would send to a smaller model."""
    found = evidence_of(known_before(work, tool_calls), {"turn_work": work, "tool_calls": tool_calls})
    return set(found.select("evidence", "run_id", "turn").rows())


@examples(20)
@given(st.integers(0, 25), st.randoms(use_true_random=False))
def test_what_comes_after_a_decision_does_not_change_it(samples: Analysis, turn: int, dice: Random) -> None:
    """From a turn on, answers are those of other turns, and nothing comes after it: what was decided by then stays."""
    work, tool_calls = Workspace(samples, Settings()).work, samples.tool_calls
    others = list(range(work.height))
    dice.shuffle(others)
    late = pl.col("turn") >= turn
    other = work.with_columns(
        pl.when(late).then(pl.col(name).gather(others)).otherwise(name).alias(name) for name in OF_ANSWER
    )
    cut = other.filter(pl.col("turn") <= turn).with_columns(n_turns=pl.lit(turn + 1, pl.Int64))
    upto = {one for one in sent(work, tool_calls) if one[2] <= turn}
    assert sent(cut, tool_calls.filter(~late)) == upto
    assert upto or turn


def test_every_rule_decides_on_what_is_known_before() -> None:
    """Nothing of an answer is in the frame that a rule is asked of."""
    work = pl.DataFrame(schema=TURN_WORK.schema)
    calls = pl.DataFrame(schema={"run_id": pl.String, "turn": pl.Int64, "result_tokens": pl.Int64})
    known = known_before(work, calls)
    assert set(known.columns).isdisjoint(OF_ANSWER)
    with pl.SQLContext(known=known, eager=True) as context:
        for rule in evidence_rules():
            assert context.execute(rule.when).columns == ["run_id", "turn"], rule.name


@pytest.mark.parametrize(
    ("cases", "spent", "wrong", "is_made"),
    [
        (3, 1000, 0, True),
        # Two cases say little of the next one.
        (2, 1000, 0, False),
        # 3 calls of 100 that cost a half there save 150: a tenth of 1,500, and less of 1,501.
        (3, 1500, 0, True),
        (3, 1501, 0, False),
        # One of four has to be made again: 3 x 50 less 50 is a tenth of 1,000.
        (3, 1000, 1, True),
        (3, 1001, 1, False),
    ],
)
def test_where_a_way_may_pay(cases: int, spent: int, wrong: int, *, is_made: bool) -> None:
    n = cases + wrong
    turns = pl.DataFrame({
        "req": range(n + 1), "run_id": "r", "turn": range(n + 1), "model": SONNET46, "group": 1,
        "pico_usd": [*[100] * n, spent - 100 * n],
    })  # fmt: skip
    evidence = turns.head(n).select("run_id", "turn", evidence=pl.lit("mechanical-tool-step"))
    evidence = evidence.with_columns(is_wrong=pl.col("turn") >= cases)
    able = turns.head(n).select(
        "req", evidence=pl.lit("mechanical-tool-step"), to_model=pl.lit(HAIKU45), to_class=pl.lit("haiku"),
        is_wrong=pl.lit(value=False), usd_ratio=pl.lit(0.5),
    )  # fmt: skip
    found = list(ways(turns, evidence, able, ["r"]))
    assert bool(found) == is_made
    if is_made:
        assert found[0].moves["is_wrong"].sum() == wrong
    # A client that does not choose a model for each call has no such way.
    assert list(ways(turns, evidence, able, [])) == []


def test_a_run_moves_as_a_whole_or_not_at_all() -> None:
    turns = pl.DataFrame({
        "req": range(8), "run_id": ["a", "a", "b", "b", "c", "c", "d", "d"], "turn": [0, 1] * 4, "model": SONNET46,
        "group": 1, "pico_usd": 100,
    })  # fmt: skip
    evidence = turns.select("run_id", "turn", evidence=pl.lit("simple-run"), is_wrong=pl.lit(value=False))
    able = turns.filter(pl.col("req") != 7).select(
        "req", evidence=pl.lit("simple-run"), to_model=pl.lit(HAIKU45), to_class=pl.lit("haiku"),
        is_wrong=pl.lit(value=False), usd_ratio=pl.lit(0.3),
    )  # fmt: skip
    (way,) = ways(turns, evidence, able, [])
    assert way.moves["req"].to_list() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("usd", "moves"), [(900, [0]), (901, [])])
def test_a_group_moves_where_that_saves_a_tenth(usd: int, moves: list[int]) -> None:
    """To try a model out takes work, which less than a tenth of the bill does not pay."""
    own = pl.DataFrame({"run_id": ["a", "b"], "group": [1, 2], "known_pico_usd": [1000, 500]})
    way = own.with_columns(known_pico_usd=pl.Series([usd, 500]))
    steps = pl.DataFrame({"req": [0, 1], "run_id": ["a", "b"]})
    both = MOVES.to_frame().vstack(
        pl.DataFrame([(n, HAIKU45, None, False) for n in (0, 1)], MOVES, orient="row")
    )
    workspace = SimpleNamespace(logged=SimpleNamespace(runs=own), plan=SimpleNamespace(steps=steps))
    routes = Routes(cast("Workspace", workspace))
    assert routes.of_winners([way], [both])["req"].to_list() == moves
    assert routes.of_winners([], []).is_empty()
