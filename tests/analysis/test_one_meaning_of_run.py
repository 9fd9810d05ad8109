"""A run is its whole tree and a task owns the sub-agents of its runs, in every output alike."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from billed import ROOT, billed
from command import logs_of
from costscan.billing import Selection
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.reports.listings.run_story import render
from costscan.reports.text import numbers
from costscan.reports.text.run_names import handle, meant
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from costscan.summary.story import story
from outputs import readers, write_all
from recording import LOGGED, SIDE, TRUE
from trees import MAIN, SUB, TREES, write_trees

pytestmark = pytest.mark.usefixtures("kept_analyses")

ALIKE = {"runs", "usd", "turns", "costs", "tasks", "task_runs", "findings"}
RANKED = {"p50", "p90", "p99", "max"}
TOLD = {
    "json": ALIKE | RANKED | {"sub_agents", "mean", "top_1pct", "top_10pct"},
    "parquet": ALIKE | {"sub_agents"},
    "csv": ALIKE | {"sub_agents"},
    "html": ALIKE | RANKED - {"max"} | {"sub_agents"},
    "markdown": {"runs", "sub_agents", "turns", "usd", "most_expensive"},
    "openmetrics": ALIKE - {"costs"} | RANKED | {"sub_agents"},
    "sarif": {"findings"},
    "frames": {"runs", "turns", "findings", "logged_usd"},
    "screen": {"runs", "sub_agents", "turns", "usd", "costs", "findings"},
    "screen_by_run": {"runs", "sub_agents", "turns", "costs"},
    "screen_by_task": {"runs", "task_costs"},
    "check": ALIKE - {"costs"} | RANKED | {"mean", "most expensive_task"},
    "trend": {"runs", "usd", "tasks", "task_runs"},
    "whatif": {"runs", "turns", "usd", "costs"},
}
"""What each output tells whatever the logs are; the headline has ranks and shares where runs are enough."""
ENOUGH = 5


@dataclass
class Truth:
    """The logs, and what is true of them: worked out from the bill of each agent thread and who started it."""

    summary: Summary
    x: Diagnosis
    folder: Path
    figures: dict[str, Any]


def worked_out(x: Diagnosis) -> dict[str, Any]:
    """Add up threads to trees in plain Python."""
    threads = {row["run_id"]: row for row in x.frame("runs").to_dicts()}
    turns: dict[tuple[str, int], list[Decimal | None]] = defaultdict(list)
    for row in x.frame("bill").iter_rows(named=True):
        turns[row["run_id"], row["turn"]].append(row["usd"])
    trees: dict[str, list[Decimal | None]] = {row["root_run_id"]: [] for row in threads.values()}
    for (run, _), meters in turns.items():
        known = [usd for usd in meters if usd is not None]
        trees[threads[run]["root_run_id"]].append(
            sum(known, Decimal(0)) if len(known) == len(meters) else None
        )
    costs = {root: _known(each) for root, each in trees.items()}
    task = {root: _task(root, threads) for root in trees}
    ranked = sorted((usd for usd in costs.values() if usd is not None), reverse=True)
    of_task = {name: [costs[root] for root in trees if task[root] == name] for name in task.values()}
    whole, n = sum(ranked, Decimal(0)), len(ranked)
    return {
        "runs": len(trees),
        "sub_agents": sum(
            run != row["root_run_id"] and not run.endswith(SUFFIX) for run, row in threads.items()
        ),
        "turns": sum(row["n_turns"] for row in threads.values()),
        "usd": whole,
        "costs": [*ranked, *[None] * (len(trees) - n)],
        **{f"p{p}": ranked[n - ceil(n * p / 100)] for p in (50, 90, 99)},
        "max": ranked[0],
        "mean": whole / n,
        "top_1pct": float(sum(ranked[: ceil(n / 100)]) / whole),
        "top_10pct": float(sum(ranked[: ceil(n / 10)]) / whole),
        "tasks": {name: _known(each) for name, each in of_task.items()},
        "task_runs": {name: len(each) for name, each in of_task.items()},
        "findings": x.findings.height,
    }


def _known(costs: list[Decimal | None]) -> Decimal | None:
    known = [usd for usd in costs if usd is not None]
    return sum(known, Decimal(0)) if known else None


def _task(root: str, threads: dict[str, Any]) -> str:
    if root in threads:
        return str(threads[root]["task"])
    return str(next(row["task"] for row in threads.values() if row["root_run_id"] == root))


@pytest.fixture(scope="module", params=["", "headless-stream", "trees"])
def truth(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    folder = tmp_path_factory.mktemp("outputs")
    part = request.param
    logs = str(write_trees(folder / "logs")) if part == "trees" else f"sample_logs/{part}"
    with chdir(ROOT), logs_of(logs) as (x, summary):
        write_all(summary, x, folder)
        yield Truth(summary, x, folder, worked_out(x))


@pytest.mark.parametrize("output", TOLD)
def test_every_output_tells_the_same(truth: Truth, output: str) -> None:
    true = dict(truth.figures)
    true["most_expensive"] = true["costs"][:10]
    true["task_costs"] = sorted(true["tasks"].values(), key=lambda usd: -(usd or Decimal(-1)))
    true["most expensive_task"] = max(usd for usd in true["tasks"].values() if usd is not None)
    true["logged_usd"] = true["usd"] - (truth.summary.totals.unlogged_usd or 0)
    told = set()
    for name, value in readers(truth.summary, truth.x, truth.folder)[output]():
        told.add(name)
        alike(name, value, true[name])
    assert told - RANKED - {"top_1pct"} == TOLD[output] - RANKED - {"top_1pct"}
    if truth.summary.distribution.priced_runs >= ENOUGH and output in {"screen", "markdown"}:
        assert told >= {*RANKED, "top_1pct"}


def alike(name: str, value: Any, true: Any) -> None:
    """Check a figure: to the last digit that its output has."""
    if isinstance(value, str):
        shown = numbers.percent(true) if name.startswith("top") else numbers.usd(true)
        assert value == shown, name
    elif isinstance(value, list) and any(isinstance(one, str) for one in value):
        assert value == numbers.usd_column(true), name
    elif isinstance(value, list):
        assert [v is None for v in value] == [t is None for t in true], name
        known = [float(t) for t in true if t is not None]
        assert [v for v in value if v is not None] == pytest.approx(known, abs=1e-6), name
    elif isinstance(value, dict):
        assert sorted(value) == sorted(true), name
        alike(name, [value[key] for key in sorted(true)], [true[key] for key in sorted(true)])
    else:
        assert float(value) == pytest.approx(float(true), abs=1e-6), name


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trees(tmp_path_factory.mktemp("trees"))


def test_trees_that_were_worked_out_by_hand(logs: Path) -> None:
    runs = {row["run_id"]: row for row in billed([logs]).summary.runs.to_dicts()}
    told = {run: (row["task"], row["turns"], row["sub_agents"], row["usd"]) for run, row in runs.items()}
    assert told == TREES
    below = {
        run: [(a["run_id"], a["usd"]) for a in row["agents"]] for run, row in runs.items() if row["agents"]
    }
    assert below == {
        "s1": [("s1/agent-a1", SUB), ("s1/agent-a2", None)],
        "s3": [("s3/unlogged", 2 * (TRUE - LOGGED) + SIDE)],
        "s9": [("s9/agent-b9", SUB)],
        "top": [("leaf", SUB), ("middle", SUB)],
        "around": [("back", SUB)],
    }
    assert {run: row["usd_main_thread"] for run, row in runs.items() if row["agents"]} == {
        "s1": 2 * MAIN, "s3": 2 * LOGGED, "s9": None, "top": MAIN, "around": SUB
    }  # fmt: skip
    assert (runs["s1"]["unpriced_turns"], runs["s3"]["recorded_usd"]) == (1, 2 * TRUE + SIDE)


def test_a_task_brings_the_agents_of_its_runs(logs: Path) -> None:
    every = billed([logs]).summary
    for row in every.by_task.to_dicts():
        chosen = billed([logs], selection=Selection(tasks=(row["task"],))).summary
        own = every.runs.filter(task=row["task"])
        assert set(chosen.runs["run_id"]) == set(own["run_id"])
        assert (chosen.totals.usd, chosen.totals.root_runs) == (row["usd"], row["runs"])
        assert chosen.totals.sub_agents == own["sub_agents"].sum()
    for name in ("plan", "work", "agent:explorer"):
        assert billed([logs], selection=Selection(tasks=(name,))).summary.totals.turns == 0


def test_a_run_keeps_its_task_when_only_its_agents_are_chosen(logs: Path) -> None:
    chosen = billed([logs], selection=Selection(models=("claude-haiku-4-5",))).summary
    runs = {row["run_id"]: row for row in chosen.runs.to_dicts()}
    assert (runs["top"]["task"], runs["top"]["usd"], runs["top"]["usd_main_thread"]) == (
        "nightly",
        2 * SUB,
        None,
    )
    assert dict(chosen.by_task.select("task", "runs").iter_rows())["nightly"] == 2
    assert (runs["s1"]["task"], runs["s1"]["usd"]) == ("sort the invoices", SUB)


def test_explain_tells_what_analyze_does_and_opens_each_agent(logs: Path) -> None:
    with logs_of(str(logs), levers=False) as (x, summary):
        roots = set(summary.runs["run_id"])
        every = [*roots, *(run for run in summary.threads["run_id"] if run not in roots)]
        shown = {
            run: [line.plain for line in render(story(x, run), every, width=200, roots=roots, paths=["LOGS"])]
            for run in every
        }
    for run, (task, turns, agents, cost) in TREES.items():
        assert shown[run][0].startswith(f"{run}   {task} · {numbers.plural(turns, 'call')} · ")
        assert shown[run][1].startswith(
            f"  cost {numbers.usd(cost)}" if cost is not None else "  cost unknown"
        )
        assert (f" with {numbers.plural(agents, 'sub-agent')}" in shown[run][1]) == bool(agents)
    opened = {
        "s1": "agent-a1",
        "s3": "unlogged",
        "s9": "agent-b9",
        "top": "leaf",
        "middle": "leaf",
        "around": "back",
    }
    for run, agent in opened.items():
        assert f"  open one: costscan explain {agent} LOGS" in shown[run]
        assert len(meant(agent, every, roots)) == 1
    assert "  no call of its main thread is in these logs" in shown["s9"]
    assert shown["middle"][0].endswith(" · under top")
    assert shown["middle"][1].startswith(f"  cost {numbers.usd(2 * SUB)} with 1 sub-agent")
    assert shown["s1/agent-a1"][1].startswith(f"  cost {numbers.usd(SUB)} · ")


def test_a_short_name_means_one_thread_or_is_its_id() -> None:
    sessions = [f"{n:08x}-0000-4000-8000-{n:012x}" for n in range(3)]
    agents = [f"{session}/agent-a{n}{'x' * 12}" for session in sessions for n in (1, 2)]
    unlogged = [f"{session}/unlogged" for session in sessions]
    every = [*sessions, *agents, *unlogged, "a/b", "x/a/b", "agent-a1x"]
    for run in every:
        assert meant(handle(run, every, sessions), every, sessions) == [run], run
    assert handle(unlogged[1], every, sessions) == "00000001/unlogged"
    assert handle("s/agent-a1b2c3d4e5", ["s", "s/agent-a1b2c3d4e5"], ["s"]) == "agent-a1b2"
