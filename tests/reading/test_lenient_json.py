"""Two decoders give one value: what msgspec takes is what Python takes, and what it refuses is read all the same."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.reading.io import lenient_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(PLAIN, st.booleans())
def test_a_value_is_what_python_makes_of_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert lenient_json.value(text) == json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\x01b"', "a\x01b"),
        ('"\\ud800"', "\ud800"),
        ('["\ud800"]', ["\ud800"]),
        ("[Infinity, 1e400]", [math.inf, math.inf]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1" * 5_000, math.inf),
        ("[1,]", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_odd_values_are_read_as_far_as_they_can_be(text: str, value: Any) -> None:
    assert lenient_json.value(text) == value


@pytest.mark.parametrize(
    ("text", "objects", "problem"),
    [
        ('{"a": 1}', [{"a": 1}], ""),
        ('[{"a": 1}, 2, {"b": 3}]', [{"a": 1}, {"b": 3}], ""),
        ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}], ""),
        ("[1, 2]", [], "not a JSON object but a list"),
        ('{"a": "\\q"}', [{"a": "\\q"}], "broken escapes, repaired"),
    ],
)
def test_objects_of_whole_and_of_broken_texts(text: str, objects: list[Any], problem: str) -> None:
    for parsed in (lenient_json.objects(text), lenient_json.document(text)):
        assert (parsed.objects, parsed.problem) == (objects, problem)
