"""The offline weight of a text."""

import pytest

from costscan.reading.content_kind import content_kind
from costscan.reading.features import FAMILIES, SAMPLE_CHARS, count, weigh, weigh_raw

PROSE = "The quick brown fox jumps over the lazy dog, and nobody minds. "


def test_counts() -> None:
    assert count(b"ab CD 12-- 3\n") == (13, 4, 1, 1 + 2 * 3 + 2, 4, 0)
    assert count("é".encode()) == (0, 0, 0, 0, 0, 2)


@pytest.mark.parametrize("text", ["", "\ud800", "\x00" * 2000, "日本" * 900, " " * 5000, "\U0001f600" * 900])
def test_any_text_weighs_something_finite(text: str) -> None:
    weights = weigh(text)
    assert len(weights) == len(FAMILIES)
    assert all(0 <= w <= 4 * len(text) for w in weights)


@pytest.mark.parametrize("repeats", [9, 40, 1000])
def test_bytes_and_long_texts_weigh_alike(repeats: int) -> None:
    text = PROSE * repeats
    assert weigh_raw(text.encode()) == weigh(text)
    for weight, one in zip(weigh(text), weigh(PROSE * 8), strict=True):
        assert weight == pytest.approx(one * repeats / 8, rel=0.1)
    assert len(PROSE * 8) <= SAMPLE_CHARS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PROSE * 20, "prose"),
        ('{"a": [1, 2, {"b": null}]}', "JSON"),
        ("     1→import os\n     2→import sys\n", "numbered lines"),
        ("-rw-r--r-- 1 root root 4096 Aug  2 17:24 a\n" * 30, "tables, listings"),
        ("aGVsbG8gd29ybGQhIQ9zZW5kIG1vcmUgYnl0ZXM3" * 20, "base64, hex"),
        ("今天的天气很好" * 20, "beyond ASCII"),
        ("def f(a, b):\n    return g(a)[b] + {a: b}\n" * 20, "code, output"),
    ],
)
def test_content_kind(text: str, kind: str) -> None:
    assert content_kind(text) == kind
