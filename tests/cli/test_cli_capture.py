"""`costscan capture`: a command runs as if alone, and its calls are in the log when it ends."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from captured import ASKED, lines
from command import said
from costscan.capturing import serve
from model_server import Server

ASK = f"""
import json, os, sys, urllib.request
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
body = json.dumps({ASKED!r}).encode()
request = urllib.request.Request(url, body, {{"content-type": "application/json"}})
assert os.environ["NO_PROXY"].split(",")[-1] == "127.0.0.1"
print(json.load(urllib.request.urlopen(request))["id"], sys.argv[1:])
sys.exit(7)
"""


# Newer Pythons warn of forks beside threads, as the runner of tests has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def _environment(server: Server) -> dict[str, str]:
    return {**os.environ, "ANTHROPIC_BASE_URL": server.url}


def test_a_command_behind_the_proxy(server: Server, log: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "costscan",
        "capture",
        "--log",
        str(log),
        "--task",
        "ask",
        "--run-id",
        "r1",
    ]
    done = subprocess.run(
        [*words, "--", sys.executable, "-c", ASK, "--port", "x"],
        env=_environment(server),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == "msg_000001 ['--port', 'x']\n"
    (line,) = lines(log)
    assert (line["run_id"], line["task"], line["request"]) == ("r1", "ask", ASKED)


def test_the_proxy_alone(server: Server, log: Path) -> None:
    with serve.listening(0) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "costscan", "capture", "--log", str(log), "--port", str(port)]
    with subprocess.Popen(words, env=_environment(server), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        (address,) = re.findall(r"^export ANTHROPIC_BASE_URL=(http://127\.0\.0\.1:\d+/anthropic)$", told)
        httpx2.post(f"{address}/v1/messages", json=ASKED).raise_for_status()
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert len(lines(log)) == 1


def test_a_proxy_that_dies_is_begun_anew(tmp_path: Path) -> None:
    tries = tmp_path / "tries"

    def work(_: object) -> None:
        with tries.open("a") as file:
            file.write("x")
        if tries.stat().st_size < 3:
            os.kill(os.getpid(), signal.SIGKILL)

    keeper = multiprocessing.get_context("fork").Process(target=serve._keep_at, args=(work, lambda: False))
    keeper.start()
    keeper.join(30)
    assert keeper.exitcode == 0
    assert tries.read_text() == "xxx"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give a command or a port"),
        (("--port", "8790", "--", "true"), "give a command or a port"),
        (("--", "no-such-command"), "no-such-command is no command"),
        (("--anthropic-url", "ftp://x", "--", "true"), "no address"),
        (("--log", f"{__file__}/runs.jsonl", "--", "true"), "cannot be written"),
    ],
)
def test_what_it_cannot_run(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str) -> None:
    assert told in said(capsys, "capture", *words, code=2)


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with serve.listening(0) as sock:
        port = str(sock.getsockname()[1])
        assert "choose another port" in said(capsys, "capture", "--port", port, code=2)


def test_without_the_extra(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "costscan.capturing.serve")
    monkeypatch.delattr("costscan.capturing.serve")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    shown = said(capsys, "capture", "--", "true", code=2)
    assert "uvicorn is not installed" in shown
    assert "pip install 'costscan[proxy]'" in shown
