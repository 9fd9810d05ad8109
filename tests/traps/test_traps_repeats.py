"""A call told by several lines or several files is billed once, at its largest output, and never lost."""

from decimal import Decimal
from itertools import permutations
from pathlib import Path

from logs import OPUS, SONNET, assistant, at, streamed, text, tool_result, tool_use, usage, usd, user, write
from seen import TOKENS as TOKEN_COLUMNS
from seen import Case, hold_prompts, see, see_blocks, see_each

USED = usage(10, read=1000, w5m=200, out=50)
ONE_CALL = usd(OPUS, **{"in": 10}, read=1000, w5m=200, out=50)
TOKENS = (10, 1000, 200, 0, 50)


def test_price_of_the_call_by_hand() -> None:
    # 10 x 5 + 1000 x 0.5 + 200 x 6.25 + 50 x 25 = 50 + 500 + 1250 + 1250 = 3050 millionths
    assert Decimal("0.003050") == ONE_CALL


def test_identical_lines_are_one_call(tmp_path: Path) -> None:
    line = assistant("msg_1", USED, requestId="req_1")
    seen = see(write(tmp_path / "s.jsonl", line, line, line))
    assert (seen.n_turns, seen.tokens, seen.usd) == (1, TOKENS, ONE_CALL)


def test_largest_unfinished_output_wins_wherever_it_stands(tmp_path: Path) -> None:
    cases = {}
    for request_id in ("req_1", None):
        for outputs in permutations((3, 20, 50)):
            cases[f"{request_id} {outputs}"] = [
                assistant("msg_1", USED | {"output_tokens": n}, content=[text(f"part {n}")], uuid=f"u{n}",
                          requestId=request_id, stop_reason=None) for n in outputs]  # fmt: skip
    for name, turns in see_each(tmp_path, cases).items():
        assert turns.select("output_tokens", "usd").rows() == [(50, ONE_CALL)], name


def test_lines_of_one_call_with_others_between(tmp_path: Path) -> None:
    first = assistant("msg_1", USED, content=[tool_use("toolu_1")])
    other = assistant("msg_2", USED | {"output_tokens": 7})
    again = assistant("msg_1", USED, content=[tool_use("toolu_2")])
    seen = see(write(tmp_path / "s.jsonl", first, other, again))
    assert sorted(seen.column("output_tokens")) == [7, 50]


def test_request_id_on_some_lines_only(tmp_path: Path) -> None:
    lines = [assistant("msg_1", USED, uuid="a"), assistant("msg_1", USED, uuid="b", requestId="req_1")]
    for name, turns in see_each(tmp_path, {"without first": lines, "with first": lines[::-1]}).items():
        assert turns["usd"].to_list() == [ONE_CALL], name


def test_no_message_id_but_a_request_id(tmp_path: Path) -> None:
    lines = [assistant(None, USED, uuid=u, requestId="req_1") for u in "ab"]
    assert see(write(tmp_path / "s.jsonl", *lines, assistant(None, USED, requestId="req_2"))).n_turns == 2


def test_no_id_at_all_is_a_call_a_line(tmp_path: Path) -> None:
    lines = [assistant(None, USED, timestamp=at(n)) for n in range(3)]
    path = write(tmp_path / "a" / "s.jsonl", *lines)
    assert see(path).usd == 3 * ONE_CALL
    write(tmp_path / "b" / "s.jsonl", *lines)
    assert see(tmp_path).usd == 3 * ONE_CALL


def test_gateway_reuses_an_id_for_another_call_of_a_session(tmp_path: Path) -> None:
    first = assistant("msg_1", USED, requestId="req_1")
    second = assistant("msg_1", usage(20, read=1200, w5m=30, out=50), requestId="req_2")
    seen = see(write(tmp_path / "s.jsonl", first, second))
    assert seen.tokens == (30, 2200, 230, 0, 100)


def test_gateway_reuses_an_id_in_another_session(tmp_path: Path) -> None:
    cases: dict[str, Case] = {
        f"{first} {second}": {
            "a.jsonl": [assistant("msg_1", USED, requestId=first)],
            "b.jsonl": [assistant("msg_1", usage(7, out=1), sessionId="s2", requestId=second)],
        }
        for first, second in (("req_1", "req_2"), (None, None))
    }
    for name, turns in see_each(tmp_path, cases).items():
        assert turns.sort("output_tokens").select(TOKEN_COLUMNS).rows() == [(7, 0, 0, 0, 1), TOKENS], name


def test_replay_under_a_new_request_id_is_the_same_call(tmp_path: Path) -> None:
    lines = [assistant("msg_1", USED, uuid=u, requestId=f"req_{u}") for u in "ab"]
    assert see(write(tmp_path / "one" / "s.jsonl", *lines)).usd == ONE_CALL
    for line, name in zip(lines, "ab", strict=True):
        write(tmp_path / "two" / f"{name}.jsonl", line | {"sessionId": name})
    assert see(tmp_path / "two").usd == ONE_CALL


def history(n: int, session: str = "s1", first: int = 0) -> list[dict[str, object]]:
    """A session of n calls, each with a tool result before the next."""
    lines: list[dict[str, object]] = []
    for i in range(first, first + n):
        lines.append(user([tool_result(f"toolu_{i}", "x" * 40)] if i else "start", sessionId=session,
                          uuid=f"u{i}", timestamp=at(10 * i)))  # fmt: skip
        used = usage(2, read=500 * i, w5m=500, out=20)
        lines.append(assistant(f"msg_{i}", used, content=[tool_use(f"toolu_{i + 1}")], sessionId=session,
                               uuid=f"a{i}", requestId=f"req_{i}", timestamp=at(10 * i + 5)))  # fmt: skip
    return lines


def cost(n: int) -> object:
    return sum(usd(OPUS, **{"in": 2}, read=500 * i, w5m=500, out=20) for i in range(n))


def test_resumed_into_a_new_session(tmp_path: Path) -> None:
    write(tmp_path / "old.jsonl", *history(3))
    write(tmp_path / "new.jsonl", *history(3, "s2"), *history(2, "s2", first=3))
    seen = see_blocks(tmp_path)
    assert (seen.n_turns, seen.usd) == (5, cost(5))
    assert seen.analysis.duplicate_turns == 3
    assert [seen.run(r)["n_turns"] for r in ("s1", "s2")] == [3, 2]
    # The turns of the new session carry what was copied into it.
    assert seen.growth.filter(run_id="s2")["carried_tokens"].to_list() == [1502, 2002]
    assert hold_prompts(seen) == 5


def test_resumed_lines_that_keep_their_old_session_id(tmp_path: Path) -> None:
    write(tmp_path / "old.jsonl", *history(3))
    write(tmp_path / "new.jsonl", *history(3), *history(2, "s2", first=3))
    seen = see(tmp_path)
    assert (seen.n_turns, seen.usd) == (5, cost(5))
    assert [seen.run(r)["n_turns"] for r in ("s1", "s2")] == [3, 2]


def test_snapshots_that_are_prefixes_of_each_other(tmp_path: Path) -> None:
    cases = {
        names: {f"{name}.jsonl": history(calls) for calls, name in zip((1, 3, 6), names, strict=True)}
        for names in map("".join, permutations("abc"))
    }
    told = see_each(tmp_path, cases, blocks=True)
    for n, (names, turns) in enumerate(told.items()):
        assert (turns["usd"].sum(), set(turns["run_id"])) == (cost(6), {f"s1-{n}"}), names
        assert turns["turn"].to_list() == list(range(6)), names
    assert hold_prompts(told.seen) == 6 * len(cases)


def test_two_forks_that_both_go_on(tmp_path: Path) -> None:
    write(tmp_path / "z.jsonl", *history(3), *history(1, first=7))
    write(tmp_path / "a.jsonl", *history(3, "s2"), *history(1, "s2", first=8))
    write(tmp_path / "m.jsonl", *history(3, "s3"), *history(1, "s3", first=9))
    seen = see(tmp_path)
    assert seen.n_turns == 6
    assert sorted(seen.column("message_id")) == ["msg_0", "msg_1", "msg_2", "msg_7", "msg_8", "msg_9"]
    assert [seen.run(r)["n_turns"] for r in ("s1", "s2", "s3")] == [4, 1, 1]


def test_a_copy_alone_is_not_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "new.jsonl", *history(3, "s2"))
    assert see(path).usd == cost(3)


def test_a_copy_that_was_cut_in_the_middle_of_a_call(tmp_path: Path) -> None:
    whole, cut = history(2), history(2, "s2")
    unfinished = cut[-1]["message"] | {"usage": usage(2, read=500, w5m=500, out=1), "stop_reason": None}  # type: ignore[operator]
    cut[-1] = cut[-1] | {"message": unfinished, "timestamp": at(14)}
    write(tmp_path / "cut.jsonl", *cut)
    write(tmp_path / "whole.jsonl", *whole)
    seen = see(tmp_path)
    assert seen.usd == cost(2)
    assert set(seen.column("usage_from")) == {"reported"}


def test_a_copy_that_does_not_tell_the_cache_writes_apart(tmp_path: Path) -> None:
    told = assistant("msg_1", usage(10, w5m=20, w1h=200, out=50), requestId="req_1", timestamp=at(5))
    # Where the totals differ, too, the counters are those of one of them.
    expected = {220: (10, 0, 20, 200, 50), 100: (10, 0, 20, 200, 50)}
    cases: dict[str, Case] = {}
    for total in expected:
        used = {"input_tokens": 10, "cache_creation_input_tokens": total, "output_tokens": 50}
        plain = assistant("msg_1", used, requestId="req_1", timestamp=at(1), sessionId="s2")
        for first, second in ("ab", "ba"):
            cases[f"{total} {first}"] = {f"{first}.jsonl": [told], f"{second}.jsonl": [plain]}
    for name, turns in see_each(tmp_path, cases).items():
        assert turns.select(TOKEN_COLUMNS).rows() == [expected[int(name.split()[0])]], name


def test_files_given_twice_and_through_links(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", assistant("msg_1", USED))
    (tmp_path / "link.jsonl").symlink_to(path)
    seen = see(path, tmp_path, tmp_path / "*.jsonl")
    assert (seen.reading.files, seen.usd) == (1, ONE_CALL)


def test_same_output_in_two_files_is_reported_where_one_of_them_says_so(tmp_path: Path) -> None:
    used = usage(10, out=4)
    pad = [text("x" * 3000)]
    cases: dict[str, Case] = {
        name: {
            "a.jsonl": [assistant("msg_1", used, timestamp=at(1), content=told)],
            "b.jsonl": [streamed("msg_1", used, timestamp=at(1), content=shown)],
        }
        for name, told, shown in (("transcript longer", pad, []), ("stream longer", [], pad))
    }
    each = see_each(tmp_path, cases)
    for name, turns in each.items():
        assert turns["usage_from"].to_list() == ["reported"], name
    assert each.seen.runs["source"].to_list() == ["claude_code"] * 2


def test_other_model_is_another_price_not_another_call(tmp_path: Path) -> None:
    lines = [assistant("msg_1", USED, model=SONNET), assistant("msg_2", USED)]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.usd == ONE_CALL + usd(SONNET, **{"in": 10}, read=1000, w5m=200, out=50)
