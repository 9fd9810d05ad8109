"""Clients of the stand-in server whose calls are logged, and what stands in their log."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import zstandard

import costscan
from costscan.capturing import serve
from costscan.capturing.context import Run
from costscan.capturing.log_file import LogFile
from costscan.capturing.proxy import Upstream
from costscan.capturing.recorder import Recorder
from model_server import KEY, MODEL, Server

LEVERS = ("caching", "trimming", "routing", "batching")
ASKED: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Is it so?"}],
}


def client(server: Server, log: Path, **options: Any) -> anthropic.Anthropic:
    """Return a synchronous client that logs to a file."""
    middleware = [costscan.capture(log, **options)]
    return anthropic.Anthropic(api_key=KEY, base_url=server.url, middleware=middleware)


def async_client(server: Server, log: Path, **options: Any) -> anthropic.AsyncAnthropic:
    """Return an asynchronous client that logs to a file."""
    middleware = [costscan.capture(log, **options)]
    return anthropic.AsyncAnthropic(api_key=KEY, base_url=server.url, middleware=middleware)


def lines(log: Path) -> list[dict[str, Any]]:
    """Return the lines of a log, each of which must be a JSON object, and of those set aside, oldest first."""
    out: list[dict[str, Any]] = []
    for path in sorted(log.parent.glob(f"{log.stem}.*")):
        raw = path.read_bytes()
        if path.suffix == ".zst":
            raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
        assert raw.endswith(b"\n")
        out += map(json.loads, raw.splitlines())
    return out


def report_of(log: Path) -> costscan.Report:
    """Return what `analyze` makes of a log, without what levers would have saved."""
    return costscan.analyze(log, settings={f"{lever}.enabled": False for lever in LEVERS}, workers=1)


@contextmanager
def proxied(url: str, log: Path) -> Iterator[str]:
    """Serve a proxy that logs to a file while inside; its address."""
    sock, over = serve.listening(0), threading.Event()
    upstreams = [
        Upstream(name=name, url=url + path, recorder=Recorder(LogFile(log.with_name(file), None), None))
        for name, path, file in (("anthropic", "", log.name), ("openai", "/v1", "openai.jsonl"))
    ]
    work = threading.Thread(target=serve.serve, args=(sock, upstreams, Run(None, "ask"), over.is_set))
    work.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        over.set()
        work.join()
