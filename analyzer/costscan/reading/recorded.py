"""Costs that a log records itself: `result` lines of a stream, `cost-state` lines of a transcript.

Both are running totals of a client process, sub-agents and hidden calls included, priced by the client.
"""

from costscan.reading import loose
from costscan.reading.calls import time_of
from costscan.reading.claude_lines import Line, timestamp, word
from costscan.reading.records import Rows
from costscan.reading.usage import number

_LARGEST_USD = 10**9
_TOKENS = (
    "inputTokens",
    "cacheReadInputTokens",
    "cacheCreationInputTokens",
    "outputTokens",
    "webSearchRequests",
)


def cost_state(rows: Rows, path: str, line_number: int, line: Line, session: str | None) -> None:
    """Add the totals of a `cost-state` line."""
    _models(rows, (path, line_number), line, word(line.sessionId) or session, "cost-state")


def result(rows: Rows, path: str, line_number: int, line: Line, session: str | None) -> None:
    """Add the totals of a `result` line."""
    _models(rows, (path, line_number), line, word(line.session_id) or session, "result")


def _models(rows: Rows, place: tuple[str, int], line: Line, session: str | None, event: str) -> None:
    if session is None:
        return
    at = time_of(timestamp(line))
    usage = loose.mapping(bytes(line.modelUsage)) or {}
    for model, found in usage.items():
        if not isinstance(found, dict):
            continue
        tokens = [number(found.get(key)) or 0 for key in _TOKENS]
        rows.tables["recorded"].append(
            (
                session,
                *place,
                at,
                model,
                *tokens,
                _dollars(found.get("costUSD")),
                event,
            )
        )
    total = _dollars(line.total_cost_usd if event == "result" else line.totalCostUSD)
    if total is not None:
        rows.tables["recorded"].append(
            (
                session,
                *place,
                at,
                None,
                0,
                0,
                0,
                0,
                0,
                total,
                event,
            )
        )


def _dollars(value: object) -> str | None:
    """Give an amount as text, None where it is no number of dollars that can be meant."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return str(value) if 0 <= float(value) < _LARGEST_USD else None
    except (ValueError, OverflowError):
        return None
