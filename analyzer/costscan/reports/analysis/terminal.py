"""The report on the terminal: one screen, dollars first."""

import shlex
import sys
from typing import Final, TextIO

from rich.text import Text

from costscan.reports.analysis.action_list import action_list
from costscan.reports.analysis.findings import findings_table
from costscan.reports.analysis.first_screen import first_screen
from costscan.reports.analysis.headline import headline, title
from costscan.reports.analysis.levers import levers_table
from costscan.reports.analysis.tables import TABLES, worst_runs
from costscan.reports.text.console import NARROWEST, printed, width_of
from costscan.reports.text.numbers import count
from costscan.reports.text.sanitize import cells, clip, ending, inert
from costscan.summary import Summary

NAMED_SKIPS: Final = 3
RULES, WORST_RUNS, MODELS, TOOLS, ROWS = 6, 5, 4, 8, 20
_MORE: Final = " · -o report.html · --json"


def render(summary: Summary, *, width: int, by: str | None = None, top: int | None = None) -> list[Text]:
    """Return the lines of the report, each at most `width` columns wide."""
    blocks = [[*title(summary, width), *headline(summary, width)]]
    if summary.totals.turns:
        blocks += _tables(summary, width, by, top)
    blocks += [block for block in (_skipped(summary, width), _next(summary, width, by)) if block]
    lines: list[Text] = []
    for block in blocks:
        lines += [Text(""), *block] if lines else block
    return lines


def _tables(summary: Summary, width: int, by: str | None, top: int | None) -> list[list[Text]]:
    if by is not None:
        return [TABLES[by](summary, top or ROWS, width)]
    blocks = [
        action_list(summary, width),
        levers_table(summary, width),
        findings_table(summary, top or RULES, width),
    ]
    return [
        *(block for block in blocks if block),
        worst_runs(summary, top or WORST_RUNS, width),
        TABLES["model"](summary, top or MODELS, width),
        TABLES["tool"](summary, top or TOOLS, width),
    ]


def _skipped(summary: Summary, width: int) -> list[Text]:
    skipped = summary.inputs.skipped
    if not skipped:
        return []
    lines = [Text("  skipped", style="dim")]
    for row in skipped[:NAMED_SKIPS]:
        where = inert(row["path"]) + (f":{row['line']}" if row["line"] else "")
        reason = inert(row["reason"])
        room = max(width - 4 - cells(reason), NARROWEST // 2)
        lines.append(Text(clip(f"  {ending(where, room)}: {reason}", width), style="yellow"))
    every = summary.inputs.skipped_lines + summary.inputs.unusable_files
    if every > NAMED_SKIPS:
        lines.append(Text(f"  … {count(every - NAMED_SKIPS)} more in --json", style="dim"))
    return lines


def _next(summary: Summary, width: int, by: str | None) -> list[Text]:
    paths = inert(" ".join(shlex.quote(path) for path in summary.paths))
    other = "tool" if by in {"task", "run"} else "task"
    for paths_shown, more in ((paths, _MORE), ("PATH", _MORE), ("PATH", "")):
        line = Text.assemble("  next: ", (f"costscan analyze {paths_shown} --by {other}", "bold"), more)
        if paths and cells(line.plain) <= width:
            return [line]
    return []


def show(
    summary: Summary,
    *,
    by: str | None = None,
    top: int | None = None,
    verbose: bool = False,
    out: TextIO | None = None,
) -> None:
    """Print the first screen, or with `verbose`, or divided by something, all of the report."""
    out = out or sys.stdout
    width = width_of(out)
    if by is None and top is None and not verbose:
        printed(first_screen(summary, width), out)
        return
    printed(render(summary, width=width, by=by, top=top), out)


__all__ = ["render", "show"]
