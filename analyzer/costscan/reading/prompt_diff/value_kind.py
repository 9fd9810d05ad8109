"""Names a value that differs between two texts: a timestamp, a uuid, a counter, a record id, ...

Both values are looked at together: eight digits in one text and `ab34cd12` in the other are a hex id, `17`
and `18` a counter, `17` and `940` a number.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

MAX_STEP: Final = 4
"""A counter steps by at most this from one prompt to the next; turns step by 1, messages by 2."""
MIN_HEX: Final = 7
_BEFORE: Final = 96
_AFTER: Final = 160
_MAX_WORD: Final = 400
_EPOCH_DIGITS: Final = frozenset({10, 13, 16, 19})

_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY: Final = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?"
_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\b\.?)?"
_ZONE: Final = r"(?:Z\b|\s?[+-]\d{2}:?\d{2}\b|\s\(?(?:UTC|GMT|[A-Z]{2,4}T)\b(?:[+-]\d+)?\)?)?"
_YEAR: Final = r"(?:19|20|21)\d{2}"
_NTH: Final = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE: Final = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}"
    rf"|(?:{_DAY},?\s+)?(?:{_NTH}[\s-]{_MONTH}(?!\s\d{{1,2}},\s\d{{4}}),?(?:[\s-]\d{{4}})?|{_MONTH}\s+{_NTH}(?:,?\s+{_YEAR})?))"
)
_TIMESTAMP: Final = re.compile(
    rf"(?<!\d)(?:{_DAY}\s+{_MONTH}\s+\d{{1,2}}\s+{_CLOCK}{_ZONE}\s+{_YEAR}"
    rf"|{_YEAR}-\d{{2}}-\d{{2}}[T_-]\d{{2}}-\d{{2}}(?:-\d{{2}})?Z?(?!\d)"
    rf"|{_YEAR}[01]\d[0-3]\d[T_-]?[0-2]\d[0-5]\d(?:[0-5]\d)?Z?(?![\dA-Za-z])"
    rf"|{_DATE}(?:T|,?\s+(?:at\s+)?|_){_CLOCK}{_ZONE}"
    rf"|{_CLOCK}{_ZONE}(?:,?\s+(?:on\s+)?{_DATE}(?![T_ ]\d{{1,2}}:))?)(?!\d)"
)
_DATE_ALONE: Final = re.compile(
    rf"(?<!\d){_DATE}(?!\d)|(?<!\w){_MONTH}\s{_YEAR}\b|(?<!\w){_DAY}(?!\w)|(?<!\w){_YEAR}-[01]\d(?![\d-])"
)
_UUID: Final = re.compile(
    r"(?i:(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f]))"
)
_PATH: Final = re.compile(
    r"(?<![\w/:.~])(?:~|\.{1,2})?(?:/(?:[\w.@+%~-]|:(?=\d))+)+/?|\b[A-Za-z]:(?:[\\/]{1,2}[\w.@+%~-]+)+[\\/]{0,2}"
)
_NUMBER: Final = re.compile(
    r"(?:(?<![\w.])(?<![^\W\d][-_:#])|(?<=\bv))[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)*"
    r"(?:\s?%|\s?(?:ms|s|min|h|[kKMGT]i?B?|px|x|USD)\b)?(?!\w|[-_][A-Za-z])"
)
_CHUNK: Final = re.compile(r"[^\W_]+(?:[-_:#]+[^\W_]+)*")
_WORD: Final = re.compile(r"\w+|[^\w\s]+|\s+")
_HEX: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_IDENTIFIES: Final = re.compile(r"(?i:(?:^|[\W_])(?:id|ref|key|no|num|number|nr|code|sha\d*|hash|commit)$)")
_COUNTS: Final = re.compile(
    r"(?i:(?:^|[\W_])(?:turns?|steps?|iterations?|attempts?|counts?|counter|messages?|rounds?|calls?|retry|page"
    r"|seq|n|i|total|tokens?|budget|cost|temp|score|size|len|left|remaining|used|progress|percent|nonce|seed)$)"
)
_ID_BEFORE: Final = re.compile(r"(?i:\bid\W{1,3}$)")


class Value(NamedTuple):
    """A value in one of the texts: where it begins and ends."""

    start: int
    end: int


class Pair(NamedTuple):
    """The same place in two texts, what stands there in each, and what kind of value it is.

    `kind` is None for words, which are no value of a known kind.
    """

    a: Value
    b: Value
    kind: str | None


Namer = Callable[[str, str], str]


def value_at(a: str, i: int, b: str, j: int, least: int = 0) -> Pair:
    """Return the value in which the texts first differ, at `i` in `a` and `j` in `b`.

    Args:
        a: the older text.
        i: where it differs.
        b: the newer text, which agrees with the older one before.
        j: where it differs.
        least: how many characters before belong to the value at most.
    """
    spot_a, spot_b = _Spot(a, i, least), _Spot(b, j, least)
    chunk = _both(_CHUNK, spot_a, spot_b)
    for pattern, named in _KINDS:
        spans = _both(pattern, spot_a, spot_b)
        if spans is not None and not (pattern is _NUMBER and _is_part(spans[0], chunk, a)):
            kind = named(a[spans[0].start : spans[0].end], b[spans[1].start : spans[1].end])
            return Pair(*spans, _by_label(kind, a, spans[0].start))
    if chunk is not None:
        return _named_chunk(a, b, *chunk)
    spans = _both(_WORD, spot_a, spot_b)
    return Pair(*(spans or (Value(i, i), Value(j, j))), None)


class _Spot(NamedTuple):
    """A place in a text, and how many characters before it may belong to a value there."""

    text: str
    at: int
    least: int


def _both(pattern: re.Pattern[str], a: _Spot, b: _Spot) -> tuple[Value, Value] | None:
    """Return what the pattern finds at both places, if it begins equally far before them and differs."""
    for value_a in _covering(pattern, *a):
        for value_b in _covering(pattern, *b):
            same = a.text[value_a.start : value_a.end] == b.text[value_b.start : value_b.end]
            if a.at - value_a.start == b.at - value_b.start and not same:
                return value_a, value_b
    return None


def _is_part(number: Value, chunk: tuple[Value, Value] | None, text: str) -> bool:
    """Whether a number ends an id that begins with letters."""
    if chunk is None or chunk[0].start >= number.start:
        return False
    return any(c.isalpha() for c in text[chunk[0].start : number.start])


def _covering(pattern: re.Pattern[str], text: str, at: int, least: int) -> list[Value]:
    low = max(0, at - least, at - _BEFORE)
    if low > at - least:
        # Not in the middle of a word, where a shorter value may seem to begin.
        while low > max(0, at - least, at - _MAX_WORD) and not text[low - 1].isspace():
            low -= 1
    spans = []
    for match in pattern.finditer(text, low, min(len(text), at + _AFTER)):
        if match.start() > at:
            break
        if match.end() >= at:
            spans.append(Value(match.start(), match.end()))
    return spans


def _always(kind: str, _a: str, _b: str) -> str:
    return kind


def _number(a: str, b: str) -> str:
    old, new = (re.sub(r"[^\d.-]", "", v).strip("+") for v in (a, b))
    if _is_epoch(old) and _is_epoch(new):
        return "timestamp"
    if _is_day(old) and _is_day(new):
        return "date"
    try:
        step = abs(int(new) - int(old))
    except ValueError:
        return "number"
    return "counter" if step <= MAX_STEP else "number"


def _is_epoch(text: str) -> bool:
    """Whether this is a time of 2001 to 2039 in seconds, milli-, micro- or nanoseconds since 1970."""
    whole = text.split(".", maxsplit=1)[0]
    return len(whole) in _EPOCH_DIGITS and whole.isdecimal() and "1" <= whole < "22"


def _is_day(text: str) -> bool:
    try:
        return len(text) == 8 and datetime.strptime(text, "%Y%m%d").year >= 1990  # noqa: DTZ007, PLR2004
    except ValueError:
        return False


_KINDS: Final[tuple[tuple[re.Pattern[str], Namer], ...]] = (
    (_PATH, partial(_always, "path")),
    (_UUID, partial(_always, "uuid")),
    (_TIMESTAMP, partial(_always, "timestamp")),
    (_DATE_ALONE, partial(_always, "date")),
    (_NUMBER, _number),
)


def _by_label(kind: str, text: str, start: int) -> str:
    """Call a number behind the word "id" a record id."""
    if kind == "number" and _ID_BEFORE.search(text[max(0, start - 8) : start]):
        return "record-id"
    return kind


def _named_chunk(a: str, b: str, value_a: Value, value_b: Value) -> Pair:
    """Name words joined by dashes, colons and the like, without a label such as `id:` before them."""
    cut = _label(a[value_a.start : value_a.end], b[value_b.start : value_b.end])
    value_a, value_b = Value(value_a.start + cut, value_a.end), Value(value_b.start + cut, value_b.end)
    v, w = a[value_a.start : value_a.end], b[value_b.start : value_b.end]
    if v.isdecimal() and w.isdecimal():
        return Pair(value_a, value_b, _number(v, w))
    return Pair(value_a, value_b, _id_kind(v, w))


def _id_kind(v: str, w: str) -> str | None:
    digit = any(c.isdecimal() for c in v + w)
    if not digit:
        return None
    if _is_hex(v) and _is_hex(w):
        return "hex-id"
    if v.isalpha() or w.isalpha():
        # A word instead of an id: only where the other could be of the same make.
        return "record-id" if len(v) == len(w) else None
    return "record-id"


def _is_hex(text: str) -> bool:
    parts = text.split("-")
    return all(map(_HEX.fullmatch, parts)) and max(map(len, parts)) >= MIN_HEX


def _label(v: str, w: str) -> int:
    """Return the length of a label that both begin with and that is no part of the value."""
    at = 0
    for match in re.finditer(r"[:#_-]+", v):
        head, end = v[: match.start()], match.end()
        if v[:end] != w[:end]:
            break
        if not {":", "#"}.intersection(match.group()):
            continue
        plain = v[end:].isdecimal() and w[end:].isdecimal()
        hashed = not plain and _is_hex(v[end:]) and _is_hex(w[end:])
        if hashed or _IDENTIFIES.search(head) or (plain and _COUNTS.search(head)):
            at = end
    return at
