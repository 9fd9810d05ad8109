"""The figures of runs and tasks that each output tells, read from the output alone.

A reader yields pairs of a name in `Truth` and a value, as often as its output tells it. Documents have numbers; what is
made for people has text, as `wording` writes it.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.gate import compare, limits, of_logs, reported
from costscan.gate.ceilings import measured
from costscan.reports.analysis.terminal import render
from costscan.reports.comparison.json import document as comparison_document
from costscan.reports.comparison.terminal import render as comparison_screen
from costscan.reports.outputs import target
from costscan.reports.trend.json import document as trend_document
from costscan.reports.trend.terminal import render as trend_screen
from costscan.rulebook import Diagnosis
from costscan.scenarios.whatif import what_if
from costscan.summary import Summary
from costscan.trend import read_history
from costscan.trend import trend as of_history
from gauges import families
from page_data import data_of
from shown_markdown import said, tables

Figures = Iterator[tuple[str, Any]]
RANKS: Final = ("p50", "p90", "p99", "max")
_ALL, _WIDE = 10**6, 140
_COST: Final = r"(<?\$[\d.,]+|unknown|-)"


def of_json(folder: Path) -> Figures:
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    totals, runs, billed = told["totals"], told["runs"], told["scenarios"][0]
    agents = [agent for run in runs for agent in run["agents"] if not agent["run_id"].endswith("/unlogged")]
    yield from (("runs", n) for n in (totals["root_runs"], len(runs), billed["runs"]))
    yield from (("runs", sum(row["runs"] for row in told["by_task"])), ("usd", totals["usd"]))
    yield from (
        ("sub_agents", n) for n in (totals["sub_agents"], len(agents), sum(r["sub_agents"] for r in runs))
    )
    yield from (("turns", totals["turns"]), ("turns", sum(run["turns"] for run in runs)))
    yield from (("usd", billed["usd"]), ("usd", sum(run["usd"] or 0 for run in runs)))
    yield from (("costs", [run[name] for run in runs]) for name in ("usd", "usd_with_subagents"))
    yield from told["distribution"]["usd_per_run"].items()
    yield from (
        ("top_1pct", told["distribution"]["top_1pct_share"]),
        ("top_10pct", told["distribution"]["top_10pct_share"]),
    )
    yield from _tasks((row["task"], row["usd"], row["runs"]) for row in told["by_task"])
    found = told["findings"], sum(run["findings"] for run in runs), told["breakdowns"]["rule"]
    yield from (
        ("findings", len(found[0])),
        ("findings", found[1]),
        ("findings", sum(row["findings"] for row in found[2])),
    )
    roots = {run["run_id"]: run["findings"] for run in runs}
    assert all(roots[row["root_run_id"]] for row in found[0])
    for name in ("no_caching", "caching", "trimming", "routing", "batching", "all"):
        scenario = next((row for row in told["scenarios"] if row["scenario"] == name), None)
        if scenario is not None and scenario["usd"] is not None:
            each = sum(run[f"usd_{name}"] or 0 for run in runs)
            assert abs(each - scenario["usd"]) < 1e-6, name


def of_parquet(folder: Path) -> Figures:
    yield from _of_table(pl.read_parquet(folder / "report.parquet"))
    rows = pl.read_parquet(folder / "report.parquet").to_dicts()
    yield "findings", sum(len(row["found"]) for row in rows)
    yield "usd", sum(part["usd"] for row in rows for part in row["parts"])
    assert all(row["run_id"] == row["root_run_id"] for row in rows)


def of_csv(folder: Path) -> Figures:
    with (folder / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = ("sub_agents", "turns", "findings")
    yield from _of_table(pl.DataFrame([row | {name: int(row[name]) for name in counts} for row in rows]))


def _of_table(table: pl.DataFrame) -> Figures:
    costs = [None if usd in {None, ""} else float(usd) for usd in table["usd"]]
    yield from (("runs", table.height), ("usd", sum(usd or 0 for usd in costs)), ("costs", costs))
    yield from ((name, int(table[name].sum())) for name in ("sub_agents", "turns", "findings"))
    sums = (
        table.with_columns(usd=pl.Series(costs, dtype=pl.Float64))
        .group_by("task")
        .agg(usd=pl.when(pl.col("usd").count() > 0).then(pl.col("usd").sum()), runs=pl.len())
    )
    yield from _tasks(sums.select("task", "usd", "runs").iter_rows())


def of_html(folder: Path) -> Figures:
    data = data_of((folder / "report.html").read_text(encoding="utf-8"))
    shown = {table["name"]: _columns(table, data["pools"]) for table in data["tables"]}
    runs, tasks, spread = shown["runs"], shown["task"], data["distribution"]
    yield from (
        ("runs", len(runs["run"])),
        ("runs", sum(n for *_, n, _ in spread["bins"]) + spread["free"] + spread["unpriced"]),
    )
    yield from (
        ("costs", runs["cost"]),
        ("usd", sum(usd or 0 for usd in runs["cost"])),
        ("turns", sum(runs["calls"])),
    )
    yield from (("sub_agents", sum(runs.get("agents", []))), ("findings", sum(runs["findings"])))
    yield from spread["ranks"].items()
    yield from _tasks(zip(tasks["task"], tasks["cost"], tasks["runs"], strict=True))
    yield from _sizes(" · ".join(data["heading"]["sizes"]))
    if len(shown["findings"]["rule"]) < 1000:
        yield "findings", len(shown["findings"]["rule"])


def _columns(table: Any, pools: Any) -> dict[str, list[Any]]:
    texts = {
        column["title"]: column.get("texts") or pools.get(column.get("pool")) for column in table["columns"]
    }
    return {
        c["title"]: [texts[c["title"]][n] for n in c["values"]] if texts[c["title"]] else c["values"]
        for c in table["columns"]
    }


def of_markdown(folder: Path) -> Figures:
    text = (folder / "report.md").read_text(encoding="utf-8")
    words = said(text)
    yield from _sizes(words)
    yield from _headline(words)
    worst = next(rows for rows in tables(text) if rows[0][0] == "run")[1:]
    left = re.search(r"… and ([\d,]+) more runs?, ", text)
    yield "runs", len(worst) + (int(left[1].replace(",", "")) if left else 0)
    yield "most_expensive", [row[1].replace("\\", "").replace("&lt;", "<") for row in worst]


def of_openmetrics(folder: Path) -> Figures:
    found = families((folder / "report.prom").read_text(encoding="utf-8"))
    told = {
        name: {tuple(s.labels.values()): s.value for s in family.samples} for name, family in found.items()
    }
    yield from (
        (figure, told[name][()])
        for figure, name in (("runs", "runs"), ("turns", "turns"), ("sub_agents", "sub_agents"))
    )
    yield from (("usd", told["billed_usd"][()]), ("runs", sum(told["task_runs"].values())))
    quantiles = dict(zip(("0.5", "0.9", "0.99", "1"), RANKS, strict=True))
    yield from ((quantiles[label[0]], usd) for label, usd in told["run_usd"].items() if label)
    yield "findings", sum(told.get("findings", {}).values())
    names = told["task_runs"]
    yield from _tasks((name, told["task_usd"].get((name,)), n) for (name,), n in names.items())


def of_sarif(folder: Path) -> Figures:
    (run,) = json.loads((folder / "report.sarif").read_text(encoding="utf-8"))["runs"]
    yield "findings", len(run["results"])


def of_frames(folder: Path) -> Figures:
    """The frames have a row per agent thread: what is of logged turns alone lacks what only a recorded total shows."""
    runs, scenarios = (
        pl.read_parquet(folder / "frames" / f"{name}.parquet") for name in ("runs", "scenarios")
    )
    yield from (("runs", runs["root_run_id"].n_unique()), ("turns", int(runs["n_turns"].sum())))
    yield "findings", pl.read_parquet(folder / "frames" / "findings.parquet").height
    yield "logged_usd", float(scenarios.filter(scenario="as_billed")["usd"].sum())


def of_screen(summary: Summary) -> Figures:
    lines = [line.plain for line in render(summary, width=_WIDE, top=_ALL)]
    words = " ".join(" ".join(lines).split())
    yield from _sizes(words)
    yield from _headline(words)
    yield from (("runs", len(rows := _rows(lines, "worst runs"))), ("costs", _costs(rows)))
    found = [re.match(rf"  \S+\s+{_COST}\s+([\d,]+)\s", row) for row in _rows(lines, "findings")]
    yield "findings", sum(_number(one[2]) if one else _ALL for one in found)


def of_screen_by_run(summary: Summary) -> Figures:
    lines = [line.plain for line in render(summary, width=_WIDE, by="run", top=_ALL)]
    rows = _rows(lines, "run ")
    yield from (("runs", len(rows)), ("costs", _costs(rows)))
    yield from _sizes(" ".join(lines))


def of_screen_by_task(summary: Summary) -> Figures:
    lines = [line.plain for line in render(summary, width=_WIDE, by="task", top=_ALL)]
    rows = _rows(lines, "by task")
    told = [re.match(rf".*?\s{_COST}\s+(?:[<>]?\d+%|-)\s+[█▏▎▍▌▋▊▉]*\s+([\d,]+)\s", row) for row in rows]
    assert all(told)
    yield "runs", sum(_number(found[2]) for found in told if found)
    yield "task_costs", [found[1] for found in told if found]


def of_check(summary: Summary, x: Diagnosis, folder: Path) -> Figures:
    """The gate of the logs against their own report, and each rank as a limit has it."""
    before, after = reported(folder / "report.parquet"), of_logs(summary, x)
    asked = [f"usd_per_run.{name}:0" for name in (*RANKS, "mean")] + ["usd_per_task:0", "findings:0"]
    ceilings = limits([("", text) for text in asked], ())
    found = compare(before, after, limits([("", "usd:+5%")], ()))
    told = comparison_document(found)
    assert told["usd_change"] == 0
    assert not told["causes"] + told["new_findings"] + told["fixed_findings"]
    for side in (told["before"], told["after"]):
        yield from ((name, side[name]) for name in ("runs", "turns", "usd"))
    yield from zip((*RANKS, "mean"), (measured(before, limit)[0] for limit in ceilings), strict=False)
    yield from (
        ("most expensive_task", measured(after, ceilings[5])[0]),
        ("findings", measured(after, ceilings[6])[0]),
    )
    tasks = told["tasks"]
    yield from _tasks((row["task"], row["usd_before"], row["runs_before"]) for row in tasks)
    yield from _tasks((row["task"], row["usd_after"], row["runs_after"]) for row in tasks)
    words = " ".join(line.plain for line in comparison_screen(found, width=_WIDE))
    yield "runs", _number(re.findall(r"([\d,]+) runs?\b", words)[0])


def of_trend(folder: Path) -> Figures:
    history = read_history([str(folder / "report.parquet")])
    found = of_history(history)
    told = trend_document(found)
    yield from (
        ("runs", sum(t["runs"] + t["unknown_runs"] for t in told["tasks"])),
        ("runs", told["reports"][0]["runs"]),
    )
    yield "usd", sum(t["usd"] for t in told["tasks"])
    yield from _tasks((t["task"], t["usd"] or None, t["runs"] + t["unknown_runs"]) for t in told["tasks"])
    words = " ".join(line.plain for line in trend_screen(found, width=_WIDE))
    yield "runs", _number(re.findall(r"([\d,]+) runs?\b", words)[0])


def of_whatif(x: Diagnosis) -> Figures:
    found = what_if(x, ["claude-haiku-4-5"])
    yield from (
        ("runs", found.height),
        ("turns", int(found["turns"].sum())),
        ("usd", float(found["usd"].sum())),
    )
    yield "costs", [None if usd is None else float(usd) for usd in found["usd"]]


def write_all(summary: Summary, x: Diagnosis, folder: Path) -> None:
    """Write every report of some logs."""
    for ending in ("json", "parquet", "csv", "html", "md", "prom", "sarif"):
        target(str(folder / f"report.{ending}")).write(summary, x)
    target(f"{folder / 'frames'}/").write(summary, x)


def readers(summary: Summary, x: Diagnosis, folder: Path) -> dict[str, Callable[[], Figures]]:
    """Return what reads each output, by its name."""
    files = (of_json, of_parquet, of_csv, of_html, of_markdown, of_openmetrics, of_sarif, of_frames, of_trend)
    screens = (of_screen, of_screen_by_run, of_screen_by_task)
    return {
        **{one.__name__[3:]: lambda one=one: one(folder) for one in files},  # type: ignore[misc]
        **{one.__name__[3:]: lambda one=one: one(summary) for one in screens},  # type: ignore[misc]
        "check": lambda: of_check(summary, x, folder),
        "whatif": lambda: of_whatif(x),
    }


def _tasks(rows: Any) -> Figures:
    found = list(rows)
    yield "tasks", {task: usd for task, usd, _ in found}
    yield "task_runs", {task: n for task, _, n in found}


def _sizes(words: str) -> Figures:
    """Read `80 runs · 3 sub-agents · 249 calls`."""
    found = re.search(r"([\d,]+) runs? ·(?: ([\d,]+) sub-agents? ·)? ([\d,]+) calls?", words)
    assert found, words[:200]
    yield from (
        ("runs", _number(found[1])),
        ("sub_agents", _number(found[2] or "0")),
        ("turns", _number(found[3])),
    )


def _headline(words: str) -> Figures:
    billed = re.search(rf"billed:? +(?:at least )?{_COST}", words)
    assert billed
    yield "usd", billed[1]
    if spread := re.search(rf"per run:? +p50 {_COST} · p90 {_COST} · p99 {_COST} · max {_COST}", words):
        yield from zip(RANKS, spread.groups(), strict=True)
    if share := re.search(r"the most expensive (?:run is|[\d,]+ \(1%\) are) ([<>]?\d+%) of the bill", words):
        yield "top_1pct", share[1]


def _rows(lines: list[str], heading: str) -> list[str]:
    start = next((n for n, line in enumerate(lines) if line.startswith(f"  {heading}")), None)
    if start is None:
        return []
    return lines[start + 1 : next(n for n in range(start, len(lines)) if not lines[n].strip())]


def _costs(rows: list[str]) -> list[str]:
    return [found[1] for row in rows if (found := re.match(rf"  \S+(?: \S+)*?\s+{_COST}\s", row))]


def _number(text: str) -> int:
    return int(text.replace(",", ""))
