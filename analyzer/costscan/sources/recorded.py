"""Costs that a log records itself: `result` lines of a stream, `cost-state` lines of a transcript.

Both are running totals of a client process, sub-agents and hidden calls included, priced by the client.
"""

import json
from typing import Any

from costscan.sources.claude_lines import Line, timestamp, word
from costscan.sources.records import Rows
from costscan.sources.thread import time_of
from costscan.sources.usage import number

_TOKENS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens",
           "webSearchRequests")


def cost_state(rows: Rows, path: str, line_number: int, line: Line, session: str | None) -> None:
    """Add the totals of a `cost-state` line."""
    _models(rows, path, line_number, line, word(line.sessionId) or session, "cost-state")


def result(rows: Rows, path: str, line_number: int, line: Line, session: str | None) -> None:
    """Add the totals of a `result` line."""
    _models(rows, path, line_number, line, word(line.session_id) or session, "result")


def _models(rows: Rows, path: str, line_number: int, line: Line, session: str | None, event: str) -> None:
    if session is None:
        return
    at = time_of(timestamp(line))
    usage = _object(bytes(line.modelUsage))
    for model, found in usage.items():
        if not isinstance(found, dict):
            continue
        tokens = [number(found.get(key)) or 0 for key in _TOKENS]
        cost = found.get("costUSD")
        rows.tables["recorded"].append((
            session, path, line_number, at, model, *tokens,
            str(cost) if isinstance(cost, int | float) else None, event,
        ))
    total = line.total_cost_usd if event == "result" else line.totalCostUSD
    if isinstance(total, int | float) and not isinstance(total, bool):
        rows.tables["recorded"].append((
            session, path, line_number, at, None, 0, 0, 0, 0, 0, str(total), event,
        ))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
