"""What holds of scenarios whatever the log: never dearer than billed, sums that agree, no matter the order of lines."""

import random
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from applied import Told, read, told
from logs import Json, write
from mishaps import ORDERS, PLACES, VALUES, behind, disordered, varying
from workloads import MODELS, Calls, lines, loops, marked


@st.composite
def some_calls(draw: st.DrawFn, name: str) -> Calls:
    calls = loops(
        name, model=draw(st.sampled_from(MODELS)), runs=draw(st.integers(1, 4)), turns=draw(st.integers(1, 7)),
        gap_s=draw(st.sampled_from([0.01, 8, 290, 360, 2400, 4000])),
        apart_s=draw(st.sampled_from([0, 1, 200, 1000, 5000])),
        system=draw(st.sampled_from([100, 1500, 4500])), wide=draw(st.sampled_from([1, 1, 3, 11])), result=100,
    )  # fmt: skip
    if draw(st.booleans()):
        path = draw(st.sampled_from(PLACES))
        calls = varying(calls, draw(st.sampled_from(VALUES)), path, per_run=draw(st.booleans())).before
    if draw(st.booleans()):
        calls = disordered(calls, draw(st.sampled_from(ORDERS))).before
    ttl = draw(st.sampled_from(["", "5m", "1h"]))
    calls = marked(calls, ttl, between=draw(st.booleans())) if ttl else calls
    return [behind(call, "Be quick.") for call in calls] if draw(st.booleans()) else calls


logs = st.tuples(*(some_calls(name) for name in ("a", "b", "c", "d", "e")))


def priced(calls: tuple[Calls, ...], order: random.Random | None = None) -> Told:
    """Price workloads in one log, its lines in the order of time, or in another that keeps that of each run."""
    found = sorted((line for log in map(lines, calls) for line in log), key=lambda line: str(line["timestamp"]))
    if order is not None:
        found = shuffled(found, order)
    with TemporaryDirectory() as folder:
        return told(write(Path(folder) / "calls.jsonl", *found))


def shuffled(found: list[Json], order: random.Random) -> list[Json]:
    places = [line["run_id"] for line in found]
    order.shuffle(places)
    of_run = {run: iter([line for line in found if line["run_id"] == run]) for run in set(places)}
    return [next(of_run[run]) for run in places]


@settings(max_examples=12)
@given(logs)
def test_no_run_is_dearer_than_billed_and_sums_agree(calls: tuple[Calls, ...]) -> None:
    found = priced(calls)
    billed = found.x.turns.group_by("run_id").agg(billed=pl.col("usd").sum())
    rows = found.scenarios.join(billed, on="run_id")
    assert rows.filter(pl.col("usd") > pl.col("billed"))["scenario"].to_list() == []
    assert rows.filter(pl.col("usd") + pl.col("saved_usd") != pl.col("billed"))["scenario"].to_list() == []
    assert rows.filter(pl.col("saved_usd") < 0)["scenario"].to_list() == []
    assert (rows.filter(scenario="as_billed")["saved_usd"] == 0).all()
    assert rows.group_by("run_id").len()["len"].unique().to_list() == [5]
    assert sum(rows.filter(scenario="as_billed")["usd"], Decimal(0)) == found.x.turns["usd"].sum()
    assert found.x.agreement.exact == found.x.agreement.compared


@settings(max_examples=5)
@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(calls: tuple[Calls, ...], order: random.Random) -> None:
    key: list[Any] = ["run_id", "scenario"]
    one, other = (priced(calls, dice).scenarios.sort(key) for dice in (None, order))
    assert one.rows() == other.rows()


SOUND: dict[str, Calls] = {
    "explicit": marked(loops("explicit", runs=3)),
    "automatic": [c.told(cache_control={"type": "ephemeral"}) for c in loops("automatic", runs=3)],
    "unmarked": loops("unmarked", runs=3),
    "an hour": marked(loops("an hour", runs=2, gap_s=1800), "1h"),
    "late": marked(loops("late", runs=2, gap_s=400)),
    "mended": varying(loops("mended", runs=2), "uuid", PLACES[0]).mended(marked),
}


def test_where_nothing_varies_a_stable_prefix_saves_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, {calls[0].task: calls for calls in SOUND.values()})
    assert found.scenarios.filter(scenario="caching/fix-prefix")["saved_usd"].unique().to_list() == [0]


@pytest.mark.parametrize("name", ["explicit", "mended"])
def test_a_loop_that_caches_well_has_nothing_to_save(name: str, tmp_path: Path) -> None:
    found = read(tmp_path, {name: SOUND[name]})
    billed = found.usd(name, "as_billed")
    assert found.usd(name, "caching", "saved_usd") < billed * Decimal("0.005")
