"""The offline weight of a text."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - loads the profile
from costscan.reading.content.block import hash_text
from costscan.reading.content.excerpts import excerpts
from costscan.reading.content.kind import KINDS, content_kind
from costscan.reading.content.token_estimate import SAMPLE_CHARS, count, weigh, weigh_raw
from costscan.tokenizers import FAMILIES
from logs import write

PROSE = "The quick brown fox jumps over the lazy dog, and nobody minds. "


def test_counts() -> None:
    assert count(b"ab CD 12-- 3\n") == (13, 4, 1, 1 + 2 * 3 + 2, 4, 0, 0, 0)
    assert count("é".encode()) == (0, 0, 0, 0, 0, 2, 0, 0)
    assert count(b"3f9a,12;7\n8 5")[-2:] == (2, 2)


@given(st.text(st.sampled_from("aB3 1\n,;\té"), max_size=90))
def test_counts_are_those_of_a_plain_search(said: str) -> None:
    """The same by regular expressions, one place at a time."""
    raw = said.encode()
    marks, capitals, numbers = (len(re.findall(p, raw)) for p in (rb"[,;]+", rb"[A-Z]+", rb"[0-9]+"))
    assert count(raw) == (
        sum(byte < 128 for byte in raw),
        len(re.findall(rb"[ \t\n]", raw)),
        len(re.findall(rb"\n", raw)),
        capitals + 2 * marks + 3 * numbers,
        capitals + marks + numbers,
        sum(byte >= 128 for byte in raw),
        len(re.findall(rb"[,;](?=[0-9])", raw)),
        len(re.findall(rb"(?<![,; \t\n0-9])[0-9]", raw)),
    )


DATED = "".join(
    f"2024-0{n % 9 + 1}-{n % 28 + 1:02},{n * 7 % 90},{n % 12},{n * 3 % 100}.{n % 10}\n" for n in range(60)
)
BLANKS = "".join(f"{n * 7 % 90} {n % 12} {n * 3 % 100}\n" for n in range(60))
TABLES = {DATED: (900, 899), BLANKS: (360, 359)}
"""Tables of short numbers and dates, and their tokens in both families by a public tokenizer."""


@pytest.mark.parametrize(("table", "tokens"), TABLES.items())
def test_a_table_of_short_numbers_weighs_what_it_is(table: str, tokens: tuple[int, int]) -> None:
    for weight, told in zip(weigh(table), tokens, strict=True):
        assert weight == pytest.approx(told, rel=0.1)


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
        ('{"reviews": [{"body": "' + PROSE * 20 + '"}]}', "prose"),
        ("     1→import os\n     2→import sys\n", "numbered lines"),
        ("-rw-r--r-- 1 root root 4096 Aug  2 17:24 a\n" * 30, "tables, listings"),
        ("aGVsbG8gd29ybGQhIQ9zZW5kIG1vcmUgYnl0ZXM3" * 20, "base64, hex"),
        ("./src/v1.2/a-b_c.d.ts\n" * 40, "tables, listings"),
        (
            "diff --git a/a.min.js b/a.min.js\n@@ -1 +1 @@\n-a=1;b={c:2};\n" + "+a=1;b={c:2};\n" * 40,
            "code, output",
        ),
        ("今天的天气很好" * 20, "beyond ASCII"),
        ("def f(a, b):\n    return g(a)[b] + {a: b}\n" * 20, "code, output"),
    ],
)
def test_content_kind(text: str, kind: str) -> None:
    assert content_kind(text) == kind


@given(st.one_of(st.text(max_size=300), st.text(min_size=1, max_size=9).map(lambda said: said * 400)))
def test_any_text_looks_like_something(said: str) -> None:
    assert content_kind(said) in KINDS


@given(st.text(st.characters(max_codepoint=127), max_size=900))
def test_the_weight_of_ascii_is_that_of_its_bytes(said: str) -> None:
    assert weigh(said) == weigh_raw(said.encode())


@given(st.recursive(st.text(max_size=9) | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(("type", "text", "content", "input", "name", "source")), inner)))  # fmt: skip
def test_the_texts_of_any_line_can_be_asked_for(value: Any) -> None:
    """What is not found is not shown; whole texts are found by their hashes, wherever they stand."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.jsonl", {"inside": [value, "needle"]})
        found = excerpts(str(path), {1: {hash_text("needle") or 0, 7}}, redact=True)
    assert found == {hash_text("needle"): "needle"}
