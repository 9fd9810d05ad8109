"""OTLP/JSON: spans, log records and data points with their attributes as plain values."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from costscan.formats.agents.blocks import list_in, mapping_in, word
from costscan.reading.conversation.usage import number

_NANOS: Final = 10**9
_MAX_NESTED: Final = 50


class Record(NamedTuple):
    """A span or a log record.

    Attributes:
        scope: who made it.
        name: the name of the span, or of the event.
        trace: the id of its trace.
        span: the id of the span, or of the one that a log record belongs to.
        parent: the id of the span above.
        attributes: what it says, a value a key.
        began: when it began, in seconds since 1970.
        ended: when it ended.
    """

    scope: str
    name: str
    trace: str
    span: str
    parent: str | None
    attributes: Mapping[str, Any]
    began: str | None
    ended: str | None


class Point(NamedTuple):
    """A data point of a sum: what it counts, since when, and whether it counts on from the point before."""

    metric: str
    attributes: Mapping[str, Any]
    value: float
    since: str
    is_total: bool
    at: str | None


def is_otlp(line: Mapping[str, Any]) -> bool:
    """Whether a line is an export of spans, logs or metrics."""
    return any(isinstance(line.get(key), list) for key in _KEYS)


_KEYS: Final = tuple(
    f"{level}{joint}{kind}"
    for level in ("resource", "scope")
    for kinds, joint in ((("Spans", "Logs", "Metrics"), ""), (("spans", "logs", "metrics"), "_"))
    for kind in kinds
)


def spans(line: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the spans of an export."""
    for scope, span in _inside(line, "Spans", "spans"):
        began, ended = (_seconds(_get(span, f"{name}TimeUnixNano")) for name in ("start", "end"))
        attributes = attributes_of(span.get("attributes"))
        yield Record(scope, word(span.get("name")) or "", *_ids(span), attributes, began, ended)


def logs(line: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the log records of an export."""
    for scope, log in _inside(line, "Logs", "logRecords"):
        attributes = attributes_of(log.get("attributes"))
        body = _value(mapping_in(log, "body"))
        name = word(body) or word(_get(log, "eventName")) or word(attributes.get("event.name")) or ""
        at = _seconds(_get(log, "timeUnixNano") or _get(log, "observedTimeUnixNano"))
        yield Record(scope, name, *_ids(log), attributes, None, at)


def points(line: Mapping[str, Any]) -> Iterator[Point]:
    """Yield the data points of the sums of an export."""
    for _, metric in _inside(line, "Metrics", "metrics"):
        counted = mapping_in(metric, "sum")
        is_total = _get(counted, "aggregationTemporality") in {2, "AGGREGATION_TEMPORALITY_CUMULATIVE"}
        for point in list_in(counted, "dataPoints"):
            value = _float(point.get("asDouble", point.get("asInt"))) if isinstance(point, dict) else None
            if value is not None:
                yield Point(
                    word(metric.get("name")) or "",
                    attributes_of(point.get("attributes")),
                    value,
                    str(point.get("startTimeUnixNano")),
                    is_total,
                    _seconds(point.get("timeUnixNano")),
                )


def attributes_of(listed: object) -> dict[str, Any]:
    """Return attributes by their keys; some exporters write them as an object already."""
    if isinstance(listed, dict):
        return listed
    return {
        item["key"]: _value(mapping_in(item, "value"))
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and isinstance(item.get("key"), str)
    }


def _inside(line: Mapping[str, Any], kind: str, items: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name of the scope, item) for what resources hold; some exports are one resource each."""
    resources = _list(line, f"resource{kind}") or [line]
    for resource in resources:
        for scope in _list(resource, f"scope{kind}"):
            name = word(mapping_in(scope, "scope").get("name")) or ""
            yield from ((name, item) for item in _list(scope, items) if isinstance(item, dict))


def _get(item: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key in camel case, which some exporters write in snake case."""
    return item[key] if key in item else item.get(_snake(key))


def _list(item: object, key: str) -> list[Any]:
    return list_in(item, key) or list_in(item, _snake(key))


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


def _ids(item: Mapping[str, Any]) -> tuple[str, str, str | None]:
    trace, span, parent = (word(_get(item, name)) for name in ("traceId", "spanId", "parentSpanId"))
    return trace or "", span or "", parent


def _value(value: Mapping[str, Any], depth: int = 0) -> Any:
    if depth > _MAX_NESTED:
        return None
    for kind, inner in value.items():
        if kind in {"arrayValue", "array_value"}:
            return [_value(v, depth + 1) for v in list_in(inner, "values") if isinstance(v, dict)]
        if kind in {"kvlistValue", "kvlist_value"}:
            listed = [v for v in list_in(inner, "values") if isinstance(v, dict)]
            return {str(v.get("key")): _value(mapping_in(v, "value"), depth + 1) for v in listed}
        return number(inner) if kind in {"intValue", "int_value"} else inner
    return None


def _float(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _seconds(nanos: object) -> str | None:
    text = str(nanos) if isinstance(nanos, int | str) and not isinstance(nanos, bool) else ""
    return f"{int(text) / _NANOS:.6f}" if text.isdecimal() and 0 < len(text) <= len(str(10**19)) else None
