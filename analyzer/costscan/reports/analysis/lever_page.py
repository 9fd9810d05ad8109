"""All that is known of the levers, on the terminal: parts, curves, routes and what is taken for granted."""

import polars as pl
from rich.text import Text

from costscan.levers import ALL, LEVERS
from costscan.reports.analysis.levers import filled, spread, together
from costscan.reports.text.numbers import count, is_fine, percent, tokens, usd, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.scenarios.break_even import FETCHED, TURNS
from costscan.summary import Summary
from costscan.summary.model import Scenario

_TOOLS = 5


def lever_page(summary: Summary, top: int, width: int) -> list[Text]:
    """Return the levers with their parts, what a cap on tools and packing would save, routes, assumptions."""
    pages = [
        _parts(summary, width),
        together(summary, width),
        _caps(summary, width),
        _packs(summary, width),
        _routes(summary, top, width),
        _assumptions(summary, width),
    ]
    lines: list[Text] = []
    for page in pages:
        lines += [Text(""), *page] if lines and page else page
    return lines


def _parts(summary: Summary, width: int) -> list[Text]:
    rows = []
    for lever in LEVERS:
        rows += [s for s in summary.scenarios if s.scenario == lever]
        rows += [s for s in summary.scenarios if s.scenario.startswith(f"{lever}/")]
    rows += [s for s in summary.scenarios if s.scenario == ALL]
    fine = is_fine(s.saved_usd for s in rows)
    billed = summary.totals.usd
    shares = [
        percent(float(s.saved_usd / billed)) if billed and s.saved_usd is not None else "-" for s in rows
    ]
    names = [f"  {s.scenario.partition('/')[2]}" if "/" in s.scenario else s.scenario for s in rows]
    names = [name if s.is_on else f"{name} (off)" for name, s in zip(names, rows, strict=True)]
    joint = ["" if s.saved_joint_usd is None else usd(s.saved_joint_usd, fine=fine) for s in rows]
    columns = [
        Column("lever", names, name=True, style="bold"),
        Column("saves alone", [spread(s, fine=fine) for s in rows], style="green"),
        Column("", shares, give=1),
        Column("together", joint, give=2),
        Column("runs", [count(s.runs) for s in rows], give=4),
        Column("risk", [(s.risk or "").replace("-", " ") for s in rows], left=True, give=3),
        Column("pays nothing at", [_break_even(s) for s in rows], left=True, give=5),
    ]
    return table(columns, width)


def _break_even(scenario: Scenario) -> str:
    """Say from where on a scenario would pay nothing."""
    at = scenario.break_even
    if at is None:
        return ""
    if scenario.break_even_of == TURNS:
        return f"{at:.1f} times the calls"
    if scenario.break_even_of == FETCHED:
        return f"{percent(at)} fetched again"
    return f"{percent(at)} of cache reads found" if at > 0 else "no hit rate"


def _caps(summary: Summary, width: int) -> list[Text]:
    """Return a row per tool: what a cap on its results saves, and how often what it cuts was used."""
    curve = summary.breakdowns.get("cap")
    if curve is None or curve.is_empty():
        return []
    best = (
        curve.group_by("tool")
        .agg(pl.col("saved_usd").max())
        .sort("saved_usd", "tool", descending=[True, False])
    )
    tools = best["tool"].head(_TOOLS).to_list()
    caps = sorted(curve["cap_tokens"].unique())
    by_cap = {(row["tool"], row["cap_tokens"]): row for row in curve.to_dicts()}
    fine = is_fine(curve["saved_usd"])
    columns = [Column("a cap on results of", [inert(tool) for tool in tools], name=True)]
    for cap in caps:
        cells = [_cell(by_cap.get((tool, cap)), fine=fine) for tool in tools]
        columns.append(Column(f"{cap:,}", cells, give=len(caps) - caps.index(cap)))
    note = "saved with a cap of so many tokens (how often what lies behind it was used)"
    return [*table(columns, width), *filled(note, width)]


def _cell(row: dict[str, object] | None, *, fine: bool) -> str:
    if row is None:
        return ""
    share = row["used_again_share"]
    used = f" ({percent(share)})" if isinstance(share, float) else ""
    return usd(row["saved_usd"], fine=fine) + used  # type: ignore[arg-type]


def _packs(summary: Summary, width: int) -> list[Text]:
    curve = summary.breakdowns.get("pack")
    if curve is None or curve.is_empty():
        return []
    rows = curve.to_dicts()
    return table(
        [
            Column("items to a context", [count(row["items"]) for row in rows]),
            Column("contexts", [count(row["contexts"]) for row in rows]),
            Column("prompt each", [tokens(row["context_tokens"]) for row in rows]),
            Column("cost", usd_column(row["usd"] for row in rows), style="bold"),
        ],
        width,
    )


def _routes(summary: Summary, top: int, width: int) -> list[Text]:
    rows = summary.breakdowns["route"].head(top).to_dicts()
    if not rows:
        return []
    return table(
        [
            Column("routed from", [inert(row["model"]) for row in rows], name=True, style="bold"),
            Column("to", [inert(row["to_model"]) for row in rows], name=True),
            Column("calls", [count(row["turns"]) for row in rows]),
            Column("again", [count(row["wrong_turns"]) for row in rows], give=3),
            Column("runs", [count(row["runs"]) for row in rows], give=1),
            Column("sure", [row["confidence"] or "forced" for row in rows], left=True, give=2),
            Column("why", [inert(row["reason"] or "") for row in rows], name=True, prose=True),
        ],
        width,
    )


def _assumptions(summary: Summary, width: int) -> list[Text]:
    lines = [Text("  assumed", style="bold")] if summary.assumptions else []
    for assumed in summary.assumptions:
        lines += filled(f"{assumed.lever}: {assumed.assumption} [{assumed.source}]", width)
    return lines


__all__ = ["lever_page"]
