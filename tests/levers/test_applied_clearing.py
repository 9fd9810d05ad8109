"""Old tool results that are then really cleared cost what was foreseen, and nothing that comes later decides when.

The reference clears by its own reading of the messages (`world.fixes.cleared`); here it is pinned when that happens.
"""

from pathlib import Path

import polars as pl
import pytest

from costscan.levers.trimming.context_editing import cleared_at
from costscan.scenarios import price_scenarios
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings, Trimming
from logs import write
from seen import analyzed
from workloads import SONNET46, Calls, lines, loops, marked

AT_TOKENS = 12_000
SETTINGS = Settings(trimming=Trimming(parts=("context-editing",), clear_at_tokens=AT_TOKENS))


def agent() -> Calls:
    return marked(loops("clearing", model=SONNET46, runs=1, turns=30, result=1000))


def prompts(folder: Path, calls: Calls) -> list[tuple[int, int]]:
    """The prompt of each turn as it is, and as it is where old results are cleared."""
    with analyzed(write(folder / "calls.jsonl", *lines(calls))) as x:
        workspace = Workspace(x, SETTINGS)
        short = cleared_at(workspace.plan, workspace.trimming_inputs.blocks, pl.lit(AT_TOKENS))
    return list(zip(workspace.plan.steps["prompt_tokens"], short.steps["prompt_tokens"], strict=True))


def test_it_clears_when_a_prompt_passes_and_not_before(tmp_path: Path) -> None:
    both = prompts(tmp_path, agent())
    was, now = zip(*both, strict=True)
    first = next(n for n, tokens in enumerate(was) if tokens > AT_TOKENS)
    assert now[:first] == was[:first]
    assert now[first] < was[first] - AT_TOKENS / 10
    # The newest three results, of at least 500 tokens each, stay; and so does all that is no result.
    assert now[first] > 3 * 500
    # It grows from there on as it did before, until it passes again.
    again = next(n for n in range(first + 1, len(now)) if now[n] < now[n - 1])
    assert [now[n] - now[n - 1] for n in range(first + 1, again)] == [
        was[n] - was[n - 1] for n in range(first + 1, again)
    ]
    grown = now[again - 1] + was[again] - was[again - 1]
    assert grown > AT_TOKENS >= now[again - 1]
    # Where less than a tenth would go, it waits.
    assert max(now) < 1.1 * AT_TOKENS


@pytest.mark.parametrize("turns", [9, 14, 21])
def test_no_later_turn_changes_when_it_clears(tmp_path: Path, turns: int) -> None:
    calls = agent()
    assert prompts(tmp_path, calls[:turns]) == prompts(tmp_path, calls)[:turns]


def test_where_little_would_go_nothing_does(tmp_path: Path) -> None:
    """Fifteen results of some 60 tokens are no tenth of the threshold."""
    calls = marked(loops("little", model=SONNET46, runs=1, turns=18, result=60, system=9000))
    both = prompts(tmp_path, calls)
    assert both[-1][0] > AT_TOKENS
    assert all(was == now for was, now in both)


def test_one_threshold_is_chosen_for_all_runs_of_a_task(tmp_path: Path) -> None:
    calls = marked(loops("long", model=SONNET46, runs=2, turns=60, result=2000))
    with analyzed(write(tmp_path / "calls.jsonl", *lines(calls))) as x:
        found = price_scenarios(x, Settings(trimming=Trimming(parts=("context-editing",))))
    chosen = found.choices.filter(scenario="trimming/context-editing")
    assert chosen.height == 2
    assert chosen["setting"].n_unique() == 1
    assert int(chosen["setting"][0]) in {40_000, 60_000, 80_000, 100_000}
    assert found.scenarios.filter(scenario="trimming/context-editing")["saved_usd"].sum() > 0
