"""`costscan explain RUN` on the terminal: one run as a story that is read in a minute."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rich.text import Text

from costscan.reports.breakdown import run_names
from costscan.reports.inert import cells, clip, inert, wrapped
from costscan.reports.table import Column, table
from costscan.reports.turn_chart import turn_chart
from costscan.reports.wording import count, percent, plural, tokens, usd, usd_column
from costscan.summary.story import Story
from costscan.unlogged import SUFFIX
from costscan.zones import DEFAULT, shown

_LIFETIME: Final = {"5m": "five minutes", "1h": "an hour"}
LEAST_SHARE: Final = Decimal("0.005")
"""What would have saved less than this share of a run is not told."""
BLOCKS, FINDINGS, TOOLS, AGENTS = 10, 4, 10, 8
_LEAST_TASK: Final = 12
Excerpts = Mapping[int, str]
"""The beginning of the text of some blocks, by number, where it was asked for."""


def render(
    story: Story,
    every: Sequence[str],
    *,
    width: int,
    excerpts: Excerpts | None = None,
    tz: str = DEFAULT,
) -> list[Text]:
    """Give the lines of the story, each at most `width` columns wide.

    Args:
        story: the run.
        every: the ids of all runs, so that short ids stay unique.
        width: columns.
        excerpts: texts of blocks to show; None where texts are not to be shown.
        tz: the time zone that its times are told in.
    """
    sections = [
        _title(story, every, width, tz),
        turn_chart(story.turns, width),
        _blocks(story, width, excerpts),
        _tools(story, width),
        _sub_agents(story, every, width),
        _levers(story, width),
        _findings(story, width),
    ]
    lines: list[Text] = []
    for section in sections:
        if section:
            lines += [Text(""), *section] if lines else section
    return lines


def _title(story: Story, every: Sequence[str], width: int, tz: str) -> list[Text]:
    run = story.run
    name = run_names([run], every)[0]
    models = ", ".join(story.turns["model"].unique(maintain_order=True))
    parts = [plural(story.turns.height, "turn"), inert(models)]
    if run["started_at"] is not None:
        parts.append(f"{shown(run['started_at'], tz):%Y-%m-%d %H:%M} {tz}")
    lines = _headed(name, inert(run["task"]), " · ".join(parts), width)
    prompt, read = (int(story.turns[c].sum()) for c in ("prompt_tokens", "cache_read_tokens"))
    agents = [row for row in story.sub_agents["usd"] if row is not None]
    said = ["cost unknown" if story.usd is None else f"cost {usd(story.usd)}"]
    if story.sub_agents.height:
        whole = sum(agents, story.usd or Decimal(0))
        said.append(f"{usd(whole)} with {_below(story)}")
    said += [
        f"{tokens(prompt)} tokens of input",
        f"{percent(read / prompt if prompt else None)} read from the cache",
    ]
    said.append(f"{tokens(int(story.turns['output_tokens'].sum()))} of output")
    return [*lines, *_wrapped(" · ".join(said), width)]


def _below(story: Story) -> str:
    unlogged = sum(run.endswith(SUFFIX) for run in story.sub_agents["run_id"])
    agents = story.sub_agents.height - unlogged
    told = [plural(agents, "sub-agent")] if agents else []
    return " and ".join([*told, *(["calls that are not in the log"] if unlogged else [])])


def _headed(name: str, task: str, more: str, width: int) -> list[Text]:
    """Give the first line; where it is too long the task gives way, then the rest goes to a second line."""
    room = width - cells(f"{name}    · {more}")
    if room >= min(cells(task), _LEAST_TASK):
        return [Text(f"{name}   {clip(task, room)} · {more}", style="bold")]
    return [Text(clip(f"{name}   {task}", width), style="bold"), *_wrapped(more, width)]


def _blocks(story: Story, width: int, excerpts: Excerpts | None) -> list[Text]:
    rows = story.blocks.head(BLOCKS).to_dicts()
    if not rows:
        return []
    used = [_used(row) for row in rows]
    columns = [
        Column("dearest blocks", [_block_name(row) for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("", [percent(float(row["usd"] / story.usd)) if story.usd else "" for row in rows], give=2),
        Column("tokens", [tokens(row["tokens"]) for row in rows], give=4),
        Column("from turn", [_from(row) for row in rows], give=1),
        Column("in prompts", [count(row["turn_out"] - row["turn_in"]) for row in rows], give=3),
        *([Column("used", used, give=5)] if any(used) else []),
    ]
    heading, *lines = table(columns, width)
    if excerpts is None:
        return [heading, *lines]
    if not any(excerpts.values()):
        told = "the texts cannot be shown: the log is not there any more, or was standard input"
        return [heading, *lines, *_wrapped(told, width)]
    begin = [inert(excerpts.get(row["block"], "")).strip() for row in rows]
    shown = [[Text(clip(f"    {text}", width), style="dim")] if text else [] for text in begin]
    return [heading, *(part for pair in zip(lines, shown, strict=True) for part in (pair[0], *pair[1]))]


def _block_name(row: Mapping[str, Any]) -> str:
    if row["kind"] == "hidden":
        return "system, tools (not logged)" if row["layer"] == "system" else "(not logged)"
    what = {"tool_result": "result", "tool_use": "call", "tool_def": "definition"}.get(row["kind"])
    if what and row["tool"]:
        return inert(f"{row['tool']} {what}")
    return (
        "system prompt"
        if row["layer"] == "system"
        else inert(f"{row['role']} {row['kind'].replace('_', ' ')}")
    )


def _from(row: Mapping[str, Any]) -> str:
    """Give the first turn that sent a block; none where it was written and never sent."""
    return count(row["turn_in"]) if row["turn_in"] < row["turn_out"] else ""


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
        Column("result p50", [tokens(row["p50_tokens"]) for row in rows], give=4),
        Column("p95", [tokens(row["p95_tokens"]) for row in rows], give=5),
        Column("max", [tokens(row["max_tokens"]) for row in rows], give=3),
        Column("sent again", usd_column(row["carried_usd"] for row in rows), give=2),
    ]
    return table(columns, width)


def _sub_agents(story: Story, every: Sequence[str], width: int) -> list[Text]:
    rows = story.sub_agents.head(AGENTS).to_dicts()
    if not rows:
        return []
    names = [name.rpartition("/")[2] for name in run_names(rows, every)]
    types = ["calls not in the log" if row["run_id"].endswith(SUFFIX) else row["agent"] or "" for row in rows]
    columns = [
        Column("sub-agents", names, name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("turns", [count(row["n_turns"]) for row in rows]),
        Column("type", [inert(name) for name in types], name=True),
    ]
    rest = story.sub_agents.height - len(rows)
    return [*table(columns, width), *([Text(f"  … {rest:,} more", style="dim")] if rest else [])]


def _findings(story: Story, width: int) -> list[Text]:
    found = story.findings
    if found.is_empty():
        none = "no finding: no rule sees waste in this run"
        return [Text(f"  {line}", style="green") for line in wrapped(none, width - 2)]
    lines = [Text("  findings", style="dim")]
    for _, own in found.group_by("rule", maintain_order=True):
        lines += _of_rule(own.to_dicts(), width)
    saved, cost = story.avoidable_usd, story.usd
    if cost is not None and saved:
        told = f"without what was found: about {usd(cost - saved)} instead of {usd(cost)}"
        lines += [Text(f"  {line}", style="bold") for line in wrapped(told, width - 2)]
    return lines


def _levers(story: Story, width: int) -> list[Text]:
    """Say what each lever would have saved, and which lifetime of the cache is the cheaper one."""
    saved = dict(story.saved.iter_rows())
    if not story.usd or max(saved.values(), default=Decimal(0)) < story.usd * LEAST_SHARE:
        return []
    lines = []
    for lever in (name for name in saved if "/" not in name):
        parts = [
            f"{name.partition('/')[2]} {usd(saved[name])}" for name in saved if name.startswith(f"{lever}/")
        ]
        alone = f"; its parts alone: {', '.join(parts)}" if parts else ""
        lines.append(f"{lever}: {usd(story.usd - saved[lever])} instead of {usd(story.usd)}{alone}")
    told = story.lifetimes
    if "caching/ttl" in saved and told is not None and told["cheaper"] not in {None, told["ttl"]}:
        lines.append(
            f"written for {_LIFETIME[told['cheaper']]}: {tokens(told['rewritten_tokens'])} tokens would have "
            f"had to be written again after five minutes; an hour pays from "
            f"{tokens(told['break_even_tokens'])} on"
        )
    heading = Text("  what would have been cheaper", style="dim")
    return [heading, *(Text(f"    {line}") for told in lines for line in wrapped(told, width - 4))]


def _lever(cost: Decimal, lever: str, saved: Mapping[str, Decimal]) -> str:
    own = {name.partition("/")[2]: saved[name] for name in saved if name.startswith(f"{lever}/")}
    parts = ", ".join(f"{name} {usd(amount)}" for name, amount in own.items())
    alone = f"; its parts alone: {parts}" if parts else ""
    return f"{lever}: {usd(cost - saved[lever])} instead of {usd(cost)}{alone}"


def _of_rule(rows: Sequence[Mapping[str, Any]], width: int) -> list[Text]:
    spent = [row["usd"] for row in rows if row["usd"] is not None]
    cost = f"  {usd(sum(spent, Decimal(0)) if spent else None)}"
    name = clip(inert(rows[0]["name"]), width - 2 - cells(cost))
    head = Text("  ").append(name, style="bold").append(cost)
    lines = [head]
    for row in rows[:FINDINGS]:
        where = f"turn {row['turn']}" + (f"-{row['turn_end']}" if row["turn_end"] != row["turn"] else "")
        lines.append(Text(clip(f"    {where}  {usd(row['usd'])}  {inert(row['message'])}", width)))
    if rest := len(rows) - FINDINGS:
        lines += [Text(f"    … {rest:,} more", style="dim")] if rest > 0 else []
    fix = wrapped(inert(f"fix: {rows[0]['fix']}"), width - 4)
    return [*lines, *(Text(f"    {line}", style="green") for line in fix)]


def _wrapped(text: str, width: int) -> list[Text]:
    return [Text(f"  {line}") for line in wrapped(text, width - 2)]
