"""A comparison on the terminal: the verdict first, then why the bill moved, then what did."""

from collections.abc import Sequence
from typing import Final

import polars as pl
from rich.text import Text

from costscan.gate import METRICS, WHOLE, Comparison
from costscan.reports.comparison import words
from costscan.reports.headline import GAP, LABEL
from costscan.reports.inert import cells, inert, shorten, wrapped
from costscan.reports.table import Column, table
from costscan.reports.wording import count, plural, usd_column

ROWS: Final = 8
_STYLES: Final = {"failed": "bold red", "undecided": "bold yellow", "passed": "bold green"}


def render(comparison: Comparison, *, width: int, top: int | None = None) -> list[Text]:
    """Give the lines of the report, each at most `width` columns wide."""
    rows = top or ROWS
    blocks = [
        [*_title(comparison, width), *_headline(comparison, width)],
        _limits(comparison, width),
        _causes(comparison, rows, width),
        _metrics(comparison, width),
        _tasks(comparison, rows, width),
        _findings("new findings", comparison.new_findings, rows, width),
        _findings("gone findings", comparison.fixed_findings, rows, width),
    ]
    lines: list[Text] = []
    for block in blocks:
        lines += [Text(""), *block] if lines and block else block
    return lines


def _title(comparison: Comparison, width: int) -> list[Text]:
    before, after = comparison.before, comparison.after
    names = inert(after.name if before is None else f"{before.name} {words.ARROW} {after.name}")
    runs = (
        plural(after.runs, "run")
        if before is None
        else f"{count(before.runs)} {words.ARROW} {plural(after.runs, 'run')}"
    )
    counts = f"{runs} · {plural(after.tasks, 'task')}"
    line = Text.assemble(("costscan", "bold"), "  ", (shorten(names, width - 10), "bold"))
    if cells(line.plain) + GAP + cells(counts) > width:
        return [line, Text(" " * LABEL + counts)]
    return [Text.assemble(line, " " * GAP, counts)]


def _headline(comparison: Comparison, width: int) -> list[Text]:
    lines = _labelled("bill", [words.bill(comparison)], width, "bold")
    if comparison.limits:
        lines = [*_labelled("check", [words.verdict(comparison)], width, _STYLES[comparison.verdict]), *lines]
    return [*lines, *_labelled("differs", list(words.differences(comparison)), width, "yellow")]


def _labelled(label: str, texts: Sequence[str], width: int, style: str) -> list[Text]:
    """Give texts beside a label, each from a line of its own on."""
    found: list[Text] = []
    for text in texts:
        for line in wrapped(inert(text), width - LABEL):
            found.append(Text.assemble(f"  {label if not found else '':<{LABEL - 2}}", (line, style)))
    return found


def _limits(comparison: Comparison, width: int) -> list[Text]:
    """Give the limits that are passed or undecided one by one, and the others in the table of metrics."""
    found = []
    order = {"failed": 0, "undecided": 1, "passed": 2}
    for row in sorted(comparison.limits, key=lambda row: order[row.verdict]):
        head = Text.assemble(
            "  ", (f"{row.verdict:<9}", _STYLES[row.verdict]), "  ", inert(words.limit_name(row))
        )
        found += [
            head,
            *(
                Text(f"{'':13}{line}", style="dim")
                for line in wrapped(inert(words.sentence(row)), width - 13)
            ),
        ]
    return found


def _causes(comparison: Comparison, top: int, width: int) -> list[Text]:
    found = words.causes(comparison)
    shown = found[:top]
    if not shown:
        return []
    columns = [
        Column("why it moved", [row.name for row in shown], name=True, style="bold"),
        Column("", [words.signed(row.usd) for row in shown]),
        Column("mostly", [inert(row.detail) for row in shown], name=True, prose=True, give=1),
    ]
    rest = len(found) - len(shown)
    more = [Text(f"  … {plural(rest, 'more cause')} in --json", style="dim")] if rest else []
    return [*table(columns, width), *more]


def _metrics(comparison: Comparison, width: int) -> list[Text]:
    """Give the metrics of a typical run, over all tasks."""
    rows = comparison.comparison.filter(
        (pl.col("task") == WHOLE) & pl.col("metric").is_in(list(METRICS)) & pl.col("before").is_not_null()
    )
    found = [row for row in rows.to_dicts() if row["limit"] is None or row["p_value"] is not None]
    if not found:
        return []
    columns = [
        Column("a typical run", [row["metric"].replace("_", " ") for row in found], name=True, style="bold"),
        Column("before", [words.value(row["metric"], row["before"]) for row in found]),
        Column("after", [words.value(row["metric"], row["after"]) for row in found]),
        Column("change", [words.changed(row["metric"], row["change"]) for row in found]),
        Column("by chance", [words.chance(row["p_value"]) for row in found], give=1),
        Column("", [row["verdict"] for row in found], left=True),
    ]
    return table(columns, width)


def _tasks(comparison: Comparison, top: int, width: int) -> list[Text]:
    """Give the tasks whose cost moved most; those that stayed the same are counted."""
    moved = comparison.tasks.filter(pl.col("state") != "same")
    rows = moved.head(top).to_dicts()
    if not rows:
        return []
    columns = [
        Column(f"tasks ({words.states(comparison)})", [inert(row["task"]) for row in rows], name=True),
        Column("", [row["state"] for row in rows], left=True, give=1),
        Column(
            "runs",
            [f"{count(row['runs_before'])} {words.ARROW} {count(row['runs_after'])}" for row in rows],
            give=2,
        ),
        Column("before", usd_column(row["usd_before"] for row in rows)),
        Column("after", usd_column(row["usd_after"] for row in rows)),
        Column("change", [words.signed(row["usd_change"]) for row in rows], style="bold"),
    ]
    rest = moved.height - len(rows)
    more = [Text(f"  … {plural(rest, 'more task')} in --json", style="dim")] if rest else []
    return [*table(columns, width), *more]


def _findings(title: str, found: pl.DataFrame, top: int, width: int) -> list[Text]:
    rows = found.head(top).to_dicts()
    if not rows:
        return []
    columns = [
        Column(f"{title} ({found.height:,})", [row["name"] for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("runs", [count(row["runs"]) for row in rows], give=2),
        Column("task", [inert(row["task"]) for row in rows], name=True, give=3),
        Column("the dearest", [inert(row["message"]) for row in rows], name=True, prose=True, give=1),
    ]
    return table(columns, width)
