"""A trial for a terminal: what it would send, and what it found."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from statistics import median
from typing import Final

from rich.text import Text

from costscan.reading.content.excerpts import redacted
from costscan.reports.analysis.tables import run_names
from costscan.reports.text.numbers import count, percent, plural, tokens, usd
from costscan.reports.text.sanitize import clip, inert
from costscan.reports.text.table import Column, table
from costscan.trial.agreement import Interval
from costscan.trial.comparing import text_of
from costscan.trial.comparing.tool_calls import calls_of
from costscan.trial.outcome import COMPARED, Found, OfStratum
from costscan.trial.plan import ITSELF, TARGET
from costscan.trial.recorded import Answer
from costscan.trial.session import Session

MOST_SHOWN: Final = 10
"""So many disagreements are shown side by side."""
_LABEL: Final = 12
_MINUTE_S: Final = 60


def plan(session: Session) -> list[Text]:
    """Return what a trial would send, before it does."""
    ahead, sample = session.forecast, session.sample
    lines = [_line("TRIAL", _about(session))]
    asked = plural(ahead.requests, "request")
    if ahead.itself:
        asked += f", {count(ahead.itself)} of them to the model that served the call"
    judge = session.wanted.judge
    if judge is not None and ahead.judgements:
        asked += f", up to {plural(ahead.judgements, 'judgement')} by {judge.model}"
    how = "one by one" if session.wanted.is_live else "as message batches, at half price"
    lines.append(_line("SENDS", f"{asked}, {how}"))
    lines.append(
        _line("TOKENS", f"about {tokens(ahead.prompt_tokens)} in, {tokens(ahead.output_tokens)} out")
    )
    limit = session.wanted.max_usd
    most = limit if ahead.judgements else min(ahead.most_usd, limit)
    lines.append(_line("COST", f"about {usd(ahead.usd)}, never more than {usd(most)}"))
    if session.state.answers:
        answered = f"{plural(len(session.state.answers), 'answer')} already there"
        lines.append(_line("", f"{answered}, {usd(session.state.spent_usd)} of that is spent"))
    lines += [_line("CHANGED", f"{plural(n, 'request')}: {why}") for why, n in sample.changes.items()]
    lines += [_line("LEFT OUT", f"{plural(n, 'call')}: {why}") for why, n in sample.left_out.items()]
    return lines


def report(session: Session, found: Found, width: int) -> list[Text]:
    """Return what a trial found."""
    lines = [_line("TRIAL", _about(session)), *_agreement(found), *_costs(session, found)]
    lines += [Text(""), *_strata(found, width)]
    return [*lines, *_not_compared(session, found), *_side_by_side(found, width)]


def _about(session: Session) -> str:
    chosen = session.chosen
    asked = f"{plural(len(session.sample.items), 'call')} of {count(len(chosen.calls))}"
    more = chosen.without_requests
    whole = f", of {count(more)} more the log has no whole request" if more else ""
    return f"{chosen.about}: {asked}{whole}"


def _line(label: str, said: str) -> Text:
    return Text.assemble(("  " + label.ljust(_LABEL), "bold"), inert(said))


def _agreement(found: Found) -> Iterator[Text]:
    target, itself = found.of_role(TARGET), found.of_role(ITSELF)
    if target.share is None:
        yield _line("AGREES", "nothing was compared")
        return
    yield _line("AGREES", f"{_share(target)} of {plural(target.n, 'call')} with the recorded answers")
    if itself.share is not None:
        yield _line(
            "ITSELF",
            f"{_share(itself)} of {plural(itself.n, 'call')}: the model that served them, asked again",
        )
    yield _line("", f"stopped: {found.stopped}")


def _share(one: Interval) -> str:
    """Return a share with its interval: 91% (86 to 94)."""
    if one.share is None or one.low is None or one.high is None:
        return "-"
    return f"{percent(one.share)} ({one.low * 100:.0f} to {one.high * 100:.0f})"


def _costs(session: Session, found: Found) -> Iterator[Text]:
    yield _line("COST", f"{usd(found.usd)} of at most {usd(session.wanted.max_usd)}, {_took(found.took_s)}")
    own = [row for row in found.rows if row.role == TARGET and row.duration_s is not None]
    if own:
        took = median(row.duration_s for row in own if row.duration_s is not None)
        recorded = [row.item.call.duration_s for row in own if row.item.call.duration_s is not None]
        beside = f", recorded {median(recorded):.1f} s" if recorded else ""
        yield _line("LATENCY", f"{took:.1f} s a call (median){beside}")
    if found.escalated_usd is not None:
        cost = f"{usd(found.escalated_usd)} of the {usd(found.recorded_usd)} of all calls that would move"
        yield _line("ESCALATING", f"what does not agree, made again on its own model: {cost}")


def _took(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f} minutes"


def _strata(found: Found, width: int) -> list[Text]:
    rows = found.strata
    columns = [
        Column("task", [inert(_task(one)) for one in rows], name=True, prose=True),
        Column("evidence", [inert(one.moved.evidence or "") for one in rows], name=True, give=1),
        Column("calls", [count(one.calls) for one in rows]),
        Column("compared", [count(one.target.n) for one in rows]),
        Column("agrees", [_share(one.target) for one in rows], left=True),
        Column("itself", [_share(one.itself) for one in rows], left=True),
        Column("made again", [_again(one) for one in rows]),
    ]
    return table(columns, width)


def _task(one: OfStratum) -> str:
    return one.moved.task if one.moved.agent is None else f"{one.moved.task} / {one.moved.agent}"


def _again(one: OfStratum) -> str:
    return usd(None if one.target.share is None else one.usd * Decimal(1 - one.target.share))


def _not_compared(session: Session, found: Found) -> Iterator[Text]:
    why = Counter(
        f"{row.state.replace('-', ' ')}: {row.why or 'no answer'}"
        for row in found.rows
        if row.state != COMPARED
    )
    for said, n in why.most_common(MOST_SHOWN):
        yield _line("NOT COUNTED", f"{plural(n, 'answer')} {said}")
    for said, n in session.sample.left_out.items():
        yield _line("LEFT OUT", f"{plural(n, 'call')}: {said}")
    for said, n in session.sample.changes.items():
        yield _line("CHANGED", f"{plural(n, 'request')}: {said}")


def _side_by_side(found: Found, width: int) -> Iterator[Text]:
    rows = [row for row in found.rows if row.role == TARGET and row.agrees is False]
    if not rows:
        return
    runs = list(dict.fromkeys(row.item.call.run_id for row in rows))
    names = dict(zip(runs, run_names([{"run_id": run} for run in runs], runs), strict=True))
    yield Text("")
    yield Text("  DISAGREES  (beginnings, secrets left out)", style="bold")
    for row in rows[:MOST_SHOWN]:
        call = row.item.call
        kind = row.item.kind.name.replace("_", " ")
        yield Text(f"  run {names[call.run_id]} turn {call.turn}, {kind}: {inert(row.why or '')}")
        for label, answer in ((call.model, row.item.recorded.answer), (call.moved.to_model, row.answer)):
            yield Text(clip(f"     {label}: {inert(_shown(answer))}", width), style="dim")
    if len(rows) > MOST_SHOWN:
        yield Text(f"  … {len(rows) - MOST_SHOWN} more", style="dim")


def _shown(answer: Answer | None) -> str:
    if answer is None:
        return ""
    try:
        told = [
            f"{call.get('name')} {json.dumps(call.get('input'), ensure_ascii=False)}"
            for call in calls_of(answer)
        ]
    except RecursionError:
        told = ["nested too deep to be shown"]
    return redacted(" · ".join(told) or text_of(answer))


__all__ = ["plan", "report"]
