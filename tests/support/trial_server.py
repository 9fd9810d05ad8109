"""A stand-in for the API that trials ask: live messages and message batches, with all that may go wrong on the way."""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


def words(text: str) -> list[Body]:
    return [{"type": "text", "text": text}]


@dataclass
class Batch:
    name: str
    requests: list[Body]
    made: float
    results: list[Body] = field(default_factory=list)


@dataclass
class TrialServer:
    """What a test tells the server, and what it was asked.

    `answer`: what it answers to a body; `elsewhere`: where it sends whoever posts, instead; `usage` says what that is billed. `failures`: statuses that the next posts get.
    `loses`: so many batches are made, and the connection breaks before that is said. `polls`: a batch ends when it was
    asked for so often. `errs`: requests with these words in them fail. `asked` counts how often each request was paid.
    `holds_from`: live answers from this one on are held back until `gate` is set.
    """

    url: str = ""
    answer: Callable[[Body], list[Body]] = lambda _: words("yes")
    stop_reason: str = "end_turn"
    usage: Callable[[Body], Body] = lambda _: {"input_tokens": 100, "output_tokens": 10}
    failures: deque[int] = field(default_factory=deque)
    loses: int = 0
    polls: int = 0
    errs: str = "\0"
    elsewhere: str | None = None
    batches: dict[str, Batch] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    on_post: Callable[[], None] = lambda: None
    holds_from: int | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def message(self, body: Body) -> Body:
        return {
            "id": f"msg_{len(self.bodies):06}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": self.answer(body),
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": self.usage(body),
        }

    def result(self, request: Body) -> Body:
        """Do a request of a batch."""
        body = request["params"]
        self.bodies.append(body)
        if self.errs in json.dumps(body):
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "No such thing"}}
            return {"custom_id": request["custom_id"], "result": {"type": "errored", "error": error}}
        self.asked[request["custom_id"]] += 1
        message = self.message(body)
        return {"custom_id": request["custom_id"], "result": {"type": "succeeded", "message": message}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Http"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    @property
    def told(self) -> TrialServer:
        return self.server.told

    def do_GET(self) -> None:
        self.told.paths.append(self.path)
        path = self.path.split("?")[0]
        if path.endswith("/results"):
            batch = self.told.batches[path.split("/")[-2]]
            self._send(
                200, "\n".join(map(json.dumps, reversed(batch.results))).encode(), "application/x-jsonl"
            )
        elif path.endswith("/batches"):
            newest = [self._shown(one) for one in reversed(self.told.batches.values())]
            self._json(200, {"data": newest, "has_more": False, "first_id": None, "last_id": None})
        else:
            with self.told.lock:
                self.told.polls -= 1
                self._json(200, self._shown(self.told.batches[path.split("/")[-1]]))

    def do_POST(self) -> None:
        told = self.told
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = None
        with told.lock:
            told.paths.append(self.path)
            told.keys.add(self.headers.get("x-api-key") or self.headers.get("authorization"))
            told.on_post()
            if told.elsewhere:
                self._redirect(told.elsewhere)
            elif told.failures:
                error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
                self._json(told.failures.popleft(), error)
            elif self.path.endswith("/batches"):
                self._made(body["requests"])
            else:
                told.bodies.append(body)
                told.asked[json.dumps(body, sort_keys=True)] += 1
                is_held = told.holds_from is not None and len(told.bodies) >= told.holds_from
                answer = told.message(body)
        if answer is not None:
            if is_held:
                told.gate.wait(60)
            self._json(200, answer)

    def _made(self, requests: list[Body]) -> None:
        batch = Batch(f"msgbatch_{len(self.told.batches):03}", requests, time.time())
        self.told.batches[batch.name] = batch
        batch.results = [self.told.result(request) for request in requests]
        if self.told.loses:
            self.told.loses -= 1
            self.close_connection = True
            return
        self._json(200, self._shown(batch))

    def _shown(self, batch: Batch) -> Body:
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        is_over = self.told.polls <= 0
        counts["succeeded" if is_over else "processing"] = len(batch.requests)
        at = datetime.fromtimestamp(batch.made, UTC).isoformat()
        return {
            "id": batch.name,
            "type": "message_batch",
            "processing_status": "ended" if is_over else "in_progress",
            "request_counts": counts,
            "created_at": at,
            "expires_at": at,
            "results_url": f"{self.told.url}/v1/messages/batches/{batch.name}/results" if is_over else None,
        }

    def _redirect(self, url: str) -> None:
        self.send_response(307)
        self.send_header("location", f"{url}{self.path}")
        self.send_header("content-length", "0")
        self.end_headers()

    def _json(self, status: int, value: Body) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("retry-after-ms", "1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    told: TrialServer

    def handle_error(self, *_: object) -> None:
        """Keep quiet where a client went away."""


@contextmanager
def trial_server() -> Iterator[TrialServer]:
    """Have a server while inside."""
    server = _Http(("127.0.0.1", 0), _Handler)
    server.told = TrialServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.told
    finally:
        server.told.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
