"""A cache that a client makes of its system prompt: what it saves, by hand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
import gemini_pairs as gemini
from command import Capture, said
from costscan.cache_policy import explicit_of
from costscan.report import Report
from logs import Json, write

PLAIN, READ = Decimal("0.3"), Decimal("0.03")
"""gemini-2.5-flash at list price, USD per million tokens; a million tokens are kept for 1.00 USD an hour."""
SYSTEM = "alpha beta gamma delta epsilon zeta eta theta iota kappa " * 1200


def calls(*minutes: int, cached: int = 0, system: str = SYSTEM, prompt: int = 12_000) -> list[Json]:
    """Requests of one task at some minutes, with one system prompt; each is a run of its own."""
    return [
        gemini.pair(
            gemini.answer(gemini.usage(prompt, 10, cached=cached), f"r{nth}"),
            minute * 60,
            contents=[gemini.content("user", gemini.text(f"Task {nth}"))],
            systemInstruction={"parts": [{"text": system}]},
        )
        for nth, minute in enumerate(minutes)
    ]


def analyzed(path: Path, lines: list[Json]) -> Report:
    return costscan.analyze(write(path / "log.jsonl", *lines), workers=1)


def saved(report: Report) -> Any:
    row = report.summary.scenario("caching/explicit-cache")
    assert row is not None
    return row.saved_usd


def shared(report: Report) -> int:
    """Return the tokens of the system prompt, as they are estimated."""
    (tokens,) = report.cache_use["shared_tokens"].unique()
    assert 11_000 < tokens < 12_000
    return int(tokens)


def test_it_is_written_once_kept_by_the_hour_and_read_by_every_call(tmp_path: Path) -> None:
    """At minutes 0, 10, 20, 100: made twice, as more than an hour lies between; kept 80 and 60 minutes."""
    report = analyzed(tmp_path, calls(0, 10, 20, 100))
    tokens = shared(report)
    reads, made = 4 * tokens * (PLAIN - READ), 2 * tokens * PLAIN
    kept = tokens * Decimal(80 + 60) / 60
    assert reads < made + kept
    assert saved(report) == 0
    often = analyzed(tmp_path, calls(*range(0, 60, 3)))
    expected = (20 * tokens * (PLAIN - READ) - tokens * PLAIN - tokens * Decimal(57 + 60) / 60) / 10**6
    assert saved(often) == pytest.approx(expected, rel=Decimal("0.001"))


def test_what_was_read_anyway_saves_nothing(tmp_path: Path) -> None:
    tokens = shared(analyzed(tmp_path, calls(0, 1)))
    half = 6000
    report = analyzed(tmp_path, calls(*range(0, 60, 3), cached=half))
    expected = (
        20 * (tokens - half) * (PLAIN - READ) - tokens * PLAIN - tokens * Decimal(57 + 60) / 60
    ) / 10**6
    assert saved(report) == pytest.approx(max(expected, Decimal(0)), rel=Decimal("0.001"))


def test_the_price_of_keeping_it_can_be_set(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", *calls(*range(0, 60, 3)))
    report = costscan.analyze(log, workers=1, settings={"caching.storage_usd_per_mtok_hour": 0})
    tokens = shared(report)
    expected = (20 * tokens * (PLAIN - READ) - tokens * PLAIN) / 10**6
    assert saved(report) == pytest.approx(expected, rel=Decimal("0.001"))


def test_what_is_known_of_models() -> None:
    names = ("gemini-3.8-flash", "gemini-2.5-flash-lite", "gemini-3.1-pro-preview")
    prices = [policy.storage_of(name) for name in names if (policy := explicit_of(name))]
    assert prices == [Decimal("0.50"), Decimal("1.00"), Decimal("4.50")]
    assert explicit_of("gpt-5.5") is explicit_of("gemini-1.5-flash") is None


def test_short_prompts_and_other_makers_have_none(tmp_path: Path) -> None:
    assert saved(analyzed(tmp_path, calls(*range(0, 60, 3), system="Be brief.", prompt=900))) == 0


def test_it_stands_apart_from_caching_which_is_not_worked_out(tmp_path: Path, capsys: Capture) -> None:
    log = write(tmp_path / "log.jsonl", *calls(*range(0, 60, 3)))
    report = costscan.analyze(log, workers=1)
    caching = report.summary.scenario("caching")
    assert caching is not None
    assert caching.saved_usd is None
    assert "explicit-cache" in said(capsys, "analyze", str(log), "--by", "lever")
