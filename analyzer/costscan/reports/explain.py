"""`costscan explain RUN` on the terminal: one run as a story that is read in a minute."""

import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.reports.breakdown import run_names
from costscan.reports.inert import cells, clip, inert
from costscan.reports.table import Column, table
from costscan.reports.wording import count, percent, plural, tokens, usd, usd_column
from costscan.summary.story import KINDS, Story

CHART_ROWS: Final = 24
BLOCKS, FINDINGS, TOOLS, AGENTS = 10, 4, 10, 8
_MIN_BAR, _MAX_BAR = 12, 60
_LONG_GAP_S: Final = 300
_LOOK: Final[Mapping[str, tuple[str, str]]] = {
    "not logged": ("░", "bright_black"),
    "system and tools": ("▒", "blue"),
    "tool results": ("█", "yellow"),
    "assistant": ("▓", "green"),
    "user": ("▪", "magenta"),
}
Excerpts = Mapping[int, str]
"""The beginning of the text of some blocks, by number, where it was asked for."""


def render(story: Story, every: Sequence[str], *, width: int, excerpts: Excerpts | None = None) -> list[Text]:
    """Give the lines of the story, each at most `width` columns wide.

    Args:
        story: the run.
        every: the ids of all runs, so that short ids stay unique.
        width: columns.
        excerpts: texts of blocks to show; None where texts are not to be shown.
    """
    sections = [
        _title(story, every, width),
        _chart(story, width),
        _blocks(story, width, excerpts),
        _tools(story, width),
        _sub_agents(story, every, width),
        _findings(story, width),
    ]
    lines: list[Text] = []
    for section in sections:
        if section:
            lines += [Text(""), *section] if lines else section
    return lines


def _title(story: Story, every: Sequence[str], width: int) -> list[Text]:
    run = story.run
    name = run_names([run], every)[0]
    models = ", ".join(story.turns["model"].unique(maintain_order=True))
    parts = [inert(run["task"]), plural(story.turns.height, "turn"), inert(models)]
    if run["started_at"] is not None:
        parts.append(run["started_at"].strftime("%Y-%m-%d %H:%M"))
    lines = [Text(clip(f"{name}   {' · '.join(parts)}", width), style="bold")]
    prompt, read = (int(story.turns[c].sum()) for c in ("prompt_tokens", "cache_read_tokens"))
    agents = [row for row in story.sub_agents["usd"] if row is not None]
    said = [f"cost {usd(story.usd)}"]
    if story.sub_agents.height:
        whole = sum(agents, story.usd or Decimal(0))
        said.append(f"{usd(whole)} with {plural(story.sub_agents.height, 'sub-agent')}")
    said += [
        f"{tokens(prompt)} tokens of input",
        f"{percent(read / prompt if prompt else None)} read from the cache",
    ]
    said.append(f"{tokens(int(story.turns['output_tokens'].sum()))} of output")
    return [*lines, *_wrapped(" · ".join(said), width)]


def _chart(story: Story, width: int) -> list[Text]:
    rows = _bucketed(story.turns)
    most = max((row["prompt_tokens"] for row in rows), default=0)
    if not most:
        return []
    notes = [_note(row) for row in rows]
    names = [_turns(row) for row in rows]
    spent = usd_column(row["usd"] for row in rows)
    sizes = [tokens(row["prompt_tokens"]) for row in rows]
    left = [
        max(map(len, [head, *column]))
        for head, column in (("turn", names), ("cost", spent), ("input", sizes))
    ]
    room = width - sum(left) - 2 * 4 - min(max(map(cells, notes), default=0), width // 3) - 2
    length = min(max(room, _MIN_BAR), _MAX_BAR)
    lines = [
        Text(
            "  " + "  ".join(h.rjust(n) for h, n in zip(("turn", "cost", "input"), left, strict=True)),
            style="dim",
        )
    ]
    lines[0].append("  ")
    for kind in KINDS:
        if any(row[kind] for row in rows):
            glyph, colour = _LOOK[kind]
            lines[0].append(glyph, style=colour)
            lines[0].append(f" {kind}  ", style="dim")
    lines[0].rstrip()
    lines[0] = _fit(lines[0], width)
    for row, name, cost, size, note in zip(rows, names, spent, sizes, notes, strict=True):
        line = Text(
            "  " + "  ".join(v.rjust(n) for v, n in zip((name, cost, size), left, strict=True)) + "  "
        )
        line.append_text(_bar(row, most, length))
        line.append(f"  {note}" if note else "", style="red")
        lines.append(_fit(line, width))
    return lines


def _fit(line: Text, width: int) -> Text:
    if cells(line.plain) > width:
        line.truncate(width, overflow="ellipsis")
    return line


def _bucketed(turns: pl.DataFrame) -> list[dict[str, Any]]:
    """Give at most CHART_ROWS rows: turns together where there are more, with their costs and last prompt."""
    size = -(-turns.height // CHART_ROWS)
    last = [pl.col(c).last() for c in ("prompt_tokens", *KINDS)]
    return (
        turns.group_by(bucket=pl.col("turn") // size, maintain_order=True)
        .agg(
            *last,
            first=pl.col("turn").first(),
            end=pl.col("turn").last(),
            usd=pl.col("usd").sum(),
            missed_tokens=pl.col("missed_tokens").sum(),
            misses=(pl.col("missed_tokens") > 0).sum(),
            gap_s=pl.col("gap_s").filter(pl.col("missed_tokens") > 0).max(),
        )
        .to_dicts()
    )


def _turns(row: Mapping[str, Any]) -> str:
    return str(row["first"]) if row["first"] == row["end"] else f"{row['first']}-{row['end']}"


def _note(row: Mapping[str, Any]) -> str:
    if not row["misses"]:
        return ""
    after = f" after {_span(row['gap_s'])}" if (row["gap_s"] or 0) > _LONG_GAP_S else ""
    times = f" {row['misses']}x" if row["misses"] > 1 else ""
    return f"✗{times} {tokens(row['missed_tokens'])} missed the cache{after}"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"  # noqa: PLR2004 - two hours


def _bar(row: Mapping[str, Any], most: int, length: int) -> Text:
    bar = Text()
    drawn, through = 0, 0
    for kind in KINDS:
        through += row[kind]
        upto = round(min(through, most) * length / most)
        glyph, colour = _LOOK[kind]
        bar.append(glyph * (upto - drawn), style=colour)
        drawn = upto
    return bar


def _blocks(story: Story, width: int, excerpts: Excerpts | None) -> list[Text]:
    rows = story.blocks.head(BLOCKS).to_dicts()
    if not rows:
        return []
    columns = [
        Column("dearest blocks", [_block_name(row) for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("", [percent(float(row["usd"] / story.usd)) if story.usd else "" for row in rows], give=2),
        Column("tokens", [tokens(row["tokens"]) for row in rows]),
        Column("from turn", [count(row["turn_in"]) for row in rows], give=1),
        Column("in prompts", [count(row["turn_out"] - row["turn_in"]) for row in rows]),
        Column("used", [_used(row) for row in rows], give=3),
    ]
    if excerpts is not None:
        shown = [inert(excerpts.get(row["block"], "")) for row in rows]
        columns.append(Column("begins", shown, name=True, prose=True))
    return table(columns, width)


def _block_name(row: Mapping[str, Any]) -> str:
    if row["kind"] == "hidden":
        return "system, tools (hidden)" if row["layer"] == "system" else "(hidden)"
    what = {"tool_result": "result", "tool_use": "call", "tool_def": "definition"}.get(row["kind"])
    if what and row["tool"]:
        return inert(f"{row['tool']} {what}")
    return (
        "system prompt"
        if row["layer"] == "system"
        else inert(f"{row['role']} {row['kind'].replace('_', ' ')}")
    )


def _used(row: Mapping[str, Any]) -> str:
    if row["used_share"] is None:
        return ""
    return "never" if not row["used_share"] else percent(row["used_share"])


def _tools(story: Story, width: int) -> list[Text]:
    rows = story.tools.head(TOOLS).to_dicts()
    if not rows:
        return []
    columns = [
        Column("tools", [inert(row["tool"]) for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("", [percent(float(row["usd"] / story.usd)) if story.usd else "" for row in rows], give=1),
        Column("calls", [count(row["calls"] or 0) for row in rows]),
        Column(
            "result p50",
            ["" if row["p50_tokens"] is None else tokens(row["p50_tokens"]) for row in rows],
            give=4,
        ),
        Column(
            "p95", ["" if row["p95_tokens"] is None else tokens(row["p95_tokens"]) for row in rows], give=5
        ),
        Column(
            "max", ["" if row["max_tokens"] is None else tokens(row["max_tokens"]) for row in rows], give=3
        ),
        Column("sent again", usd_column(row["carried_usd"] for row in rows), give=2),
    ]
    return table(columns, width)


def _sub_agents(story: Story, every: Sequence[str], width: int) -> list[Text]:
    rows = story.sub_agents.head(AGENTS).to_dicts()
    if not rows:
        return []
    names = [name.rpartition("/")[2] for name in run_names(rows, every)]
    columns = [
        Column("sub-agents", names, name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("turns", [count(row["n_turns"]) for row in rows]),
        Column("type", [inert(row["agent"] or "") for row in rows], name=True),
    ]
    rest = story.sub_agents.height - len(rows)
    return [*table(columns, width), *([Text(f"  … {rest:,} more", style="dim")] if rest else [])]


def _findings(story: Story, width: int) -> list[Text]:
    found = story.findings
    if found.is_empty():
        return [Text("  no finding: no rule sees waste in this run", style="green")]
    lines = [Text("  findings", style="dim")]
    for _, own in found.group_by("rule", maintain_order=True):
        lines += _of_rule(own.to_dicts(), width)
    saved, cost = story.avoidable_usd, story.usd
    if cost is not None and saved:
        told = f"  without what was found: about {usd(cost - saved)} instead of {usd(cost)}"
        lines.append(Text(told, style="bold"))
    return lines


def _of_rule(rows: Sequence[Mapping[str, Any]], width: int) -> list[Text]:
    spent = [row["usd"] for row in rows if row["usd"] is not None]
    head = (
        Text("  ")
        .append(rows[0]["name"], style="bold")
        .append(f"  {usd(sum(spent, Decimal(0)) if spent else None)}")
    )
    lines = [head]
    for row in rows[:FINDINGS]:
        where = f"turn {row['turn']}" + (f"-{row['turn_end']}" if row["turn_end"] != row["turn"] else "")
        lines.append(Text(clip(f"    {where}  {usd(row['usd'])}  {inert(row['message'])}", width)))
    if rest := len(rows) - FINDINGS:
        lines += [Text(f"    … {rest:,} more", style="dim")] if rest > 0 else []
    fix = _lines(f"fix: {rows[0]['fix']}", width - 4)
    return [*lines, *(Text(f"    {line}", style="green") for line in fix)]


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(inert(" ".join(text.split())), max(width, 20))


def _wrapped(text: str, width: int) -> list[Text]:
    return [Text(f"  {line}") for line in _lines(text, width - 2)]
