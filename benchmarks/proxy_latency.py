"""What the proxy of `costscan capture` adds to a call: the same calls to a server here, with and without it.

Prints lower quartiles in milliseconds: of a whole call, and of a stream to its first and to its last byte.
"""

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from costscan.capturing import serve
from costscan.capturing.context import Run
from costscan.capturing.log_file import LogFile
from costscan.capturing.proxy import Upstream
from costscan.capturing.recorder import Recorder
from model_server import MODEL, model_server

ROUNDS = 300
PROMPT = "The build of the second stage failed because a file could not be found. " * 1400


def call(client: httpx2.Client, url: str, *, streamed: bool) -> tuple[float, float]:
    """Return the milliseconds to the first and to the last byte of an answer."""
    body = {
        "model": MODEL,
        "max_tokens": 9,
        "stream": streamed,
        "messages": [{"role": "user", "content": PROMPT}],
    }
    began = time.perf_counter()
    first = None
    with client.stream("POST", f"{url}/v1/messages", json=body) as response:
        for _ in response.iter_raw():
            first = first or time.perf_counter()
    end = time.perf_counter()
    return ((first or end) - began) * 1000, (end - began) * 1000


def main() -> None:
    """Print a table."""
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder, model_server() as server, httpx2.Client() as client:
        sock = serve.listening(0)
        recorder = Recorder(LogFile(Path(folder) / "runs.jsonl", None), None)
        upstream = Upstream(name="anthropic", url=server.url, recorder=recorder)
        work = threading.Thread(target=serve.serve, args=(sock, [upstream], Run(), over.is_set))
        work.start()
        urls = [server.url, f"http://127.0.0.1:{sock.getsockname()[1]}/anthropic"]
        print("| call | directly | through the proxy |\n|---|---|---|")
        for streamed in (False, True):
            taken: list[list[tuple[float, float]]] = [[], []]
            for _ in range(ROUNDS):
                for url, times in zip(urls, taken, strict=True):
                    times.append(call(client, url, streamed=streamed))
            for nth, name in enumerate(("first byte", "last byte")):
                kind = f"{'stream' if streamed else 'whole'}, {name}"
                shown = [statistics.quantiles([t[nth] for t in times], n=4)[0] for times in taken]
                print(f"| {kind} | {shown[0]:.1f} | {shown[1]:.1f} |")
        over.set()
        work.join()


if __name__ == "__main__":
    main()
