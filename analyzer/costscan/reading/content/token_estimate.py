"""An offline estimate of the tokens of a text, cheap enough to take while a log is being read.

Tokenizers cut text mostly where the class of character changes, so the tokens of a text are close to a
weighted sum of a few counts: its bytes, its white space, and the places where a number, a run of punctuation
or a run of capitals begins. A number right after punctuation (`1,2,3`) takes less, one right after a letter
(`3f9a`) more. Every byte is mapped to the bits of its class, the bytes are read as one big
integer, and a few masks with `bit_count` give all counts in C. Of long texts `SLICES` evenly spaced slices
stand for the whole, so that the time per text is bounded.

What each of these counts for is said, for each family of tokenizers, in `tokenizers.toml`.
"""

from math import ceil
from typing import AnyStr, Final

from costscan.tokenizers import FIRST, SECOND, Starts

SLICES: Final = 8
SLICE_CHARS: Final = 64
SAMPLE_CHARS: Final = SLICES * SLICE_CHARS

_CAPITAL: Final = 0b0000_0001
_NUMBER: Final = 0b0000_1110
_MARK: Final = 0b0011_0000
_SPACE: Final = 0b0100_0000
_BEYOND: Final = 0b1000_0000
"""Bits of a byte's class: as many as the start of a run of capitals, of punctuation or of a number counts for
where it counts for most."""
_MARK_TO_NUMBER: Final = 5
_SPACE_TO_NUMBER: Final = 3
"""How far a bit of a mark, or that of a space, is from the lowest one of a number in the next byte."""
_FIRST_BEYOND_ASCII: Final = 0x80

Counts = tuple[int, int, int, int, int, int, int, int]
"""Bytes of ASCII, white space, line ends, starts as the first family weighs them, starts as the second does,
other bytes; numbers right after a mark, and right after what is neither a mark nor a space."""

Weights = tuple[int, int]
"""Estimated tokens in the first and in the second family of tokenizers."""
NOTHING: Final[Weights] = (0, 0)


def _bits(byte: int) -> int:
    if byte >= _FIRST_BEYOND_ASCII:
        return _BEYOND
    char = chr(byte)
    if char.isalpha():
        return _CAPITAL if char.isupper() else 0
    if char.isdigit():
        return _NUMBER
    return _SPACE if char in " \t\r\n" else _MARK


def _mask(bits: int) -> int:
    """Return `bits` in every byte; a character of the sample takes at most four bytes."""
    return int.from_bytes(bytes((bits,)) * (4 * SAMPLE_CHARS), "little")


_CLASSES: Final = bytes(map(_bits, range(256)))
_SPACES: Final = _mask(_SPACE)
_BEYOND_ASCII: Final = _mask(_BEYOND)
_NUMBERS: Final = _mask(0b0000_0010)
_MARKS: Final = _mask(0b0001_0000)


def _starts(counts: Starts) -> int:
    """Return a mask with as many bits of each class as its start counts for, the lowest ones."""
    bit_counts = zip((_CAPITAL, _MARK, _NUMBER), counts, strict=True)
    return _mask(sum(bits & (bits & -bits) * ((1 << n) - 1) for bits, n in bit_counts))


_FIRST_STARTS: Final = _starts(FIRST.starts)
_SECOND_STARTS: Final = _starts(SECOND.starts)
_FIRST_WEIGHTS: Final = tuple(FIRST.weights)
_SECOND_WEIGHTS: Final = tuple(SECOND.weights)
_FIRST_CHARS: Final = FIRST.chars_per_token
_SECOND_CHARS: Final = SECOND.chars_per_token


def by_length(chars: int) -> Weights:
    """Estimate the tokens of a text that is not logged, from its length."""
    return ceil(chars / _FIRST_CHARS), ceil(chars / _SECOND_CHARS)


def weigh(text: str) -> Weights:
    """Estimate the tokens of `text`, without what surrounds it, in both families."""
    chars = len(text)
    if chars <= SAMPLE_CHARS:
        return _weights(text.encode("utf-8", "surrogatepass"), 1.0)
    return _weights("".join(_slices(text)).encode("utf-8", "surrogatepass"), chars / SAMPLE_CHARS)


def weigh_raw(raw: bytes) -> Weights:
    """Estimate the tokens of UTF-8 bytes, such as the raw JSON of a tool's input, in both families."""
    size = len(raw)
    if size <= SAMPLE_CHARS:
        return _weights(raw, 1.0)
    return _weights(b"".join(_slices(raw)), size / SAMPLE_CHARS)


def sample(text: str) -> bytes:
    """Return, as UTF-8, the part of a text that its weight is taken from: all of it where it is short."""
    part = text if len(text) <= SAMPLE_CHARS else "".join(_slices(text))
    return part.encode("utf-8", "surrogatepass")


def _slices(text: AnyStr) -> tuple[AnyStr, ...]:
    """Return `SLICES` slices from the middle of the equal parts of a text of more than `SAMPLE_CHARS`."""
    step = len(text) // SLICES
    a = (step - SLICE_CHARS) // 2
    b = a + step
    c = b + step
    d = c + step
    e = d + step
    f = e + step
    g = f + step
    h = g + step
    size = SLICE_CHARS
    # Written out it takes two thirds of the time of a loop.
    return (
        text[a : a + size],
        text[b : b + size],
        text[c : c + size],
        text[d : d + size],
        text[e : e + size],
        text[f : f + size],
        text[g : g + size],
        text[h : h + size],
    )


def count(sampled: bytes) -> Counts:
    """Count what the estimate rests on; `sampled` is at most four times `SAMPLE_CHARS` long."""
    classes = int.from_bytes(sampled.translate(_CLASSES), "little")
    begun = classes ^ (classes & (classes << 8))
    beyond = 0 if sampled.isascii() else (classes & _BEYOND_ASCII).bit_count()
    spaces = classes & _SPACES
    numbers = begun & _NUMBERS
    after_mark = numbers & ((classes & _MARKS) << _MARK_TO_NUMBER)
    after_space = numbers & (spaces << _SPACE_TO_NUMBER)
    return (
        len(sampled) - beyond,
        spaces.bit_count(),
        sampled.count(b"\n"),
        (begun & _FIRST_STARTS).bit_count(),
        (begun & _SECOND_STARTS).bit_count(),
        beyond,
        after_mark.bit_count(),
        (numbers ^ after_mark ^ after_space).bit_count(),
    )


def _weights(sampled: bytes, scale: float) -> Weights:
    plain, spaces, lines, starts, other_starts, beyond, mark, letter = count(sampled)
    a, b, c, d, e, f, g = _FIRST_WEIGHTS
    first = a * plain + b * spaces + c * lines + d * starts + e * beyond + f * mark + g * letter
    a, b, c, d, e, f, g = _SECOND_WEIGHTS
    second = a * plain + b * spaces + c * lines + d * other_starts + e * beyond + f * mark + g * letter
    return ceil(first * scale), ceil(second * scale)
