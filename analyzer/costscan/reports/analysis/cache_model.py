"""How well the cache is understood, in words: what was tested, what is off, what is not in the log."""

from collections.abc import Mapping
from typing import Any, Final

from costscan.cache.agreement import CACHED_OUTSIDE, EXPIRED_EARLY, LOST
from costscan.reports.analysis.bill_lines import Pieces
from costscan.reports.text.numbers import count, plural, precise, usd
from costscan.summary import Summary

_WHY: Final[Mapping[str, str]] = {
    LOST: "{calls} wrote a warm prefix anew for no cause in the log",
    EXPIRED_EARLY: "{calls} found an entry gone before its lifetime was over",
    CACHED_OUTSIDE: "{calls} read what nothing in the log had written",
}
"""What the classes of disagreement mean that the replay does not have."""
_LEAST_SHARE: Final = 0.0005


def cache_model(summary: Summary) -> Pieces:
    """Say how many turns the replay repeats to the token, and how many of the dollars it is off."""
    replay = summary.replay
    if not replay.tested_turns:
        return [("nothing was cached: not tested", "")]
    exact = "every call exact" if replay.exact_share == 1 else f"{precise(replay.exact_share)} of calls exact"
    off = replay.off_share or 0
    dollars = "" if replay.off_share is None else f", {off if off >= _LEAST_SHARE else 0:.1%} of dollars off"
    why = _worst(summary) if off >= _LEAST_SHARE else ""
    return [(f"{exact}{dollars}{why}", "")]


def _worst(summary: Summary) -> str:
    """Name the class that most of the difference comes from."""
    classes = summary.replay.classes or ()
    comparable = [row for row in classes if not row["is_proven"] and row["off_usd"] is not None]
    if not comparable:
        return ""
    worst = max(comparable, key=lambda row: abs(row["off_usd"]))
    return f": {_WHY[worst['class']].format(calls=plural(worst['turns'], 'call'))} ({_amount(worst)})"


def _amount(row: Mapping[str, Any]) -> str:
    return usd(abs(row["off_usd"]))


def side_calls(summary: Summary) -> Pieces:
    """Say what calls that no line tells cost at least; nothing where cache reads prove none."""
    proven = summary.replay.side_calls
    if proven is None or not proven.calls:
        return []
    cost = f"at least {usd(proven.least_usd)} in " if proven.least_usd is not None else ""
    calls = f"{count(proven.calls)} side {'call' if proven.calls == 1 else 'calls'}"
    return [(f"{cost}{calls}, proven by cache reads; not in the total", "")]
