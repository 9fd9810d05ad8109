"""`costscan explain RUN` on the terminal: one run as a story that is read in a minute."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.actions.words import TTLS
from costscan.aggregates import known_sum, ratio
from costscan.cache_policy import CLAUDE, LONG, SHORT
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.reports.analysis.sub_agents import sub_agents
from costscan.reports.analysis.tables import run_names
from costscan.reports.listings.run_actions import run_actions
from costscan.reports.listings.turn_chart import turn_chart
from costscan.reports.listings.turn_list import turn_list
from costscan.reports.text.numbers import count, percent, plural, tokens, usd, usd_column
from costscan.reports.text.run_names import handle
from costscan.reports.text.sanitize import cells, clip, inert, shorten, wrapped
from costscan.reports.text.table import Column, table
from costscan.summary.story import Story
from costscan.times import Span
from costscan.zones import DEFAULT, shown

LEAST_SHARE: Final = Decimal("0.005")
"""What would have saved less than this share of a run is not told."""
BLOCKS, FINDINGS, TOOLS = 10, 4, 10
_AGENT: Final = 24
"""The columns that the name of an agent may take beside a finding of it."""
_LEAST_TASK: Final = 12
Excerpts = Mapping[int, str]
"""The beginning of the text of some blocks, by number, where it was asked for."""


def render(
    story: Story,
    every: Sequence[str],
    *,
    width: int,
    excerpts: Excerpts | None = None,
    roots: Collection[str] = (),
    paths: Sequence[str] = (),
    tz: str = DEFAULT,
    turns: Span | None = None,
) -> list[Text]:
    """Return the lines of the story, each at most `width` columns wide.

    Args:
        story: the run.
        every: the ids of all runs and their sub-agents, so that short ids stay unique.
        width: columns.
        excerpts: texts of blocks to show; None where texts are not to be shown.
        roots: the ids of the runs alone.
        paths: the logs, for what is to be typed next.
        tz: the time zone that its times are told in.
        turns: which turns are told one by one, instead of all of them in a chart.

    Raises:
        CostscanError: there are no such turns.
    """
    drawn = turn_chart(story.turns, width) if turns is None else turn_list(story, turns, width, tz)
    sections = [
        _title(story, every, width, tz),
        [*_main_thread(story, width), *drawn],
        _blocks(story, width, excerpts),
        _tools(story, width),
        sub_agents(story, every, width, roots=roots, paths=paths),
        _levers(story, width),
        _findings(story, width, lambda run: inert(handle(run, every, roots))),
        run_actions(story, width),
    ]
    lines: list[Text] = []
    for section in sections:
        if section:
            lines += [Text(""), *section] if lines else section
    return lines


def _title(story: Story, every: Sequence[str], width: int, tz: str) -> list[Text]:
    run = story.run
    name = run_names([run], every)[0]
    sums = story.sums
    parts = [plural(sums["turns"], "call"), inert(", ".join(sums["models"]))]
    if run["started_at"] is not None:
        parts.append(f"{shown(run['started_at'], tz):%Y-%m-%d %H:%M} {tz}")
    if not run["run_id"].startswith(run["root_run_id"]):
        parts.append(f"under {run_names([{'run_id': run['root_run_id']}], every)[0]}")
    lines = _headed(name, inert(run["task"]), " · ".join(parts), width)
    prompt, read_tokens = sums["prompt_tokens"], sums["cache_read_tokens"]
    cost = "cost unknown" if story.usd is None else f"cost {usd(story.usd)}"
    facts = [
        f"{cost} with {_below(story)}" if story.sub_agents.height else cost,
        "input unknown" if prompt is None else f"{tokens(prompt)} tokens of input",
        f"{percent(ratio(read_tokens, prompt))} read from the cache",
    ]
    output = sums["output_tokens"]
    facts.append("output unknown" if output is None else f"{tokens(output)} of output")
    return [*lines, *_wrapped(" · ".join(facts), width)]


def _below(story: Story) -> str:
    unlogged = sum(run.endswith(SUFFIX) for run in story.sub_agents["run_id"])
    agents = story.sub_agents.height - unlogged
    parts = [plural(agents, "sub-agent")] if agents else []
    return " and ".join([*parts, *(["calls that are not in the log"] if unlogged else [])])


def _main_thread(story: Story, width: int) -> list[Text]:
    """Say which turns are drawn, where those of sub-agents are not."""
    if story.sub_agents.is_empty():
        return []
    if story.turns.is_empty():
        return _wrapped("no call of its main thread is in these logs", width)
    cost = "unknown cost" if story.own_usd is None else usd(story.own_usd)
    is_root = story.run["run_id"] == story.run["root_run_id"]
    what = "the main thread alone" if is_root else "its own calls alone"
    return _wrapped(f"{what}: {plural(story.turns.height, 'call')}, {cost}", width)


def _headed(name: str, task: str, more: str, width: int) -> list[Text]:
    """Return the first line; where it is too long the task gives way, then the rest goes to a second line."""
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
        Column("most expensive blocks", [_block_name(row) for row in rows], name=True, style="bold"),
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
        note = "the texts cannot be shown: the log is not there any more, or was standard input"
        return [heading, *lines, *_wrapped(note, width)]
    begin = [inert(excerpts.get(row["block"], "")).strip() for row in rows]
    shown = [[Text(clip(f"    {text}", width), style="dim")] if text else [] for text in begin]
    return [heading, *(part for pair in zip(lines, shown, strict=True) for part in (pair[0], *pair[1]))]


def _block_name(row: Mapping[str, Any]) -> str:
    if row["kind"] == "hidden":
        if row["layer"] == "system":
            return "system, tools (not logged)"
        return "(not logged)" if row["turn_in"] else "earlier conversation (not logged)"
    what = {"tool_result": "result", "tool_use": "call", "tool_def": "definition"}.get(row["kind"])
    if what and row["tool"]:
        return inert(f"{row['tool']} {what}")
    return (
        "system prompt"
        if row["layer"] == "system"
        else inert(f"{row['role']} {row['kind'].replace('_', ' ')}")
    )


def _from(row: Mapping[str, Any]) -> str:
    """Return the first turn that sent a block; none where it was written and never sent."""
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
        Column("re-sent", usd_column(row["carried_usd"] for row in rows), give=2),
    ]
    return table(columns, width)


def _findings(story: Story, width: int, name: Callable[[str], str]) -> list[Text]:
    findings = story.findings
    if findings.is_empty():
        none = "no finding: no rule sees waste in this run"
        return [Text(f"  {line}", style="green") for line in wrapped(none, width - 2)]
    lines = [Text("  findings", style="dim")]
    for _, own in findings.group_by("rule", maintain_order=True):
        rows = own.head(FINDINGS).to_dicts()
        places = ["" if row["run_id"] == story.run["run_id"] else f"{name(row['run_id'])} " for row in rows]
        lines += _of_rule(own, places, width)
    saved, cost = story.avoidable_usd, story.usd
    if cost is not None and saved:
        sentence = f"without what was found: about {usd(cost - saved)} instead of {usd(cost)}"
        lines += [Text(f"  {line}", style="bold") for line in wrapped(sentence, width - 2)]
    return lines


def _levers(story: Story, width: int) -> list[Text]:
    """Say what each lever would have saved, and which TTL of the cache is the cheaper one."""
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
    row = story.lifetimes
    if "caching/ttl" in saved and row is not None and row["cheaper"] not in {None, row["ttl"]}:
        words = CLAUDE.ttl_words
        lines.append(
            f"written for {TTLS[row['cheaper']]}: {tokens(row['rewritten_tokens'])} tokens would have "
            f"had to be written again after {words[SHORT]}; {words[LONG]} pays from "
            f"{tokens(row['break_even_tokens'])} on"
        )
    heading = Text("  what would have been cheaper", style="dim")
    return [heading, *(Text(f"    {line}") for sentence in lines for line in wrapped(sentence, width - 4))]


def _of_rule(findings: pl.DataFrame, places: Sequence[str], width: int) -> list[Text]:
    """Return the findings of one rule, most expensive first; `places` says where, if in a sub-agent."""
    rows = findings.to_dicts()
    cost = f"  {usd(findings.select(known_sum('usd')).item())}"
    name = clip(inert(rows[0]["name"]), width - 2 - cells(cost))
    lines = [Text("  ").append(name, style="bold").append(cost)]
    for place, row in zip(places, rows, strict=False):
        turns = f"{row['turn']}" + (f"-{row['turn_end']}" if row["turn_end"] != row["turn"] else "")
        where = f"{shorten(place, _AGENT)}turn {turns}"
        lines.append(Text(clip(f"    {where}  {usd(row['usd'])}  {inert(row['message'])}", width)))
    if (rest := len(rows) - len(places)) > 0:
        lines.append(Text(f"    … {rest:,} more", style="dim"))
    fix = wrapped(inert(f"fix: {rows[0]['fix']}"), width - 4)
    return [*lines, *(Text(f"    {line}", style="green") for line in fix)]


def _wrapped(text: str, width: int) -> list[Text]:
    return [Text(f"  {line}") for line in wrapped(text, width - 2)]
