"""Records of Bedrock's invocation log, out of what CloudWatch and its exports put around them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.reading.io import lenient_json

_AROUND: Final = ("events", "logEvents")
_TEXTS: Final = ("message", "@message")
_TYPE: Final = "ModelInvocationLog"


def records_in(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the records in a line: itself, a text in it, or those of the events in it."""
    if line.get("schemaType") == _TYPE:
        yield dict(line)
        return
    for name in _AROUND:
        for event in blocks.list_in(line, name):
            if isinstance(event, dict):
                yield from _told_in(event)
    yield from _told_in(line)


def _told_in(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _TEXTS:
        text = event.get(name)
        if isinstance(text, str) and _TYPE in text:
            record = lenient_json.mapping(text)
            if record is not None and record.get("schemaType") == _TYPE:
                yield record
