"""From where on a fix pays nothing, by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from applied import Told, alone, read
from costscan.scenarios.break_even import _of_async
from costscan.settings.keys import Routing, Settings, Trimming
from mended import for_system, shots
from workloads import HAIKU45, SONNET46, lines, loops, marked, unit, usd

if TYPE_CHECKING:
    from costscan.scenarios.workspace import Workspace


def at(found: Told, scenario: str) -> float:
    return found.priced.break_evens[scenario].at


def test_a_model_at_a_third_of_the_price_may_take_three_times_the_turns(tmp_path: Path) -> None:
    calls = loops("third", model=SONNET46, runs=2, turns=4)
    found = read(
        tmp_path, {"third": calls}, alone("routing", settings=Settings(routing=Routing(force=HAIKU45)))
    )
    # One token less is what tool use adds on the smaller model.
    assert at(found, "routing") == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize(("system", "settings"), [(4500, Settings()), (40_000, alone("batching"))])
def test_a_batch_that_finds_too_little_in_the_cache_pays_nothing(
    tmp_path: Path, system: int, settings: Settings
) -> None:
    calls = for_system(shots(loops("half", runs=6, turns=1, system=system)))
    found = read(tmp_path, {"half": calls}, settings)
    used = [line["response"]["usage"] for line in lines(calls)]
    prices = unit(SONNET46)
    read_tokens = sum(one["cache_read_input_tokens"] for one in used)
    lost = read_tokens * (prices["cache_write_5m"] - prices["cache_read"]) / 2
    want = 1 - usd(found.logs["half"]) / 2 / lost
    assert at(found, "batching/async") == pytest.approx(float(want), abs=1e-6)
    assert want > 0


def test_a_batch_that_reads_nothing_pays_whatever_is_found(tmp_path: Path) -> None:
    found = read(tmp_path, {"plain": shots(loops("plain", runs=6, turns=1))}, alone("batching"))
    assert at(found, "batching/async") == 0


def test_results_that_are_fetched_again_cost_what_was_saved_and_a_turn(tmp_path: Path) -> None:
    calls = marked(loops("cut", runs=1, turns=6, result=1500))
    settings = alone("trimming", settings=Settings(trimming=Trimming(tool_result_max_tokens=300)))
    found = read(tmp_path, {"cut": calls}, settings)
    name = "trimming/cap-tool-results"
    saved, left = (float(found.usd("cut", name, column)) for column in ("saved_usd", "usd"))
    # Five results are in some prompt, all of them long.
    assert at(found, name) == pytest.approx(saved / (saved + 5 * left / 6))


def test_what_saves_nothing_has_no_break_even(tmp_path: Path) -> None:
    found = read(tmp_path, {"small": marked(loops("small", model=HAIKU45, runs=1, turns=3))})
    assert found.priced.break_evens == {}


def test_what_the_replay_is_off_is_no_read_that_a_batch_misses() -> None:
    """Of what is saved, half is not sure because the run was not foreseen: only the rest of the range counts."""
    saving = pl.DataFrame({"run_id": ["r1"], "saved_usd": [1.0], "saved_low_usd": [-0.9]})
    off = pl.DataFrame({"run_id": ["r1"], "off_share": [0.5]})
    bench = cast("Workspace", SimpleNamespace(costs=SimpleNamespace(off=off)))
    # 1.4 USD are lost where 70 % of the reads are missed, 2 USD where all are: at half of them nothing is saved.
    found = _of_async(bench, saving)
    assert found is not None
    assert found.at == pytest.approx(1 - 1 / 2)
