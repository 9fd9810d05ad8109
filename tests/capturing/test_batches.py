"""The results of a batch are lines at batch price, with what was asked where this program asked it."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

import costscan
from captured import ASKED, async_client, client, lines, report_of
from costscan.capturing import batches
from model_server import BATCH, Server

REQUESTS = [{"custom_id": name, "params": ASKED} for name in "ab"]


def test_a_batch_and_its_results(server: Server, log: Path) -> None:
    own = client(server, log)
    with costscan.run("nightly", run_id="r7"):
        own.messages.batches.create(requests=REQUESTS)  # type: ignore[arg-type]
    assert not log.exists()
    results = list(own.messages.batches.results(BATCH))
    assert [result.custom_id for result in results] == ["a", "b"]
    done, expired = lines(log)
    assert done["request"] == expired["request"] == ASKED
    assert done["result"]["message"]["id"] == "msg_000001"
    assert expired["result"] == {"type": "expired"}
    assert {(line["run_id"], line["task"], line["timestamp"]) for line in (done, expired)} == {
        ("r7", "nightly", "2026-11-20T10:00:00Z")
    }
    report = report_of(log)
    # Half of 2, 0.1 and 10 dollars a million tokens of input, cache reads and output.
    once = (1000 * Decimal(2) + 20000 * Decimal("0.1") + 100 * Decimal(10)) / 1_000_000
    assert report.summary.totals.usd == once / 2


def test_results_of_a_batch_of_another_program(server: Server, log: Path) -> None:
    async def ask() -> list[str]:
        async with async_client(server, log, task="nightly") as own:
            return [result.custom_id async for result in await own.messages.batches.results(BATCH)]

    assert asyncio.run(ask()) == ["a", "b"]
    done, _ = lines(log)
    assert "request" not in done
    assert done["task"] == "nightly"
    assert costscan.read(log).turns["tier"].to_list() == ["batch"]


def test_what_is_kept_of_batches_is_bounded(
    server: Server, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 10)
    own = client(server, log)
    own.messages.batches.create(requests=REQUESTS)  # type: ignore[arg-type]
    list(own.messages.batches.results(BATCH))
    assert [line.get("request") for line in lines(log)] == [None, None]
