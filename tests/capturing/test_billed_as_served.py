"""A scripted agent against a server that bills by the documented rules: the log says what the server billed.

To the token, and in dollars, whichever way the calls are made.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import pytest

import costscan
from biller import MODEL, USD_PER_MTOK, Biller
from captured import async_client, client, proxied, report_of
from model_server import KEY, Server

pytestmark = pytest.mark.usefixtures("bill_only")

TURNS = 4
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
SYSTEM = [
    {
        "type": "text",
        "text": "You sort the mail of a harbour. " + "Ships come and go. " * 300,
        "cache_control": HOUR,
    }
]
TOOLS = [
    {"name": "look", "description": "Look at a letter.", "input_schema": {"type": "object", "properties": {}}}
]


def requests(run: str, turns: int = TURNS) -> Iterator[dict[str, Any]]:
    """The requests of an agent, each with all before it; the last block is marked."""
    said: list[dict[str, Any]] = []
    for turn in range(turns):
        text = f"Letter {turn} for {run}. " + "It is long. " * 40
        said.append({"role": "user", "content": [{"type": "text", "text": text}]})
        marked = [
            *said[:-1],
            {"role": "user", "content": [{**said[-1]["content"][0], "cache_control": MARK}]},
        ]
        yield {"model": MODEL, "max_tokens": 100, "system": SYSTEM, "tools": TOOLS, "messages": marked}
        said.append({"role": "assistant", "content": [{"type": "text", "text": "Yes."}]})


@pytest.fixture
def biller(server: Server) -> Biller:
    server.usage_of = biller = Biller()
    return biller


def one_by_one(server: Server, log: Path) -> None:
    own = client(server, log)
    for asked in requests("a"):
        own.messages.create(**asked)


def asynchronous(server: Server, log: Path) -> None:
    async def run(name: str) -> None:
        async with async_client(server, log) as own:
            for asked in requests(name):
                await own.messages.create(**asked)

    async def both() -> None:
        await asyncio.gather(run("a"), run("b"))

    asyncio.run(both())


def streamed(server: Server, log: Path) -> None:
    own = client(server, log)
    for asked in requests("a"):
        with own.messages.stream(**asked) as stream:
            stream.until_done()


def cut_off(server: Server, log: Path) -> None:
    """Streams that break off after their first token: billed are the prompt, and what was said of the answer."""
    assert isinstance(server.usage_of, Biller)
    server.cut = server.usage_of.is_cut = True
    own = client(server, log, task="cut")
    for asked in requests("a"):
        with suppress(anthropic.APIError, Exception), own.messages.stream(**asked) as stream:
            stream.until_done()


def with_retries(server: Server, log: Path) -> None:
    own = client(server, log)
    for asked in requests("a"):
        server.failures.extend((529, 500))
        own.with_options(max_retries=3).messages.create(**asked)


def in_threads(server: Server, log: Path) -> None:
    own = client(server, log)

    def run(name: str) -> None:
        with costscan.run("mail"):
            for asked in requests(name):
                own.messages.create(**asked)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, "abcdefgh"))


def behind_a_proxy(server: Server, log: Path) -> None:
    with proxied(server.url, log) as address:
        own = anthropic.Anthropic(api_key=KEY, base_url=f"{address}/anthropic", max_retries=0)
        for number, asked in enumerate(requests("a")):
            if number % 2:
                with own.messages.stream(**asked) as stream:
                    stream.until_done()
            else:
                own.messages.create(**asked)


IN_PROCESSES = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
sys.path[:0] = ["tests/capturing", "tests/support"]
from test_billed_as_served import one_by_one
for _ in range(8):
    if not os.fork():
        one_by_one(SimpleNamespace(url=sys.argv[1]), Path(sys.argv[2]))
        os._exit(0)
sys.exit(any(os.wait()[1] for _ in range(8)))
"""


def in_processes(server: Server, log: Path) -> None:
    """Eight of them, forked from one that has imported what takes long."""
    done = subprocess.run([sys.executable, "-c", IN_PROCESSES, server.url, str(log)], check=False, timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize(("ways", "calls"), [
    (one_by_one, TURNS),
    (asynchronous, 2 * TURNS),
    (streamed, TURNS),
    (cut_off, TURNS),
    (with_retries, TURNS),
    (in_threads, 8 * TURNS),
    (behind_a_proxy, TURNS),
    (in_processes, 8 * TURNS),
])  # fmt: skip
def test_the_log_says_what_was_billed(
    ways: Callable[[Server, Path], None], calls: int, server: Server, biller: Biller, log: Path
) -> None:
    ways(server, log)
    report = report_of(log)
    told = {name: report.turns[name].sum() for name in USD_PER_MTOK}
    assert (biller.calls, report.turns.height) == (calls, calls)
    assert told == {name: biller.sums[name] for name in USD_PER_MTOK}
    assert report.by("model")["usd"].sum() == biller.usd()
    assert told["cache_read_tokens"] > 0


def test_a_batch_is_billed_at_half(server: Server, biller: Biller, log: Path) -> None:
    own = client(server, log)
    asked = [{"custom_id": str(n), "params": params} for n, params in enumerate(requests("a"))]
    batch = own.messages.batches.create(requests=asked)  # type: ignore[arg-type]
    assert len(list(own.messages.batches.results(batch.id))) == TURNS
    report = report_of(log)
    assert {name: report.turns[name].sum() for name in USD_PER_MTOK} == {
        name: biller.sums[name] for name in USD_PER_MTOK
    }
    assert report.by("model")["usd"].sum() == biller.usd() / 2


def test_the_biller_bills_as_documented(biller: Biller) -> None:
    """The second prompt reads what the first wrote, and writes what is new for five minutes."""
    first, second = (biller(asked) for asked in requests("a", 2))
    written = first["cache_creation_input_tokens"]
    assert first["cache_creation"]["ephemeral_1h_input_tokens"] > 1024
    assert (first["cache_read_input_tokens"], second["cache_read_input_tokens"]) == (0, written)
    assert second["cache_creation"]["ephemeral_1h_input_tokens"] == 0
    assert second["cache_creation"]["ephemeral_5m_input_tokens"] > 0
    assert biller.usd() == sum(
        (Decimal(biller.sums[name]) * usd for name, usd in USD_PER_MTOK.items()), Decimal()
    ) / Decimal(10**6)
