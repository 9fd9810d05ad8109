"""An offline estimate of the tokens of a text, cheap enough to take while a log is being read.

Tokenizers cut text mostly where the class of character changes, so the tokens of a text are close to a weighted
sum of a few counts: its bytes, its white space, and the places where a number, a run of punctuation or a run of
capitals begins. All counts are taken at once: every byte is mapped to one bit per class, the bytes are read as
one big integer, and masks with `bit_count` do the rest in C. Of long texts `SLICES` evenly spaced slices stand
for the whole, so that the time per text is bounded.

The weights were fitted on texts outside of the logs that the accuracy was measured on; see docs/accuracy.md.
"""

from math import ceil
from typing import Final

SLICES: Final = 8
SLICE_CHARS: Final = 96
SAMPLE_CHARS: Final = SLICES * SLICE_CHARS

_LETTER: Final = 1
_UPPER: Final = 2
_DIGIT: Final = 4
_SPACE: Final = 8
_NEWLINE: Final = 16
_PUNCTUATION: Final = 32
_BEYOND_ASCII: Final = 64
_FIRST_BEYOND_ASCII: Final = 0x80

Counts = tuple[int, int, int, int, int, int, int]
"""ASCII bytes, white space, line ends, starts of capitals, of numbers and of punctuation, bytes beyond ASCII."""

_V3: Final = (0.183, -0.081, 0.680, 0.434, 1.537, 1.015, 0.322)
_V47: Final = (0.282, -0.204, 0.586, 1.258, 1.274, 1.038, 0.309)
"""Tokens for one of each of `Counts`, by tokenizer family."""
KINDS: Final = (
    "prose",
    "code, output",
    "numbered lines",
    "JSON",
    "tables, listings",
    "base64, hex",
    "beyond ASCII",
)
"""What a text can look like to `content_kind`."""
HEAD_CHARS: Final = 64
BEYOND_SHARE: Final = 0.1
BLOB_SPACE_SHARE: Final = 0.04
BLOB_START_SHARE: Final = 0.12
TABLE_NUMBER_SHARE: Final = 0.06
PROSE_MARK_SHARE: Final = 0.07

FAMILIES: Final = ("v3", "v4.7")
"""The tokenizer families, in the order `weigh` gives them."""
RESULT_TOKENS: Final = {"v3": 12, "v4.7": 5}
"""Tokens that a tool result takes beside its text."""


def _bits(byte: int) -> int:
    char = chr(byte)
    if byte >= _FIRST_BEYOND_ASCII:
        return _BEYOND_ASCII
    if char.isalpha():
        return _LETTER | (_UPPER if char.isupper() else 0)
    if char.isdigit():
        return _DIGIT
    if char in "\r\n":
        return _SPACE | _NEWLINE
    return _SPACE if char in " \t" else _PUNCTUATION


def _mask(bits: int) -> int:
    """Give `bits` in every byte; a character of the sample takes at most four bytes."""
    return int.from_bytes(bytes((bits,)) * (4 * SAMPLE_CHARS), "little")


_CLASSES: Final = bytes(map(_bits, range(256)))
_SPACES: Final = _mask(_SPACE)
_NEWLINES: Final = _mask(_NEWLINE)
_UPPERS: Final = _mask(_UPPER)
_DIGITS: Final = _mask(_DIGIT)
_PUNCTUATIONS: Final = _mask(_PUNCTUATION)
_BEYONDS: Final = _mask(_BEYOND_ASCII)


def weigh(text: str) -> tuple[int, int]:
    """Estimate the tokens of `text`, without what surrounds it, for each of `FAMILIES`."""
    chars = len(text)
    if chars > SAMPLE_CHARS:
        sample = _sample(text)
        return _weights(count(encoded(sample)), chars / SAMPLE_CHARS)
    return _weights(count(encoded(text)), 1.0)


def weigh_raw(raw: bytes) -> tuple[int, int]:
    """Estimate the tokens of UTF-8 bytes, such as the raw JSON of a tool's input, for each of `FAMILIES`."""
    size = len(raw)
    if size > SAMPLE_CHARS:
        step = size // SLICES
        first = (step - SLICE_CHARS) // 2
        slices = [raw[at : at + SLICE_CHARS] for at in range(first, first + step * SLICES, step)]
        return _weights(count(b"".join(slices)), size / SAMPLE_CHARS)
    return _weights(count(raw), 1.0)


def encoded(text: str) -> bytes:
    """Give `text`, which may hold lone surrogates, as UTF-8."""
    return text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass")


def _sample(text: str) -> str:
    step = len(text) // SLICES
    first = (step - SLICE_CHARS) // 2
    return "".join([text[at : at + SLICE_CHARS] for at in range(first, first + step * SLICES, step)])


def count(sample: bytes) -> Counts:
    """Count what the estimate rests on; `sample` is at most four times `SAMPLE_CHARS` long."""
    seen = int.from_bytes(sample.translate(_CLASSES), "little")
    begun = seen & ~(seen << 8)
    beyond = 0 if sample.isascii() else (seen & _BEYONDS).bit_count()
    return (
        len(sample) - beyond,
        (seen & _SPACES).bit_count(),
        (seen & _NEWLINES).bit_count(),
        (begun & _UPPERS).bit_count(),
        (begun & _DIGITS).bit_count(),
        (begun & _PUNCTUATIONS).bit_count(),
        beyond,
    )


def _weights(counts: Counts, scale: float) -> tuple[int, int]:
    plain, spaces, lines, capitals, numbers, marks, beyond = counts
    a, b, c, d, e, f, g = _V3
    v3 = a * plain + b * spaces + c * lines + d * capitals + e * numbers + f * marks + g * beyond
    a, b, c, d, e, f, g = _V47
    v47 = a * plain + b * spaces + c * lines + d * capitals + e * numbers + f * marks + g * beyond
    return ceil(max(v3, 0.0) * scale), ceil(max(v47, 0.0) * scale)


def content_kind(text: str) -> str:
    """Name what `text` looks like, one of `KINDS`: for reports, no estimate depends on it."""
    sample = encoded(_sample(text) if len(text) > SAMPLE_CHARS else text)
    plain, spaces, _, capitals, numbers, marks, beyond = count(sample)
    size = max(plain + beyond, 1)
    head = text[:HEAD_CHARS].lstrip()
    if beyond > BEYOND_SHARE * size:
        return "beyond ASCII"
    if head[:1] in {"{", "["} and '"' in head:
        return "JSON"
    if head[:1].isdigit() and ("\u2192" in head or "\t" in head):
        return "numbered lines"
    if spaces < BLOB_SPACE_SHARE * size and capitals + numbers > BLOB_START_SHARE * size:
        return "base64, hex"
    if numbers > TABLE_NUMBER_SHARE * size:
        return "tables, listings"
    return "prose" if marks < PROSE_MARK_SHARE * size else "code, output"
