"""A defect in reading costs the line, the run or the file that it is in, and is said; the rest is billed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command import NO_LEVERS, Capture, said
from costscan.cli.app import run
from costscan.errors import CostscanError
from costscan.formats import claude_code
from costscan.formats.api import cache_key, message_pairs
from costscan.ingest import polars_tables, pool, read
from costscan.reading.conversation.thread import Thread
from logs import (
    HAIKU,
    OPUS,
    Json,
    Line,
    assistant,
    at,
    message,
    pair,
    progress,
    streamed,
    text,
    tool_use,
    usage,
    usd,
    user,
    write,
)
from seen import Seen, see, see_each

EACH = usd(OPUS, **{"in": 10}, out=5)
ODD: list[Any] = [["a"], {"a": 1}, 7, True, None, 10**30, "\ud800", [[[]]], ""]
"""What no field of a log is, and any may be."""


def odd_lines(value: Any) -> dict[str, list[Json]]:
    """Logs of two calls, the second with a value where a name, a type, a time or a setting belongs."""
    told: dict[str, list[Json]] = {}
    for name in ("name", "type", "id", "input", "cache_control"):
        block = tool_use("t1", "Task") | {name: value}
        told[f"transcript: block {name}"] = [assistant("msg_1"), assistant("msg_2", content=[block])]
        told[f"stream: block {name}"] = [streamed("msg_1"), streamed("msg_2", content=[block])]
        odd = pair(message("msg_2", content=[block]), [user()["message"]], system=[block])
        told[f"pairs: block {name}"] = [pair(), odd]
    settings = {
        "tool_choice": {"type": value}, "thinking": {"type": value, "budget_tokens": value}, "betas": value,
        "output_config": {"effort": value}, "cache_control": value, "temperature": value,
    }  # fmt: skip
    for name, setting in settings.items():
        line = pair(message("msg_2"))
        line["request"][name] = setting
        told[f"pairs: {name}"] = [pair(), line]
    for name in (
        "version",
        "effort",
        "uuid",
        "parentUuid",
        "isSidechain",
        "agentId",
        "requestId",
        "supersedes",
        "costUSD",
    ):
        told[f"transcript: {name}"] = [assistant("msg_1"), assistant("msg_2", **{name: value})]
    for name in ("run_id", "task", "agent", "parent_run_id", "duration_ms"):
        told[f"pairs: {name}"] = [pair(), pair(message("msg_2"), **{name: value})]
    used = usage(10, out=5, server_tool_use=value, output_tokens_details=value)
    told["transcript: usage"] = [assistant("msg_1"), assistant("msg_2", used)]
    return told


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_value_of_another_type_costs_nothing(tmp_path: Path, value: Any) -> None:
    told = see_each(
        tmp_path, {n: [json.dumps(line) for line in lines] for n, lines in odd_lines(value).items()}
    )
    for name, turns in told.items():
        assert turns["usd"].sum() == 2 * EACH, name
    assert not [reason for skips in told.skips.values() for _, reason in skips if "defect" in reason]
    assert told.seen.analysis.reasons == {}


def test_odd_times_and_versions(tmp_path: Path) -> None:
    open_ = usage(10, out=5)
    lines = [
        assistant("msg_1", open_, stop_reason=None, version="2.1.²", timestamp="9999-12-31T23:59:59.999999Z"),
        assistant(
            "msg_2",
            open_,
            stop_reason=None,
            version="2.1." + "9" * 5000,
            timestamp="0001-01-01T00:00:00+14:00",
        ),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert (seen.usd, seen.reading.skipped_lines) == (2 * EACH, 0)


def test_a_wrong_time_moves_no_other_call(tmp_path: Path) -> None:
    lines = [user(timestamp="1970-01-01T00:00:07Z"), assistant("msg_1", timestamp=at(9))]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.column("at")[0].isoformat() == "2026-07-01T00:00:09+00:00"


def test_lines_of_one_uuid_are_several_calls_by_their_ids(tmp_path: Path) -> None:
    lines = [assistant(f"msg_{n}", uuid="u") for n in (1, 2, 1, 2, 3)]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == 3 * EACH


def test_half_a_character_in_an_agents_text_loses_no_call(tmp_path: Path) -> None:
    used = usage(
        10, out=5, iterations=[{"type": "message", "input_tokens": 10, "output_tokens": 5, "x": "\ud800"}]
    )
    inner = assistant("msg_2", used, content=[text("half \ud83d")])
    seen = see(write(tmp_path / "s.jsonl", *map(json.dumps, [assistant("msg_1"), progress(inner)])))
    assert (seen.usd, seen.reading.skipped_lines) == (2 * EACH, 0)


def test_a_request_that_reports_no_tokens_is_harmless(tmp_path: Path, capsys: Capture) -> None:
    tools = [{"name": "read", "description": "Read a file", "input_schema": {"type": "object"}}]
    lines = [pair(message(f"msg_{n}", usage(0 if n else 10, out=0 if n else 5)), tools=tools, run_id=f"r{n}", timestamp=at(n))
             for n in range(3)]  # fmt: skip
    told = json.loads(said(capsys, "analyze", str(write(tmp_path / "p.jsonl", *lines)), "--json"))
    assert told["totals"]["usd"] == pytest.approx(float(EACH))
    assert told["totals"]["turns"] == 3
    assert told["defects"] == []


UNTOLD = {
    "no message": assistant("msg_2") | {"message": "text"},
    "an agent's line without its message": progress(assistant("msg_2") | {"message": "text"}),
    "progress of no kind": progress(assistant("msg_2")) | {"data": {}},
    "progress of an empty line": progress({}),
    "no message in a stream": streamed("msg_2") | {"message": [1]}, "no response": pair({}) | {"response": 7},
    "a response by another name": {"request": pair()["request"], "timestamp": at(), "reply": message("msg_2")},
    "events that are none": {"request": pair()["request"], "response_sse": "data: {}"},
    "a line of an agent": progress(assistant("msg_2")) | {"data": {"type": "agent_progress", "message": assistant("msg_2")}},
}  # fmt: skip


def test_a_call_that_cannot_be_told_is_said(tmp_path: Path) -> None:
    firsts = {"stream": streamed("msg_1"), "respon": pair(message("msg_1")), "events": pair(message("msg_1"))}
    cases = {
        name: [next((first for word, first in firsts.items() if word in name), assistant("msg_1")), line]
        for name, line in UNTOLD.items()
    }
    told = see_each(tmp_path, cases)
    for name, turns in told.items():
        assert turns["usd"].sum() == EACH, name
        assert [line for line, _ in told.skips[name]] == [2] or told.unknown[name] == 1, name


def test_a_call_on_a_line_of_no_type_is_billed(tmp_path: Path) -> None:
    cases: dict[str, list[Line]] = {
        "none": [assistant("msg_1"), assistant("msg_2", type=None)],
        "a list": [assistant("msg_1"), assistant("msg_2", type=["assistant"])],
        "an agent's": [assistant("msg_1"), progress(assistant("msg_2", type=5))],
        "in a stream": [streamed("msg_1"), streamed("msg_2", type="Assistant")],
    }
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == 2 * EACH, name


def broken(*_: Any, **__: Any) -> Any:
    raise KeyError("broken")


def two_runs(folder: Path) -> Seen:
    """A file of two runs, and another file, each with a call."""
    write(folder / "a.jsonl", *(pair(message(f"msg_{n}"), run_id=f"r{n}", timestamp=at(n)) for n in range(2)))
    write(folder / "b.jsonl", assistant("msg_2"))
    return see(folder)


def test_a_line_for_which_the_reader_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = cache_key.settings_of
    seen_by: list[int] = []

    def first_time(request: Any, blocks: Any) -> int:
        seen_by.append(1)
        return broken() if len(seen_by) == 1 else real(request, blocks)

    monkeypatch.setattr(message_pairs, "settings_of", first_time)
    seen = two_runs(tmp_path)
    assert (seen.run_ids(), seen.usd) == (["r1", "s1"], 2 * EACH)
    ((line, reason),) = seen.reasons()
    assert line == 1
    assert reason.startswith("a defect of costscan at formats/api/message_pairs.py:")
    assert reason.endswith(": KeyError: 'broken'; please report it")


def test_a_run_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Thread.flush

    def but_one(self: Thread, rows: Any, copy: int) -> int:
        done = real(self, rows, copy)
        return broken() if self.calls[0].message_id == "msg_0" else done

    monkeypatch.setattr(Thread, "flush", but_one)
    seen = two_runs(tmp_path)
    assert (seen.run_ids(), seen.usd, seen.runs.height) == (["r1", "s1"], 2 * EACH, 2)
    ((line, reason),) = seen.reasons()
    assert (line, reason.partition(" at ")[0]) == (None, "run r0 was not read: a defect of costscan")


def test_a_file_for_which_the_reader_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(claude_code._Reading, "finish", broken)
    seen = two_runs(tmp_path)
    assert (seen.run_ids(), seen.usd, seen.reading.files, seen.reading.lines) == (
        ["r0", "r1"],
        2 * EACH,
        1,
        2,
    )
    assert run(["analyze", str(tmp_path), "--json", *NO_LEVERS]) == 0
    out, errors = capsys.readouterr()
    told = json.loads(out)["inputs"]
    where = str(tmp_path / "b.jsonl")
    assert errors.startswith(f"warning: {where}: not read: a defect of costscan at formats/claude_code.py:")
    assert (told["files"], told["unusable_files"], told["skipped"][0]["path"]) == (1, 1, where)
    assert "1 other file not read" in said(capsys, "analyze", str(tmp_path), *NO_LEVERS)
    shown = said(capsys, "analyze", where, code=2)
    assert shown.startswith(f"error: {where}: not read: a defect of costscan at ")
    assert shown.endswith("hint: COSTSCAN_TRACEBACK=1 shows where\n")
    assert "Traceback" not in shown
    monkeypatch.setenv("COSTSCAN_TRACEBACK", "1")
    assert "Traceback" in said(capsys, "analyze", str(tmp_path), *NO_LEVERS)


DYING = """
import os, signal, sys
from costscan.ingest import worker
real = worker.read_files
def read_files(files, **more):
    if any("poison" in f.path for f in files):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(files, **more)
worker.read_files = read_files
worker.main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_worker_that_is_killed_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ALONE_BYTES", 0)
    monkeypatch.setattr(pool, "TASK_BYTES", 1 << 14)  # 4 small files
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", DYING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    monkeypatch.setattr(pool, "_start", start)
    for n in range(8):
        write(
            tmp_path / ("poison.jsonl" if n == 5 else f"{n}.jsonl"), assistant(f"msg_{n}", sessionId=f"s{n}")
        )
    seen = see(tmp_path, workers=2)
    assert (seen.usd, seen.reading.files, seen.reading.lines) == (7 * EACH, 7, 7)
    assert seen.reading.unread == {
        str(tmp_path / "poison.jsonl"): "the process that read it ended with SIGKILL: out of memory?"
    }
    assert 3 <= len(started) <= 6  # four files, two, and the one; each time another process
    assert all(process.returncode == -signal.SIGKILL for process in started)


def test_workers_that_cannot_live_end_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ALONE_BYTES", 0)
    monkeypatch.setattr(pool, "TASK_BYTES", 1)
    for name in "ab":
        write(tmp_path / f"{name}.jsonl", assistant(f"msg_{name}"))
    real = pool._start

    def stillborn() -> Any:
        process = real()
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(pool, "_start", stillborn)
    with pytest.raises(CostscanError, match=r"a.jsonl: not read: the process that read it ended"):
        read([str(tmp_path)], workers=2)

    def none() -> Any:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(pool, "_start", none)
    with pytest.raises(CostscanError, match="no process to read it can be started: Resource"):
        read([str(tmp_path)], workers=2)


def test_tables_that_cannot_be_made_cost_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = polars_tables.write

    def refusing(rows: Any, out: Path, task: int) -> None:
        real(rows, out, task)
        if any(HAIKU in call for call in rows.calls):
            broken()

    monkeypatch.setattr(polars_tables, "write", refusing)
    for n in range(5):
        write(
            tmp_path / f"{n}.jsonl", assistant(f"msg_{n}", model=HAIKU if n == 3 else OPUS, sessionId=f"s{n}")
        )
    seen = see(tmp_path)
    assert (seen.usd, seen.reading.files, list(seen.reading.unread)) == (
        4 * EACH,
        4,
        [str(tmp_path / "3.jsonl")],
    )
