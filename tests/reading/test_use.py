"""`used_share`: what of a large tool result the model wrote later and had not written before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.ingest import merge
from costscan.reading.conversation.result_use import BEFORE, FOLLOWED, HELD_CHARS, MIN_CHARS, MIN_TEXTS, Use
from logs import Json, assistant, pair, text, tool_result, tool_use, usage, user, write
from seen import Seen, analyzed, see_blocks

FILLER = "".join(f"row {n} qlorvex_{n:04d} of the table\n" for n in range(400))
LATER = [f"Now step {n} of the work." for n in range(8)]


def told(first: str, result: Any, later: Sequence[str], command: str = "show the table") -> list[Json]:
    """A user's request, one tool call with its result, and what the model wrote in calls of their own."""
    used = usage(10, read=100, out=5)
    start = [user(first), assistant("msg_0", used, content=[tool_use("toolu_0", command=command)])]
    answers = [assistant(f"msg_{n}", used, content=[text(said)]) for n, said in enumerate(later, 1)]
    return [*start, user([tool_result("toolu_0", result)]), *answers]


def share(seen: Seen) -> Any:
    return seen.blocks.filter(kind="tool_result")["used_share"].item()


def share_of(folder: Path, *args: Any, **more: Any) -> Any:
    return share(see_blocks(write(folder / "s.jsonl", *told(*args, **more))))


def test_a_word_that_only_the_result_had(tmp_path: Path) -> None:
    found = share_of(tmp_path, "go on", FILLER, ["The value is in qlorvex_0000.", *LATER])
    assert 0 < found < 0.1


def test_nothing_of_it_comes_again(tmp_path: Path) -> None:
    assert share_of(tmp_path, "go on", FILLER, LATER) == 0


@pytest.mark.parametrize(
    "said", ["the table of a row", "Row of the Table", "read the file and test the function"]
)
def test_common_words_are_no_use(tmp_path: Path, said: str) -> None:
    assert share_of(tmp_path, "go on", FILLER, [said, *LATER]) == 0


def test_a_word_of_the_request_is_no_sign_of_use(tmp_path: Path) -> None:
    known = {"command": "grep qlorvex_0000 qlorvex_0001"}
    again = ["I looked for qlorvex_0000 and qlorvex_0001.", *LATER]
    assert share_of(tmp_path, "go on", FILLER, again, **known) is None
    assert share_of(tmp_path, "find qlorvex_0000 and qlorvex_0001", FILLER, again) is None


@pytest.mark.parametrize(
    "result",
    ["", "qlorvex_0000", [{"type": "image", "source": {"data": "x"}}], "of the\n" * 2000, "…" * 9000],
)
def test_where_it_cannot_be_known(tmp_path: Path, result: Any) -> None:
    assert share_of(tmp_path, "go on", result, ["qlorvex_0000", *LATER]) is None


def test_a_result_with_nothing_behind_it(tmp_path: Path) -> None:
    assert share_of(tmp_path, "go on", FILLER, LATER[:1]) is None
    assert share_of(tmp_path, "go on", FILLER, LATER[: MIN_TEXTS - 1]) is None


def test_in_the_input_of_a_later_tool(tmp_path: Path) -> None:
    lines = told("go on", FILLER, LATER)
    lines[3]["message"]["content"] = [tool_use("toolu_9", command="grep\nqlorvex_0000")]
    assert share(see_blocks(write(tmp_path / "s.jsonl", *lines))) > 0


def test_results_in_parts(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": FILLER}, {"type": "text", "text": "at last zubrimand"}]
    assert share_of(tmp_path, "go on", parts, ["It is zubrimand.", *LATER]) > 0


def test_a_compaction_ends_what_can_be_referred_to(tmp_path: Path) -> None:
    lines = told("go on", FILLER, [*LATER, "It was qlorvex_0000."])
    lines.insert(-1, {"type": "system", "subtype": "compact_boundary", "sessionId": "s1"})
    assert share(see_blocks(write(tmp_path / "s.jsonl", *lines))) == 0


def test_full_requests_are_judged_once(tmp_path: Path) -> None:
    asked: list[Json] = [
        {"role": "user", "content": "go on"},
        {"role": "assistant", "content": [tool_use("t", command="show")]},
        {"role": "user", "content": [tool_result("t", FILLER)]},
    ]
    lines = []
    for n, said in enumerate([*LATER, "See qlorvex_0000.", "Done."]):
        answer: Json = {"type": "message", "id": f"msg_{n}", "role": "assistant", "model": "claude-opus-4-8"}
        answer |= {"stop_reason": "end_turn", "content": [text(said)], "usage": usage(10, out=5)}
        lines.append(pair(answer, [*asked], run_id="r"))
        asked += [{"role": "assistant", "content": [text(said)]}, {"role": "user", "content": "next"}]
    assert share(see_blocks(write(tmp_path / "p.jsonl", *lines))) > 0


def used(result: str, later: Sequence[str], before: Sequence[str] = ()) -> Any:
    """What the parts say of one result, in calls of their own."""
    use = Use()
    for n, said in enumerate(before):
        use.wrote(n, said)
    use.result(7, result)
    for n, said in enumerate(later):
        use.wrote(len(before) + n, said)
    use.close()
    return use.used.get(7)


def test_the_last_call_and_the_furthest_word() -> None:
    found = used(FILLER + "zubrimand", ["qlorvex_0000", "no", "and zubrimand", "qlorvex_0000 again", *LATER])
    assert found.call == 3
    assert found.to > 0.99
    assert used(FILLER, ["see qlorvex_0001", *LATER]).to < 0.01


def test_the_last_use_is_handed_over_with_the_call(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *told("go on", FILLER, ["no", "qlorvex_0000", "qlorvex_0000", *LATER]))
    with analyzed(path) as found:
        blocks = merge.table(found.reading.folder, "blocks").collect()
    row = blocks.filter(kind="tool_result").row(0, named=True)
    assert (row["turn_in"], row["used_last"]) == (1, 3)
    assert row["used_to"] < 0.01
    assert blocks.filter(pl.col("kind") != "tool_result")["used_last"].null_count() == blocks.height - 1


@given(st.permutations(["we see qlorvex_0000", "and qlorvex_0001", *LATER[:2]]))
def test_the_order_of_what_comes_later_changes_no_share(later: list[str]) -> None:
    assert used(FILLER, later).share == used(FILLER, sorted(later)).share


@given(st.lists(st.sampled_from(["fromble", "grintavo", "pelquist", "wandorel"]), min_size=4, max_size=8))
def test_words_the_result_does_not_have_change_nothing(words: list[str]) -> None:
    plain = used(FILLER, ["qlorvex_0000", *LATER[: len(words)]])
    assert used(FILLER, ["qlorvex_0000", *words]) == plain
    assert used(FILLER, words).share == 0


@given(st.text(max_size=200), st.lists(st.one_of(st.text(max_size=50), st.just("qlorvex_0000")), max_size=8))
def test_a_share_lies_between_0_and_1(noise: str, later: list[str]) -> None:
    found = used(noise + FILLER, later, before=[noise])
    assert found is None or (0 <= found.share <= 1 and (found.to is None or 0 <= found.to <= 1))


def test_memory_is_bounded() -> None:
    use, big = Use(), FILLER * 10
    for n in range(300):
        use.result(n, big)
        use.wrote(n, "short " * 2000)
        assert len(use._pending) <= min(FOLLOWED + 1, HELD_CHARS // len(big) + 1)
        assert sum(len(held.text) for held in use._pending) <= HELD_CHARS
        assert sum(len(said) for _, said in use._written) <= (FOLLOWED + BEFORE) * 1100
    assert len(FILLER) > MIN_CHARS


def test_what_comes_long_after_is_not_seen() -> None:
    quiet = ["Now the next step."] * FOLLOWED
    assert used(FILLER, [*quiet, "qlorvex_0000"]).share == 0
    assert used(FILLER, [*quiet[1:], "qlorvex_0000"]).share > 0
