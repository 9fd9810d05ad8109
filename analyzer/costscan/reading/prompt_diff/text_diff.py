"""Where two texts differ, as values in a template: what varies, where it begins, what it is.

The texts are walked once from their beginning. At each place where they differ, the whole value is taken, and
the walk goes on behind it; where no single value differs, it goes on at the next line that both have.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from costscan.reading.prompt_diff.value_kind import Pair, Value, value_at

MAX_SLOTS: Final = 16
"""Of a text that differs in more places, the first ones are told."""
_MAX_STEPS: Final = 64
_STRIDE: Final = 4096
_NEAR: Final = 8
_MAX_LINES: Final = 2000
_MAX_MOVED: Final = 400
_MAX_UNMOVED: Final = 4
_LINE_CHARS: Final = 8
_MAX_ENCLOSING: Final = 8
_BACK: Final = 50_000
_LEAST_JSON: Final = 4
_bracket = re.compile(r"[{}\[\]]")
_item = re.compile(r"[\w@#/+-]+(?:\.\w+)*")
_item_char = re.compile(r"[\w@#/+.-]")
_line = re.compile(r"[^\n]*\n?")
_decode = json.JSONDecoder().raw_decode


def common_prefix(a: Sequence[Any], b: Sequence[Any], i: int = 0, j: int = 0) -> int:
    """Return how many characters, or items of lists, agree from `i` and `j` on."""
    most = min(len(a) - i, len(b) - j)
    at, step = 0, 64
    while at < most and a[i + at : i + at + step] == b[j + at : j + at + step]:
        at += step
        step = min(2 * step, _STRIDE)
    if at >= most:
        return most
    low, high = at, min(at + step, most)
    while low < high:
        middle = (low + high + 1) // 2
        if a[i + low : i + middle] == b[j + low : j + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_suffix(a: str, b: str, i: int = 0, j: int = 0) -> int:
    """Return how many characters agree at the end, leaving what stands before `i` and `j` out."""
    low, high = 0, min(len(a) - i, len(b) - j)
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle :] == b[len(b) - middle :]:
            low = middle
        else:
            high = middle - 1
    return low


def departures(a: str, b: str) -> list[Pair]:
    """Return the places where `b` differs from `a`, in order, at most `MAX_SLOTS`."""
    slots: list[Pair] = []
    i = j = 0
    for _ in range(_MAX_STEPS):
        same = common_prefix(a, b, i, j)
        i, j = i + same, j + same
        if (i == len(a) and j == len(b)) or len(slots) == MAX_SLOTS:
            return slots
        slot = _slot(a, i, b, j, same, editing=_goes_on(slots, i))
        _add(slots, slot)
        i, j = slot.a.end, slot.b.end
    same = common_suffix(a, b, i, j)
    _add(slots, Pair(Value(i, len(a) - same), Value(j, len(b) - same), None))
    return slots


def _slot(a: str, i: int, b: str, j: int, same: int, *, editing: bool) -> Pair:
    slot = None if editing else _moved(a, i, b, j, same)
    slot = slot or value_at(a, i, b, j, same)
    agree = a[slot.a.end : slot.a.end + 1] == b[slot.b.end : slot.b.end + 1]
    if slot.kind is not None or (agree and not editing):
        return slot
    end_a, end_b = _next_line(a, i, b, j)
    return Pair(Value(slot.a.start, end_a), Value(slot.b.start, end_b), None)


def _goes_on(slots: list[Pair], at: int) -> bool:
    """Whether words were edited just before a place of the older text."""
    return bool(slots) and slots[-1].kind is None and at - slots[-1].a.end < _NEAR


def varying(slots: list[Pair]) -> int:
    """Return how many characters the slots take."""
    return sum(max(s.a.end - s.a.start, s.b.end - s.b.start) for s in slots)


def _add(slots: list[Pair], slot: Pair) -> None:
    """Add a slot; words edited near one another are one edit."""
    if slot.kind is None and _goes_on(slots, slot.a.start):
        last = slots.pop()
        slot = Pair(Value(last.a.start, slot.a.end), Value(last.b.start, slot.b.end), None)
    slots.append(slot)


def _next_line(a: str, i: int, b: str, j: int) -> tuple[int, int]:
    """Return the place behind `i` and `j` where the first line that both texts have begins, or the end."""
    ahead: dict[str, int] = {}
    for at, line in _lines(b, j):
        ahead.setdefault(line, at)
    for at, line in _lines(a, i):
        if line in ahead:
            # The line break before it is common too.
            return _trimmed(a[i : at - 1], i, b[j : ahead[line] - 1], j)
    return _trimmed(a[i:], i, b[j:], j)


def _trimmed(a: str, i: int, b: str, j: int) -> tuple[int, int]:
    """Return where two texts end that begin at `i` and `j`, without the words that end both."""
    same = common_suffix(a, b)
    while same and not a[-same].isspace():
        same -= 1
    return i + len(a) - same, j + len(b) - same


def _lines(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Yield the lines that begin behind a place, those long enough to be told apart, and where they begin."""
    at = text.find("\n", at) + 1
    for _ in range(_MAX_LINES):
        if at <= 0:
            return
        end = text.find("\n", at)
        line = text[at:] if end < 0 else text[at:end]
        if len(line) >= _LINE_CHARS:
            yield at, line
        at = end + 1


def _moved(a: str, i: int, b: str, j: int, same: int) -> Pair | None:
    """Return the JSON value, lines or words that hold the same in another order or notation."""
    return _same_json(a, i, b, j, same) or _same_lines(a, i, b, j, same) or _same_words(a, i, b, j, same)


def _same_json(a: str, i: int, b: str, j: int, same: int) -> Pair | None:
    for back in _enclosing(a, i, min(same, _BACK)):
        old, new = _json_at(a, i - back), _json_at(b, j - back)
        if old is None or new is None or old[1] <= i or new[1] <= j:
            continue
        how = _notation(old[0], new[0])
        if how is not None:
            return Pair(Value(i - back, old[1]), Value(j - back, new[1]), how)
    return None


def _enclosing(text: str, at: int, most: int) -> Iterator[int]:
    """Yield how far back the brackets open that are open at a place, innermost first."""
    low = at - most
    depth = tried = 0
    # The differing character itself may open one.
    places = [m.start() for m in _bracket.finditer(text, low, at)]
    for place in reversed(places):
        if text[place] in "}]":
            depth += 1
        elif depth:
            depth -= 1
        else:
            yield at - place
            tried += 1
            if tried == _MAX_ENCLOSING:
                return


def _json_at(text: str, at: int) -> tuple[Any, int] | None:
    try:
        return _decode(text, at)
    except (ValueError, RecursionError):
        return None


def _notation(old: Any, new: Any) -> str | None:
    """Say how two JSON values that hold the same differ; None when they do not hold the same."""
    if len(old) + len(new) < _LEAST_JSON and old != new:
        return None
    try:
        if old == new:
            return "serialization" if json.dumps(old) == json.dumps(new) else "random-order"
        return "random-order" if _canonical(old) == _canonical(new) else None
    except RecursionError:
        return None


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((_canonical(item) for item in value), key=_dumped)
    return value


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _same_lines(a: str, i: int, b: str, j: int, same: int) -> Pair | None:
    start = a.rfind("\n", i - same, i) + 1
    if start == 0 and same < i:
        return None
    return _balanced(_line, a, start, b, j - (i - start))


def _same_words(a: str, i: int, b: str, j: int, same: int) -> Pair | None:
    back = 0
    while back < min(same, _MAX_MOVED) and _item_char.match(a[i - back - 1]):
        back += 1
    end_a, end_b = (t.find("\n", k) for t, k in ((a, i), (b, j)))
    low_a, low_b = i - back, j - back
    old = a[: end_a if end_a >= 0 else len(a)]
    new = b[: end_b if end_b >= 0 else len(b)]
    return _balanced(_item, old, low_a, new, low_b)


def _balanced(pattern: re.Pattern[str], a: str, i: int, b: str, j: int) -> Pair | None:
    """Return the shortest stretch from `i` and `j` on that has the same items in another order."""
    missing: Counter[str] = Counter()
    unequal = unmoved = 0
    pairs = zip(pattern.finditer(a, i), pattern.finditer(b, j), strict=False)
    for count, (match_a, match_b) in enumerate(pairs):
        item_a, item_b = match_a.group().rstrip(), match_b.group().rstrip()
        unequal += _change(missing, item_a, 1) + _change(missing, item_b, -1)
        if count and not unequal:
            return Pair(Value(i, match_a.end()), Value(j, match_b.end()), "random-order")
        unmoved = unmoved + 1 if item_a == item_b else 0
        if unmoved == _MAX_UNMOVED or count == _MAX_MOVED:
            return None
    return None


def _change(missing: Counter[str], item: str, by: int) -> int:
    """Add to the count of an item; give how many more items are unequal by it."""
    before = missing[item]
    missing[item] = before + by
    return (before + by != 0) - (before != 0)
