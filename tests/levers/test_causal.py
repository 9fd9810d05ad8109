"""No lever looks at the future: what comes after a call changes nothing of what a lever made of it.

Settings (a threshold, a cap, a lifetime, a model) are chosen for all runs of a group; here they are given, and the log
is cut off at several places. Routing: `test_routing_evidence`.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from billed import ROOT
from costscan.levers.plan import Plan
from costscan.levers.trimming import Made, trimmed_as
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from logs import write
from seen import analyzed
from workloads import SONNET46, lines, loops, marked

PARTS: Mapping[str, int | None] = {
    "drop-repeated-results": None,
    "prune-at-task-boundary": None,
    "context-editing": 9_000,
    "compact-history": 12_000,
}
"""The parts that decide call by call, with their threshold."""
STORIES = ("bloated-tool-result", "loop-of-twelve", "idle-hour")
Prompts = dict[tuple[str, int], int]


def made(log: Path) -> dict[str, Prompts]:
    """The prompt of each turn, with each part of trimming set for all runs, and as it is."""
    with analyzed(log) as x:
        workspace = Workspace(x, Settings())
        runs, plan = x.runs["run_id"].to_list(), workspace.plan
        plans = {part: trimmed_as(plan, workspace.trimming_inputs, _set(part, runs)) for part in PARTS}
    return {part: tokens_of(plan) for part, plan in {**plans, "as it is": plan}.items()}


def _set(part: str, runs: list[str]) -> Made:
    caps = pl.DataFrame(schema={"tool": pl.String, "cap_tokens": pl.Int64})
    at = PARTS[part]
    return Made(caps, {part: runs}, {part: dict.fromkeys(runs, at)} if at is not None else {})


def tokens_of(plan: Plan) -> Prompts:
    rows = plan.steps.select("run_id", "turn", "prompt_tokens").rows()
    return {(run, turn): tokens for run, turn, tokens in rows}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sessions of the samples, and a loop that passes each threshold several times."""
    folder = tmp_path_factory.mktemp("whole")
    calls = marked(loops("causal", model=SONNET46, runs=1, turns=30, result=900))
    sessions = (max((ROOT / "sample_logs" / name).rglob("*.jsonl"), key=_size) for name in STORIES)
    return [write(folder / "calls.jsonl", *lines(calls)), *sessions]


def _size(path: Path) -> int:
    return path.stat().st_size


def test_what_comes_after_a_call_changes_nothing_of_it(logs: list[Path], tmp_path: Path) -> None:
    changing: set[str] = set()
    for nth, log in enumerate(logs):
        whole = made(log)
        changing |= {part for part in PARTS if whole[part] != whole["as it is"]}
        text = log.read_text("utf-8").splitlines(keepends=True)
        for share in (0.4, 0.7):
            cut = tmp_path / f"{nth}-{share}" / log.name
            cut.parent.mkdir()
            cut.write_text("".join(text[: int(len(text) * share)]), "utf-8")
            for part, early in made(cut).items():
                # The answer of the last call of a run may be cut off in the middle.
                last = {run: max(turn for name, turn in early if name == run) for run, _ in early}
                sooner = {at: tokens for at, tokens in early.items() if at[1] < last[at[0]]}
                assert sooner.items() <= whole[part].items(), (log.name, part)
    assert changing == set(PARTS), "a part that changes nothing here is not tested"
