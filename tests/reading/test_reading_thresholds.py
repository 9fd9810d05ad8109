"""The limits of what is read out of texts and counters, each with a case just within it and one just beyond."""

from collections.abc import Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan.reading.conversation.call import _is_too_few, _may_have_grown, key_of
from costscan.reading.conversation.result_use import Use, Used, judged
from costscan.reading.prompt_diff.divergence import alike
from costscan.reading.prompt_diff.messages import _same_question, is_compacted
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


RESULT = "quixotic zanzibar " + "row of the table " * 360
"""A result of more than 6,000 characters with two words that tell of its use."""


def used(before: Sequence[str], after: Sequence[str], result: str = RESULT) -> Used | None:
    """Return what is told of a result that stands between these texts of a model, one of each call."""
    use, calls = Use(), count()
    for text in before:
        use.wrote(next(calls), text)
    block: Any = SimpleNamespace(kind="tool_result", text=result)
    use.sent(7, next(calls), "user", block)
    for text in after:
        use.wrote(next(calls), text)
    use.close()
    return use.used.get(7)


@pytest.mark.parametrize(("chars", "is_told"), [(6000, True), (5999, False)])
def test_a_result_of_six_thousand_characters_is_followed(chars: int, *, is_told: bool) -> None:
    """As docs/used-share.md says: to follow a smaller one takes as long, and it costs little."""
    assert (used([], ["no word of it"] * 4, RESULT[:chars]) is not None) == is_told


@pytest.mark.parametrize(("quiet", "is_used"), [(63, True), (64, False)])
def test_a_result_is_followed_through_64_texts(quiet: int, *, is_used: bool) -> None:
    """Of 22 results that 32 texts called unused, four were used later: docs/used-share.md."""
    told = used([], ["no word of it"] * quiet + ["the quixotic one"])
    assert told is not None
    assert (told.share != 0) == is_used


@pytest.mark.parametrize(("between", "is_used"), [(3, False), (4, True)])
def test_a_word_of_the_four_texts_before_is_no_sign_of_use(between: int, *, is_used: bool) -> None:
    """They hold what was asked for and why; what was said long before may have been forgotten."""
    told = used(["the quixotic one", *["nothing"] * between], ["the quixotic one"] * 4)
    assert told is not None
    assert (told.share != 0) == is_used


@pytest.mark.parametrize(("word", "is_used"), [("zorq", True), ("zrq", False)])
def test_a_word_that_tells_of_use_has_four_letters(word: str, *, is_used: bool) -> None:
    """Shorter ones come again by chance."""
    told = used([], [word] * 4, f"{word} {RESULT}")
    assert told is not None
    assert (told.share != 0) == is_used


def test_the_two_longest_words_say_how_long_a_result_was_used() -> None:
    """The shorter a word is, the likelier it comes again by chance."""
    told = used([], ["quixotical", "zanzibari", "brobding"], f"quixotical zanzibari {RESULT} brobding")
    assert told is not None
    assert told.call == 2
    assert told.to == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("gone", "stay", "chars", "is_one"), [
    (3, 0, 150, True), (2, 0, 150, False), (3, 1, 150, True), (5, 2, 150, False), (3, 0, 151, False),
])  # fmt: skip
def test_a_compaction_halves_three_blocks_or_more_of_which_a_third_stays(
    gone: int, stay: int, chars: int, *, is_one: bool
) -> None:
    """Of 300 characters; less that goes, or more that stays, is an edit, unless the text says that it sums up."""
    old = prompt(range(gone + 1), 300)
    new = prompt([0, 99, *range(1, stay + 1)], chars)
    assert is_compacted(old, new, 1) == is_one


def prompt(keys: Sequence[int], chars: int) -> Any:
    """Return a prompt of messages, which have so many characters behind the first one."""
    sizes = [0, chars, *[0] * len(keys)]
    blocks = [
        SimpleNamespace(layer="messages", role="user", measured=SimpleNamespace(kind="text", chars=size))
        for size in sizes[: len(keys)]
    ]
    return SimpleNamespace(keys=list(keys), blocks=blocks, text=lambda _: "what was done")
