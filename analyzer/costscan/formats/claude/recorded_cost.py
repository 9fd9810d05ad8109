"""Costs that a log records itself: `result` lines of a stream, `cost-state` lines of a transcript.

Both are running totals of a client process, sub-agents and hidden calls included, priced by the client. The
`usage` of a `result` line is that of its main loop alone, since the `result` line before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from costscan.formats.api.message import word
from costscan.formats.claude.lines import Line, timestamp
from costscan.reading.conversation.modes import mode_of
from costscan.reading.conversation.usage import Split, counters, number, of_raw
from costscan.reading.io import lenient_json
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

_LARGEST_USD = 10**9


def cost_state(rows: Rows, place: tuple[str, int], line: Line, session: str | None) -> None:
    """Add the totals of a `cost-state` line; `place` is its path and number."""
    session = word(line.sessionId) or session
    if session is not None:
        common = RecordedRow(
            session=session, path=place[0], line=place[1], at=time_of(timestamp(line)), event="cost-state"
        )
        rows.recorded.extend(_models(common, line, line.totalCostUSD))


def result(rows: Rows, place: tuple[str, int], line: Line, session: str, models: Sequence[str] = ()) -> None:
    """Add the totals of a `result` line and the usage beside them.

    Args:
        rows: what to add to.
        place: path and number of the line.
        line: the line.
        session: that the line belongs to where it names none.
        models: that the main loop used since the last such line; of several it is not known which did what.
    """
    common = RecordedRow(
        session=word(line.session_id) or session,
        path=place[0],
        line=place[1],
        at=time_of(timestamp(line)),
        event="result",
        uuid=word(line.uuid),
        result_index=number(line.result_index),
    )
    rows.recorded.extend(_models(common, line, line.total_cost_usd))
    rows.recorded.extend(_usage(common, line, models[0] if len(models) == 1 else None))


def _models(common: RecordedRow, line: Line, usd: object) -> Iterator[RecordedRow]:
    """Yield a row for each model and one for the total; `common` is what they have in common."""
    for model, model_usage in (lenient_json.mapping(bytes(line.modelUsage)) or {}).items():
        if isinstance(model_usage, dict):
            own = common._replace(part="model", model_raw=model, usd=_dollars(model_usage.get("costUSD")))
            yield _with_tokens(own, model_usage)
    total = _dollars(usd)
    if total is not None:
        yield common._replace(part="total", usd=total)


def _usage(common: RecordedRow, line: Line, model: str | None) -> Iterator[RecordedRow]:
    usage = of_raw(bytes(line.usage))
    used = counters(usage)
    plain, cache_read_tokens, writes = used.prompt_side
    split = usage.cache_creation
    parts = (
        (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens) if isinstance(split, Split) else ()
    )
    tier, speed, geo = mode_of(usage)
    if used.is_known:
        yield common._replace(
            part="usage",
            model_raw=model,
            input_tokens=plain,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=writes,
            cache_write_1h_tokens=(
                used.cache_write_1h_tokens if sum(number(n) or 0 for n in parts) == writes else None
            ),
            output_tokens=used.output_tokens,
            web_searches=used.web_searches,
            tier=tier,
            speed=speed,
            geo=geo,
        )


def _with_tokens(row: RecordedRow, model_usage: Mapping[str, Any]) -> RecordedRow:
    """Add the counters of a model; None is one that the client left out, or that is no count."""
    writes, five, hour = (
        number(model_usage.get(f"cacheCreation{kind}InputTokens"))
        for kind in ("", "Ephemeral5m", "Ephemeral1h")
    )
    if five is not None and hour is not None and writes in {None, five + hour}:
        writes = five + hour
    else:
        hour = None
    return row._replace(
        input_tokens=number(model_usage.get("inputTokens")),
        cache_read_tokens=number(model_usage.get("cacheReadInputTokens")),
        cache_write_tokens=writes,
        cache_write_1h_tokens=hour,
        output_tokens=number(model_usage.get("outputTokens")),
        web_searches=number(model_usage.get("webSearchRequests")) or 0,
    )


def _dollars(value: object) -> str | None:
    """Return an amount as text, None where it is no number of dollars that can be meant."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return str(value) if 0 <= float(value) < _LARGEST_USD else None
    except (ValueError, OverflowError):
        return None
