"""Audio in replays: what it costs beyond text stays as it was billed, whatever a plan changes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import costscan
import openai_pairs as oai
from costscan.report import Report
from costscan.scenarios.whatif import what_if
from costscan.settings.load import load
from logs import write

CALLS = 4
MORE_USD = Decimal("0.035") * CALLS
"""Of each call 1,000 tokens of audio, at 40 instead of 5 USD a million."""


def spoken(folder: Path, audio_usd: str) -> Report:
    """Return the analysis of a run whose prompts grow and are cached, with audio at a price."""
    lines: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = [{"role": "system", "content": "Be brief. " * 2_000}]
    for nth in range(CALLS):
        asked = [*asked, {"role": "user", "content": f"{nth}: " + "name a port " * 400}]
        used = oai.chat_usage(6_000 + 2_000 * nth, 300, cached=4_096 if nth else 0)
        used["prompt_tokens_details"] |= {"audio_tokens": 1_000, "cached_tokens_details": {"audio_tokens": 0}}
        answer = oai.chat(f"chatcmpl-{nth}-0123456789abcdef", used)
        lines.append(oai.chat_pair(answer, 30 * nth, request={"model": "gpt-5.5", "messages": asked}))
        asked = [*asked, {"role": "assistant", "content": "Porto."}]
    log = write(folder / "log.jsonl", *lines)
    folder.joinpath("costscan.toml").write_text(
        f'[prices.models."gpt-5.5"]\naudio_input = "{audio_usd}"\n[routing]\nforce = "gpt-5.4-mini"\n'
    )
    return costscan.analyze(log, workers=1, settings=load(folder))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """The same run with audio at the price of text, and at 40 USD a million."""
    return [spoken(tmp_path_factory.mktemp("spoken"), usd) for usd in ("5", "40")]


def test_all_scenarios_cost_as_much_more_as_the_bill(both: list[Report]) -> None:
    plain, heard = (report.scenarios.sort("run_id", "scenario") for report in both)
    assert plain["scenario"].to_list() == heard["scenario"].to_list()
    known = plain["usd"].is_not_null()
    assert {"as_billed", "trimming", "routing", "all"} <= set(plain.filter(known)["scenario"])
    more = (heard["usd"] - plain["usd"]).filter(known)
    assert set(more) == {MORE_USD}
    assert plain.filter(known)["saved_usd"].to_list() == heard.filter(known)["saved_usd"].to_list()
    assert both[1].summary.totals.usd == (both[0].summary.totals.usd or 0) + MORE_USD


def test_the_replay_of_what_happened_is_as_near(both: list[Report]) -> None:
    off = [report.diagnosis.agreement.turns["off_usd"].to_list() for report in both]
    assert off[0] == off[1]


def test_calls_with_audio_are_moved_to_no_other_model(both: list[Report]) -> None:
    for report in both:
        there = what_if(report.diagnosis, ["gpt-5.4-mini"])
        assert there["staying gpt-5.4-mini"].to_list() == [CALLS]
        assert there["gpt-5.4-mini"].to_list() == [report.summary.totals.usd]
        forced = report.scenarios.filter(pl.col("scenario").str.starts_with("routing"))
        assert set(forced["saved_usd"].drop_nulls()) == {Decimal(0)}


def test_parts_tools_and_meters_sum_to_the_bill(both: list[Report]) -> None:
    for report in both:
        summary = report.summary
        assert sum(amount or 0 for amount in summary.meters.values()) == summary.totals.usd
        assert summary.by_tool["usd"].sum() == summary.totals.usd
        assert report.bill["usd"].sum() == summary.totals.usd
    assert both[1].summary.meters["audio_input"] == Decimal("0.04") * CALLS
