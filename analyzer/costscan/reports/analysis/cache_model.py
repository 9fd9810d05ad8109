"""How well the cache is understood, in words: what was tested, what is off, what is not in the log."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from costscan.cache.disagreement import CACHED_OUTSIDE, EXPIRED_EARLY, LOST
from costscan.cache.loss_places import AFTER_SEARCH, AT_MESSAGE
from costscan.cache.proven_calls import NOT_YET
from costscan.reports.analysis.bill_lines import Pieces
from costscan.reports.text.numbers import count, percent, plural, precise, usd
from costscan.reports.text.sanitize import inert
from costscan.summary import Summary

_WHY: Final[Mapping[str, str]] = {
    LOST: "{calls} wrote a warm prefix anew for no cause in the log",
    AFTER_SEARCH: "{calls} wrote a warm prefix anew after a search for tools",
    AT_MESSAGE: "{calls} wrote a warm prefix anew where a person went on",
    NOT_YET: "{calls} did not find what another call was still writing",
    EXPIRED_EARLY: "{calls} found an entry gone before its lifetime was over",
    CACHED_OUTSIDE: "{calls} read what nothing in the log had written",
}
"""What the classes of disagreement mean that the replay does not have."""
_OTHER: Final = "{calls} read something else than was foreseen"
_LEAST_SHARE: Final = 0.0005
LEAST_OFF: Final = 0.05
"""A replay that is off by a larger share of the bill is marked."""


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
    why = _WHY.get(worst["class"], _OTHER)
    return f": {why.format(calls=plural(worst['turns'], 'call'))} ({_amount(worst)})"


def _amount(row: Mapping[str, Any]) -> str:
    return usd(abs(row["off_usd"]))


def policies(summary: Summary) -> Iterator[tuple[bool, str]]:
    """Yield of each cache that misses calls by chance whether it fits the bill, and what was fitted."""
    for row in summary.replay.policies:
        billed, replayed = row["usd_billed"], row["usd_replayed"]
        off = float((replayed - billed) / billed) if billed else 0.0
        side = f"{abs(off):.1%} {'above' if off > 0 else 'below'} the bill"
        side = "as billed" if abs(off) < _LEAST_SHARE else side
        calls = f"in {plural(row['calls'], 'call')}" if row["calls"] else "assumed"
        hits = f"{percent(row['hit_rate'])} hits {calls} (±{percent(row['share_error'])})"
        agrees = f"replay {side}" if billed else "no call has a price"
        yield abs(off) < LEAST_OFF, f"cache of {inert(row['model'])}: {hits}, {agrees}"


def side_calls(summary: Summary) -> Pieces:
    """Say what calls that no line tells cost at least; nothing where cache reads prove none."""
    proven = summary.replay.side_calls
    if proven is None or not proven.calls:
        return []
    cost = f"at least {usd(proven.least_usd)} in " if proven.least_usd is not None else ""
    calls = f"{count(proven.calls)} side {'call' if proven.calls == 1 else 'calls'}"
    return [(f"{cost}{calls}, proven by cache reads; not in the total", "")]
