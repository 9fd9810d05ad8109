"""Lines of which only what is billed is read: what people and tools sent stays raw, which is most of a log."""

import msgspec
from msgspec import Raw

from costscan.formats.api.message import Message, lenient_message
from costscan.formats.claude.lines import Line, holds_usage
from costscan.reading.io import lenient_json

_decode = msgspec.json.Decoder(Message).decode


class BillLine(Line):
    """A line whose message is not decoded yet."""

    message: Raw = Raw()  # type: ignore[assignment] - `with_answer` puts there what a line has


def with_answer(line: Line) -> Line:
    """Return a line with its message where that may be an answer, with none where it cannot be one."""
    raw = line.message
    if not isinstance(raw, Raw):
        return line  # read leniently, and decoded
    told = bytes(raw)
    line.message = _answer(told) if line.type == "assistant" or holds_usage(told) else None
    return line


def _answer(raw: bytes) -> Message | None:
    try:
        return _decode(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return lenient_message(lenient_json.mapping(raw))
