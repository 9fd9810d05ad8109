"""Lines as disks, shells and redactors leave them: each is read or counted as skipped, and none hides another."""

import json
from pathlib import Path
from typing import Any

import pytest

from logs import Json, assistant, encoded, joined, text, tool_result, tool_use, user, write
from seen import see, see_each
from three import CALL, EACH, A, B, C, calls, plain, whole


def test_marks_before_the_first_line(tmp_path: Path) -> None:
    marks = [b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\n\xef\xbb\xbf", b"\x00\x00"]
    told = see_each(tmp_path, {repr(mark): mark + joined([A, B]) for mark in marks})
    whole(told, 2)
    assert not any(told.skips.values())


def test_files_with_marks_joined_together(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + joined([A]) + b"\xef\xbb\xbf" + joined([B]))
    assert calls(see(path)) == [("msg_0", 1), ("msg_1", 2)]


def test_line_ends(tmp_path: Path) -> None:
    ends = [b"\r\n", b"\n\n", b" \n", b"\t\n", b"\x00\n", b"\n\x00", b"\n  \t\n"]
    told = see_each(tmp_path, {repr(end): end.join([encoded(A), encoded(B), encoded(C)]) for end in ends})
    whole(told, 3)
    assert not any(told.skips.values())


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", "", A, "", "", B, " ", C, ""))
    assert calls(seen) == [("msg_0", 2), ("msg_1", 5), ("msg_2", 7)]
    assert seen.reading.lines == 8


def test_line_numbers_over_many_blocks(tmp_path: Path) -> None:
    # Blocks of lines are decoded together; a bad line and a blank one in the middle shift no number.
    lines = [assistant(f"msg_{i}", content=[text("x" * 900)]) for i in range(400)]
    mixed: list[Any] = []
    for i, line in enumerate(lines):
        mixed.append(line)
        if i % 150 == 149:
            mixed.extend(["", "{not json"])
    seen = see(write(tmp_path / "s.jsonl", *mixed))
    assert seen.n_turns == 400
    assert [seen.column("line")[i] for i in (0, 149, 150, 300, 399)] == [1, 150, 153, 305, 404]
    assert [line for line, _ in seen.reasons()] == [152, 304]


def test_raw_bytes_that_no_json_string_may_hold(tmp_path: Path) -> None:
    bad = [b"\x00", b"\x01", b"\x1f", b"\t", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
    line = encoded(B | {"message": B["message"] | {"content": [text("left RIGHT")]}})
    told = see_each(tmp_path, {repr(i): [A, line.replace(b" RIGHT", i), C] for i in bad})
    whole(told, 3)
    for name, turns in told.items():
        assert turns["line"].to_list() == [1, 2, 3], name


def test_lone_surrogates(tmp_path: Path) -> None:
    cases: dict[str, list[str]] = {}
    for place in ("text", "cwd", "name", "result", "session"):
        lines: list[Json] = [
            user([text("MARK")] if place == "text" else "hi", cwd="/x/MARK" if place == "cwd" else "/x"),
            assistant(
                "msg_0", CALL, content=[tool_use("t", "MARK" if place == "name" else "Bash", a="MARK")]
            ),
            user([tool_result("t", "MARK" if place == "result" else "ok")]),
            assistant("msg_1", CALL, sessionId="MARK" if place == "session" else "s1"),
        ]
        for escape in ("\\ud800", "\\udc00", "\\ud83d\\ud83d", "\\ud83d and \\ude00", "\\u0000"):
            # A session of its own for each, so that the broken name of one is not that of another.
            cases[f"{place} {escape}"] = [
                plain(line).replace("MARK", f"{len(cases)}{escape}") for line in lines
            ]
    whole(see_each(tmp_path, cases), 2)


def test_truncated_last_line(tmp_path: Path) -> None:
    tail = encoded(user("tail " * 100))
    told = see_each(tmp_path, {str(cut): joined([A, B]) + tail[:cut] for cut in (1, 40, 200, 330)})
    whole(told, 2)
    for name in told:
        assert [line for line, _ in told.skips[name]] == [3], name


def test_last_line_without_a_line_end(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(joined([A]) + encoded(B))
    seen = see(path)
    assert (calls(seen), seen.reading.lines) == ([("msg_0", 1), ("msg_1", 2)], 2)


def test_truncated_after_the_usage_is_billed_and_said(tmp_path: Path) -> None:
    # In the order of real lines the usage comes late: cut behind it, the call is whole but for its end.
    line = plain(B)
    cut = line[: line.index('"service_tier"')] + '"service_tier": "standard"}'
    seen = see(write(tmp_path / "s.jsonl", A, cut))
    assert seen.usd == 2 * EACH
    assert seen.reading.repaired_lines == 1


def test_a_line_broken_in_two_is_counted(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, plain(B).replace('"ok"', '"o\nk"'), C))
    assert (seen.usd, [line for line, _ in seen.reasons()]) == (2 * EACH, [2, 3])


def test_two_objects_glued_on_one_line(tmp_path: Path) -> None:
    told = see_each(tmp_path, {repr(b): [plain(A) + b + plain(B), C] for b in ("", " ", ",", ", ")})
    whole(told, 3)
    for name, turns in told.items():
        assert turns["line"].to_list() == [1, 1, 2], name
    assert not any(told.skips.values())


def test_torn_line_followed_by_a_whole_one(tmp_path: Path) -> None:
    torn = plain(user("x" * 300))
    told = see_each(tmp_path, {str(cut): [A, torn[:cut] + plain(B), C] for cut in (5, 30, 120, 250)})
    whole(told, 3)
    for name in told:
        assert [line for line, _ in told.skips[name]] == [2], name


def test_whole_line_followed_by_a_torn_one(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, plain(B) + plain(user("x" * 300))[:150], C))
    assert seen.usd == 3 * EACH
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


def test_broken_escapes_with_the_usage_intact(tmp_path: Path) -> None:
    line = plain(B | {"message": B["message"] | {"content": [text("HERE and on")]}})
    broken = ["\\u12", "\\uZZZZ", "\\x41", "\\", "\\u", "C:\\Users\\new"]
    whole(see_each(tmp_path, {b: [A, line.replace("HERE", b), C] for b in broken}), 3)


def test_broken_text_with_the_usage_intact(tmp_path: Path) -> None:
    damage = ['"ok"}', '"o"k"', "«gone»", '"ok", oops', '"ok']
    whole(see_each(tmp_path, {d: [A, plain(B).replace('"ok"', d), C] for d in damage}), 3)


def test_spaced_json(tmp_path: Path) -> None:
    spaced = [json.dumps(line, separators=(" , ", " : ")) for line in (A, B)]
    packed = [json.dumps(line, separators=(",", ":")) for line in (C,)]
    seen = see(write(tmp_path / "s.jsonl", *spaced, *packed))
    assert (seen.usd, seen.reading.skipped_lines) == (3 * EACH, 0)


@pytest.mark.parametrize("subtype", [{"kind": "turn_duration"}, ["turn_duration"], 7, None, "turn_duration"])
def test_a_system_line_whose_kind_is_no_text_costs_nothing(tmp_path: Path, subtype: Any) -> None:
    line = {"type": "system", "subtype": subtype, "sessionId": "s1"}
    seen = see(write(tmp_path / "s.jsonl", A, line, B))
    assert calls(seen) == [("msg_0", 1), ("msg_1", 3)]
    assert seen.reading.skipped_lines == 0
