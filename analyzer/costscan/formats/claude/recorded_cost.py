"""Costs that a log records itself: `result` lines of a stream, `cost-state` lines of a transcript.

Both are running totals of a client process, sub-agents and hidden calls included, priced by the client. The
`usage` of a `result` line is that of its main loop alone, since the `result` line before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from costscan.formats.api.message import word
from costscan.formats.claude.lines import Line, timestamp
from costscan.reading.conversation.call import mode_of
from costscan.reading.conversation.usage import Split, counters, number, of_raw
from costscan.reading.io import lenient_json
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

_LARGEST_USD = 10**9
_Event: TypeAlias = tuple[str, str, int, datetime | None, str, str | None, int | None]
"""What all rows of a line have in common: session, path, line, at, event, uuid, result_index."""


class _Part(NamedTuple):
    """What a row has of its own; see `RECORDED`."""

    part: str
    model: str | None = None
    tokens: Sequence[int | None] = (None,) * 6
    usd: str | None = None
    mode: tuple[str | None, str | None, str | None] = (None, None, None)


def cost_state(rows: Rows, place: tuple[str, int], line: Line, session: str | None) -> None:
    """Add the totals of a `cost-state` line; `place` is its path and number."""
    session = word(line.sessionId) or session
    if session is not None:
        event = (session, *place, time_of(timestamp(line)), "cost-state", None, None)
        _add(rows, event, _models(line, line.totalCostUSD))


def result(rows: Rows, place: tuple[str, int], line: Line, session: str, models: Sequence[str] = ()) -> None:
    """Add the totals of a `result` line and the usage beside them.

    Args:
        rows: what to add to.
        place: path and number of the line.
        line: the line.
        session: that the line belongs to where it names none.
        models: that the main loop used since the last such line; of several it is not known which did what.
    """
    session = word(line.session_id) or session
    at, uuid, index = time_of(timestamp(line)), word(line.uuid), number(line.result_index)
    event = (session, *place, at, "result", uuid, index)
    _add(rows, event, _models(line, line.total_cost_usd))
    _add(rows, event, _usage(line, models[0] if len(models) == 1 else None))


def _add(rows: Rows, event: _Event, parts: Iterable[_Part]) -> None:
    rows.tables["recorded"].extend(
        (*event, part.part, part.model, *part.tokens, part.usd, *part.mode) for part in parts
    )


def _models(line: Line, usd: object) -> Iterator[_Part]:
    for model, found in (lenient_json.mapping(bytes(line.modelUsage)) or {}).items():
        if isinstance(found, dict):
            yield _Part("model", model, _tokens(found), _dollars(found.get("costUSD")))
    total = _dollars(usd)
    if total is not None:
        yield _Part("total", usd=total)


def _usage(line: Line, model: str | None) -> Iterator[_Part]:
    usage = of_raw(bytes(line.usage))
    used = counters(usage)
    plain, read, writes = used.prompt_side
    split = usage.cache_creation
    told = (
        (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens) if isinstance(split, Split) else ()
    )
    hour = used.cache_write_1h_tokens if sum(number(n) or 0 for n in told) == writes else None
    tokens = (plain, read, writes, hour, used.output_tokens, used.web_searches)
    if used.is_known:
        yield _Part("usage", model, tokens, mode=mode_of(usage))


def _tokens(found: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return the counters of a model: input, cache reads, writes, those for an hour, output, web searches.

    None is a counter that the client left out, or that is no count.
    """
    plain, read, writes, five, hour, out = (
        number(found.get(key))
        for key in (
            "inputTokens",
            "cacheReadInputTokens",
            "cacheCreationInputTokens",
            "cacheCreationEphemeral5mInputTokens",
            "cacheCreationEphemeral1hInputTokens",
            "outputTokens",
        )
    )
    if five is not None and hour is not None and writes in {None, five + hour}:
        writes = five + hour
    else:
        hour = None
    return plain, read, writes, hour, out, number(found.get("webSearchRequests")) or 0


def _dollars(value: object) -> str | None:
    """Return an amount as text, None where it is no number of dollars that can be meant."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return str(value) if 0 <= float(value) < _LARGEST_USD else None
    except (ValueError, OverflowError):
        return None
