"""A stand-in for the Messages API on this machine: plain answers, streams, errors, batches, two other platforms."""

import base64
import json
import re
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-api03-0123456789-abcdefghijklmnop"
MODEL = "claude-sonnet-5-5"
USAGE = {
    "input_tokens": 1000,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 20000,
    "output_tokens": 100,
}
BATCH = "msgbatch_01"


@dataclass
class Server:
    """What a test tells the server, and what it was asked.

    `failures`: statuses that the next requests get. `gate`: a stream stops after its first token until it is set;
    `cut`: it breaks off there. `usage_of`: bills a request; else each has the same usage. `encoded`: bodies are compressed. `counts`: the tokens of a
    request that is only counted. `retry_after_ms`: when a failed request may be tried again. `seen`: paths and bodies.
    """

    url: str
    failures: deque[int] = field(default_factory=deque)
    gate: threading.Event = field(default_factory=threading.Event)
    cut: bool = False
    usage_of: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    batched: list[dict[str, Any]] = field(default_factory=list)
    encoded: bool = False
    counts: Callable[[dict[str, Any]], int] = lambda _: 7
    retry_after_ms: int = 1
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_id(self) -> str:
        with self.lock:
            self.count += 1
            return f"msg_{self.count:06}"


Usage = dict[str, Any]


def message(name: str, text: str = "Yes.", usage: Usage = USAGE, model: str = MODEL) -> dict[str, Any]:
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def completion(name: str) -> dict[str, Any]:
    """Return an answer of OpenAI's Chat Completions API."""
    return {
        "id": name.replace("msg", "chatcmpl"),
        "object": "chat.completion",
        "created": 1_795_900_000,
        "model": "gpt-5.5",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


def events(name: str, usage: Usage = USAGE, model: str = MODEL) -> list[dict[str, Any]]:
    start = {
        **message(name, model=model),
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Ye"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "s."}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": usage["output_tokens"]},
        },
        {"type": "message_stop"},
    ]


def sse(event: dict[str, Any]) -> bytes:
    """Return an event as it stands in a stream."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def frame(payload: bytes) -> bytes:
    """Return a frame of Amazon's event streams that holds an event."""
    chunk = json.dumps({"bytes": base64.b64encode(payload).decode(), "p": "abc"}).encode()
    told = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in told.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(chunk), len(headers))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + chunk
    return whole + struct.pack(">I", zlib.crc32(whole))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Http"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        told = self.server.told
        if self.path.endswith("/results") and told.batched:
            results = [
                {
                    "custom_id": one["custom_id"],
                    "result": {"type": "succeeded", "message": self._message(one["params"])},
                }
                for one in told.batched
            ]
            self._send(200, "\n".join(map(json.dumps, results)).encode(), "application/x-jsonl")
        elif self.path.endswith("/results"):
            results = [
                {"custom_id": "a", "result": {"type": "succeeded", "message": message(told.next_id())}},
                {"custom_id": "b", "result": {"type": "expired"}},
            ]
            self._send(200, "\n".join(map(json.dumps, results)).encode(), "application/x-jsonl")
        else:
            self._json(200, self._batch())

    def do_POST(self) -> None:
        told = self.server.told
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        told.seen.append((self.path, body))
        told.headers.append({name.lower(): value for name, value in self.headers.items()})
        if told.failures:
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
            self._json(told.failures.popleft(), error)
        elif self.path.split("?")[0].endswith("/count_tokens"):
            self._json(200, {"input_tokens": told.counts(body)})
        elif self.path.split("?")[0].endswith("/batches"):
            told.batched = body["requests"] if told.usage_of is not None else []
            self._json(200, self._batch())
        elif self.path.endswith("/chat/completions"):
            self._completion(told.next_id(), streamed=bool(body.get("stream")))
        elif body.get("stream") or re.search("stream", self.path):
            self._stream(told.next_id(), self._usage(body), self._model(body))
        else:
            self._json(200, self._message(body))

    def _message(self, body: dict[str, Any]) -> dict[str, Any]:
        return message(self.server.told.next_id(), usage=self._usage(body), model=self._model(body))

    def _model(self, body: dict[str, Any]) -> str:
        return MODEL if self.server.told.usage_of is None else str(body["model"])

    def _usage(self, body: dict[str, Any]) -> Usage:
        told = self.server.told
        return USAGE if told.usage_of is None else told.usage_of(body)

    def _completion(self, name: str, *, streamed: bool) -> None:
        whole = completion(name)
        if not streamed:
            self._json(200, whole)
            return
        chunk = {**whole, "object": "chat.completion.chunk", "usage": None}
        parts = [{**chunk, "choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Ye", "s.")]
        parts += [{**chunk, "choices": [], "usage": whole["usage"]}]
        told = [f"data: {json.dumps(part)}\n\n" for part in parts]
        self._send(200, "".join([*told, "data: [DONE]\n\n"]).encode(), "text/event-stream")

    def _batch(self) -> dict[str, Any]:
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        return {
            "id": BATCH,
            "type": "message_batch",
            "processing_status": "ended",
            "request_counts": counts,
            "created_at": "2026-11-20T10:00:00Z",
            "expires_at": "2026-11-21T10:00:00Z",
            "results_url": f"{self.server.told.url}/v1/messages/batches/{BATCH}/results",
        }

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._head(status, kind)
        body = self._coded(body)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _coded(self, body: bytes) -> bytes:
        return zlib.compress(body, wbits=31) if self.server.told.encoded else body

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("request-id", f"req_{len(self.server.told.seen)}")
        self.send_header("retry-after-ms", str(self.server.told.retry_after_ms))
        if self.server.told.encoded:
            self.send_header("content-encoding", "gzip")

    def _stream(self, name: str, usage: Usage, model: str) -> None:
        told, amazon = self.server.told, self.path.startswith("/model/")
        self._head(
            200, "application/vnd.amazon.eventstream" if amazon else "text/event-stream; charset=utf-8"
        )
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        coder = zlib.compressobj(wbits=31) if told.encoded else None
        for number, event in enumerate(events(name, usage, model)):
            if number == 3:
                if told.cut:
                    self.close_connection = True
                    return
                told.gate.wait(60)
            chunk = frame(json.dumps(event).encode()) if amazon else sse(event)
            self._chunk(chunk if coder is None else coder.compress(chunk) + coder.flush(zlib.Z_SYNC_FLUSH))
        if coder is not None:
            self._chunk(coder.flush())
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    told: Server

    def handle_error(self, *_: object) -> None:
        """Keep quiet where a client went away."""


@contextmanager
def model_server() -> Iterator[Server]:
    """Have a server while inside."""
    server = _Http(("127.0.0.1", 0), _Handler)
    server.told = Server(f"http://127.0.0.1:{server.server_address[1]}")
    server.told.gate.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.told
    finally:
        server.told.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
