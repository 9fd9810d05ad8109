"""Totals on the terminal: a table, the sum below it, and what is not in it."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from costscan.meters import WRITTEN_TOKENS
from costscan.reports.text.headings import named, other_writes, price_basis
from costscan.reports.text.numbers import UNKNOWN, count, plural, tokens, usd, usd_column
from costscan.reports.text.sanitize import inert, wrapped
from costscan.reports.text.table import Column, table
from costscan.totals import PERIODS, Row, Totals

ROWS: Final = 20
_LEAST_NAME: Final = 22
"""The columns that the name of a model needs: sizes of tokens give way before."""
_SIZES: Final = (
    ("input", ("input_tokens",)),
    ("cache write", WRITTEN_TOKENS),
    ("cache read", ("cache_read_tokens",)),
    ("output", ("output_tokens",)),
)
"""The columns of tokens, and what each sums up."""


def render(totals: Totals, *, width: int, top: int | None = None, breakdown: bool = False) -> list[Text]:
    """Return the lines of the table, each at most `width` columns wide."""
    shown = _shown(totals, top)
    rows = list(_with_models(totals, shown)) if breakdown else [(row, False) for row in shown]
    rows.append(({**totals.total, totals.by: "total"}, False))
    lines = table(_columns(totals, rows), width)
    for line, (_, is_part) in zip(lines[1:], rows, strict=True):
        if is_part:
            line.stylize("dim")
    lines[-1].stylize("bold")
    notes = [part for note in _notes(totals, len(shown)) for part in wrapped(note, width - 2)]
    return [_title(totals), Text(""), *lines, Text(""), *(Text(f"  {note}", style="dim") for note in notes)]


def _shown(totals: Totals, top: int | None) -> Sequence[Row]:
    """Return the latest periods, or the most expensive of what is no period."""
    if totals.by in PERIODS:
        return totals.rows[-top:] if top else totals.rows
    return totals.rows[: top or ROWS]


def _with_models(totals: Totals, shown: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    parts: dict[str, list[Row]] = {}
    for part in totals.models:
        parts.setdefault(part[totals.by], []).append(part)
    for row in shown:
        yield row, False
        if totals.by != "model":
            for part in parts[row[totals.by]]:
                yield {**part, totals.by: f"  {part['model'] or 'unknown'}"}, True


def _columns(totals: Totals, rows: list[tuple[Row, bool]]) -> list[Column]:
    values = [row for row, _ in rows]
    labels = [inert(str(row[totals.by])) if row[totals.by] is not None else UNKNOWN for row in values]
    columns = [Column(totals.by, labels, name=True, least=_LEAST_NAME)]
    if totals.by == "session":
        columns.append(
            Column("project", [inert(row.get("project") or "") for row in values], name=True, give=4)
        )
    return [
        *columns,
        Column("calls", [count(row["turns"]) for row in values], give=2),
        *(Column(heading, [tokens(_sum(row, names)) for row in values], give=3) for heading, names in _SIZES),
        Column("cost", usd_column(row["usd"] for row in values)),
    ]


def _sum(row: Row, names: Sequence[str]) -> int | None:
    """Add counts up; one that is not known counts for nothing where others are."""
    counts = [row[name] for name in names if row[name] is not None]
    return sum(counts) if counts else None


def _title(totals: Totals) -> Text:
    return Text.assemble(("costscan usage", "bold"), f"  {inert(named(totals.paths))}")


def _notes(totals: Totals, shown: int) -> Iterator[str]:
    """Say what the sum is of, and what is not in it."""
    total = totals.total
    days = f"; days of {totals.tz}" if totals.by in PERIODS else ""
    yield f"{price_basis(totals.prices)}{days}"
    if total["unpriced_turns"]:
        yield f"{plural(total['unpriced_turns'], 'call')} without a known price: not in the cost"
    if total["unreported_turns"]:
        yield f"{plural(total['unreported_turns'], 'call')} of unknown usage: the cost is at least this"
    if total["placeholder_turns"]:
        calls = plural(total["placeholder_turns"], "call")
        yield f"{calls} logged counts that are a lower bound: so is the cost"
    if other := total["cache_write_other_tokens"]:
        yield other_writes(other)
    if sums := total["sum_turns"]:
        yield f"{count(sums)} of the calls are sums of an export: totals only, no calls are told"
    if totals.charged_usd:
        yield f"{usd(totals.charged_usd)} more stands in cost exports or trajectories: not in the cost"
    if totals.skipped_lines:
        yield f"{plural(totals.skipped_lines, 'line')} skipped"
    if others := totals.unusable_files + len(totals.unread):
        yield f"{plural(others, 'other file')} not read"
    if hidden := len(totals.rows) - shown:
        yield f"{plural(hidden, 'more row')}: --top {len(totals.rows)} shows all"
