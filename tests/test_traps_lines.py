"""Lines as disks, shells and redactors leave them: each is read or counted as skipped, and none hides another."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from logs import (
    OPUS,
    Json,
    assistant,
    at,
    encoded,
    joined,
    text,
    tool_result,
    tool_use,
    usage,
    usd,
    user,
    write,
)
from seen import Seen, see

A, B, C = (assistant(f"msg_{i}", usage(10, read=100, out=5), timestamp=at(i), uuid=f"u{i}") for i in range(3))
EACH = usd(OPUS, **{"in": 10}, read=100, out=5)


def plain(line: Any) -> str:
    return encoded(line).decode()


def calls(seen: Seen) -> list[tuple[str, int]]:
    return list(zip(seen.column("message_id"), seen.column("line"), strict=True))


@pytest.mark.parametrize(
    "bom", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\n\xef\xbb\xbf", b"\x00\x00"]
)
def test_marks_before_the_first_line(tmp_path: Path, bom: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(bom + joined([A, B]))
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (2 * EACH, 0)


def test_files_with_marks_joined_together(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + joined([A]) + b"\xef\xbb\xbf" + joined([B]))
    assert calls(see(path)) == [("msg_0", 1), ("msg_1", 2)]


@pytest.mark.parametrize("end", [b"\r\n", b"\n\n", b" \n", b"\t\n", b"\x00\n", b"\n\x00", b"\n  \t\n"])
def test_line_ends(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(end.join([encoded(A), encoded(B), encoded(C)]))
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (3 * EACH, 0)


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


@pytest.mark.parametrize(
    "inside", [b"\x00", b"\x01", b"\x1f", b"\t", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
)
def test_raw_bytes_that_no_json_string_may_hold(tmp_path: Path, inside: bytes) -> None:
    broken = encoded(B | {"message": B["message"] | {"content": [text("left RIGHT")]}}).replace(
        b" RIGHT", inside
    )
    seen = see(write(tmp_path / "s.jsonl", A, broken, C))
    assert (calls(seen), seen.usd) == ([("msg_0", 1), ("msg_1", 2), ("msg_2", 3)], 3 * EACH)
    assert seen.reading.skipped_lines == 0


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud83d\\ud83d", "\\ud83d and \\ude00", "\\u0000"])
@pytest.mark.parametrize("place", ["text", "cwd", "name", "result", "session"])
def test_lone_surrogates(tmp_path: Path, escape: str, place: str) -> None:
    lines: list[Json] = [
        user([text("MARK")] if place == "text" else "hi", cwd="/x/MARK" if place == "cwd" else "/x"),
        assistant(
            "msg_0",
            usage(1, out=1),
            content=[tool_use("toolu_1", "MARK" if place == "name" else "Bash", a="MARK")],
        ),
        user([tool_result("toolu_1", "MARK" if place == "result" else "ok")]),
        assistant("msg_1", usage(2, out=2), sessionId="MARK" if place == "session" else "s1"),
    ]
    seen = see(write(tmp_path / "s.jsonl", *(plain(line).replace("MARK", escape) for line in lines)))
    assert (seen.n_turns, seen.usd, seen.reading.skipped_lines) == (2, usd(OPUS, **{"in": 3}, out=3), 0)


@pytest.mark.parametrize("cut", [1, 40, 200, 330])
def test_truncated_last_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(joined([A, B]) + encoded(user("tail " * 100))[:cut])
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (2 * EACH, 1)
    assert seen.reasons()[0][0] == 3


def test_last_line_without_a_line_end(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(joined([A]) + encoded(B))
    seen = see(path)
    assert (calls(seen), seen.reading.lines) == ([("msg_0", 1), ("msg_1", 2)], 2)


def test_truncated_after_the_usage_is_billed_and_said(tmp_path: Path) -> None:
    # In the order of real lines the usage comes late: cut behind it, the call is whole but for its end.
    whole = plain(B)
    cut = whole[: whole.index('"service_tier"')] + '"service_tier": "standard"}'
    seen = see(write(tmp_path / "s.jsonl", A, cut))
    assert seen.usd == 2 * EACH
    assert seen.reading.repaired_lines == 1


def test_a_line_broken_in_two_is_counted(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, plain(B).replace('"ok"', '"o\nk"'), C))
    assert (seen.usd, [line for line, _ in seen.reasons()]) == (2 * EACH, [2, 3])


@pytest.mark.parametrize("between", ["", " ", ",", ", "])
def test_two_objects_glued_on_one_line(tmp_path: Path, between: str) -> None:
    seen = see(write(tmp_path / "s.jsonl", plain(A) + between + plain(B), C))
    assert (calls(seen), seen.reading.skipped_lines) == ([("msg_0", 1), ("msg_1", 1), ("msg_2", 2)], 0)


@pytest.mark.parametrize("cut", [5, 30, 120, 250])
def test_torn_line_followed_by_a_whole_one(tmp_path: Path, cut: int) -> None:
    torn = plain(user("x" * 300))[:cut]
    seen = see(write(tmp_path / "s.jsonl", A, torn + plain(B), C))
    assert (calls(seen), seen.usd) == ([("msg_0", 1), ("msg_1", 2), ("msg_2", 3)], 3 * EACH)
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


def test_whole_line_followed_by_a_torn_one(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, plain(B) + plain(user("x" * 300))[:150], C))
    assert seen.usd == 3 * EACH
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


@pytest.mark.parametrize("broken", ["\\u12", "\\uZZZZ", "\\x41", "\\", "\\u", "C:\\Users\\new"])
def test_broken_escapes_with_the_usage_intact(tmp_path: Path, broken: str) -> None:
    line = plain(B | {"message": B["message"] | {"content": [text("HERE and on")]}}).replace("HERE", broken)
    seen = see(write(tmp_path / "s.jsonl", A, line, C))
    assert (calls(seen), seen.usd) == ([("msg_0", 1), ("msg_1", 2), ("msg_2", 3)], 3 * EACH)
    assert seen.reading.skipped_lines == 0


@pytest.mark.parametrize("damage", ['"ok"}', '"o"k"', "«gone»", '"ok", oops', '"ok'])
def test_broken_text_with_the_usage_intact(tmp_path: Path, damage: str) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, plain(B).replace('"ok"', damage), C))
    assert seen.usd == 3 * EACH
    assert sorted(seen.column("message_id")) == ["msg_0", "msg_1", "msg_2"]
    assert seen.reading.skipped_lines + seen.reading.repaired_lines >= 1


def test_spaced_json(tmp_path: Path) -> None:
    spaced = [json.dumps(line, separators=(" , ", " : ")) for line in (A, B)]
    packed = [json.dumps(line, separators=(",", ":")) for line in (C,)]
    seen = see(write(tmp_path / "s.jsonl", *spaced, *packed))
    assert (seen.usd, seen.reading.skipped_lines) == (3 * EACH, 0)


@pytest.mark.parametrize("indent", [1, 2, 4, "\t"])
def test_pretty_printed(tmp_path: Path, indent: Any) -> None:
    path = tmp_path / "s.json"
    path.write_text("\n".join(json.dumps(line, indent=indent) for line in (A, B, C)))
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (3 * EACH, 0)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n \n"])
def test_a_json_list(tmp_path: Path, indent: int | None, before: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(before + json.dumps([A, B, C], indent=indent) + "\n")
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (3 * EACH, 0)


@pytest.mark.parametrize("as_list", [True, False])
def test_a_large_document(tmp_path: Path, as_list: bool) -> None:
    # More than is decoded at a time (64 KB) and than is read at a time (4 MB).
    lines = [
        assistant(f"msg_{i}", usage(10, read=100, out=5), content=[text("x" * 40_000)]) for i in range(130)
    ]
    path = tmp_path / "s.json"
    each = [json.dumps(line, indent=2) for line in lines]
    path.write_text("[" + ",\n".join(each) + "]" if as_list else "\n".join(each))
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (130 * EACH, 0)


@pytest.mark.parametrize("as_list", [True, False])
def test_a_document_with_damage_in_several_places(tmp_path: Path, as_list: bool) -> None:
    lines = [assistant(f"msg_{i}", usage(10, read=100, out=5)) for i in range(9)]
    each = [json.dumps(line, indent=2) for line in lines]
    for i in (2, 5):
        each[i] = each[i].replace('"text": "ok"', '"text": ok')
    path = tmp_path / "s.json"
    path.write_text("[" + ",\n".join(each) + "]" if as_list else "\n".join(each))
    seen = see(path)
    whole = {f"msg_{i}" for i in range(9) if i not in {2, 5}}
    assert whole <= set(seen.column("message_id"))
    assert seen.reading.skipped_lines + seen.reading.repaired_lines >= 1


def test_a_json_list_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([A, B, C])[:-90])
    seen = see(path)
    assert seen.usd == 2 * EACH
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


@pytest.mark.parametrize(
    "line", ["[]", "[1, 2]", "null", "5", '"text"', "true", "plain words", "[[]]", "{}", "[{}]", "{", "}"]
)
def test_values_that_are_no_objects(tmp_path: Path, line: str) -> None:
    for name, lines in (("middle", (A, line, B)), ("first", (line, A, B)), ("last", (A, B, line))):
        seen = see(write(tmp_path / name / "s.jsonl", *lines))
        assert seen.usd == 2 * EACH, name
        assert seen.reading.skipped_lines == (0 if line in {"{}", "[{}]"} else 1), name


def test_a_list_of_lines_on_a_line(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", A, [B, C]))
    assert seen.usd == 3 * EACH


def test_hundreds_of_other_lines_before_the_log(tmp_path: Path) -> None:
    noise = [f"[12:00:{i % 60:02d}] build step {i}" for i in range(900)]
    seen = see(write(tmp_path / "ci.log", *noise, A, B))
    assert calls(seen) == [("msg_0", 901), ("msg_1", 902)]
    assert seen.reading.skipped_lines == 900
    assert len(seen.reasons()) == 100


NEST = [10, 200, 400, 900, *range(930, 1010, 2), 3000, 100_000]


@pytest.mark.parametrize("where", ["input", "result", "text", "extra", "attachment", "message"])
def test_deep_nesting(tmp_path: Path, where: str) -> None:
    lines: list[Any] = []
    for n, depth in enumerate(NEST):
        nested = "[" * depth + "]" * depth
        base = assistant(f"msg_n{n}", usage(10, read=100, out=5), content=[tool_use(f"t{n}", a="MARK")])
        if where == "result":
            lines.append(plain(user([tool_result(f"t{n}", "MARK")])).replace('"MARK"', nested))
        elif where == "attachment":
            lines.append(plain({"type": "attachment", "sessionId": "s1", "attachment": {"content": "MARK"}})
                         .replace('"MARK"', nested))  # fmt: skip
        elif where == "text":
            base["message"]["content"] = [text("MARK")]
        elif where == "extra":
            base["extra"] = "MARK"
        elif where == "message":
            base["message"]["more"] = "MARK"
        lines.append(plain(base).replace('"MARK"', nested))
    seen = see(write(tmp_path / "s.jsonl", *lines, A))
    assert seen.n_turns == len(NEST) + 1
    assert seen.usd == seen.n_turns * EACH


def test_a_number_too_long_for_python(tmp_path: Path) -> None:
    long = plain(A | {"extra": "MARK"}).replace('"MARK"', "7" * 5000)
    in_usage = plain(B).replace('"output_tokens": 5', '"output_tokens": ' + "7" * 5000)
    seen = see(write(tmp_path / "s.jsonl", long, in_usage, C))
    assert [m for m in seen.column("message_id") if m != "msg_1"] == ["msg_0", "msg_2"]
    assert (
        seen.reading.skipped_lines
        + seen.reading.repaired_lines
        + seen.column("usage_from").count("placeholder")
        >= 1
    )


def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    piece = b"iVBORw0KGgo" * 100_000
    head, tail = encoded(
        user([tool_result("toolu_1", [{"type": "image", "source": {"type": "base64", "data": "MARK"}}])])
    ).split(b"MARK")
    with path.open("wb") as out:
        out.write(
            joined([assistant("msg_0", usage(10, read=100, out=5), content=[tool_use("toolu_1")])]) + head
        )
        for _ in range(46):
            out.write(piece)
        out.write(tail + b"\n" + joined([B, "{torn"]))
    assert path.stat().st_size > 50_000_000
    started = time.perf_counter()
    seen = see(path)
    assert time.perf_counter() - started < 10
    assert (calls(seen), seen.usd) == ([("msg_0", 1), ("msg_1", 3)], 2 * EACH)
    assert seen.reading.skipped_lines == 1


def test_utf_16_as_some_shells_redirect(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes((joined([A, B, C]).decode()).encode("utf-16"))
    assert see(path).usd == 3 * EACH
