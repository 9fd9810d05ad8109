"""Lines stay whole whoever writes; a full log is set aside; a log that cannot be written stops nobody."""

import json
import logging
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import costscan
from captured import ASKED, client, lines
from costscan.capturing.log_file import LogFile
from model_server import Server

# Newer Pythons warn of forks beside threads, as the runner of tests has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
FORK = multiprocessing.get_context("fork")


def _append(path: Path, name: int, n_lines: int, max_bytes: int | None) -> None:
    file = LogFile(path, max_bytes)
    for n in range(n_lines):
        file.append(json.dumps({"by": name, "n": n, "text": "x" * (n * 137 % 20_000)}).encode() + b"\n")


def _in_processes(path: Path, max_bytes: int | None) -> None:
    processes = [FORK.Process(target=_append, args=(path, name, 100, max_bytes)) for name in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


@pytest.mark.parametrize("max_bytes", [None, 300_000])
def test_processes_that_write_to_the_same_log(log: Path, max_bytes: int | None) -> None:
    _in_processes(log, max_bytes)
    found = sorted((line["by"], line["n"]) for line in lines(log))
    assert found == [(name, n) for name in range(4) for n in range(100)]
    assert (len(list(log.parent.iterdir())) > 5) == (max_bytes is not None)
    assert all(path.suffix in (".zst", ".jsonl") for path in log.parent.iterdir())


def test_threads_of_one_client(server: Server, log: Path) -> None:
    own = client(server, log)

    def ask(n: int) -> str:
        if n % 2:
            return str(own.messages.create(**ASKED).id)
        with own.messages.stream(**ASKED) as stream:
            return stream.get_final_message().id

    with ThreadPoolExecutor(8) as pool:
        asked = set(pool.map(ask, range(64)))
    assert len(asked) == len(lines(log)) == 64
    assert costscan.read(log).turns.height == 64


def test_a_process_that_is_forked_has_its_own_file(log: Path) -> None:
    file = LogFile(log, None)
    file.append(b'{"n":0}\n')
    with file._mutex:
        child = FORK.Process(target=file.append, args=(b'{"n":1}\n',))
        child.start()
        child.join(10)
    assert child.exitcode == 0
    assert [line["n"] for line in lines(log)] == [0, 1]


def test_a_full_log_is_set_aside_compressed(server: Server, log: Path) -> None:
    own = client(server, log, max_bytes=2_000)
    for _ in range(12):
        own.messages.create(**ASKED)
    for thread in threading.enumerate():
        if thread.name == "costscan-compress":
            thread.join()
    aside = list(log.parent.glob("runs.2*.jsonl.zst"))
    assert len(aside) == len(list(log.parent.iterdir())) - 1 > 1
    assert log.stat().st_size <= 2_000
    assert all(path.stat().st_mode & 0o077 == 0 for path in aside)
    assert costscan.read(log.parent).turns.height == 12


def test_a_log_that_is_moved_away_is_begun_anew(log: Path) -> None:
    file = LogFile(log, None)
    file.append(b'{"n":0}\n')
    log.rename(log.with_name("elsewhere"))
    file.append(b'{"n":1}\n')
    assert log.read_bytes() == b'{"n":1}\n'


def test_a_line_that_was_torn_is_ended(log: Path) -> None:
    log.write_bytes(b'{"n":0}\n{"n":')
    LogFile(log, None).append(b'{"n":2}\n')
    assert log.read_bytes() == b'{"n":0}\n{"n":\n{"n":2}\n'


def test_nothing_of_a_line_is_left_where_the_disk_is_full(log: Path) -> None:
    """A limit on the size of files stands in for the disk: it, too, lets the beginning of a line in."""

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        file = LogFile(log, None)
        file.append(b'{"n":0}\n')
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                file.append(b'{"n":"' + b"x" * 2000 + b'"}\n')
        file.append(b'{"n":1}\n')

    child = FORK.Process(target=fill)
    child.start()
    child.join(10)
    assert child.exitcode == 0
    assert log.read_bytes() == b'{"n":0}\n{"n":1}\n'


@pytest.mark.parametrize("path", ["/dev/full", "/proc/no/such/runs.jsonl", ".", "file/runs.jsonl"])
def test_a_program_goes_on_where_its_calls_cannot_be_logged(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    (tmp_path / "file").write_text("")
    own = client(server, tmp_path / path)
    with caplog.at_level(logging.WARNING, "costscan"):
        for _ in range(3):
            assert own.messages.create(**ASKED).content
            with own.messages.stream(**ASKED) as stream:
                assert stream.get_final_text() == "Yes."
    (record,) = caplog.records
    assert "calls are not logged" in record.getMessage()


def test_a_process_that_was_stopped_in_mid_write_stops_nobody(log: Path) -> None:
    import fcntl  # noqa: PLC0415

    file = LogFile(log, 10)
    file.append(b'{"n":0}\n')
    other = os.open(log, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    began = time.monotonic()
    file.append(b'{"n":1}\n')
    assert time.monotonic() - began < 1
    os.close(other)
    assert log.read_bytes() == b'{"n":0}\n{"n":1}\n'


def test_folders_are_made(tmp_path: Path) -> None:
    log = tmp_path / "a" / "b" / "runs.jsonl"
    LogFile(log, None).append(b"{}\n")
    assert log.read_bytes() == b"{}\n"


def test_the_front_door_loads_no_client() -> None:
    code = "import sys, costscan; costscan.run, dir(costscan); print({'anthropic', 'polars', 'httpx2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
