"""The first screen: what it cost, what could be saved, what to do first, and whether to believe it."""

import shlex
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from rich.text import Text

from costscan.actions.setting import ROUTES
from costscan.levers.catalogue import NEEDS_EVAL
from costscan.reports.analysis.bill_lines import Pieces, billed
from costscan.reports.analysis.cache_model import cache_model, policies, side_calls
from costscan.reports.analysis.headline import METER_WORDS, laid_out, title, totals_only, unruled
from costscan.reports.analysis.tables import run_names
from costscan.reports.text.headings import price_basis
from costscan.reports.text.numbers import count, percent, plural, usd, usd_column
from costscan.reports.text.sanitize import cells, clip, inert, shorten
from costscan.reports.text.table import LEAST_NAME, Column, table
from costscan.summary import Summary
from costscan.summary.cost_of import is_test

FIRST, TESTS, RUNS, PARTS = 5, 3, 5, 4
MOST_LINES: Final = 45
"""Lines of a first screen of at least `_WIDE` columns: it shows fewer actions and runs where it has more."""
_WIDE: Final = 100
_RISKS: Final = {"none": "none", "low": "low", "latency": "latency", "needs-eval": "needs eval"}
ASKED_AGAIN: Final = "messages_api"
"""The logs whose calls can be asked again: they hold whole requests."""
_INDENT: Final = "     "
_LEAST_OFF: Final = 0.0005


def first_screen(summary: Summary, width: int) -> list[Text]:
    """Return the lines of the first screen, each at most `width` columns wide."""
    lines = _within(summary, width, FIRST, details=True)
    for most in range(FIRST, 1, -1):
        if len(lines) <= MOST_LINES:
            break
        lines = _within(summary, width, most, details=False)
        if width < _WIDE:
            break
    return lines


def _within(summary: Summary, width: int, most: int, *, details: bool) -> list[Text]:
    """Return the screen with so many actions and runs at most; `details` are told of tests, too."""
    blocks = [title(summary, width, prices=False), _answers(summary, width)]
    if summary.totals.turns:
        blocks += [
            *_actions(summary, width, most, details=details),
            _runs(summary, width, most),
            _divided(summary, width),
        ]
    blocks += [_trust(summary, width), _next(summary, width)]
    lines: list[Text] = []
    for block in (block for block in blocks if block):
        lines += [Text(""), *block] if lines else block
    return lines


def _answers(summary: Summary, width: int) -> list[Text]:
    lines: list[Text] = []
    for label, pieces, separator in _paragraphs(summary):
        lines += laid_out(label, pieces, separator, width)
    return lines


def _paragraphs(summary: Summary) -> Iterator[tuple[str, Pieces, str]]:
    yield "COST", billed(summary), ""
    if any(summary.meters.values()):
        yield "", _meters(summary), " · "
    if summary.totals.turns:
        yield "CAN SAVE", _can_save(summary), ""
        if summary.actions and (why := unruled(summary)):
            yield "", [(why, "")], ""
        yield "CACHE", _cache(summary), " · "


def _meters(summary: Summary) -> Pieces:
    whole = summary.totals.usd or Decimal(1)
    spent = sorted(((m, v) for m, v in summary.meters.items() if v), key=lambda item: -item[1])
    return [(f"{METER_WORDS[m]} {usd(v)} {percent(float(v / whole))}", "") for m, v in spent]


def _can_save(summary: Summary) -> Pieces:
    total = summary.totals.usd
    if not summary.actions and (why := unruled(summary) or totals_only(summary)):
        return [(why, "")]
    if total is None:
        return [("unknown", "bold yellow"), ("   what the calls used is not logged", "")]
    if not summary.actions or not total:
        return [("nothing", "bold green"), ("   no setting would have saved a tenth of a percent of it", "")]
    surely, tested = (sum((a["saved_usd"] for a in some), Decimal(0)) for some in _first_and_tests(summary))
    every = f"{usd(surely + tested)} ({percent(float((surely + tested) / total))})"
    if not surely:
        return [(every, "bold green"), ("   all of it to be tested first: answers may be others", "")]
    pieces: Pieces = [
        (usd(surely), "bold green"),
        (f"   {percent(float(surely / total))} by settings alone", ""),
    ]
    return [*pieces, *([(f" · {every} with what is to be tested first", "")] if tested else [])]


def _first_and_tests(summary: Summary) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the actions that change no answer, and those to be tested; not those that a client cannot do."""
    able = [action for action in summary.actions if action["is_settable"]]
    tests = [action for action in able if is_test(action)]
    return [action for action in able if not is_test(action)], tests


def _cache(summary: Summary) -> Pieces:
    pieces: Pieces = [(f"{percent(summary.totals.cache_hit_rate)} of input read from cache", "")]
    cold = summary.by_task.filter(summary.by_task["cache_hit_rate"] == 0).height
    if cold:
        pieces.append((f"{plural(cold, 'task')} at 0%", ""))
    scenario = summary.scenario("no_caching")
    if scenario is not None and scenario.saved_usd:
        saved = -scenario.saved_usd
        word = f"already saves {usd(saved)}" if saved >= 0 else f"costs {usd(-saved)} more than none"
        pieces.append((f"caching {word}", "" if saved >= 0 else "yellow"))
    return pieces


def _actions(summary: Summary, width: int, most: int, *, details: bool) -> list[list[Text]]:
    first, tests = _first_and_tests(summary)
    head = "TEST FIRST  (answers, or when they come, may be others)"
    return [
        *([_listed("FIX FIRST", first, min(FIRST, most), width, details=True)] if first else []),
        *([_listed(head, tests, min(TESTS, most), width, details=details)] if tests else []),
    ]


def _listed(
    head: str, actions: Sequence[dict[str, Any]], most: int, width: int, *, details: bool
) -> list[Text]:
    shown = actions[:most]
    saves = usd_column(action["saved_usd"] for action in shown)
    risks = [_risk(action, width) for action in shown]
    of_saves, of_risks = max(5, *map(cells, saves)), max(4, *map(cells, risks))
    room = max(width - 5 - of_saves - of_risks - 4, LEAST_NAME)
    heading = shorten(head, room + 3).ljust(room + 3)
    lines = [Text.assemble("  ", (heading, "bold"), "  ", "saves".rjust(of_saves), "  risk")]
    for action, save, risk in zip(shown, saves, risks, strict=True):
        said = shorten(inert(action["title"]), room)
        number, gap = f"  {action['rank']:<3}", " " * (room - cells(said) + 2)
        lines.append(Text.assemble(number, (said, "bold"), gap, (save.rjust(of_saves), "green"), "  ", risk))
        lines += _details(action, width) if details else ()
    if len(actions) > most:
        rest = sum((action["saved_usd"] for action in actions[most:]), Decimal(0))
        lines.append(Text(f"  … {len(actions) - most} more save {usd(rest)}: -v shows them", style="dim"))
    return lines


def _risk(action: dict[str, Any], width: int) -> str:
    """Return what an action may change and, where there is room, how to try it."""
    risk: str = _RISKS.get(action["risk"], action["risk"])
    can_be_tried = action["scenario"] in ROUTES and action["client"] == ASKED_AGAIN
    if action["risk"] != NEEDS_EVAL or not can_be_tried or width < _WIDE:
        return risk
    return f"{risk}  trial --action {action['rank']}"


def _details(action: dict[str, Any], width: int) -> Iterator[Text]:
    of = f"{plural(action['runs'], 'run')}, {plural(action['calls'], 'call')}"
    why = f"{of}: {inert(action['evidence'])}" if action["evidence"] else of
    for said in (why, f"fix: {inert(action['how'])}"):
        yield Text(clip(_INDENT + said, width), style="dim")


def _runs(summary: Summary, width: int, most: int) -> list[Text]:
    rows = summary.runs.head(min(RUNS, most)).to_dicts()
    total = summary.totals.usd
    names = run_names(rows, summary.runs["run_id"].to_list())
    shares = ["-" if not total or row["usd"] is None else percent(float(row["usd"] / total)) for row in rows]
    columns = [
        Column("MOST EXPENSIVE", names, name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("share", shares),
        Column("calls", [count(row["turns"]) for row in rows], give=2),
        Column("cache hits", [percent(row["cache_hit_rate"]) for row in rows], give=1),
        *_could_be(summary, rows),
        Column("task", [inert(row["task"]) for row in rows], name=True, prose=True),
    ]
    more = summary.runs.height - len(rows)
    rest = [Text(f"  … {plural(more, 'more run')}", style="dim")] if more else []
    return [*table(columns, width), *rest]


def _could_be(summary: Summary, rows: Sequence[dict[str, Any]]) -> Iterator[Column]:
    """Yield what the runs would cost with all actions, and which one saves most of each."""
    after = [summary.after_actions.get(row["run_id"]) for row in rows]
    if not any(after):
        return
    titles = {action["rank"]: f"{action['rank']}  {inert(action['title'])}" for action in summary.actions}
    left = [
        row["usd"] - one.saved_usd if one and row["usd"] is not None else row["usd"]
        for row, one in zip(rows, after, strict=True)
    ]
    yield Column("could be", usd_column(left), style="green")
    yield Column(
        "top action", [titles[one.top_action] if one else "" for one in after], name=True, prose=True
    )


def _divided(summary: Summary, width: int) -> list[Text]:
    lines = []
    for label, frame, name in (("BY MODEL", summary.by_model, "model"), ("BY TOOL", summary.by_tool, "tool")):
        rows = frame.head(PARTS).to_dicts()
        whole = summary.totals.usd or Decimal(1)
        pieces = [
            (f"{inert(row[name])} {usd(row['usd'])} {percent(float(row['usd'] / whole))}", "")
            for row in rows
            if row.get("usd") is not None
        ]
        if not pieces:
            continue
        more = frame.height - len(rows)
        lines += laid_out(label, [*pieces, *([(f"{more} more", "dim")] if more > 0 else [])], " · ", width)
    return lines


def _trust(summary: Summary, width: int) -> list[Text]:
    """Say what the figures stand on, with a ! where something is not known."""
    pieces: Pieces = []
    for is_sure, said in _grounds(summary):
        pieces.append((f"{'✓' if is_sure else '!'} {said}", "" if is_sure else "yellow"))
    return laid_out("", pieces, "   ", width, indent=2)


def _grounds(summary: Summary) -> Iterator[tuple[bool, str]]:
    totals, inputs = summary.totals, summary.inputs
    unsure = plural(totals.unpriced_turns + totals.open_turns, "call")
    priced = "every call priced" if totals.usd_exact else f"{unsure} not fully priced"
    yield totals.usd_exact, f"{price_basis(summary.prices)}, {priced}"
    lost = inputs.skipped_lines + inputs.unusable_files
    skipped = f"{count(inputs.skipped_lines)} skipped" if inputs.skipped_lines else "none skipped"
    unread = f", {plural(inputs.unusable_files, 'other file')} not read" if inputs.unusable_files else ""
    yield not lost, f"{plural(inputs.lines, 'line')}, {skipped}{unread}"
    if inputs.unknown_lines:
        yield False, f"{plural(inputs.unknown_lines, 'line')} of no known kind"
    if of_bill := totals_only(summary):
        yield False, of_bill
    if summary.replay.exact_share is not None:
        sure = (summary.replay.off_share or 0) < _LEAST_OFF
        yield sure, "cache model: " + "".join(text for text, _ in cache_model(summary))
    yield from islice(policies(summary), 1)
    if hidden := side_calls(summary):
        yield False, "".join(text for text, _ in hidden)
    if summary.defects:
        yield False, f"not done: {inert(', '.join(defect.part for defect in summary.defects[:PARTS]))}"


def _next(summary: Summary, width: int) -> list[Text]:
    paths = inert(" ".join(shlex.quote(path) for path in summary.paths)) or "PATH"
    for shown in (paths, "PATH"):
        commands = [f"costscan analyze {shown} -v", "-o report.html"]
        if summary.runs.height:
            commands.insert(0, f"costscan explain worst {shown}")
        line = Text.assemble(("  next  ", "dim"), *((f"{c}   ", "bold") for c in commands))
        line.rstrip()
        if cells(line.plain) <= width:
            return [line]
    return []


__all__ = ["first_screen"]
