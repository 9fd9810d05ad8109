"""`costscan calibrate` against a stand-in that counts by a known rule."""

import json
import re
import socket
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Any, NoReturn

import pytest

from command import NO_LEVERS, Capture, said
from costscan.cli.app import run
from costscan.settings.calibrated import read
from logs import OPUS, Json
from model_server import KEY, Server
from token_counts import FACTORS, NOISE, count, log_of, pairs


@pytest.fixture(autouse=True)
def _environment(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.counts = count
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> str:
    return str(log_of(tmp_path, pairs()))


def texts_of(lines: list[Json]) -> set[str]:
    """Return words of the log that are in no other file."""
    return {line["request"]["messages"][0]["content"][:30] for line in lines}


def test_factors_are_found_and_said(server: Server, runs: str, capsys: Capture) -> None:
    told = said(capsys, "calibrate", runs, "--yes")
    calibration = read(Path("calibration.toml"))
    counted = {kind for factors in calibration.factors.values() for kind in factors}
    assert counted == {"text", "tool_use", "tool_result", "tool_def"}  # of system prompts there is one
    for family, factors in calibration.factors.items():
        for kind, factor in factors.items():
            truth = FACTORS[family][kind]
            assert factor.value == pytest.approx(truth, rel=2 * NOISE / factor.samples**0.5 + 0.01), kind
            assert factor.high - factor.low < 0.1
    assert calibration.models == {"v3": "claude-sonnet-4-6", "v4.7": OPUS}
    assert {body["model"] for _, body in server.seen} == set(calibration.models.values())
    assert {path.split("?")[0] for path, _ in server.seen} == {"/v1/messages/count_tokens"}
    assert "counting tokens is free of charge" in told
    assert server.url in told
    assert re.search(r"v3 +tool_result +\d+ +0\.\d+ ± 0\.\d+ +2\d\.\d%, \+2\d\.\d% +\d\.\d%, ", told)
    assert "left as they are (fewer than 8 texts, or too unlike one another): system" in told


def test_what_is_written_holds_no_text_and_no_key(runs: str, capsys: Capture) -> None:
    told = said(capsys, "calibrate", runs, "--yes")
    written = Path("calibration.toml").read_text() + Path("calibration.toml.counts").read_text()
    for text in (*texts_of(pairs()), "tool_1", KEY, KEY[-8:]):
        assert text not in written
        assert text not in told
    assert tomllib.loads(Path("calibration.toml").read_text())["version"] == 1


def test_the_key_goes_in_a_header_and_nothing_of_the_log_beside_texts(server: Server, runs: str) -> None:
    assert run(["calibrate", runs, "--yes"]) == 0
    assert all(KEY in "".join(headers.values()) for headers in server.headers)
    assert {name for _, body in server.seen for name in body} <= {"model", "messages", "tools", "system"}


def test_a_second_run_asks_for_nothing_twice(server: Server, runs: str, capsys: Capture) -> None:
    assert run(["calibrate", runs, "--yes", "--max-calls", "90"]) in {0, 2}
    assert 80 < len(server.seen) <= 90
    first = [json.dumps(body, sort_keys=True) for _, body in server.seen]
    assert len(first) == len(set(first))
    assert run(["calibrate", runs, "--yes"]) == 0
    every = [json.dumps(body, sort_keys=True) for _, body in server.seen]
    assert len(every) == len(set(every)) > len(first)
    for _ in range(5):
        assert run(["calibrate", runs, "--yes"]) == 0
    done = len(server.seen)
    capsys.readouterr()
    assert "requests" not in said(
        capsys, "calibrate", runs
    )  # all is known: nothing to ask for, nobody to ask
    assert len(server.seen) == done


def test_a_run_that_was_killed_goes_on(server: Server, runs: str) -> None:
    def dying(body: dict[str, Any]) -> int:
        if len(server.seen) > 40:
            raise OSError  # the connection breaks
        return count(body)

    server.counts = dying
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costscan.asking.RETRIES", 0)
        assert run(["calibrate", runs, "--yes"]) == 2
    kept = Path("calibration.toml.counts").read_text()
    assert 35 <= kept.count("\n") <= 41
    Path("calibration.toml.counts").write_text(kept + '{"request": "0123')  # cut off while it was written
    asked = {json.dumps(body, sort_keys=True) for _, body in server.seen[:36]}
    server.counts, server.seen = count, []
    assert run(["calibrate", runs, "--yes"]) == 0
    assert not asked & {json.dumps(body, sort_keys=True) for _, body in server.seen}
    assert "\n\n" not in Path("calibration.toml.counts").read_text()
    assert read(Path("calibration.toml")).samples > 40


def test_what_the_api_says_of_waiting_is_done(server: Server, runs: str) -> None:
    server.failures.extend([429] * 3)
    server.retry_after_ms = 300
    begun = time.monotonic()
    assert run(["calibrate", runs, "--yes", "--max-calls", "100"]) == 0
    assert time.monotonic() - begun >= 0.3
    assert len(server.seen) - 3 <= 100


def test_few_requests_are_under_way_at_once(server: Server, runs: str) -> None:
    open_now, most, lock = 0, 0, threading.Lock()

    def slow(body: dict[str, Any]) -> int:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.01)
        with lock:
            open_now -= 1
        return count(body)

    server.counts = slow
    assert run(["calibrate", runs, "--yes", "--max-calls", "100"]) == 0
    assert 1 < most <= 4


def test_a_block_that_the_api_refuses_is_left_out(server: Server, runs: str) -> None:
    assert run(["calibrate", runs, "--yes", "--max-calls", "40"]) in {0, 2}
    before = len(server.seen)
    server.failures.extend([400] * 4)
    assert run(["calibrate", runs, "--yes", "--max-calls", "100"]) == 0
    rows = [json.loads(line) for line in Path("calibration.toml.counts").read_text().splitlines()]
    assert [row["tokens"] for row in rows].count(None) == 4
    assert len(rows) == len(server.seen) > before


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "set ANTHROPIC_API_KEY"), (403, "another key or model"), (404, "--model NAME")]
)
def test_what_no_other_request_would_mend_ends_it(
    server: Server, runs: str, capsys: Capture, status: int, hint: str
) -> None:
    server.failures.extend([status] * 20)
    told = said(capsys, "calibrate", runs, "--yes", code=2)
    assert f"error: calibrate: the API did not answer: {status} Busy" in told
    assert hint in told
    assert len(server.seen) <= 8
    assert KEY not in told


def test_nothing_is_sent_without_a_yes(
    server: Server, runs: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = said(capsys, "calibrate", runs, code=2)
    assert "error: calibrate: nothing was sent: there is no terminal to ask on" in told
    assert "hint: --yes" in told
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    for answer in ("\n", "n\n", "", "yeah\n"):
        monkeypatch.setattr(sys.stdin, "readline", lambda answer=answer: answer)
        assert said(capsys, "calibrate", runs).endswith("send it? [y/N] nothing was sent\n")
    assert not server.seen
    assert not list(Path().glob("calibration.*"))
    monkeypatch.setattr(sys.stdin, "readline", lambda: "y\n")
    assert run(["calibrate", runs]) == 0
    assert server.seen


def test_it_says_what_is_about_to_leave(server: Server, runs: str, capsys: Capture) -> None:
    told = said(capsys, "calibrate", runs, code=2)
    assert run(["calibrate", runs, "--yes"]) == 0
    requests = re.search(r"calibrate: (\d+) requests", told)
    assert requests is not None
    assert int(requests[1]) == len(server.seen)
    texts = sum(map(int, re.findall(r"(?:text|system|tool_\w+) (\d+)", told)))
    bases = {json.dumps(body, sort_keys=True) for _, body in server.seen if len(json.dumps(body)) < 700}
    assert texts * 2 + len([b for b in bases if '"x"' in b and "agent" not in b]) >= len(server.seen) - 10
    shown = {text for text in texts_of(pairs()) if text in told}
    assert not shown


def test_without_a_key_it_says_so(runs: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    told = said(capsys, "calibrate", runs, "--yes", code=2)
    assert "error: calibrate: no key for the API" in told
    assert "ANTHROPIC_API_KEY" in told


def test_a_password_in_the_address_is_not_shown(
    server: Server, runs: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url.replace("://", "://me:pass-word@"))
    told = said(capsys, "calibrate", runs, code=2)
    assert "pass-word" not in told
    assert f"to {server.url}\n" in told


def test_another_model_counts_for_its_family(server: Server, runs: str, capsys: Capture) -> None:
    assert run(["calibrate", runs, "--yes", "--model", "claude-haiku-4-5", "--max-calls", "100"]) == 0
    assert {body["model"] for _, body in server.seen} == {"claude-haiku-4-5", OPUS}
    told = said(capsys, "calibrate", runs, "--yes", "--model", "gpt-5.5", code=2)
    assert "error: --model gpt-5.5: no Claude model of a known tokenizer" in told


def test_logs_that_cannot_serve(server: Server, tmp_path: Path, capsys: Capture) -> None:
    others = log_of(tmp_path, pairs(3, model="gpt-5.5"))
    assert "no call in these logs is of a Claude model" in said(capsys, "calibrate", str(others), code=2)
    lines = pairs(3)
    for line in lines:
        line["request"] = {"model": OPUS, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}
    assert "hold no text that could be counted" in said(
        capsys, "calibrate", str(log_of(tmp_path, lines)), code=2
    )
    assert "too few texts were counted" in said(
        capsys, "calibrate", str(log_of(tmp_path, pairs(1))), "--max-calls", "10", "--yes", code=2
    )
    assert not Path("calibration.toml").exists()
    assert len(server.seen) <= 10


def test_a_folder_that_is_not_there_is_told_before_anything_is_sent(
    server: Server, runs: str, capsys: Capture
) -> None:
    assert "error: none/c.toml: there is no such folder" in said(
        capsys, "calibrate", runs, "-o", "none/c.toml", "--yes", code=2
    )
    assert not server.seen


def test_other_commands_open_no_connection(
    tmp_path: Path, runs: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["calibrate", runs, "--yes", "--max-calls", "100"]) == 0
    few = str(log_of(tmp_path, pairs(3)))
    opened: list[object] = []

    def refused(*where: object) -> NoReturn:
        opened.append(where)
        raise AssertionError

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    for arguments in (
        ["analyze", few, "--json"],
        ["analyze", few, "--json", "--set", "calibration=off"],
        ["usage", few],
        ["findings", few, *NO_LEVERS],
        ["compare", few, few, *NO_LEVERS],
    ):
        assert run(arguments) == 0, arguments
    assert run(["calibrate", few]) == 2  # it asks before
    assert not opened
