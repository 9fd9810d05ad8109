"""What the first screen says of the bill, and of what clients recorded beside it."""

from decimal import Decimal
from typing import Final

from costscan.reports.text.numbers import percent, plural, usd
from costscan.reports.text.sanitize import inert
from costscan.summary import Summary, Totals

_CENT: Final = Decimal("0.005")
_PER_MILLE: Final = Decimal("0.001")
Pieces = list[tuple[str, str]]


def billed(summary: Summary) -> Pieces:
    """Return what the logs cost, and what is not known of it."""
    totals = summary.totals
    if totals.usd is None:
        told = [*_unreported(summary), *_unpriced(summary), *_unproven(totals, has_sums=has_sums(summary))]
        return [("unknown", "bold yellow"), *told]
    pieces: Pieces = [(usd(totals.usd), "bold green" if totals.usd_exact else "bold")]
    if not totals.turns:
        pieces.append(("   no model call in these logs, or none that was asked for", ""))
    unfinished = totals.open_turns - totals.open_unreported_turns
    if totals.open_turns or totals.unproven_recorded_usd:
        pieces.insert(0, ("at least ", "bold yellow"))
    elif totals.estimated_turns:
        pieces.insert(0, ("about ", "bold yellow"))
    if unfinished:
        pieces += [
            (f"   {plural(unfinished, 'call')} logged counts that are a lower bound;", ""),
            (f" about {usd(totals.usd_estimated)} with the text they show", ""),
        ]
    pieces += _unreported(summary)
    if totals.unpriced_turns:
        pieces += _unpriced(summary)
    pieces += _unproven(totals, has_sums=has_sums(summary))
    if totals.usd_exact and totals.turns:
        pieces.append(("   every call priced" + (" at list" if summary.prices.is_list else ""), ""))
    return pieces


def _unreported(summary: Summary) -> Pieces:
    """Say how many calls lack usage, and about what that is worth."""
    totals = summary.totals
    if not totals.open_unreported_turns:
        return []
    worth = "" if totals.unreported_usd is None else f", about {usd(totals.unreported_usd)} by the text"
    calls = plural(totals.open_unreported_turns, "call")
    return [
        (f"   {calls} without usage or with a part of it:", "yellow"),
        (f" what is missing is not in the total{worth}", ""),
    ]


def has_sums(summary: Summary) -> bool:
    """Whether a provider's export is among the logs, which tells sums and no calls."""
    return "usage_export" in summary.inputs.formats


def _unproven(totals: Totals, *, has_sums: bool) -> Pieces:
    """Say what recorded costs leave open."""
    pieces: Pieces = []
    if totals.unproven_recorded_usd:
        more = "" if totals.usd is None else " more"
        amount = f"{usd(totals.unproven_recorded_usd)}{more}"
        pieces.append((f"   {amount} is recorded, not proven by the log", "yellow"))
    if totals.estimated_turns and has_sums:
        sums = plural(totals.estimated_turns, "sum")
        pieces.append((f"   {sums} do not tell tier, place or length of prompts: assumed", "yellow"))
    elif totals.estimated_turns:
        turns = plural(totals.estimated_turns, "call")
        pieces.append((f"   cache tokens of {turns} estimated from recorded dollars", "yellow"))
    if totals.unproven_sessions and not pieces:
        whose = plural(totals.unproven_sessions, "session")
        doubt = f"what {whose} recorded does not follow from tokens and list prices"
        if totals.recorded_usd is None:
            doubt = f"sums of {whose} do not tell tier, place or length of prompts: assumed"
        pieces.append((f"   {doubt}", "yellow"))
    return pieces


def _unpriced(summary: Summary) -> Pieces:
    totals = summary.totals
    if not totals.unpriced_turns:
        return []
    rows = (
        summary.by_model.filter(summary.by_model["unpriced_turns"] > 0)
        .select("model", "unpriced_turns")
        .rows()
    )
    named = ", ".join(f"{inert(model)} ({plural(n, 'call')})" for model, n in rows[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""  # noqa: PLR2004 - the three above
    priced = percent(1 - totals.unpriced_turns / totals.turns)
    return [
        (f"   {priced} of calls priced;", ""),
        (f" no price for {named}{more},", "yellow"),
        (" not in the total", ""),
    ]


def recorded(summary: Summary) -> Pieces:
    """Return what the clients recorded, beside what the same calls cost here."""
    totals = summary.totals
    where = f" by the client in {plural(totals.recorded_sessions, 'session')}"
    pieces: Pieces = [(usd(totals.recorded_usd), "bold"), (where, "")]
    if totals.recorded_billed_usd is not None and totals.usd is not None:
        pieces.append(_here(totals, is_list=summary.prices.is_list))
    if totals.unlogged_usd:
        of = "it" if summary.prices.is_list else "the bill"
        pieces.append((f" {usd(totals.unlogged_usd)} of {of} is in no logged call", ""))
    return [*pieces[:-1], (pieces[-1][0].rstrip(";"), pieces[-1][1])]


def _here(totals: Totals, *, is_list: bool) -> tuple[str, str]:
    """Say what the recorded calls cost here: the same only to the cent and to a thousandth."""
    recorded, here = totals.recorded_usd or Decimal(0), totals.recorded_billed_usd or Decimal(0)
    basis = "" if is_list else " by the price list"
    if totals.estimated_turns:
        return f", {usd(here)} here{basis}, in part estimated from it;", "yellow"
    if abs(here - recorded) <= min(_CENT, recorded * _PER_MILLE):
        return f", and the same here{basis};", ""
    shown = usd(here) if usd(here) != usd(recorded) else usd(here, fine=True)
    return f", {shown} here{basis} for the same calls;", "yellow"
