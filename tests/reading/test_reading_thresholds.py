"""The limits of what is read out of texts and counters, each with a case just within it and one just beyond."""

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.reading.conversation.call import _is_too_few, _may_have_grown, key_of
from costscan.reading.conversation.result_use import judged
from costscan.reading.prompt_diff.divergence import alike
from costscan.reading.prompt_diff.messages import _same_question
from costscan.reading.prompt_diff.value_kind import _is_hex, _number
from costscan.usage import within_limits


@pytest.mark.parametrize(("output_tokens", "chars", "is_few"), [
    (8, 0, True), (9, 0, False), (9, 72, False), (9, 73, True),
])  # fmt: skip
def test_an_answer_with_more_than_eight_characters_to_a_token_was_not_counted_whole(
    output_tokens: int, chars: int, *, is_few: bool
) -> None:
    """Nor one of eight tokens: that is what the first event of a stream had counted."""
    assert _is_too_few(output_tokens, chars) == is_few


@pytest.mark.parametrize(("version", "may_have"), [("2.1.59", True), ("2.1.60", False), (None, True)])
def test_clients_from_2_1_60_on_log_what_is_whole(version: str | None, *, may_have: bool) -> None:
    call: Any = SimpleNamespace(stop_reason=None, says_unfinished=True, version=version)
    assert _may_have_grown(call) == may_have


@pytest.mark.parametrize(("chars", "key"), [(20, "{} (1,)"), (19, "{} (1,) m 5")])
def test_an_id_of_less_than_twenty_characters_does_not_tell_calls_apart(chars: int, key: str) -> None:
    """Those of the API have 28; a gateway that numbers its answers begins anew with each start."""
    counters = SimpleNamespace(prompt_side=(1,), output_tokens=5)
    call: Any = SimpleNamespace(message_id="i" * chars, model_raw="m", counters=counters)
    assert key_of(call) == key.format("i" * chars)


@pytest.mark.parametrize(("texts", "share"), [(4, 0.0), (3, None)])
def test_four_texts_behind_a_result_show_that_it_was_not_used(texts: int, share: float | None) -> None:
    told = judged("quixotic zanzibar", [], [(n, b"nothing of it") for n in range(texts)])
    assert (None if told is None else told.share) == share


@pytest.mark.parametrize(("again", "share"), [(b"quixotic", 0.0), (b"quixotic zanzibar", None)])
def test_one_word_that_stood_before_may_come_again(again: bytes, share: float | None) -> None:
    """Two of them tell of its subject, and not whether the result was used."""
    text = "quixotic zanzibar brobdingnag"
    told = judged(text, [(0, b"quixotic zanzibar")], [(n, again) for n in range(1, 5)])
    assert (None if told is None else told.share) == share


@pytest.mark.parametrize(
    ("new", "kind"), [("21", "counter"), ("22", "number"), ("13", "counter"), ("12", "number")]
)
def test_a_counter_steps_by_four(new: str, kind: str) -> None:
    """Turns step by one and messages by two; a turn between that is not logged doubles it."""
    assert _number("17", new) == kind


@pytest.mark.parametrize(("text", "is_hex"), [("abcdef0", True), ("abcdef", False), ("ab-abcdef0", True)])
def test_a_hex_id_has_seven_digits(text: str, *, is_hex: bool) -> None:
    """As short commit hashes have; words of six letters, like facade, can be hex too."""
    assert _is_hex(text) == is_hex


@pytest.mark.parametrize(("b", "are_alike"), [("one two five", True), ("one four five", False)])
def test_texts_are_alike_that_share_half_of_their_words(b: str, *, are_alike: bool) -> None:
    """Two of four in both; one of five."""
    assert alike("one two three", b) == are_alike


@pytest.mark.parametrize(("behind", "told"), [(400, 1), (399, 0)])
def test_two_questions_have_four_hundred_characters_in_common(behind: int, told: int) -> None:
    """Behind what varies: that much a cache would have held, had it stood at the end."""
    tail = (" common words stand here" * 30)[: behind - 1] + "."
    old, new = (question(f"{day}{tail}") for day in ("2026-11-01", "2026-11-02"))
    assert len(_same_question(old, new, 0)) == told


def question(text: str) -> Any:
    return SimpleNamespace(text=lambda _: text, blocks=[SimpleNamespace(path="messages[0]")])


@pytest.mark.parametrize(("more", "usage_from"), [
    ({"web_searches": 1, "input_tokens": 4_000_000}, "reported"),
    ({"web_searches": 1, "input_tokens": 4_000_001}, "unreported"),
    ({"tier": "batch", "output_tokens": 300_000}, "reported"),
    ({"tier": "batch", "output_tokens": 300_001}, "unreported"),
])  # fmt: skip
def test_a_call_has_no_more_tokens_than_its_model_can_take_or_write(
    more: dict[str, Any], usage_from: str
) -> None:
    """With web searches 20 prompts of 200,000; in a batch up to 300,000 out (beta header output-300k)."""
    call = {
        "model": "claude-haiku-4-5", "tier": "standard", "web_searches": 0, "input_tokens": 9, "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0, "output_tokens": 9, "usage_from": "reported",
    }  # fmt: skip
    assert within_limits(pl.DataFrame([call | more]))["usage_from"].item() == usage_from
