"""The tables of the page: runs, findings, and the bill by task, model, tool and day."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.days import on_clocks
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.reports.analysis.action_list import saving_range
from costscan.reports.analysis.tables import run_names
from costscan.reports.html.columns import Column, Kind, Table
from costscan.reports.text.numbers import count, plural, usd
from costscan.summary import Summary
from costscan.summary.findings import message_at_place

MOST_FINDINGS: Final = 1000
"""The most expensive; thousands more would fill the page with cents. A row per rule sums all of them up."""

FINDING: Final = ("finding", "findings")
"""What one row of findings is, and what many are."""
_AGENTS: Final = 8
"""The most expensive agents of a run that are told."""


def tables(summary: Summary) -> list[Table]:
    """Return the tables in the order of the page."""
    names = run_names_of(summary)
    return [actions(summary), runs(summary, names), findings(summary, names), *divisions(summary)]


def actions(summary: Summary) -> Table:
    """Return the settings to change, in their order; a row opens to how that is done."""
    rows = summary.actions
    columns = [
        Column("do", "prose", [f"{row['rank']}. {row['title']}" for row in rows]),
        Column("saves", "usd", [row["saved_usd"] for row in rows]),
        Column("range", "spread", [saving_range(row) for row in rows], give=4),
        Column("alone", "usd", [row["saved_alone_usd"] for row in rows], give=3),
        Column("left", "usd", [row["usd_after"] for row in rows], give=1),
        Column("risk", "choice", [row["risk"].replace("-", " ") for row in rows], give=2),
        Column("confidence", "choice", [row["confidence"] for row in rows], give=5),
        Column("runs", "count", [row["runs"] for row in rows], give=4),
        Column("how", "prose", [row["how"] for row in rows], on_demand=True, copy=True),
        Column("evidence", "prose", [row["evidence"] for row in rows], on_demand=True),
    ]
    note = "Each saves so much after those before it: the column adds up. What has to be tested stands last."
    return Table("actions", ("action", "actions"), columns, sort="left", total="saves", note=note)


def runs(summary: Summary, names: dict[str, str]) -> Table:
    """Return the runs, each with its sub-agents; these are told where a row is opened."""
    frame = summary.runs
    started = frame.select(on_clocks("started_at", summary.inputs.tz)).to_series()
    columns = [
        Column("run", "name", [names[run] for run in frame["run_id"]]),
        Column("task", "prose", frame["task"].to_list(), give=1),
        Column("cost", "usd", frame["usd"].to_list()),
        *_after(frame),
        Column("why", "choice", [_rule_of(finding) for finding in frame["top_finding"]], give=3),
        Column("calls", "count", frame["turns"].to_list(), give=2),
        *_sub_agents(frame),
        Column("input", "tokens", frame["prompt_tokens"].to_list(), give=3),
        Column("again", "percent", frame["carried_share"].to_list(), give=2),
        Column("cached", "percent", frame["cache_hit_rate"].to_list(), give=4),
        Column("started", "time", started.to_list(), give=5),
        Column("findings", "count", frame["findings"].to_list(), on_demand=True),
        *_below(frame),
        Column("model", "name", [", ".join(models) for models in frame["models"]], on_demand=True),
    ]
    note = f"Times are of {summary.inputs.tz}. The most expensive runs have a page: press their name."
    return Table("runs", ("run", "runs"), columns, note=note)


def _sub_agents(frame: pl.DataFrame) -> Iterator[Column]:
    if frame["sub_agents"].sum():
        yield Column("agents", "count", frame["sub_agents"].to_list(), give=4)


def _below(frame: pl.DataFrame) -> Iterator[Column]:
    """Yield what each run has below its main thread, the most expensive first."""
    sentences = [_of_agents(row) for row in frame.select("run_id", "agents", "usd_main_thread").to_dicts()]
    if any(sentences):
        yield Column("made of", "prose", sentences, on_demand=True)


def _of_agents(row: Mapping[str, Any]) -> str:
    agents = row["agents"]
    if not agents:
        return ""
    main = [] if row["usd_main_thread"] is None else [f"main thread {usd(row['usd_main_thread'])}"]
    shown = [
        f"{_kind(agent)} {usd(agent['usd'])}, {plural(agent['turns'], 'call')}" for agent in agents[:_AGENTS]
    ]
    rest = len(agents) - len(shown)
    return "; ".join([*main, *shown, *([f"{count(rest)} more"] if rest else [])])


def _kind(agent: Mapping[str, Any]) -> str:
    if agent["run_id"].endswith(SUFFIX):
        return "calls that are not in the log"
    return f"{agent['agent'] or 'sub-agent'} {agent['run_id'].rpartition('/')[2]}"


def _after(frame: pl.DataFrame) -> list[Column]:
    """Return what the runs would cost with all levers, where that is known of any."""
    usd_after = frame["usd_after_all"]
    return [Column("after", "usd", usd_after.to_list(), give=1)] if usd_after.count() else []


def _rule_of(finding: str | None) -> str:
    return (finding or "").partition(": ")[0]


def run_names_of(summary: Summary) -> dict[str, str]:
    """Return short names of runs and of their agent threads, which findings are about."""
    ids = list(dict.fromkeys([*summary.runs["run_id"], *summary.threads["run_id"]]))
    return dict(zip(ids, run_names([{"run_id": run} for run in ids], ids), strict=True))


def findings(summary: Summary, names: dict[str, str]) -> Table:
    """Return the most expensive findings; a row opens to what speaks for it and what to change."""
    every = summary.findings
    frame = every.head(MOST_FINDINGS)
    left = every.height - frame.height
    rows = {run: row for row, run in enumerate(summary.runs["run_id"])}
    rest = (
        f"The most expensive {count(MOST_FINDINGS)}; {count(left)} more are in -o report.json. "
        if left
        else ""
    )
    note = "Two rules may be about the same tokens: their costs do not add up."
    of = [rows.get(run) for run in frame["root_run_id"]]
    return Table("findings", FINDING, finding_columns(frame, names), total="", note=rest + note, of=of)


def finding_columns(findings: pl.DataFrame, names: Mapping[str, str]) -> list[Column]:
    """Return findings as columns."""
    frame = findings.with_columns(message_at_place())
    return [
        Column("rule", "choice", frame["name"].to_list()),
        Column("cost", "usd", frame["usd"].to_list()),
        Column("severity", "choice", frame["severity"].to_list(), give=2),
        Column("confidence", "choice", frame["confidence"].to_list(), give=4),
        Column("lever", "choice", frame["lever"].to_list(), give=4),
        Column("run", "name", [names.get(run, run) for run in frame["run_id"]], give=3),
        Column("turn", "count", frame["turn"].to_list(), give=4),
        Column("what", "prose", frame["message"].to_list(), give=1),
        Column("evidence", "prose", frame["evidence"].to_list(), on_demand=True),
        Column("fix", "prose", frame["fix"].to_list(), on_demand=True, copy=True),
    ]


def divisions(summary: Summary) -> list[Table]:
    """Return the bill by task, model, tool and day."""
    task, day = summary.by_task, summary.by_day
    each = [
        None if spent is None else Decimal(spent) / n for spent, n in task.select("usd", "runs").iter_rows()
    ]
    of_task = [_many("runs", task["runs"], 2), Column("a run", "usd", each, give=1)]
    return [
        _division("task", "prose", task, [*of_task, *_tokens_of(task)]),
        _division("model", "name", summary.by_model, _tokens_of(summary.by_model)),
        _division("tool", "name", summary.by_tool, _of_tools(summary.by_tool)),
        _division(
            "day",
            "name",
            day,
            [_many("runs", day["runs"], 2), *_tokens_of(day)],
            sort="day",
            note=f"Days are of {summary.inputs.tz}.",
        ),
    ]


def _division(
    name: str, kind: Kind, frame: pl.DataFrame, more: Sequence[Column], *, sort: str = "cost", note: str = ""
) -> Table:
    columns = [
        Column(name, kind, frame[name].to_list()),
        Column("cost", "usd", frame["usd"].to_list()),
        Column("share", "percent", frame["share"].to_list(), give=1),
        *more,
    ]
    return Table(name, (name, f"{name}s"), columns, sort=sort, note=note)


def _many(title: str, values: pl.Series, give: int) -> Column:
    return Column(title, "count", values.to_list(), give=give)


def _tokens_of(frame: pl.DataFrame) -> list[Column]:
    return [
        _many("turns", frame["turns"], 3),
        Column("input", "tokens", frame["prompt_tokens"].to_list(), give=4),
        Column("cached", "percent", frame["cache_hit_rate"].to_list(), give=1),
        Column("output", "tokens", frame["output_tokens"].to_list(), give=5),
    ]


def _of_tools(frame: pl.DataFrame) -> list[Column]:
    sizes: list[tuple[str, str, int]] = [
        ("result p50", "p50_tokens", 3),
        ("p95", "p95_tokens", 5),
        ("max", "max_tokens", 4),
    ]
    columns: list[Any] = [
        Column(title, "tokens", frame[name].to_list(), give=give) for title, name, give in sizes
    ]
    again = Column("re-sent", "usd", frame["carried_usd"].to_list(), give=1)
    return [_many("calls", frame["calls"], 2), *columns, again]
