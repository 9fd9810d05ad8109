"""Two answers, compared by hand: tool calls by what they ask for, JSON by value, labels to the letter."""

from typing import Any

import pytest

from costscan.trial.comparing import compared, kind_of
from costscan.trial.recorded import Answer, answer_of


def text(said: str, stop: str = "end_turn") -> Answer:
    return Answer([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": said}], stop)


def calls(*named: tuple[str, Any]) -> Answer:
    blocks = [
        {"type": "tool_use", "id": f"t{n}", "name": name, "input": given}
        for n, (name, given) in enumerate(named)
    ]
    return Answer([{"type": "text", "text": "Let me look."}, *blocks], "tool_use")


READ, GREP = ("Read", {"path": "a", "limit": 5}), ("Grep", {"pattern": "x"})
CASES = [
    ("tool_calls", calls(READ), calls(("Read", {"limit": 5.0, "path": "a"})), True),
    ("tool_calls", calls(READ, GREP), calls(GREP, READ), True),
    ("tool_calls", calls(READ, READ), calls(READ), False),
    ("tool_calls", calls(READ), calls(("Read", {"path": "a", "limit": "5"})), False),
    ("tool_calls", calls(READ), calls(("Read", {"path": "a"})), False),
    ("tool_calls", calls(READ), calls(("Cat", {"path": "a", "limit": 5})), False),
    ("tool_calls", calls(READ), text("I have read it."), False),
    ("tool_calls", calls(("Ask", {"is_sure": True})), calls(("Ask", {"is_sure": 1})), False),
    ("json", text('{"a": 1, "b": [1, 2]}'), text('```json\n{"b":[1,2.0],"a":1}\n```'), True),
    ("json", text('{"a": 1, "b": [1, 2]}'), text('{"a": 1, "b": [2, 1]}'), False),
    ("json", text('{"a": null}'), text("{}"), False),
    ("json", text("[]"), text("none"), False),
    ("json", text('{"a": 1}'), text('Here it is: {"a": 1}'), False),
    ("label", text("billing"), text(" billing\n"), True),
    ("label", text("billing"), text("Billing"), False),
    ("label", text("billing"), text("billing", "max_tokens"), False),
    ("label", text("true"), text("true"), True),
    ("label", text("12"), text("12.0"), False),
    ("text", text("It is all there, as it should be."), text("It is all there, as it should be."), True),
    ("text", text("It is all there, as it should be."), text("All of it is there."), None),
    ("text", text("It is all there, as it should be."), calls(READ), False),
    ("text", text("It is all there, as it should be."), text(""), False),
    ("label", text("billing"), Answer([], "refusal"), False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "recorded", "other", "agrees"), CASES)
def test_by_hand(kind: str, recorded: Answer, other: Answer, agrees: bool | None) -> None:
    found = kind_of(recorded)
    assert found is not None
    assert found.name == kind
    said = compared(found, recorded, other)
    assert said.agrees == agrees
    assert (said.why is None) == (agrees is True)


@pytest.mark.parametrize(
    "recorded", [text(""), text("half of it", "max_tokens"), text("no", "refusal"), Answer([], None)]
)
def test_what_is_not_whole_is_not_compared(recorded: Answer) -> None:
    assert kind_of(recorded) is None


def test_a_label_is_short() -> None:
    for said, kind in (("a b c d", "label"), ("a b c d e", "text"), ("a\nb", "text"), ("x" * 61, "text")):
        found = kind_of(text(said))
        assert found is not None
        assert found.name == kind


def test_what_differs_is_told_without_values() -> None:
    for one, other, why in (
        (text('{"a": 1, "b": 2}'), text('{"a": 1, "b": 3}'), "1 of 2 fields differ"),
        (text('{"a": 1}'), text('{"b": 1}'), "other fields"),
        (text("[1]"), text("[2]"), "another value"),
        (calls(READ), calls(GREP), "other tools"),
        (calls(GREP), calls(("Grep", {"pattern": "secret"})), "other arguments"),
    ):
        kind = kind_of(one)
        assert kind is not None
        assert compared(kind, one, other).why == why


def test_hostile_answers() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    kind = kind_of(calls(("Deep", deep)))
    assert kind is not None
    assert compared(kind, calls(("Deep", deep)), calls(("Deep", deep))).agrees is None
    for content in (None, 7, "plain", [1, {"type": 5}], {"type": "text"}):
        assert kind_of(answer_of({"content": content, "stop_reason": 3})) is None or content == "plain"
    odd = Answer([{"type": "tool_use", "name": None, "input": float("nan")}], "tool_use")
    kind = kind_of(odd)
    assert kind is not None
    assert compared(kind, odd, calls(READ)).agrees is False
