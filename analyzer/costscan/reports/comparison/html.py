"""A comparison as a page that opens offline: the verdict, why the bill moved, and what changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.gate import CAUSES, Comparison, Totals
from costscan.gate.action_changes import STATES
from costscan.reports.comparison import words
from costscan.reports.comparison.columns import by_rule, typical
from costscan.reports.html.columns import Column, Pools, Table, money, text
from costscan.reports.html.page import COMPARISON, page
from costscan.reports.text.numbers import count, plural, usd
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

MOST_ROWS: Final = 1000
"""Of each table, what moved most; all of them are in -o comparison.json."""


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(page(contents(comparison), COMPARISON), encoding="utf-8", newline="\n")


def contents(comparison: Comparison) -> dict[str, Any]:
    """Return the data of the page."""
    pools: Pools = {}
    tables = [
        limits(comparison),
        why(comparison),
        typical_run(comparison),
        tasks(comparison),
        *(division(comparison, name) for name in ("model", "tool")),
        actions(comparison.actions),
        *([] if comparison.promises is None else [promises(comparison.promises)]),
        findings(comparison),
    ]
    encoded = [table.encoded(pools) for table in tables]
    return {
        "heading": _heading(comparison),
        "verdict": _verdict(comparison),
        "causes": [[row.name, money(row.usd), text(row.detail)] for row in words.causes(comparison)],
        "tables": encoded,
        "pools": {title: list(pool) for title, pool in pools.items()},
    }


def _heading(comparison: Comparison) -> dict[str, Any]:
    before, after = comparison.before, comparison.after
    return {
        "paths": text(after.name if before is None else f"{before.name} {words.ARROW} {after.name}"),
        "sizes": [_runs(comparison), f"tasks: {words.states(comparison)}"] if before else [_runs(comparison)],
        "prices": "",
        "made": f"costscan {comparison.costscan_version}, {comparison.generated_at:%Y-%m-%d %H:%M} UTC",
    }


def _runs(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    runs = plural(after.runs, "run")
    return runs if before is None else f"{count(before.runs)} {words.ARROW} {runs}"


def _verdict(comparison: Comparison) -> dict[str, Any]:
    sides = [("before", comparison.before), ("after", comparison.after)]
    return {
        "bill": words.bill(comparison),
        "closing": words.closing(comparison),
        "outcome": comparison.verdict if comparison.limits else "undecided",
        "hasBefore": comparison.before is not None,
        "differences": [text(line) for line in words.differences(comparison)],
        "sides": [[when, _side(side)] for when, side in sides if side is not None],
    }


def _side(side: Totals) -> str:
    runs = f"{plural(side.runs, 'run')} of {plural(side.tasks, 'task')}, {plural(side.turns, 'call')}"
    return f"{text(side.name)}: {usd(side.usd)}, {runs}"


def limits(comparison: Comparison) -> Table:
    """Return the limits, what is exceeded first."""
    rows = [
        *((row.verdict, words.limit_name(row), words.sentence(row)) for row in words.ranked(comparison)),
        *(("unchecked", name, words.NOT_CHECKED) for name in comparison.unchecked),
    ]
    shown, note = _first(rows, "limit")
    columns = [
        Column("verdict", "choice", [verdict for verdict, _, _ in shown]),
        Column("limit", "name", [name for _, name, _ in shown]),
        Column("what came of it", "prose", [sentence for *_, sentence in shown], give=1),
    ]
    return Table("limits", ("limit", "limits"), columns, sort="", total="", note=note)


def why(comparison: Comparison) -> Table:
    """Return what moved the bill, task by task and part by part: it adds up to the change."""
    ranked = comparison.causes.sort(pl.col("usd").abs(), descending=True, maintain_order=True)
    rows, note = _first(ranked.to_dicts(), "cause")
    columns = [
        Column("cause", "choice", [CAUSES[row["cause"]] for row in rows]),
        Column("change", "change", [row["usd"] for row in rows]),
        Column("task", "prose", [row["task"] for row in rows], give=1),
    ]
    if any(row["part"] for row in rows):
        columns.append(Column("part", "name", [row["part"] for row in rows], give=2))
        columns.append(Column("kind", "choice", [row["kind"].replace("_", " ") for row in rows], give=3))
    return Table("why", ("cause", "causes"), columns, sort="change", total="change", note=note)


def typical_run(comparison: Comparison) -> Table:
    """Return the metrics of a typical run that moved."""
    metrics = typical(comparison).filter(pl.col("before") != pl.col("after")).to_dicts()
    sides = [words.both(row["metric"], row["before"], row["after"]) for row in metrics]
    columns = [
        Column("metric", "name", [words.called(row["metric"]) for row in metrics]),
        Column("before", "spread", [before for before, _ in sides], give=2),
        Column("after", "spread", [after for _, after in sides], give=1),
        Column("change", "spread", [words.changed(row["metric"], row["change"]) for row in metrics]),
        Column("by chance", "spread", [words.chance(row["p_value"]) for row in metrics], give=3),
        Column("", "choice", [words.outcome(row["verdict"]) for row in metrics], give=4),
    ]
    return Table("typical", ("metric", "metrics"), columns, sort="", total="")


def tasks(comparison: Comparison) -> Table:
    """Return the tasks, those whose cost moved most first."""
    rows, note = _first(comparison.tasks.to_dicts(), "task")
    columns = [
        Column("task", "prose", [row["task"] for row in rows]),
        Column("state", "choice", [row["state"] for row in rows], give=3),
        Column("runs before", "count", [row["runs_before"] for row in rows], give=5),
        Column("runs after", "count", [row["runs_after"] for row in rows], give=4),
        Column("before", "usd", [row["usd_before"] for row in rows], give=2),
        Column("after", "usd", [row["usd_after"] for row in rows], give=1),
        Column("change", "change", [row["usd_change"] for row in rows]),
    ]
    return Table("task", ("task", "tasks"), columns, sort="change", total="change", note=note)


def division(comparison: Comparison, name: str) -> Table:
    """Return what each model or tool cost before and after."""
    frame = comparison.divisions.get(name)
    rows, note = _first([] if frame is None else frame.to_dicts(), name)
    counted = ("calls", "count") if name == "model" else ("tokens sent", "tokens")
    amounts = [
        Column(f"{counted[0]} {when}", counted[1], [row[f"amount_{when}"] for row in rows], on_demand=True)  # type: ignore[arg-type]
        for when in ("before", "after")
    ]
    columns = [
        Column(name, "name", [row["name"] for row in rows]),
        Column("before", "usd", [row["usd_before"] for row in rows], give=2),
        Column("after", "usd", [row["usd_after"] for row in rows], give=1),
        Column("change", "change", [row["usd_change"] for row in rows]),
        *amounts,
    ]
    return Table(name, (name, f"{name}s"), columns, sort="change", total="change", note=note)


def actions(frame: pl.DataFrame | None) -> Table:
    """Return the actions of both sides, new ones first; no row where they are not known of both."""
    rows = [] if frame is None else frame.to_dicts()
    columns = [
        Column("action", "prose", [row["title"] for row in rows]),
        Column("state", "choice", [row["state"] for row in rows]),
        Column("saved before", "usd", [row["saved_before"] for row in rows], give=2),
        Column("saves now", "usd", [row["saved_after"] for row in rows], give=1),
        Column("risk", "choice", [row["risk"].replace("-", " ") for row in rows], give=3),
        Column("how", "prose", [row["how"] for row in rows], on_demand=True, copy=True),
    ]
    counts = [f"{sum(row['state'] == state for row in rows)} {state}" for state in STATES]
    note = ", ".join(counts) + "." if rows else ""
    return Table("actions", ("action", "actions"), columns, sort="", total="", note=note)


def promises(frame: pl.DataFrame) -> Table:
    """Return what became of the actions of an earlier report."""
    rows = frame.to_dicts()
    columns = [
        Column("action", "prose", [row["title"] for row in rows]),
        Column("state", "choice", [row["state"] for row in rows]),
        Column("calls", "count", [row["calls"] for row in rows], give=3),
        Column("promised", "usd", [row["promised_usd"] for row in rows], give=2),
        Column("still left", "usd", [row["left_usd"] for row in rows], give=1),
        Column("came true", "percent", [row["came_true_share"] for row in rows]),
        Column("saved", "usd", [row["came_true_usd"] for row in rows]),
    ]
    return Table("promised before", ("action", "actions"), columns, sort="", total="", note="")


def findings(comparison: Comparison) -> Table:
    """Return the findings that are new or gone, a row per rule, the most expensive of each in words."""
    rows: list[dict[str, Any]] = []
    for state, frame in (("new", comparison.new_findings), ("gone", comparison.fixed_findings)):
        rows += [row | {"state": state} for row in by_rule(frame).to_dicts()]
    columns = [
        Column("rule", "name", [row["name"] for row in rows]),
        Column("state", "choice", [row["state"] for row in rows], give=1),
        Column("cost", "usd", [row["usd"] for row in rows]),
        Column("found", "count", [row["findings"] for row in rows], give=3),
        Column("runs", "count", [row["runs"] for row in rows], give=4),
        Column("tasks", "count", [row["tasks"] for row in rows], give=5),
        Column("the most expensive", "prose", [row["message"] for row in rows], give=2),
    ]
    return Table("findings", ("rule", "rules"), columns, total="")


def _first(rows: Sequence[Any], one: str) -> tuple[Sequence[Any], str]:
    """Return as many rows as a page holds, and what is to be said of the rest."""
    rest = len(rows) - MOST_ROWS
    return rows[:MOST_ROWS], f"{plural(rest, f'more {one}')} in -o comparison.json." if rest > 0 else ""
