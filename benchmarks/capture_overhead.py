"""What logging a call costs the program that makes it: the same calls with and without `costscan.capture`.

The answers come from inside the process, so nothing is waited for. Prints lower quartiles, in microseconds.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx2

import costscan

MODEL = "claude-sonnet-5-5"
USAGE = {"input_tokens": 1000, "cache_read_input_tokens": 20000, "output_tokens": 500}
WORDS = "The build of the second stage failed because a file could not be found. "


def prompt(n_bytes: int) -> list[dict[str, Any]]:
    """Return the messages of a conversation of about so many bytes."""
    text = WORDS * 14
    turns = max(1, n_bytes // len(text) // 2)
    said = [
        {"role": "user", "content": text},
        {"role": "assistant", "content": [{"type": "text", "text": text}]},
    ]
    return [*said * turns, {"role": "user", "content": "Go on."}]


def answer() -> bytes:
    """Return a response of 500 tokens."""
    content = [{"type": "text", "text": WORDS * 28}]
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": content}
    return json.dumps({**told, "stop_reason": "end_turn", "stop_sequence": None, "usage": USAGE}).encode()


def stream() -> list[bytes]:
    """Return the same as a stream of 500 deltas, each a chunk of its own."""
    start = {**json.loads(answer()), "content": [], "stop_reason": None}
    delta = {"type": "text_delta", "text": " word"}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[{"type": "content_block_delta", "index": 0, "delta": delta}] * 500,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 500}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


class Chunks(httpx2.SyncByteStream):
    """A body in chunks."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Any:
        return iter(self._chunks)


def respond(request: httpx2.Request) -> httpx2.Response:
    """Answer at once."""
    if b'"stream":true' in request.content[-200:] + request.content[:200]:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Chunks(EVENTS))
    return httpx2.Response(200, headers={"content-type": "application/json"}, content=ANSWER)


ANSWER, EVENTS = answer(), stream()


def client(*middleware: anthropic.Middleware) -> anthropic.Anthropic:
    """Return a client whose answers come from here."""
    http = httpx2.Client(transport=httpx2.MockTransport(respond))
    return anthropic.Anthropic(api_key="k", http_client=http, middleware=list(middleware))


def calls(own: anthropic.Anthropic, messages: Any, *, streamed: bool) -> Callable[[], None]:
    """Return a function that makes a call and reads its answer."""

    def plain() -> None:
        own.messages.create(model=MODEL, max_tokens=1000, messages=messages)

    def in_events() -> None:
        for _ in own.messages.create(model=MODEL, max_tokens=1000, messages=messages, stream=True):
            pass

    return in_events if streamed else plain


def quartiles(functions: list[Callable[[], None]], rounds: int) -> list[float]:
    """Return the microseconds that each function takes in its better quarter; they take turns."""
    taken: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, times in zip(functions, taken, strict=True):
            began = time.perf_counter()
            function()
            times.append((time.perf_counter() - began) * 1e6)
    return [statistics.quantiles(times, n=4)[0] for times in taken]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        logged = client(costscan.capture(Path(folder) / "runs.jsonl"))
        hidden = client(costscan.capture(Path(folder) / "hidden.jsonl", redact="content"))
        kinds = [client(), logged, hidden]
        print("| prompt | answer | call alone, µs | logged, µs more | logged without texts, µs more |")
        print("|---|---|---|---|---|")
        for n_bytes in (1_000, 100_000, 1_000_000):
            for streamed in (False, True):
                asked = prompt(n_bytes)
                alone, *more = quartiles([calls(k, asked, streamed=streamed) for k in kinds], rounds)
                costs = " | ".join(f"{taken - alone:,.0f}" for taken in more)
                answered = "500 events" if streamed else "whole"
                print(f"| {n_bytes // 1000:,} kB | {answered} | {alone:,.0f} | {costs} |")


if __name__ == "__main__":
    main()
