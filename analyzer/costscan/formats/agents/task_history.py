"""What Cline and its kin (Roo Code, Kilo Code) sent and got, in files beside the requests that a task made.

Messages are shared out to the requests by the counter that a request has of them, else by their times, else
in their order.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from costscan.errors import CostscanError
from costscan.formats.agents import blocks, chat
from costscan.reading.content.block import Block
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log

_ENVIRONMENT: Final = "<environment_details>"
_MODEL: Final = re.compile(r"<model>\s{0,9}([^<\s]{1,200})\s{0,9}</model>")
_FIRST_MS: Final = 10**12
_LAST_MS: Final = 10**13
"""A counter is far below, in 2001, and what is above is no time in milliseconds before 2286."""
_FOLDER: Final = re.compile(r"# Current (?:Working|Workspace) Directory \((.{1,400}?)\) Files")


class Entry(NamedTuple):
    """A message: who said it, what, and when in milliseconds, where that is told."""

    role: str
    blocks: Sequence[Block]
    at_ms: float | None


class Asked(NamedTuple):
    """A request: when it was made, and the number of the last message that there was then, where told."""

    at_ms: float | None
    messages: int | None


def objects_beside(on_disk: str, name: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON file beside another one; none where it is not there or cannot be read."""
    try:
        with open_log(Path(on_disk).parent / name) as stream:
            return lenient_json.objects(lenient_json.text_of(stream.read())).objects
    except (CostscanError, OSError, EOFError):
        return []


def entries_of(objects: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Return the messages of a history: a list of them, or an object around it."""
    inside = [m for o in objects for m in blocks.list_in(o, "messages")]
    return [entry_of(m) for m in inside or objects if isinstance(m, dict) and "role" in m]


def entry_of(message: Mapping[str, Any]) -> Entry:
    """Return one message, in the shape of Anthropic's API or of Vercel's AI SDK."""
    role = "assistant" if message.get("role") == "assistant" else "user"
    return Entry(role, _content(message.get("content")), millis(message.get("ts")))


def millis(value: object) -> float | None:
    """Return a time in milliseconds; None for the counters that newer versions write in their place."""
    is_time = isinstance(value, int | float) and _FIRST_MS <= value < _LAST_MS
    return float(value) if is_time and isinstance(value, int | float) else None


def models_of(entries: Sequence[Entry]) -> list[tuple[float, str]]:
    """Return the models that Roo Code names in what it adds to messages, each with its time."""
    return [
        (entry.at_ms or 0, found[1])
        for entry in entries
        for block in entry.blocks
        if entry.role == "user" and (found := _MODEL.search((block.text or "").partition(_ENVIRONMENT)[2]))
    ]


def folder_of(entries: Sequence[Entry]) -> str | None:
    """Return the folder that a task works in."""
    texts = (block.text or "" for entry in entries[:3] for block in entry.blocks)
    return next((found[1] for text in texts if (found := _FOLDER.search(text))), None)


def shared_out(entries: Sequence[Entry], requests: Sequence[Asked]) -> list[list[Entry]]:
    """Return the messages of each request, its prompt and its answer; none where that cannot be told."""
    out: list[list[Entry]] = [[] for _ in requests]
    owners = _owners(entries, requests) if requests else []
    for entry, owner in zip(entries, owners, strict=False):
        out[min(max(owner, 0), len(out) - 1)].append(entry)
    return out


def _owners(entries: Sequence[Entry], requests: Sequence[Asked]) -> list[int]:
    if all(request.messages is not None for request in requests):
        bounds = list(accumulate((request.messages or 0 for request in requests), max))
        return [bisect_left(bounds, n) - 1 for n in range(len(entries))]
    if all(entry.at_ms for entry in entries) and all(request.at_ms for request in requests):
        times = list(accumulate((request.at_ms or 0 for request in requests), max))
        return [bisect_right(times, entry.at_ms or 0) - 1 for entry in entries]
    answers = [entry.role == "assistant" for entry in entries]
    if sum(answers) != len(requests):
        return []
    return [done - answered for done, answered in zip(accumulate(answers), answers, strict=True)]


def _content(content: object) -> list[Block]:
    if not isinstance(content, list):
        return chat.content_of(content)
    return [block for part in content if isinstance(part, dict) for block in _part(part)]


def _part(part: Mapping[str, Any]) -> list[Block]:
    kind = part.get("type")
    if kind == "tool-call":
        return [blocks.tool_use(part.get("toolName"), part.get("toolCallId"), part.get("input"))]
    if kind == "tool-result":
        output = part.get("output")
        said = output.get("value") if isinstance(output, dict) else output
        return [blocks.tool_result(part.get("toolCallId"), said)]
    if kind == "reasoning":
        return [blocks.thinking(part.get("text"))]
    if kind == "file" and isinstance(part.get("content"), str):
        return [blocks.text_block(part["content"])]
    if kind == "image" and isinstance(part.get("data"), str):
        return [blocks.image(part["data"], part.get("mediaType"))]
    return chat.content_of([part])
