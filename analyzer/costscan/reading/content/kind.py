"""What a text looks like, for reports: no estimate depends on it."""

import re
from typing import Final

from costscan.reading.content.token_estimate import count, sample

KINDS: Final = (
    "prose",
    "code, output",
    "numbered lines",
    "JSON",
    "markup",
    "tables, listings",
    "base64, hex",
    "beyond ASCII",
)
"""What `content_kind` can answer."""
_HEAD_CHARS: Final = 64
_BEYOND_SHARE: Final = 0.1
_BLOB_SPACE_SHARE: Final = 0.04
_BLOB_STARTS_SHARE: Final = 0.25
_MARKUP_CHARS: Final = 60
_JSON_CHARS: Final = 60
"""JSON has a quote in so many characters, unless most of it is prose or code inside of a few long strings."""
_TABLE_NUMBERS_SHARE: Final = 0.06
_PROSE_STARTS_SHARE: Final = 0.1
_PATH_SLASHES_SHARE: Final = 0.04
"""Every 64th character of base64 is a slash; of a list of paths at least every 25th."""
_number = re.compile(rb"[0-9]+")
_changes = re.compile(r"(?:diff --git |--- \S|@@ -\d|commit [0-9a-f]{7})")


def content_kind(text: str) -> str:
    """Return one of `KINDS` for the sample of `text` that its weight is taken from."""
    sampled = sample(text)
    plain, spaces, _, _, starts, beyond, *_ = count(sampled)
    size = max(plain + beyond, 1)
    head = text[:_HEAD_CHARS].lstrip()
    if head[:1] in {"{", "["} and '"' in head and sampled.count(b'"') * _JSON_CHARS > size:
        return "JSON"
    if head[:1] == "<" and sampled.count(b"<") * _MARKUP_CHARS > size:
        return "markup"
    if _changes.match(head):
        return "code, output"
    if head[:1].isdigit() and ("\u2192" in head or "\t" in head):
        return "numbered lines"
    if beyond > _BEYOND_SHARE * size:
        return "beyond ASCII"
    return _by_density(sampled, spaces / size, starts / size)


def _by_density(sampled: bytes, spaces: float, starts: float) -> str:
    if spaces < _BLOB_SPACE_SHARE and starts > _BLOB_STARTS_SHARE:
        return "tables, listings" if _is_of_paths(sampled) else "base64, hex"
    if _numbers(sampled) > _TABLE_NUMBERS_SHARE * max(len(sampled), 1):
        return "tables, listings"
    return "prose" if starts < _PROSE_STARTS_SHARE else "code, output"


def _is_of_paths(sampled: bytes) -> bool:
    """Whether lines of few words without spaces are names of files."""
    slashes = sampled.count(b"/") + sampled.count(b"\\")
    return slashes > _PATH_SLASHES_SHARE * max(len(sampled), 1)


def _numbers(sampled: bytes) -> int:
    """Count the numbers in `sampled`."""
    return len(_number.findall(sampled))
