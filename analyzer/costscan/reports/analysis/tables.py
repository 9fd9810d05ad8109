"""The tables of the terminal report: worst runs, and the bill by whatever divides it."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

import polars as pl
from rich.text import Text

from costscan.reports.analysis.divisions import DIVISIONS, Rows, priced, rest
from costscan.reports.analysis.lever_page import lever_page
from costscan.reports.text.numbers import count, percent, tokens, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary import Summary

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WIDE: Final = 120
NOT_LOGGED: Final = "(not in the log)"


def worst_runs(summary: Summary, top: int, width: int) -> list[Text]:
    """Return the first runs, each with its sub-agents."""
    rows = summary.runs.head(top).to_dicts()
    return [*table(run_columns(summary, rows, wide=width >= _WIDE), width), *_more_runs(summary, rows)]


def _more_runs(summary: Summary, rows: Rows) -> list[Text]:
    return rest(rows, "usd", summary.runs["usd"][len(rows) :], "more run")


def run_columns(summary: Summary, rows: Rows, *, wide: bool) -> list[Column]:
    """Return the columns of the worst runs; where it is wide, why they cost so much is told in words."""
    return [
        Column("worst runs", run_names(rows, summary.runs["run_id"].to_list()), name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        *_after(rows),
        *_of_runs(rows),
        *_why(rows, wide=wide),
        Column("task", [inert(row["task"]) for row in rows], name=True, prose=True),
    ]


def _after(rows: Rows) -> list[Column]:
    """Return what the runs would cost with all levers, where that is known of any."""
    left = [row["usd_after_all"] for row in rows]
    changed = any(a is not None and a != row["usd"] for a, row in zip(left, rows, strict=True))
    return [Column("after", usd_column(left), style="green")] if changed else []


def _why(rows: Rows, *, wide: bool) -> list[Column]:
    """Return the most expensive finding of each run: in words where there is room, else by its name."""
    part = 2 if wide else 0
    shown = [inert((row["top_finding"] or "").partition(": ")[part]) for row in rows]
    return [Column("why", shown, name=True, prose=True)] if any(shown) else []


def by_run(summary: Summary, top: int, width: int) -> list[Text]:
    """Return the runs, each with its sub-agents and the models of all of them."""
    rows = summary.runs.head(top).to_dicts()
    columns = [
        Column("run", run_names(rows, summary.runs["run_id"].to_list()), name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        *_of_runs(rows),
        Column("model", [inert(", ".join(row["models"])) for row in rows], name=True, give=6),
        Column("task", [inert(row["task"]) for row in rows], name=True, prose=True),
    ]
    return [*table(columns, width), *_more_runs(summary, rows)]


def _of_runs(rows: Rows) -> list[Column]:
    agents = Column("agents", [count(n) if (n := row["sub_agents"]) else "" for row in rows], give=4)
    return [
        Column("calls", [count(row["turns"]) for row in rows], give=3),
        *([agents] if any(agents.rows) else []),
        Column("input", [tokens(row["prompt_tokens"]) for row in rows], give=5),
        Column("again", [percent(row["carried_share"]) for row in rows], give=2),
        Column("cached", [percent(row["cache_hit_rate"]) for row in rows], give=1),
    ]


def run_names(rows: Rows, every: Sequence[str]) -> list[str]:
    """Return run ids as short as they stay unique: of a UUID its first eight characters."""
    starts: dict[str, int] = {}
    for run in {_UUID.match(run)[0] for run in every if _UUID.match(run)}:  # type: ignore[index]
        starts[run[:8]] = starts.get(run[:8], 0) + 1
    return [
        inert(_UUID.sub(lambda m: m[0][:8] if starts.get(m[0][:8]) == 1 else m[0], row["run_id"]))
        for row in rows
    ]


def by_model(summary: Summary, top: int, width: int) -> list[Text]:
    """Return the bill by model."""
    return _breakdown(summary.by_model, "model", top, width, _tokens_of)


def model_columns(rows: Rows) -> list[Column]:
    """Return the columns of that table."""
    return [*_named(rows, "model"), *_tokens_of(rows)]


def by_task(summary: Summary, top: int, width: int) -> list[Text]:
    """Return the bill by task."""

    def per_run(rows: Rows) -> list[Column]:
        each = [None if row["usd"] is None else Decimal(row["usd"]) / row["runs"] for row in rows]
        return [
            _runs(rows),
            Column("a run", usd_column(each), give=1),
            *_tokens_of(rows),
        ]

    return _breakdown(summary.by_task, "task", top, width, per_run)


def by_period(name: str, summary: Summary, top: int, width: int) -> list[Text]:
    """Return the bill by hour, day, week or month, the last ones where they are too many."""
    every = summary.by_day if name == "day" else summary.breakdowns[name]
    rows = every.tail(top).to_dicts()
    named = priced(rows, f"{name}, {summary.inputs.tz}", [row[name] for row in rows])
    heading, *lines = table([*named, _runs(rows), *_tokens_of(rows)], width)
    earlier = rest(rows, "usd", every["usd"].head(every.height - len(rows)), f"earlier {name}")
    return [heading, *earlier, *lines]


def by_owner(name: str, summary: Summary, top: int, width: int) -> list[Text]:
    """Return the bill by project, branch, user or session."""
    frame = summary.breakdowns[name].with_columns(pl.col(name).fill_null(NOT_LOGGED))
    return _breakdown(frame, name, top, width, lambda rows: [_runs(rows), *_tokens_of(rows)])


def _runs(rows: Rows) -> Column:
    return Column("runs", [count(row["runs"]) for row in rows], give=2)


def _breakdown(
    frame: pl.DataFrame, name: str, top: int, width: int, more: Callable[[Rows], list[Column]]
) -> list[Text]:
    rows = frame.head(top).to_dicts()
    return [
        *table([*_named(rows, name), *more(rows)], width),
        *rest(rows, "usd", frame["usd"][top:], f"more {name}"),
    ]


def _named(rows: Rows, name: str) -> list[Column]:
    return priced(rows, name, [row[name] for row in rows], prose=name == "task")


def _tokens_of(rows: Rows) -> list[Column]:
    return [
        Column("calls", [count(row["turns"]) for row in rows], give=3),
        Column("input", [tokens(row["prompt_tokens"]) for row in rows], give=4),
        Column("cached", [percent(row["cache_hit_rate"]) for row in rows], give=1),
        Column("output", [tokens(row["output_tokens"]) for row in rows], give=5),
    ]


TABLES: Final[Mapping[str, Callable[[Summary, int, int], list[Text]]]] = {
    "run": by_run,
    "model": by_model,
    "task": by_task,
    **{name: partial(by_period, name) for name in ("hour", "day", "week", "month")},
    **{name: partial(by_owner, name) for name in ("project", "branch", "user", "session")},
    "lever": lever_page,
    **{division.name: division.table for division in DIVISIONS},
}
