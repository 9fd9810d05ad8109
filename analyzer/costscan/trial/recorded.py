"""The requests of calls and their recorded answers, read from the log again: frames hold no text."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from costscan.errors import CostscanError
from costscan.formats.api import sse
from costscan.formats.api.pair import Pair
from costscan.formats.api.proxy_body import body_of
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log
from costscan.trial.calls import Call

_decode = msgspec.json.Decoder(Pair).decode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: its content blocks, and why it stopped."""

    content: list[dict[str, Any]]
    stop_reason: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The body of a request, and its recorded answer."""

    request: Mapping[str, Any]
    answer: Answer


def recorded(calls: Iterable[Call]) -> dict[str, Recorded]:
    """Return the requests of calls by their keys; what is not in its place any more is not there.

    Raises:
        CostscanError: a log cannot be opened.
    """
    of_files: dict[str, dict[int, Call]] = defaultdict(dict)
    for call in calls:
        of_files[call.file][call.line] = call
    found: dict[str, Recorded] = {}
    for path, wanted in of_files.items():
        if not Path(path).is_file():
            raise CostscanError(f"{path}: cannot be read a second time", "name a file or a folder of logs")
        with open_log(path) as stream:
            for number, line in enumerate(stream, 1):
                if number in wanted and (one := _recorded(line, wanted[number])) is not None:
                    found[wanted[number].key] = one
    return found


def _recorded(line: bytes, call: Call) -> Recorded | None:
    try:
        pair = _decode(line.strip())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    request, message = lenient_json.mapping(body_of(pair.request)), _message(pair)
    if not request or message is None or call.message_id not in (None, message.get("id")):
        return None
    return Recorded(request, answer_of(message))


def _message(pair: Pair) -> dict[str, Any] | None:
    """Return the response of a pair, streamed or not, out of what wraps it."""
    if isinstance(pair.response_sse, str):
        return sse.response_of(pair.response_sse)
    raw = body_of(pair.response)
    if raw:
        return lenient_json.mapping(raw) or sse.response_of(raw.decode("utf-8", "replace"))
    result = (lenient_json.mapping(bytes(pair.result)) or {}).get("message")
    return result if isinstance(result, dict) else None


def answer_of(message: Mapping[str, Any]) -> Answer:
    """Return the answer in a message of the API, whatever types its fields have."""
    content, stop = message.get("content"), message.get("stop_reason")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return Answer(blocks, stop if isinstance(stop, str) else None)


__all__ = ["Answer", "Recorded", "answer_of", "recorded"]
