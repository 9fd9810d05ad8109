"""When nobody waits for an answer: the limits of waves and of nights, each with a case at it and one beyond."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from costscan.levers.batching.async_requests import batched
from costscan.levers.batching.pack_items import CONTEXTS, contexts, packed
from costscan.levers.batching.single_shots import _nightly, _reason, _waves
from costscan.levers.plan import Plan
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from logs import write
from seen import analyzed
from workloads import lines, loops

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def begun(*after: timedelta) -> pl.DataFrame:
    """Single shots of one task, so long after the first."""
    told = pl.DataFrame({"task": "nightly", "at": [NOON + gap for gap in (timedelta(0), *after)]})
    return told.with_columns(*_waves(), nightly_days=_nightly())


@pytest.mark.parametrize(("seconds", "waves"), [(300, 1), (301, 2)])
def test_five_minutes_are_one_wave(seconds: int, waves: int) -> None:
    """A client that waits for an answer, or tries again, does so within the five minutes that a cache lives."""
    assert begun(timedelta(seconds=seconds))["wave"].n_unique() == waves


@pytest.mark.parametrize(("minutes", "days"), [(29, 2), (30, 1)])
def test_half_an_hour_is_the_same_time_of_day(minutes: int, days: int) -> None:
    """A job of a clock begins late where the machine is busy, and seldom later than that."""
    assert begun(timedelta(days=1, minutes=minutes))["nightly_days"][0] == days


@pytest.mark.parametrize(("runs", "days", "waits"), [(4, 2, True), (5, 2, False), (4, 3, False)])
def test_five_at_once_or_three_nights_are_no_persons(runs: int, days: int, *, waits: bool) -> None:
    told = pl.DataFrame({"wave_runs": [runs], "nightly_days": [days]})
    assert (told.select(_reason()).item() is None) == waits


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    log = tmp_path_factory.mktemp("plan") / "calls.jsonl"
    with analyzed(write(log, *lines(loops("plan", runs=3, turns=1)))) as x:
        yield Workspace(x, Settings()).plan


def test_in_a_batch_three_of_ten_cache_reads_are_found_at_least(plan: Plan) -> None:
    """From 30 % on: https://platform.claude.com/docs/en/build-with-claude/batch-processing."""
    runs = plan.steps["run_id"]
    batches = batched(plan, runs.head(1), plan.steps["model"].unique())
    assert batches.steps["missed_reads"].to_list() == [0.7, 0.0, 0.0]


def test_what_items_of_one_context_take_beside_themselves(plan: Plan) -> None:
    """Assumed: four tokens before each item and seven around its answer, and thirty that ask for all, once."""
    runs, was = plan.steps["run_id"], plan.steps
    some = pl.DataFrame(
        {"run_id": runs, "context": [1, 1, 1], "is_first": [True, False, False]}, schema=CONTEXTS
    )
    now = packed(plan, some).steps
    apart = was["prompt_tokens"] - was["shared_tokens"]
    assert now["prompt_tokens"].to_list() == [was["prompt_tokens"][0] + 34, apart[1] + 4, apart[2] + 4]
    assert (now["output_tokens"] - was["output_tokens"]).to_list() == [7, 7, 7]


@pytest.mark.parametrize(("item", "answer", "packs"), [
    (19_988, 1, [5, 5]), (19_989, 1, [4, 4, 2]), (1, 7993, [4, 4, 2]), (1, 7994, [3, 3, 3]),
])  # fmt: skip
def test_so_many_items_fit_a_model_of_which_nothing_is_known(
    item: int, answer: int, packs: list[int]
) -> None:
    """A context of 200,000 tokens, 100,000 of them shared here, and answers of 32,000 together.

    With their numbers 19,988 + 4 in and 1 + 7 out are 20,000, and answers of 7,993 + 7 are 8,000.
    """
    shots = pl.DataFrame({
        "run_id": [f"r{n}" for n in range(10)], "task": "t", "wave": 1, "model": "unheard-of", "tier": "standard",
        "speed": "standard", "shared_key": 5, "at": NOON, "shared_tokens": 100_000, "prompt_tokens": 100_000 + item,
        "output_tokens": answer,
    })  # fmt: skip
    told = contexts(shots, 100, {})
    assert sorted(told.group_by("context").len()["len"], reverse=True) == packs
