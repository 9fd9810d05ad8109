"""`toolUseResult`, the second copy of a tool result on a line: leaving it unread hides nothing around it."""

import json
from pathlib import Path
from typing import Any

import pytest

from logs import OPUS, Json, assistant, progress, tool_result, tool_use, usage, usd, user, write
from seen import Seen, see, see_blocks, see_each

CALL = usage(10, read=100, out=5)
EACH = usd(OPUS, **{"in": 10}, read=100, out=5)
BIG = {"stdout": 'said "quoted" {"type":"assistant"}', "file": {"content": "x" * 500}, "usage": [1]}


def packed(line: Any) -> str:
    return json.dumps(line, separators=(",", ":"))


def call(n: int) -> Json:
    return assistant(f"msg_{n}", CALL, uuid=f"a{n}", content=[tool_use(f"toolu_{n}")])


def answer(n: int, **more: Any) -> Json:
    return user([tool_result(f"toolu_{n}", "r" * 300)], uuid=f"u{n}", toolUseResult=BIG) | more


def whole(seen: Seen, calls: int) -> None:
    assert (seen.n_turns, seen.usd, seen.reading.skipped_lines) == (calls, calls * EACH, 0)


def test_results_are_read_once(tmp_path: Path) -> None:
    seen = see_blocks(write(tmp_path / "s.jsonl", packed(call(0)), packed(answer(0)), packed(call(1))))
    whole(seen, 2)
    assert seen.blocks.filter(kind="tool_result")["chars"].to_list() == [300]
    assert seen.column("line") == [1, 3]


def test_a_call_glued_behind_a_result(tmp_path: Path) -> None:
    glued = {repr(between): packed(answer(0)) + between + packed(call(1)) for between in ("", " ", "\t")}
    told = see_each(
        tmp_path, {name: [packed(call(0)), line, packed(call(2))] for name, line in glued.items()}
    )
    for name, turns in told.items():
        assert (turns.height, turns["usd"].sum(), told.skips[name]) == (3, 3 * EACH, []), name


def test_a_result_torn_in_its_second_copy_before_a_call(tmp_path: Path) -> None:
    torn = packed(answer(0))
    torn = torn[: torn.index('"toolUseResult"') + 40]
    seen = see(write(tmp_path / "s.jsonl", packed(call(0)), torn + packed(call(1)), packed(call(2))))
    assert (seen.n_turns, seen.usd) == (3, 3 * EACH)
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


def test_a_result_torn_at_the_end_of_the_file(tmp_path: Path) -> None:
    torn = packed(answer(0))
    path = write(tmp_path / "s.jsonl", packed(call(0)), torn[: torn.index('"toolUseResult"') + 40])
    path.write_bytes(path.read_bytes()[:-1])
    assert see(path).usd == EACH


@pytest.mark.parametrize("keys", [sorted, lambda keys: sorted(keys, reverse=True)])
def test_keys_in_another_order(tmp_path: Path, keys: Any) -> None:
    lines = [call(0), answer(0), call(1), answer(1), call(2)]
    seen = see_blocks(
        write(tmp_path / "s.jsonl", *(packed({k: line[k] for k in keys(line)}) for line in lines))
    )
    whole(seen, 3)
    assert seen.blocks.filter(kind="tool_result").height == 2


def test_on_an_assistant_line(tmp_path: Path) -> None:
    line = {"toolUseResult": BIG, **call(0)}
    other = {"a": 1, "toolUseResult": BIG, **call(1)}
    whole(see(write(tmp_path / "s.jsonl", packed(line), packed(other), packed(call(2)))), 3)


def test_inside_a_progress_line(tmp_path: Path) -> None:
    inner = assistant("msg_p", CALL, isSidechain=True)
    shown = progress({"type": "user", "toolUseResult": BIG} | answer(7))
    late = {
        "type": "progress",
        "sessionId": "s1",
        "data": {
            "type": "agent_progress",
            "agentId": "a1",
            "old": [{"x": 1, "toolUseResult": BIG}],
            "message": inner,
        },
    }
    whole(see(write(tmp_path / "s.jsonl", packed(call(0)), packed(shown), packed(late))), 2)


def test_named_in_a_text(tmp_path: Path) -> None:
    said = 'the key ,"toolUseResult": is left out'
    line = assistant("msg_0", CALL, content=[{"type": "text", "text": said}, tool_use("t", command=said)])
    seen = see_blocks(write(tmp_path / "s.jsonl", packed(line), packed(answer(0)), packed(call(1))))
    whole(seen, 2)
    assert seen.blocks.filter(kind="text", role="assistant")["chars"].to_list() == [len(said)]


def test_as_an_argument_of_a_tool(tmp_path: Path) -> None:
    given = {"a": 1, "toolUseResult": BIG, "z": "kept"}
    line = assistant("msg_0", CALL, content=[{"type": "tool_use", "id": "t", "name": "Echo", "input": given}])
    whole(see(write(tmp_path / "s.jsonl", packed(line), packed(call(1)))), 2)


def test_the_end_of_a_line_behind_it_is_read_where_only_it_says_so(tmp_path: Path) -> None:
    # The one line that names the session stands behind the second copy.
    lines = [call(0), answer(0)]
    for line in lines:
        line.pop("sessionId")
    named = {k: v for k, v in lines[1].items() if k != "toolUseResult"} | {
        "toolUseResult": BIG,
        "sessionId": "s9",
    }
    seen = see(write(tmp_path / "file.jsonl", packed(lines[0]), packed(named)))
    assert seen.run_ids() in (["s9"], ["file"])


def test_bytes_and_lines_are_counted_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *(packed(line) for n in range(50) for line in (call(n), answer(n))))
    seen = see(path)
    whole(seen, 50)
    assert (seen.reading.bytes, seen.reading.lines) == (path.stat().st_size, 100)
