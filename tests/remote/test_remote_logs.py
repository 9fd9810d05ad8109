"""Logs in a store, or at an address in the web: read as if they were files, whatever happens on the way."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import obstore
import pytest

from buckets import BUCKET, Bucket, bucket
from command import NO_LEVERS, Capture, said
from costscan import ingest
from costscan.errors import CostscanError
from costscan.formats.interface import LogFile, RemoteFile
from costscan.ingest.fetching import Fetching
from costscan.ingest.worker import _remote
from costscan.remote import objects
from logs import assistant, joined, tool_use

AGENTS = "sample_logs/sub-agents"
ROOT = f"s3://{BUCKET}"


@pytest.fixture(scope="module")
def served() -> Iterator[Bucket]:
    with bucket() as made:
        made.upload(Path(AGENTS), "agents")
        yield made


@pytest.fixture
def store(served: Bucket, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    objects.object_store.cache_clear()
    return served.store


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what is fetched."""
    keys: list[str] = []
    really = objects._fetched

    def counted(store: Any, key: str, target: Path) -> str:
        keys.append(key)
        return really(store, key, target)

    monkeypatch.setattr(objects, "_fetched", counted)
    return keys


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is read is kept, which tests else do without."""
    monkeypatch.delenv("COSTSCAN_CACHE", raising=False)
    monkeypatch.setenv("COSTSCAN_CACHE_DIR", str(tmp_path))
    return tmp_path


def call(name: str) -> bytes:
    return joined(
        [assistant(f"msg_{name}", sessionId=name, requestId=f"req_{name}", content=[tool_use("t")])]
    )


def calls(path: str, **more: Any) -> tuple[int, dict[str, str]]:
    with ingest.read([path], workers=1, **more) as reading:
        return reading.files, dict(reading.unread)


def test_the_report_is_that_of_the_files(store: Any, capsys: Capture) -> None:
    """Sub-agents have files beside their logs, which say of what type they are."""
    reports = [
        json.loads(said(capsys, "analyze", path, "--json", "--no-cache", *NO_LEVERS))
        for path in (AGENTS, f"{ROOT}/agents", f"{ROOT}/agents/", f"{ROOT}/ag*s/**/*.jsonl")
    ]
    of_files = reports[0]
    for report in reports[1:]:
        assert report["totals"] == of_files["totals"]
        assert report["breakdowns"] == of_files["breakdowns"]
        assert json.dumps(report["runs"]).replace(f"{ROOT}/agents/", f"{AGENTS}/") == json.dumps(
            of_files["runs"]
        )


def test_what_did_not_change_is_not_fetched_again(
    store: Any, fetched: list[str], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        obstore.put(store, f"kept/{name}.jsonl", call(name))
    assert calls(f"{ROOT}/kept/") == (2, {})
    assert sorted(fetched) == ["kept/a.jsonl", "kept/b.jsonl"]
    monkeypatch.chdir(kept)
    assert calls(f"{ROOT}/kept/") == (2, {})
    assert len(fetched) == 2
    obstore.put(store, "kept/b.jsonl", call("c"))
    assert calls(f"{ROOT}/kept/") == (2, {})
    assert fetched[2:] == ["kept/b.jsonl"]


def test_an_object_that_is_another_when_it_is_read_is_not_kept(
    store: Any, fetched: list[str], kept: Path
) -> None:
    obstore.put(store, "moving/a.jsonl", call("a"))
    listed, _ = objects.found(f"{ROOT}/moving/", lambda _: True, ())
    obstore.put(store, "moving/a.jsonl", call("b") + call("c"))
    with patch.object(objects, "found", lambda *_: (listed, False)):
        assert calls(f"{ROOT}/moving/") == (1, {})
    assert calls(f"{ROOT}/moving/") == (1, {})
    assert len(fetched) == 2


def test_an_object_that_is_gone_when_it_is_read_is_named(store: Any) -> None:
    for name in ("a", "b"):
        obstore.put(store, f"gone/{name}.jsonl", call(name))
    listed, _ = objects.found(f"{ROOT}/gone/", lambda _: True, ())
    obstore.delete(store, "gone/a.jsonl")
    with patch.object(objects, "found", lambda *_: (listed, False)):
        assert calls(f"{ROOT}/gone/") == (1, {f"{ROOT}/gone/a.jsonl": "no such object"})


@pytest.mark.parametrize(("path", "what"), [
    (f"{ROOT}/nothing/", "no log there"),
    (f"{ROOT}/agents/x*", "no log there"),
    (f"{ROOT}/agents/nothing.jsonl", "no log there"),
    ("s3://no-such-bucket/x/", "404"),
])  # fmt: skip
def test_what_is_not_there(path: str, what: str, store: Any, capsys: Capture) -> None:
    shown = said(capsys, "usage", path, code=2)
    assert shown.startswith(f"error: {path}: ")
    assert what in shown
    assert "<" not in shown


def test_a_store_that_cannot_be_reached(store: Any, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(objects, "_RETRIES", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    shown = said(capsys, "usage", f"{ROOT}/agents/", code=2)
    assert "hint: check the address, the network and the credentials" in shown
    assert "Traceback" not in shown


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    objects.object_store.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    assert "pip install 'costscan[remote]'" in said(capsys, "usage", "gs://logs/", code=2)


def test_names_of_objects_lead_nowhere_else(store: Any, tmp_path: Path) -> None:
    with patch.object(objects, "_fetched", lambda _, __, target: target.write_text("x") and "v"):
        for path in ("s3://logs/a/..", "s3://logs/"):
            got = objects.fetch(LogFile(path, remote=RemoteFile(1, "v")), tmp_path)
            assert got.on_disk == str(tmp_path / "object")


def test_files_lie_on_disk_as_long_as_they_are_read(store: Any, tmp_path: Path) -> None:
    for name in "abc":
        obstore.put(store, f"three/{name}.jsonl", call(name))
    files, _ = objects.found(f"{ROOT}/three/", lambda _: True, ())
    folder = tmp_path / "fetched"
    with Fetching(files, folder) as fetching:
        places = [Path(fetching.local(file).on_disk) for file in files]
        assert [place.exists() for place in places] == [False, False, True]
    assert not folder.exists()


def test_what_an_order_says_of_a_file_comes_through_json() -> None:
    file = RemoteFile(9, "v", (("a.meta.json", "w"),), "https://example.com/a?b")
    assert _remote(json.loads(json.dumps(file))) == file
    assert _remote(None) is None


Answer = Callable[[BaseHTTPRequestHandler, int], None]


@pytest.fixture
def web() -> Iterator[tuple[str, list[Answer]]]:
    """A server in the web; each request takes the next of the answers, the last one all further ones."""
    answers: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            answer(self, 200)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()
    thread.join()


def body(content: bytes, *, promised: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, status: int) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(promised or len(content)))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content)

    return answer


def failing(status: int) -> Answer:
    return lambda handler, _: body(b"")(handler, status)


def test_a_signed_address(web: tuple[str, list[Answer]], capsys: Capture, kept: Path) -> None:
    address, answers = web
    answers.append(body(call("a")))
    signed = f"{address}/a/runs.jsonl?X-Amz-Signature=secret"
    shown = said(capsys, "analyze", signed, "--json", *NO_LEVERS)
    report = json.loads(shown)
    assert report["totals"]["turns"] == 1
    assert report["runs"][0]["path"] == f"{address}/a/runs.jsonl"
    assert "secret" not in shown
    assert "secret" not in said(capsys, "usage", signed)
    assert not any(b"secret" in path.read_bytes() for path in kept.rglob("*") if path.is_file())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(status: int, web: tuple[str, list[Answer]]) -> None:
    address, answers = web
    answers += [failing(status), failing(status), body(call("a"))]
    assert calls(f"{address}/runs.jsonl") == (1, {})


@pytest.mark.parametrize(("answer", "what"), [
    (failing(404), "no such object"),
    (failing(403), "permission denied"),
    (body(b'{"type"', promised=99), ""),
])  # fmt: skip
def test_what_cannot_be_fetched_is_told(answer: Answer, what: str, web: tuple[str, list[Answer]]) -> None:
    address, answers = web
    answers.append(answer)
    with (
        patch.object(objects, "_RETRIES", {"max_retries": 0}),
        pytest.raises(CostscanError, match=f"{address}/runs.jsonl: not read: {what}"),
    ):
        calls(f"{address}/runs.jsonl")
