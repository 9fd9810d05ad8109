"""Trials of made logs: labels that a stand-in for the API gives again, or not."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import anthropic
import httpx2

from costscan.actions.measured import Moved
from costscan.prices import PriceBook, price_table
from costscan.trial.calls import Call, Chosen
from costscan.trial.outcome import Found
from costscan.trial.prices import BATCH, STANDARD, Prices
from costscan.trial.running import Running
from costscan.trial.sending import outcomes
from costscan.trial.sending.batches import Batches
from costscan.trial.sending.courier import Courier, ready
from costscan.trial.sending.interface import Means
from costscan.trial.sending.live import Live
from costscan.trial.sending.worker import Worker
from costscan.trial.session import Session, Wanted
from costscan.trial.state import State
from trial_server import TrialServer

OWN, TARGET_MODEL = "claude-opus-5-5", "claude-haiku-5-5"
NOW: Final = datetime(2026, 11, 20, tzinfo=UTC)
BOOK: Final = PriceBook.of(price_table())
LABEL: Final = "billing"
MAX_TOKENS: Final = 50
WANTED: Final = Wanted(
    sample=100, itself=0, max_usd=Decimal(5), is_live=False, judge=None, enough=0.9, seed=0
)


def pair(number: int, answer: str = LABEL, **request: Any) -> dict[str, Any]:
    """Return a line of a log: which label has message `number`?"""
    body = {
        "model": OWN,
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": f"Message {number}. Which label?"}],
        **request,
    }
    return {
        "run_id": f"run {number}",
        "task": "label",
        "timestamp": f"2026-11-12T08:{number // 60 % 60:02}:{number % 60:02}Z",
        "request": body,
        "response": {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": OWN,
            "content": [{"type": "text", "text": answer}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 100, "output_tokens": 10},
        },
    }


def logged(path: Path, pairs: list[dict[str, Any]]) -> list[Call]:
    """Write a log, and return its calls as an action would move them."""
    path.write_text("".join(json.dumps(one) + "\n" for one in pairs), encoding="utf-8")
    return [
        Call(
            run_id=one["run_id"],
            turn=0,
            moved=Moved(one["task"], None, "single-shot-label", TARGET_MODEL),
            model=OWN,
            file=str(path),
            line=number,
            message_id=one["response"]["id"],
            prompt_tokens=100,
            size_ratio=1.0,
            output_tokens=10,
            usd=Decimal("0.0006"),
            duration_s=2.0,
        )
        for number, one in enumerate(pairs, 1)
    ]


def chosen(calls: list[Call]) -> Chosen:
    return Chosen("Try it", "an-action", calls, 0)


def prices(*, is_live: bool = False) -> Prices:
    return Prices(BOOK, Decimal(1), STANDARD if is_live else BATCH, NOW)


@cache
def _client() -> anthropic.Anthropic:
    """A client that keeps no connection open; to make one takes longer than a trial."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    http_client = anthropic.DefaultHttpxClient(limits=limits)
    return anthropic.Anthropic(api_key="sk-ant-test", max_retries=0, http_client=http_client)


def client(server: TrialServer) -> anthropic.Anthropic:
    return _client().with_options(base_url=server.url)


@contextmanager
def session(path: Path, calls: list[Call], wanted: Wanted = WANTED) -> Iterator[Session]:
    """Have a trial of some calls, whose state is at a path."""
    with State.open(path) as state:
        yield Session.of(chosen(calls), wanted, state, prices(is_live=wanted.is_live))


def run(server: TrialServer, path: Path, calls: list[Call], wanted: Wanted = WANTED) -> Found:
    """Run a trial, or go on with it, without waiting for anything."""
    with session(path, calls, wanted) as one:
        return run_session(server, one)


def run_session(server: TrialServer, one: Session) -> Found:
    if not one.state.begun:
        keys = [item.call.key for item in one.sample.items]
        one.state.begin({"name": one.name, "plan": one.wanted.told(one.chosen), "calls": keys})
    means = Means(client=client(server), state=one.state, prices=one.prices, sleep=lambda _: None)
    if not one.wanted.is_live:
        return running(one, Batches(means, poll_s=0, settles_s=0)).run()
    with closing(Live(means, lambda path: in_a_thread(path, client(server)))) as live:
        return running(one, live).run()


def in_a_thread(path: Path, api: anthropic.Anthropic) -> Courier:
    """Start what posts requests in a thread of this process, where a command has a process of its own."""
    (asks, asked), (told, tells) = os.pipe(), os.pipe()

    def work() -> None:
        with outcomes.held(path) as fd, os.fdopen(asks, "rb") as source, os.fdopen(tells, "wb") as sink:
            Worker(api, fd, sink).work(source)

    thread = threading.Thread(target=work)
    thread.start()
    return ready(Courier(os.fdopen(asked, "wb"), os.fdopen(told, "rb"), thread.join))


def running(one: Session, sender: Any) -> Running:
    return Running(
        name=one.name,
        sample=one.sample,
        calls=one.chosen.calls,
        state=one.state,
        sender=sender,
        prices=one.prices,
        judge=one.wanted.judge,
        max_usd=one.wanted.max_usd,
        enough=one.wanted.enough,
    )


def wanted(**changed: Any) -> Wanted:
    return replace(WANTED, **changed)


def asks_for(word: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a request has a word in it."""
    return lambda body: word in json.dumps(body)
