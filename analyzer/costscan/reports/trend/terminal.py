"""A trend on the terminal: a line per task, and under it what changed."""

from typing import Final

from rich.text import Text

from costscan.gate import METRICS
from costscan.reports.analysis.headline import GAP
from costscan.reports.text.numbers import count, plural, usd_column
from costscan.reports.text.sanitize import cells, inert, shorten, wrapped
from costscan.reports.text.table import Column, table
from costscan.reports.trend import words
from costscan.reports.trend.sparkline import sparkline
from costscan.trend import Change, TaskTrend, Trend

ROWS: Final = 20
_INDENT: Final = 4
_WIDE: Final = 120
_BARS: Final = {False: 20, True: 40}


def render(trend: Trend, *, width: int, top: int | None = None) -> list[Text]:
    """Return the lines of the report, each at most `width` columns wide."""
    shown = trend.series[: (top or ROWS) + (trend.whole is not None)]
    heading, *rows = table(_columns(shown, trend, width), width)
    lines = [*_title(trend, width), Text(""), heading]
    for task, row in zip(shown, rows, strict=True):
        lines += [row, *(line for change in task.changes for line in _change(change, trend, width))]
    if rest := len(trend.series) - len(shown):
        lines.append(Text(f"  … {plural(rest, 'more task')} in --json", style="dim"))
    notes = [line for note in words.notes(trend) for line in wrapped(note, width - 2)]
    return [*lines, Text(""), *(Text(f"  {line}", style="dim") for line in notes)]


def _title(trend: Trend, width: int) -> list[Text]:
    runs = sum(task.runs + task.unknown_runs for task in trend.tasks)
    counts = " · ".join(
        [
            plural(trend.reports.height, "report"),
            plural(runs, "run"),
            plural(len(trend.tasks), "task"),
            trend.metric.replace("_", " "),
        ]
    )
    name = shorten(inert(trend.name), width - 10)
    line = Text.assemble(("costscan", "bold"), "  ", (name, "bold"))
    if cells(line.plain) + GAP + cells(counts) > width:
        return [line, *(Text(f"  {part}") for part in wrapped(counts, width - GAP))]
    return [Text.assemble(line, " " * GAP, counts)]


def _columns(shown: list[TaskTrend], trend: Trend, width: int) -> list[Column]:
    metric = METRICS[trend.metric]
    ends = [at for task in shown for at in (task.first_at, task.last_at) if at is not None]
    bars = min(_BARS[width >= _WIDE], max((task.points.height for task in shown), default=1) or 1)
    lines = [
        sparkline(task.points, min(ends), max(ends), bars, in_ratios=metric.in_ratios).rstrip()
        if ends
        else ""
        for task in shown
    ]
    days = [words.days(task.first_at, task.last_at, trend.tz) for task in shown]
    return [
        Column("task", [inert(task.task) for task in shown], name=True, style="bold"),
        Column("cost", usd_column([task.usd for task in shown]), give=3),
        Column("runs", [count(task.runs) for task in shown]),
        Column(f"days, {trend.tz}", days, left=True, give=2),
        Column("typical over time", lines, left=True, give=1, style="cyan"),
        Column("typical run", [words.typical(task, trend.metric) for task in shown], left=True),
    ]


def _change(change: Change, trend: Trend, width: int) -> list[Text]:
    """Say a step in words, then on which runs it stands, then why."""
    is_worse = change.change * METRICS[trend.metric].sign > 0
    sentences = (
        (words.step(change, trend.metric, trend.tz), "red" if is_worse else "green"),
        (words.ends(change), "dim"),
        (words.why(change), ""),
    )
    return [
        Text.assemble(" " * (_INDENT if not n and text is sentences[0] else _INDENT + 2), (line, text[1]))
        for text in sentences
        for n, line in enumerate(wrapped(inert(text[0]), width - _INDENT - 2))
    ]
