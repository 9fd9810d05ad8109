"""Files that are one JSON document, values that are no log lines, and lines of any depth and length."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from logs import Json, assistant, encoded, joined, text, tool_result, tool_use, user, write
from seen import see, see_each
from three import CALL, EACH, A, B, C, calls, plain, whole


def test_pretty_printed(tmp_path: Path) -> None:
    indents: list[int | str] = [1, 2, 4, "\t"]
    each = {repr(i): "\n".join(json.dumps(line, indent=i) for line in (A, B, C)) for i in indents}
    told = see_each(tmp_path, {name: said.encode() for name, said in each.items()})
    whole(told, 3)
    assert not any(told.skips.values())


def test_a_json_list(tmp_path: Path) -> None:
    lists = {f"{before!r} {i}": before + json.dumps([A, B, C], indent=i) + "\n"
             for i in (None, 2) for before in ("", "\ufeff", "\n \n")}  # fmt: skip
    told = see_each(tmp_path, {name: said.encode() for name, said in lists.items()})
    whole(told, 3)
    assert not any(told.skips.values())


def documents(lines: list[Json], damaged: tuple[int, ...] = ()) -> dict[str, bytes]:
    """Lines pretty-printed as one list, and one after the other."""
    each = [json.dumps(line, indent=2) for line in lines]
    for i in damaged:
        each[i] = each[i].replace('"text": "ok"', '"text": ok')
    return {"a list": ("[" + ",\n".join(each) + "]").encode(), "plain": "\n".join(each).encode()}


def test_a_large_document(tmp_path: Path) -> None:
    # More than is decoded at a time (64 KB) and than is read at a time (4 MB).
    lines = [assistant(f"msg_{i}", CALL, content=[text("x" * 40_000)]) for i in range(130)]
    told = see_each(tmp_path, documents(lines))
    whole(told, 130)
    assert not any(told.skips.values())


def test_a_document_with_damage_in_several_places(tmp_path: Path) -> None:
    told = see_each(tmp_path, documents([assistant(f"msg_{i}", CALL) for i in range(9)], damaged=(2, 5)))
    for n, (name, turns) in enumerate(told.items()):
        untouched = {f"msg_{n}_{i}" for i in range(9) if i not in {2, 5}}
        assert untouched <= set(turns["message_id"]), name
        assert told.skips[name], name


def test_a_json_list_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([A, B, C])[:-90])
    seen = see(path)
    assert seen.usd == 2 * EACH
    assert seen.reading.skipped_lines + seen.reading.repaired_lines == 1


NO_OBJECTS = ["[]", "[1, 2]", "null", "5", '"text"', "true", "plain words", "[12:01] words", "[[]]", "{", "}"]


@pytest.mark.parametrize("at_line", [1, 2, 3])
def test_values_that_are_no_objects(tmp_path: Path, at_line: int) -> None:
    def among(line: str) -> list[Any]:
        return [*[A, B][: at_line - 1], line, *[A, B][at_line - 1 :]]

    told = see_each(tmp_path, {line: among(line) for line in (*NO_OBJECTS, "{}", "[{}]")})
    whole(told, 2)
    for name in told:
        assert [line for line, _ in told.skips[name]] == ([at_line] if name in NO_OBJECTS else []), name


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


def test_deep_nesting(tmp_path: Path) -> None:
    cases: dict[str, list[str]] = {}
    for where in ("input", "result", "text", "extra", "attachment", "message"):
        lines = cases[where] = []
        for n, depth in enumerate(NEST):
            nested = "[" * depth + "]" * depth
            base = assistant(f"msg_n{n}", CALL, content=[tool_use(f"t{n}", a="MARK")])
            before: Json = {"type": "attachment", "sessionId": "s1", "attachment": {"content": "MARK"}}
            if where == "result":
                before = user([tool_result(f"t{n}", "MARK")])
            elif where == "text":
                base["message"]["content"] = [text("MARK")]
            elif where == "extra":
                base["extra"] = "MARK"
            elif where == "message":
                base["message"]["more"] = "MARK"
            told = [before, base] if where in {"attachment", "result"} else [base]
            lines.extend(plain(line).replace('"MARK"', nested) for line in told)
    whole(see_each(tmp_path, cases), len(NEST))


def test_a_number_too_long_for_python(tmp_path: Path) -> None:
    long = plain(A | {"extra": "MARK"}).replace('"MARK"', "7" * 5000)
    in_usage = plain(B).replace('"output_tokens": 5', '"output_tokens": ' + "7" * 5000)
    seen = see(write(tmp_path / "s.jsonl", long, in_usage, C))
    assert [m for m in seen.column("message_id") if m != "msg_1"] == ["msg_0", "msg_2"]
    assert (
        seen.reading.skipped_lines
        + seen.reading.repaired_lines
        + seen.column("usage_from").count("unreported")
        >= 1
    )


def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    piece = b"iVBORw0KGgo" * 100_000
    head, tail = encoded(
        user([tool_result("toolu_1", [{"type": "image", "source": {"type": "base64", "data": "MARK"}}])])
    ).split(b"MARK")
    with path.open("wb") as out:
        out.write(joined([assistant("msg_0", CALL, content=[tool_use("toolu_1")])]) + head)
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
