"""The beginning of the texts of some blocks, read from the log again, for those who ask to see them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Raw

from costscan.errors import CostscanError
from costscan.reading.content.block import from_dict, hash_text
from costscan.reading.content.measure import measure
from costscan.reading.content.redaction import without
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log

EXCERPT_CHARS: Final = 200
_LOOKED_AT_CHARS: Final = 20 * EXCERPT_CHARS
"""What is left out is looked for in so much of a text: a mark may stand for many characters."""
_MARK: Final = "▮"


def excerpts(path: str, wanted: Mapping[int, set[int]], *, redact: bool) -> dict[int, str]:
    """Return the beginnings of texts by their content hash.

    Args:
        path: the log.
        wanted: content hashes by line, counted from 1.
        redact: leave out what looks like a secret or personal.

    Returns:
        what was found; a line that is not where it was, or reads otherwise, gives nothing.
    """
    texts: dict[int, str] = {}
    last = max(wanted, default=0)
    try:
        with open_log(path) as stream:
            for number, line in enumerate(stream, 1):
                if number in wanted:
                    texts |= _of_line(line, wanted[number], redact=redact)
                if number >= last:
                    break
    except (OSError, EOFError, CostscanError):
        return texts
    return texts


def _of_line(line: bytes, hashes: set[int], *, redact: bool) -> dict[int, str]:
    parsed = lenient_json.objects(lenient_json.text_of(line))
    texts = {}
    for value in parsed.objects:
        for content_hash, text in _texts(value):
            if content_hash in hashes:
                texts[content_hash] = redacted(text) if redact else text[:EXCERPT_CHARS]
    return texts


def _texts(value: Any) -> Iterator[tuple[int | None, str]]:
    """Yield every text and content block inside a value, with its hash."""
    if isinstance(value, str):
        yield hash_text(value), value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield from ((content_hash, _shown(value)) for content_hash in _hashes(value))
        for name, item in value.items():
            if name != "signature":  # stands for thinking that is not in the log
                yield from _texts(item)


def _hashes(block: Mapping[str, Any]) -> Iterator[int | None]:
    """Yield the content hashes a block may have: that of a call depends on how its input was written."""
    typed = from_dict(dict(block))
    if (measured := measure(typed)) is not None:
        yield measured.content_hash
    if isinstance(block.get("input"), dict):
        for ascii_only in (True, False):
            typed.input = Raw(json.dumps(block["input"], ensure_ascii=ascii_only).encode("utf-8", "replace"))
            if (measured := measure(typed)) is not None:
                yield measured.content_hash


def _shown(block: Mapping[str, Any]) -> str:
    for name in ("text", "thinking", "content", "input"):
        if content := block.get(name):
            if isinstance(content, list):
                return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
            return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return ""


def redacted(text: str) -> str:
    """Return the beginning of a text without what looks like a secret or personal."""
    looked_at = text[:_LOOKED_AT_CHARS]
    if len(text) > len(looked_at):
        # Half a key does not look like one: the last word may go on.
        looked_at = looked_at[: max(looked_at.rfind(" "), looked_at.rfind("\n"), EXCERPT_CHARS)]
    return without(looked_at, lambda _: _MARK)[:EXCERPT_CHARS]


def masked(text: str) -> str:
    """Return a text of the same length in which what `redacted` leaves out is covered."""
    return without(text, lambda part: _MARK * len(part))
