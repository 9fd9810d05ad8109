"""Spans and log records as SDKs of OpenTelemetry write them to a file or a console, an object each, not OTLP.

Known are the file exporter of GitHub Copilot CLI (`COPILOT_OTEL_FILE_EXPORTER_PATH`), spans of the JavaScript
SDK written as JSON, and `ConsoleSpanExporter` of the Python SDK. Attributes are plain values.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents.blocks import mapping_in, word
from costscan.formats.agents.otlp import Record
from costscan.reading.conversation.usage import number
from costscan.reading.io.timestamps import time_of

_CONTEXTS: Final = ("_spanContext", "spanContext", "context")
_SCOPES: Final = ("instrumentationScope", "instrumentationLibrary", "scope")
_TRACE: Final = ("traceId", "trace_id")
_SPAN: Final = ("spanId", "span_id")
_NANOS: Final = 10**9
_MICROS: Final = 10**6


def is_record(line: Mapping[str, Any]) -> bool:
    """Whether a line is a span or a log record of an SDK."""
    return isinstance(line.get("attributes"), dict) and (_is_log(line) or _id(line, _TRACE) is not None)


def is_metric(line: Mapping[str, Any]) -> bool:
    """Whether a line is a metric, which tells sums of calls that spans tell."""
    return line.get("type") == "metric" and isinstance(line.get("name"), str)


def record_of(line: Mapping[str, Any]) -> tuple[Record, bool]:
    """Return the span or the log record that a line is, and whether it is the latter."""
    is_log = _is_log(line)
    scope = next((word(mapping_in(line, name).get("name")) for name in _SCOPES if name in line), None)
    attributes = line["attributes"]
    if is_log:
        name = word(attributes.get("event.name")) or word(line.get("_body")) or word(line.get("body"))
        began, ended = None, _seconds(line.get("hrTime"))
    else:
        name, (began, ended) = word(line.get("name")), _times(line)
    told = Record(
        scope=scope or "",
        name=name or "",
        trace=_id(line, _TRACE) or "",
        span=_id(line, _SPAN) or "",
        parent=_parent(line),
        attributes=attributes,
        began=began,
        ended=ended,
    )
    return told, is_log


def _is_log(line: Mapping[str, Any]) -> bool:
    return "hrTime" in line and ("_body" in line or "body" in line)


def _id(line: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return an id of a line or of its context, without the 0x that the Python SDK puts in front."""
    for told in (line, *(mapping_in(line, name) for name in _CONTEXTS)):
        if (found := next((word(told.get(name)) for name in names if name in told), None)) is not None:
            return found.removeprefix("0x")
    return None


def _parent(line: Mapping[str, Any]) -> str | None:
    above = word(mapping_in(line, "parentSpanContext").get("spanId"))
    names = ("parentSpanId", "parent_id", "parent_span_id")
    found = above or next((told for name in names if (told := word(line.get(name)))), None)
    return found.removeprefix("0x") if found else None


def _times(line: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return when a span began and ended: pairs, texts, or microseconds and how many it took."""
    began, ended = (
        next((at for name in names if (at := _seconds(line.get(name))) is not None), None)
        for names in (("startTime", "start_time"), ("endTime", "end_time"))
    )
    start, took = number(line.get("timestamp"), 10**17), number(line.get("duration"), 10**17)
    if began is None and start is not None:
        began = f"{start / _MICROS:.6f}"
        ended = ended or (None if took is None else f"{(start + took) / _MICROS:.6f}")
    return began, ended


def _seconds(told: object) -> str | None:
    """Return the seconds since 1970 of a time that is a pair, with nanoseconds, or a text."""
    if isinstance(told, list):
        pair = [number(part, 10**12) for part in told]
        if len(pair) != 2 or pair[0] is None or pair[1] is None:  # noqa: PLR2004 - seconds and nanoseconds
            return None
        return f"{pair[0] + pair[1] / _NANOS:.6f}"
    moment = time_of(word(told))
    return None if moment is None else f"{moment.timestamp():.6f}"
