"""The beginning of the texts of some blocks, read from the log again, for those who ask to see them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from costscan.reading import loose
from costscan.reading.content import from_dict, hash_text
from costscan.reading.files import open_log
from costscan.reading.measure import measure

EXCERPT_CHARS: Final = 200
_SECRET: Final = re.compile(
    r"\b(?:sk|pk|ghp|gho|xox[abp]|AKIA|eyJ)[-_A-Za-z0-9.]{8,}|[\w.+-]+@[\w-]+\.[\w.]+|"
    r"(?i:(?<=password)|(?<=secret)|(?<=token)|(?<=api_key))\W{1,4}[^\s\"']{6,}"
)


def excerpts(path: str, wanted: Mapping[int, set[int]], *, redact: bool) -> dict[int, str]:
    """Give the beginnings of texts by their content hash.

    Args:
        path: the log.
        wanted: content hashes by line, counted from 1.
        redact: leave out what looks like a secret or personal.

    Returns:
        what was found; a line that is not where it was, or reads otherwise, gives nothing.
    """
    found: dict[int, str] = {}
    last = max(wanted, default=0)
    try:
        with open_log(path) as stream:
            for number, line in enumerate(stream, 1):
                if number in wanted:
                    found |= _of_line(line, wanted[number], redact=redact)
                if number >= last:
                    break
    except (OSError, EOFError):
        return found
    return found


def _of_line(line: bytes, hashes: set[int], *, redact: bool) -> dict[int, str]:
    read = loose.objects(loose.text_of(line))
    found = {}
    for value in read.objects:
        for content_hash, text in _texts(value):
            if content_hash in hashes:
                found[content_hash] = redacted(text) if redact else text[:EXCERPT_CHARS]
    return found


def _texts(value: Any) -> Iterator[tuple[int | None, str]]:
    """Give every text and content block inside a value, with its hash."""
    if isinstance(value, str):
        yield hash_text(value), value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("type"), str) and (measured := measure(from_dict(value))) is not None:
            yield measured.content_hash, _shown(value)
        for item in value.values():
            yield from _texts(item)


def _shown(block: Mapping[str, Any]) -> str:
    for name in ("text", "thinking", "content", "input"):
        if found := block.get(name):
            if isinstance(found, list):
                return " ".join(str(part.get("text", "")) for part in found if isinstance(part, dict))
            return found if isinstance(found, str) else str(found)
    return ""


def redacted(text: str) -> str:
    """Give the beginning of a text without what looks like a key, a password or an address."""
    return _SECRET.sub("▮", text[: 2 * EXCERPT_CHARS])[:EXCERPT_CHARS]


def masked(text: str) -> str:
    """Give a text of the same length in which what `redacted` leaves out is covered."""
    return _SECRET.sub(lambda found: "▮" * len(found.group()), text)
