"""What each lever would have saved, on the terminal: a line a lever, alone and with the others."""

from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.levers import ALL, LEVERS
from costscan.reports.text.numbers import count, is_fine, percent, plural, usd
from costscan.reports.text.sanitize import cells, inert, shorten
from costscan.reports.text.table import Column, table
from costscan.summary import Summary
from costscan.summary.model import Scenario
from costscan.summary.scenarios import LEAST_SHARE

_INDENT: Final = 4
_NAME: Final = 40
_LARGE: Final = 20
"""Caps that save less than this part of what the lowest one saves are left out."""


def levers_table(summary: Summary, width: int) -> list[Text]:
    """Return what each lever would have saved alone and with the others, where that is worth a line."""
    columns = lever_columns(summary)
    if not columns:
        return []
    return [*table(columns, width), *together(summary, width), *cap_line(summary, width)]


def lever_columns(summary: Summary) -> list[Column]:
    """Return the columns of that table; none where no lever is worth a line."""
    rows, billed = worth_a_line(summary), summary.totals.usd
    if not rows or not billed:
        return []
    fine = is_fine(s.saved_usd for s in rows)
    return [
        Column("lever", [s.scenario for s in rows], name=True, style="bold"),
        Column("saves alone", [spread(s, fine=fine) for s in rows], style="bold green"),
        Column("", [percent(float((s.saved_usd or 0) / billed)) for s in rows]),
        Column("together", [usd(s.saved_joint_usd, fine=fine) for s in rows], give=1),
        Column("runs", [count(s.runs) for s in rows], give=2),
        Column("risk", [(s.risk or "").replace("-", " ") for s in rows], left=True, give=3),
        Column("the biggest part", [biggest(summary, s.scenario) for s in rows], name=True, prose=True),
    ]


def worth_a_line(summary: Summary) -> list[Scenario]:
    """Return the levers that would have saved a share of the bill that is worth telling."""
    billed = summary.totals.usd
    scenarios = [s for name in LEVERS if (s := summary.scenario(name)) is not None]
    return [s for s in scenarios if billed and s.saved_usd and abs(s.saved_usd) >= billed * LEAST_SHARE]


def spread(scenario: Scenario, *, fine: bool) -> str:
    """Return what a scenario saves: from low to high, where these are apart."""
    low, mid, high = scenario.saved_low_usd, scenario.saved_usd, scenario.saved_high_usd
    if low is None or high is None or low == high:
        return usd(mid, fine=fine)
    first, last = usd(low, fine=fine), usd(high, fine=fine)
    if first == last:
        return first
    return f"{first} to {last}" if low < 0 else f"{first}-{last.removeprefix('$')}"


def together(summary: Summary, width: int) -> list[Text]:
    """Say what all levers save, and which of them to take first."""
    sentence = together_sentence(summary)
    return filled(sentence, width) if sentence else []


def together_sentence(summary: Summary) -> str:
    """Return that sentence; empty where they save nothing."""
    scenario, billed = summary.scenario(ALL), summary.totals.usd
    if scenario is None or not scenario.saved_usd or not billed or not summary.plan:
        return ""
    share = percent(float(scenario.saved_usd / billed))
    whole = f"all together save {spread(scenario, fine=is_fine([scenario.saved_usd]))} ({share}): "
    taken = [(step.lever, billed - step.saved_together_usd) for step in summary.plan]
    fine = is_fine([billed])
    first = [
        f"{'first' if not n else 'then'} {lever}, {usd(left, fine=fine)} left"
        for n, (lever, left) in enumerate(taken)
    ]
    return whole + "; ".join(first)


def filled(text: str, width: int) -> list[Text]:
    """Lay a sentence out in lines, broken at spaces; a word that is too long for a line is shortened."""
    lines = [""]
    for word in text.split(" "):
        shown = shorten(word, width - _INDENT)
        if lines[-1] and cells(f"{lines[-1]} {shown}") > width - _INDENT:
            lines.append("  ")
        lines[-1] += shown if not lines[-1].strip() else f" {shown}"
    return [Text(f"  {line}", style="dim") for line in lines]


def biggest(summary: Summary, lever: str) -> str:
    """Say in words what most of a lever's saving comes from."""
    phrase = {"trimming": _cap, "routing": _route, "batching": _batch, "caching": _finding}[lever](summary)
    return inert(phrase) if phrase else _part(summary, lever)


def _part(summary: Summary, lever: str) -> str:
    parts = [s for s in summary.scenarios if s.scenario.startswith(f"{lever}/") and s.saved_usd and s.is_on]
    ranked = sorted(parts, key=lambda s: -(s.saved_usd or 0))
    return ranked[0].scenario.partition("/")[2] if ranked else ""


def _finding(summary: Summary) -> str:
    rules = summary.breakdowns["rule"].filter(lever="caching").head(1).to_dicts()
    return f"{rules[0]['message']}, {plural(rules[0]['runs'], 'run')}" if rules else ""


def _cap(summary: Summary) -> str:
    part = _part(summary, "trimming")
    row = _most_expensive_cap(summary)
    if row is None or part != "cap-tool-results":
        return part
    return f"{row['tool']} results over {row['cap_tokens']:,} tokens, {plural(row['runs'], 'run')}"


def _most_expensive_cap(summary: Summary) -> dict[str, Any] | None:
    curve = summary.breakdowns.get("cap")
    if curve is None or curve.is_empty():
        return None
    rows = curve.filter("is_chosen").sort("saved_usd", "tool", descending=[True, False]).head(1).to_dicts()
    return rows[0] if rows else None


def _route(summary: Summary) -> str:
    rows = summary.breakdowns["route"].head(1).to_dicts()
    if not rows:
        return ""
    row = rows[0]
    why = f" ({row['evidence']})" if row["evidence"] else ""
    return f"{plural(row['turns'], 'call')} of {row['model']} to {row['to_model']}{why}"


def _batch(summary: Summary) -> str:
    scenario = summary.scenario("batching/async")
    return f"{plural(scenario.runs, 'request')} that nobody waits for" if scenario and scenario.runs else ""


def cap_line(summary: Summary, width: int) -> list[Text]:
    """Show what a cap on the results of the most expensive tool would save, cap by cap."""
    sentence = cap_curve(summary)
    return filled(sentence, width) if sentence else []


def cap_curve(summary: Summary) -> str:
    """Return that as a sentence; empty where no cap saves anything."""
    row = _most_expensive_cap(summary)
    lever = summary.scenario("trimming/cap-tool-results")
    if row is None or lever is None or not lever.saved_usd:
        return ""
    every = summary.breakdowns["cap"].filter(pl.col("tool") == row["tool"])
    curve = every.filter(pl.col("saved_usd") * _LARGE >= every["saved_usd"].max()).to_dicts()
    fine = is_fine(point["saved_usd"] for point in curve)
    parts = [
        f"{point['cap_tokens']:,} {usd(point['saved_usd'], fine=fine)}{_again(point)}" for point in curve
    ]
    start = f"a cap on {shorten(inert(row['tool']), _NAME)} results at … tokens saves (used behind it): "
    return start + "; ".join(parts)


def _again(row: dict[str, Any]) -> str:
    return "" if row["used_again_share"] is None else f" ({percent(row['used_again_share'])})"


__all__ = [
    "biggest",
    "cap_curve",
    "cap_line",
    "filled",
    "lever_columns",
    "levers_table",
    "spread",
    "together",
    "together_sentence",
    "worth_a_line",
]
