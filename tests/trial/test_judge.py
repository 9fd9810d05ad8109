"""A judge of texts: it is shown both orders, and not which text was recorded."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costscan.errors import CostscanError
from costscan.trial.judge import Judge, conversation, judge_of, most_prompt_tokens, rubric_in, verdict
from costscan.trial.plan import ITSELF, TARGET
from costscan.trial.recorded import Answer
from trial_server import TrialServer, words
from trials import OWN, TARGET_MODEL, logged, pair, run, wanted

RECORDED, OTHER = "It came on Monday as you had asked.", "It was brought on Monday, as asked."
JUDGE = Judge("claude-sonnet-5-5", "A good answer names the day.")


def text(said: str) -> Answer:
    return Answer([{"type": "text", "text": said}], "end_turn")


@pytest.mark.parametrize(
    ("ab", "ba", "agrees"),
    [
        ("EQUAL", "EQUAL", True),
        ("SECOND", "FIRST", True),
        ("EQUAL", "FIRST", True),
        ("FIRST", "SECOND", False),
        ("FIRST", "FIRST", False),
        ("SECOND", "SECOND", False),
        ("FIRST", "EQUAL", False),
        ("FIRST", "neither", None),
    ],
)
def test_both_orders_count(ab: str, ba: str, agrees: bool | None) -> None:
    said = {"ab": text(f"Hm. VERDICT: FIRST? No.\nVERDICT: {ab}"), "ba": text(f"VERDICT: {ba}")}
    if ba == "neither":
        said["ba"] = text("neither")
    assert verdict(said).agrees is agrees


def test_a_half_judged_pair_says_nothing() -> None:
    assert verdict({"ab": text("VERDICT: EQUAL")}).agrees is None
    assert verdict({}).agrees is None


def test_it_is_blind() -> None:
    request = {"system": "Be brief.", "messages": [{"role": "user", "content": "When?"}], "model": OWN}
    both = [JUDGE.params(request, text(RECORDED), text(OTHER), order) for order in ("ab", "ba")]
    shown = [one["messages"][0]["content"] for one in both]
    assert all(OWN not in json.dumps(one) and "recorded" not in json.dumps(one).lower() for one in both)
    assert shown[0].replace(RECORDED, "1").replace(OTHER, "2") == shown[1].replace(OTHER, "1").replace(
        RECORDED, "2"
    )
    assert JUDGE.rubric in both[0]["system"]
    assert all("Be brief." in one and "When?" in one for one in shown)
    assert most_prompt_tokens(both[0]) > len(shown[0])


def test_a_conversation_as_it_is_read() -> None:
    blocks: list[Any] = [
        {"type": "text", "text": "See this."},
        {"type": "image", "source": {"data": "AAAA"}},
        {"type": "tool_result", "content": [{"type": "text", "text": "ok"}]},
    ]
    asked = [{"role": "assistant", "content": [{"type": "tool_use", "name": "ls", "input": {"a": 1}}]}]
    said = conversation({"messages": [*asked, {"role": "user", "content": blocks}]})
    assert said == 'assistant: [calls ls with {"a": 1}]\n\nuser: See this.\n[image]\n[result: ok]'
    assert conversation({"messages": "none"}) == ""


def test_texts_are_judged_and_paid_for(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n, RECORDED) for n in range(10)])

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        if body["model"] != JUDGE.model:
            return words(OTHER if body["model"] == TARGET_MODEL else RECORDED)
        shown = body["messages"][0]["content"]
        # It prefers what came on Monday where message 3 or 4 is asked for, and else nothing.
        if "Message 3." in shown or "Message 4." in shown:
            return words(
                "VERDICT: " + ("FIRST" if shown.index("came") < shown.index("brought") else "SECOND")
            )
        return words("VERDICT: EQUAL")

    api.answer = answer
    found = run(api, tmp_path / "state", calls, wanted(itself=2, judge=JUDGE))
    assert found.of_role(TARGET)[0::3] == (0.8, 10)
    # What is the same to the letter needs no judge.
    assert found.of_role(ITSELF)[0::3] == (1.0, 2)
    assert [body["model"] for body in api.bodies].count(JUDGE.model) == 20
    judged = next(row for row in found.rows if row.role == TARGET)
    # 100 tokens in and 10 out, of haiku once and of sonnet twice, in a batch.
    assert judged.usd == Decimal("0.0000075") + 2 * Decimal("0.00015")


def test_judging_costs_no_more_than_is_left(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n, RECORDED) for n in range(10)])
    api.answer = lambda body: words("VERDICT: EQUAL" if body["model"] == JUDGE.model else OTHER)
    api.usage = lambda body: {
        "input_tokens": 1500,
        "output_tokens": 4000 if body["model"] == JUDGE.model else 50,
    }
    found = run(api, tmp_path / "state", calls, wanted(judge=JUDGE, max_usd=Decimal("0.1")))
    assert found.usd <= Decimal("0.1")
    assert 0 < found.of_role(TARGET).n < 10
    assert {row.why for row in found.rows if row.agrees is None} == {"the judge gave no verdict"}


def test_without_a_judge_texts_are_left_out(tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n, RECORDED) for n in range(10)])
    with pytest.raises(CostscanError, match="which only a judge can compare") as told:
        run(TrialServer(), tmp_path / "state", calls)
    assert told.value.hint == "give --judge MODEL --rubric FILE"


def test_a_judge_is_a_model_that_is_served(tmp_path: Path) -> None:
    path = tmp_path / "rubric.md"
    path.write_text(" Be kind.\n", encoding="utf-8")
    assert judge_of("sonnet-5-5", path) == Judge("claude-sonnet-5-5", "Be kind.")
    for name in ("gpt-5.5", "claude-3-opus"):
        with pytest.raises(CostscanError, match="not served by Anthropic's API"):
            judge_of(name, path)


def test_a_rubric_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "rubric.md"
    for content, why in ((None, "No such file"), (b"\xff\xfe", "no text in UTF-8"), (b" \n", "empty")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CostscanError, match=why):
            rubric_in(path)
