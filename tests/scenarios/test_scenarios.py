"""What holds of scenarios whatever the log: never more expensive than billed, sums that agree, no matter the order of lines."""

import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from applied import Told, alone, read, told
from costscan.levers import LEVERS
from costscan.levers.catalogue import TRIMMING
from costscan.settings.keys import Settings, Trimming
from hypothesis_profile import examples
from logs import Json, write
from mended import shots
from mishaps import ORDERS, PLACES, VALUES, behind, disordered, varying
from scenario_names import PARTS, SETS
from workloads import MODELS, Calls, lines, loops, marked

Choice: TypeAlias = Mapping[str, Any]
choices = st.fixed_dictionaries({
    "model": st.sampled_from(MODELS), "runs": st.integers(1, 4), "turns": st.integers(1, 7),
    "gap_s": st.sampled_from([0.01, 8, 290, 360, 2400, 4000]),
    "apart_s": st.sampled_from([0, 1, 200, 1000, 5000]),
    "system": st.sampled_from([100, 1500, 4500]), "wide": st.sampled_from([1, 1, 3, 11]), "result": st.just(100),
    "shots": st.booleans(),
    "value": st.none() | st.tuples(st.sampled_from(VALUES), st.sampled_from(PLACES), st.booleans()),
    "order": st.none() | st.sampled_from(ORDERS),
    "ttl": st.sampled_from(["", "5m", "1h"]), "between": st.booleans(), "behind": st.booleans(),
})  # fmt: skip
logs = st.lists(choices, min_size=5, max_size=5)
SHORT = Settings(trimming=Trimming(parts=TRIMMING.part_names, tool_result_max_tokens=60))


def made(name: str, choice: Choice) -> Calls:
    shape = dict(choice)
    kept = {name: shape.pop(name) for name in ("value", "order", "ttl", "between", "behind", "shots")}
    if kept["shots"]:
        shape |= {"runs": 2 + 2 * shape["runs"], "turns": 1}
    calls = loops(name, **shape)
    if kept["shots"]:
        calls = shots(calls)
    if kept["value"]:
        kind, path, per_run = kept["value"]
        calls = varying(calls, kind, path, per_run=per_run).before
    if kept["order"]:
        calls = disordered(calls, kept["order"]).before
    if kept["ttl"]:
        calls = marked(calls, kept["ttl"], between=kept["between"])
    return [behind(call, "Be quick.") for call in calls] if kept["behind"] else calls


def priced(chosen: list[Choice], order: random.Random | None = None) -> Told:
    """Price workloads in one log, its lines in the order of time, or in another that keeps that of each run.

    Long results are cut at 60 tokens.
    """
    calls = [made(f"task{n}", choice) for n, choice in enumerate(chosen)]
    found = sorted(
        (line for log in map(lines, calls) for line in log), key=lambda line: str(line["timestamp"])
    )
    if order is not None:
        found = shuffled(found, order)
    with TemporaryDirectory() as folder:
        return told(write(Path(folder) / "calls.jsonl", *found), settings=SHORT)


def shuffled(found: list[Json], order: random.Random) -> list[Json]:
    places = [line["run_id"] for line in found]
    order.shuffle(places)
    of_run = {run: iter([line for line in found if line["run_id"] == run]) for run in set(places)}
    return [next(of_run[run]) for run in places]


@examples(6, quick=2)
@given(logs, st.integers(0, 1000))
def test_no_run_is_more_expensive_than_billed_and_sums_agree(chosen: list[Choice], seed: int) -> None:
    found = priced(chosen)
    billed = found.x.turns.group_by("run_id").agg(billed=pl.col("usd").sum())
    rows = found.scenarios.join(billed, on="run_id")
    assert rows.filter(pl.col("usd") > pl.col("billed"))["scenario"].to_list() == []
    assert rows.filter(pl.col("usd") + pl.col("saved_usd") != pl.col("billed"))["scenario"].to_list() == []
    assert rows.filter(pl.col("saved_usd") < 0)["scenario"].to_list() == []
    assert (rows.filter(scenario="as_billed")["saved_usd"] == 0).all()
    assert set(rows["scenario"]) == {"as_billed", "all", *PARTS, *SETS}
    assert rows.group_by("run_id").len()["len"].unique().to_list() == [2 + len(PARTS) + len(SETS)]
    assert sum(rows.filter(scenario="as_billed")["usd"], Decimal(0)) == found.x.turns["usd"].sum()
    assert found.x.agreement.exact == found.x.agreement.compared
    shares_agree(found)
    more_levers_save_more(found)
    only_single_requests_are_batched(found)
    the_order_of_lines_does_not_matter(found, priced(chosen, random.Random(seed)))


def shares_agree(found: Told) -> None:
    """What the levers are told to share is what all of them save, of each run and to the pico-USD."""
    alone = found.scenarios.filter(pl.col("scenario").is_in(LEVERS))
    joint = alone.group_by("run_id").agg(shares=pl.col("saved_joint_usd").sum(), n=pl.len())
    every = found.scenarios.filter(scenario="all").join(joint, on="run_id")
    assert every["n"].unique().to_list() == [len(LEVERS)]
    assert every.filter(pl.col("shares") != pl.col("saved_usd")).is_empty()
    others = found.scenarios.filter(~pl.col("scenario").is_in(LEVERS))
    assert others["saved_joint_usd"].null_count() == others.height


def more_levers_save_more(found: Told) -> None:
    saved = dict(found.scenarios.group_by("scenario").agg(pl.col("saved_usd").sum()).iter_rows())
    assert saved["all"] == saved[SETS[-1]]
    for name in SETS:
        fewer = [n for n in SETS if set(n.split("+")) < set(name.split("+"))]
        assert {n: saved[n] for n in fewer if saved[n] > saved[name]} == {}, (name, saved[name])


def only_single_requests_are_batched(found: Told) -> None:
    several = found.x.runs.filter(pl.col("n_turns") > 1)
    rows = found.scenarios.filter(pl.col("scenario").str.starts_with("batching"))
    assert rows.join(several, on="run_id", how="semi").filter(pl.col("saved_usd") != 0).is_empty()
    unwaited = found.priced.single_shots.filter(pl.col("reason").is_not_null())
    assert rows.join(unwaited, on="run_id", how="anti").filter(pl.col("saved_usd") != 0).is_empty()


def the_order_of_lines_does_not_matter(*both: Told) -> None:
    key: list[Any] = ["task", "scenario"]
    one, other = (some.scenarios.group_by(key).agg(pl.col("usd").sum()).sort(key) for some in both)
    assert one.select(key).rows() == other.select(key).rows()
    # The run read first has no other to show which values vary in its first prompt: their tokens are those of
    # the next one read.
    assert one["usd"].to_list() == pytest.approx(other["usd"].to_list(), rel=Decimal("0.001"))


SOUND: dict[str, Calls] = {
    "explicit": marked(loops("explicit", runs=3)),
    "automatic": [c.told(cache_control={"type": "ephemeral"}) for c in loops("automatic", runs=3)],
    "unmarked": loops("unmarked", runs=3),
    "an hour": marked(loops("an hour", runs=2, gap_s=1800), "1h"),
    "late": marked(loops("late", runs=2, gap_s=400)),
    "mended": varying(loops("mended", runs=2), "uuid", PLACES[0]).mended(marked),
}


def test_where_nothing_varies_a_stable_prefix_saves_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, {calls[0].task: calls for calls in SOUND.values()}, alone("caching"))
    assert found.scenarios.filter(scenario="caching/fix-prefix")["saved_usd"].unique().to_list() == [0]


@pytest.mark.parametrize("name", ["explicit", "mended"])
def test_a_loop_that_caches_well_has_nothing_to_save(name: str, tmp_path: Path) -> None:
    found = read(tmp_path, {name: SOUND[name]}, alone("caching"))
    billed = found.usd(name, "as_billed")
    assert found.usd(name, "caching", "saved_usd") < billed * Decimal("0.005")
