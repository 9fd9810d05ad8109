"""The turns of a run as a chart: a row a turn, its input stacked by what it is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.reports.text.numbers import tokens, usd_column
from costscan.reports.text.sanitize import cells, clip, inert
from costscan.summary.story import KINDS

ROWS: Final = 24
LOOK: Final[Mapping[str, tuple[str, str]]] = {
    "not logged": ("░", "bright_black"),
    "system and tools": ("▒", "blue"),
    "tool results": ("█", "yellow"),
    "assistant": ("▓", "green"),
    "user": ("▪", "magenta"),
}
_MISS, _MISS_COLOUR = "✗", "red"
_CUT: Final = "↓"
_HEADINGS: Final = ("turn", "cost", "input", "read")
_MOST_WHY: Final = 44
_MIN_BAR, _MAX_BAR = 8, 60
_LONG_GAP_S: Final = 300
_INDENT, _GAP = "  ", "  "


def turn_chart(turns: pl.DataFrame, width: int) -> list[Text]:
    """Return the chart of a run; nothing where no turn sent anything.

    Args:
        turns: those of a `Story`.
        width: columns, which no line exceeds.
    """
    rows = _bucketed(turns)
    most = max((row["prompt_tokens"] or 0 for row in rows), default=0)
    if not most:
        return []
    numbers = _numbers(rows)
    notes = ["  ".join(filter(None, (cut_note(row), miss_note(row)))) for row in rows]
    left = len(_INDENT) + sum(map(len, numbers[0])) + len(_GAP) * len(_HEADINGS)
    room = width - left - len(_GAP) - max(map(cells, notes))
    length = min(max(room, _MIN_BAR), _MAX_BAR)
    lines = _head(numbers[0], _legend(rows), left, width)
    for shown, row, note in zip(numbers[1:], rows, notes, strict=True):
        line = Text(_INDENT + _GAP.join(shown) + _GAP)
        line.append_text(_bar(row, most, length))
        line.append(f"{_GAP}{note}" if note else "", style=_MISS_COLOUR)
        if cells(line.plain) > width:
            line.truncate(width, overflow="ellipsis")
        line.rstrip()
        lines.append(line)
    return lines


def _bucketed(turns: pl.DataFrame) -> list[dict[str, Any]]:
    """Return at most ROWS rows: turns together where there are more, with their costs and last prompt."""
    size = -(-turns.height // ROWS)
    last = [pl.col(c).last() for c in ("prompt_tokens", "cache_read_tokens", *KINDS)]
    is_priced = pl.col("usd").count() > 0
    return (
        turns.group_by(bucket=pl.col("turn") // size, maintain_order=True)
        .agg(
            *last,
            first=pl.col("turn").first(),
            end=pl.col("turn").last(),
            usd=pl.when(is_priced).then(pl.col("usd").sum()),
            missed_tokens=pl.col("missed_tokens").sum(),
            misses=(pl.col("missed_tokens") > 0).sum(),
            cut_tokens=pl.col("cut_tokens").sum(),
            cuts=(pl.col("cut_tokens") > 0).sum(),
            gap_s=pl.col("gap_s").filter(pl.col("missed_tokens") > 0).max(),
            why=pl.col("why").drop_nulls().unique(maintain_order=True),
        )
        .to_dicts()
    )


def _numbers(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the headings, then the numbers of each row, each column as wide as its widest."""
    columns = (
        [_turns(row) for row in rows],
        usd_column(row["usd"] for row in rows),
        [_tokens_or_dash(row["prompt_tokens"]) for row in rows],
        [_tokens_or_dash(row["cache_read_tokens"]) for row in rows],
    )
    padded = []
    for heading, column in zip(_HEADINGS, columns, strict=True):
        wide = max(map(len, [heading, *column]))
        padded.append([cell.rjust(wide) for cell in (heading, *column)])
    return list(zip(*padded, strict=True))


def _tokens_or_dash(count: int | None) -> str:
    return "-" if count is None else tokens(count)


def _turns(row: Mapping[str, Any]) -> str:
    return str(row["first"]) if row["first"] == row["end"] else f"{row['first']}-{row['end']}"


def _legend(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return the marks that the rows use: each with its colour and its meaning."""
    shown = [(*LOOK[kind], kind) for kind in KINDS if any(row[kind] for row in rows)]
    missed = any(row["misses"] for row in rows)
    cut = any(row["cuts"] for row in rows)
    return [
        *shown,
        *([(_MISS, _MISS_COLOUR, "could have been read, too")] if missed else []),
        *([(_CUT, "cyan", "left the context: compacted or cleared")] if cut else []),
    ]


def _head(
    headings: Sequence[str], legend: Sequence[tuple[str, str, str]], left: int, width: int
) -> list[Text]:
    """Return the headings with the legend beside them, or, where it is narrow, over them."""
    heading = Text(_INDENT + _GAP.join(headings), style="dim")
    beside = left + max(len(kind) + 2 for *_, kind in legend) if legend else left
    if beside > width:
        return [*_legend_lines(legend, len(_INDENT), width), heading]
    first, *more = _legend_lines(legend, left, width) or [Text(" " * left)]
    line = heading + Text(_GAP) + first[left:]
    line.rstrip()
    return [line, *more]


def _legend_lines(legend: Sequence[tuple[str, str, str]], indent: int, width: int) -> list[Text]:
    lines: list[Text] = []
    for glyph, colour, kind in legend:
        item = Text.assemble((glyph, colour), (f" {kind}", "dim"))
        if lines and cells(lines[-1].plain) + len(_GAP) + cells(item.plain) <= width:
            lines[-1].append(_GAP).append_text(item)
        else:
            lines.append(Text(" " * indent).append_text(item))
    return lines


def cut_note(row: Mapping[str, Any]) -> str:
    """Say how much left the context at once before a turn, or before how many of some."""
    times = f" {row['cuts']}x" if row["cuts"] > 1 else ""
    return f"{_CUT}{times} {tokens(row['cut_tokens'])}" if row["cuts"] else ""


def miss_note(row: Mapping[str, Any]) -> str:
    """Say what more should have been read from the cache, and why it was not, as far as that is known."""
    if not row["misses"]:
        return ""
    after = f" after {_span(row['gap_s'])}" if (row["gap_s"] or 0) > _LONG_GAP_S else ""
    times = f" {row['misses']}x" if row["misses"] > 1 else ""
    why = f" {clip(inert(', '.join(row['why'])), _MOST_WHY)}" if row["why"] else ""
    return f"{_MISS}{times} {tokens(row['missed_tokens'])}{why}{after}"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"


def _bar(row: Mapping[str, Any], most: int, length: int) -> Text:
    """Return a bar as long as the prompt, split as its blocks are; those keep their sizes after a cut."""
    bar = Text()
    drawn, through = 0, 0
    whole = max(sum(row[kind] for kind in KINDS), 1)
    for kind in KINDS:
        through += max(row[kind], 0)
        upto = round(min(through / whole, 1) * (row["prompt_tokens"] or 0) * length / most)
        glyph, colour = LOOK[kind]
        bar.append(glyph * (upto - drawn), style=colour)
        drawn = max(upto, drawn)
    return bar
