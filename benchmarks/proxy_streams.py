"""What the proxy of `costscan capture` does to 50 streams at once: the same streams, with and without it.

Each event holds when it was sent; the server, the proxy and the clients are three processes with one clock.
Streams begin within a second, or all at the same moment, and have 75 events a second, or as many as go.
Prints medians over rounds that take turns.
"""

import asyncio
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from costscan.capturing import serve
from costscan.capturing.context import Run
from costscan.capturing.log_file import LogFile
from costscan.capturing.proxy import Upstream
from costscan.capturing.recorder import Recorder

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

STREAMS = 50
ROUNDS = 5
PROMPT = "The build of the second stage failed because a file could not be found. " * 1400
STAMP = re.compile(rb"@(\d+)@")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
HEADS = (
    "| | first byte, ms (p50 / p99) | an event on its way, ms | between events, ms | events a second "
    "| CPU of the proxy |"
)


class Load(NamedTuple):
    """How streams come: within how many seconds they begin, events each, seconds between two."""

    name: str
    begin_within_s: float
    events: int
    every_s: float


LOADS = (
    Load("75 events a second, begun within a second", 1.0, 300, 1 / 75),
    Load("75 events a second, begun at the same moment", 0.0, 300, 1 / 75),
    Load("as fast as they go", 0.0, 1000, 0.0),
)


class Taken(NamedTuple):
    """Of a round: what each stream saw, in milliseconds, and how long all took, in seconds."""

    first_ms: list[float]
    late_ms: list[float]
    between_ms: list[float]
    took_s: float


def chunk(event: dict[str, Any]) -> bytes:
    """Return an event as a chunk of a body."""
    data = f"event: {event['type']}\ndata: ".encode() + msgspec.json.encode(event) + b"\n\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection with streams as they ask for."""
    while head := await _head(reader):
        size = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
        asked = msgspec.json.decode(await reader.readexactly(size))["metadata"]
        usage = {"input_tokens": 9, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5"}
        start = {"type": "message_start", "message": {**message, "content": [], "usage": usage}}
        writer.write(HEAD + chunk(start))
        due = time.monotonic()
        for _ in range(asked["events"]):
            due += asked["every_s"]
            await asyncio.sleep(due - time.monotonic())
            delta = {"type": "text_delta", "text": f"@{time.monotonic_ns()}@ of the"}
            writer.write(chunk({"type": "content_block_delta", "index": 0, "delta": delta}))
            await writer.drain()
        writer.write(chunk({"type": "message_delta", "delta": {}, "usage": usage}))
        writer.write(chunk({"type": "message_stop"}) + b"0\r\n\r\n")
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def serve_model(port: "Synchronized[int]", cpu: "Synchronized[float]", over: Any) -> None:
    """Serve the stand-in until it is over."""

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=200)
        port.value = server.sockets[0].getsockname()[1]
        while not over.is_set():
            await asyncio.sleep(0.05)
            cpu.value = time.process_time()

    asyncio.run(run())


def serve_proxy(url: str, log: str, port: "Synchronized[int]", cpu: "Synchronized[float]", over: Any) -> None:
    """Serve the proxy until it is over."""

    def is_over() -> bool:
        cpu.value = time.process_time()
        return bool(over.is_set())

    sock = serve.listening(0)
    port.value = sock.getsockname()[1]
    recorder = Recorder(LogFile(Path(log), None), None)
    serve.serve(sock, [Upstream(name="anthropic", url=url, recorder=recorder)], Run(), is_over)


@contextmanager
def process(target: Callable[..., None], *arguments: str) -> Any:
    """Have a server in a process of its own while inside: its port, and the seconds of CPU it took."""
    spawn = multiprocessing.get_context("spawn")
    port, cpu, over = spawn.Value("i", 0), spawn.Value("d", 0.0), spawn.Event()
    child = spawn.Process(target=target, args=(*arguments, port, cpu, over))
    child.start()
    while not port.value:
        time.sleep(0.05)
    try:
        yield port.value, cpu
    finally:
        over.set()
        child.join()


async def listen(port: int, path: str, load: Load, nth: int) -> tuple[float, list[float], list[float]]:
    """Ask for a stream; return the milliseconds to its first byte, events were late by, and between them."""
    await asyncio.sleep(load.begin_within_s * nth / STREAMS)
    body = msgspec.json.encode({
        "model": "claude-sonnet-5-5", "max_tokens": 9, "stream": True,
        "metadata": {"events": load.events, "every_s": load.every_s},
        "messages": [{"role": "user", "content": PROMPT}],
    })  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    head = (
        f"POST {path}/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    data = await reader.read(1 << 16)
    first_ms = (time.monotonic() - began) * 1000
    late, seen = [], []
    while True:
        now = time.monotonic_ns()
        found = list(STAMP.finditer(data))
        late += [(now - int(one[1])) / 1e6 for one in found]
        seen += [now / 1e6] * len(found)
        rest = data[found[-1].end() if found else -100 :]
        if rest.endswith(b"0\r\n\r\n"):
            writer.close()
            return first_ms, late, [after - before for before, after in pairwise(seen)]
        more = await reader.read(1 << 16)
        if not more:
            raise ConnectionError("the stream broke off")
        data = rest + more


async def round_of(port: int, path: str, load: Load) -> Taken:
    """Have all streams at once."""
    began = time.monotonic()
    told = await asyncio.gather(*(listen(port, path, load, nth) for nth in range(STREAMS)))
    took = time.monotonic() - began
    if any(len(late) != load.events for _, late, _ in told):
        raise ValueError("events are missing")
    first, late, between = zip(*told, strict=True)
    return Taken(list(first), list(chain(*late)), list(chain(*between)), took)


def shown(load: Load, rounds: list[tuple[Taken, float]]) -> list[str]:
    """Return the medians of rounds as texts."""

    def median(of: Callable[[Taken], float], digits: int = 1) -> str:
        return f"{statistics.median(of(taken) for taken, _ in rounds):,.{digits}f}"

    def at(percent: int) -> Callable[[list[float]], float]:
        return lambda values: statistics.quantiles(values, n=100)[percent - 1]

    cpu = statistics.median(cpu_s / taken.took_s for taken, cpu_s in rounds)
    return [
        f"{median(lambda t: at(50)(t.first_ms))} / {median(lambda t: at(99)(t.first_ms))}",
        f"{median(lambda t: at(50)(t.late_ms))} / {median(lambda t: at(99)(t.late_ms))}",
        f"{median(lambda t: at(50)(t.between_ms))} / {median(lambda t: at(99)(t.between_ms))}",
        median(lambda t: STREAMS * load.events / t.took_s, 0),
        f"{cpu:.0%}",
    ]


def main() -> None:
    """Print a table a load."""
    with (
        tempfile.TemporaryDirectory() as folder,
        process(serve_model) as (port, _),
        process(serve_proxy, f"http://127.0.0.1:{port}", f"{folder}/runs.jsonl") as (proxy, cpu),
    ):
        ways = (("directly", port, ""), ("through the proxy", proxy, "/anthropic"))
        for load in LOADS:
            taken: list[list[tuple[Taken, float]]] = [[], []]
            for _ in range(ROUNDS):
                for (_, its, path), rounds in zip(ways, taken, strict=True):
                    before = cpu.value
                    told = asyncio.run(round_of(its, path, load))
                    time.sleep(0.3)
                    rounds.append((told, cpu.value - before))
            print(f"\n{STREAMS} streams, {load.name}\n\n{HEADS}\n|---|---|---|---|---|---|")
            for (name, _, _), rounds in zip(ways, taken, strict=True):
                print(f"| {name} | {' | '.join(shown(load, rounds))} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
