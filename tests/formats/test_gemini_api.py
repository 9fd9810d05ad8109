"""Pairs of the Gemini API: each call once, its classes and its price."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
import gemini_pairs as gemini
from command import Capture
from command import said as printed
from costscan.report import Report
from gemini_pairs import content, text, usage
from logs import write

PER_MTOK = {"plain": Decimal("0.3"), "read": Decimal("0.03"), "out": Decimal("2.5")}
"""gemini-2.5-flash at list price."""


def usd(plain: int = 0, read: int = 0, out: int = 0) -> Decimal:
    told = {"plain": plain, "read": read, "out": out}
    return sum((PER_MTOK[name] * n for name, n in told.items()), Decimal(0)) / 10**6


def analyzed(path: Path, *lines: Any) -> Report:
    return costscan.analyze(write(path / "log.jsonl", *lines), workers=1)


def tokens(report: Report) -> list[tuple[Any, ...]]:
    names = ("input_tokens", "cache_read_tokens", "output_tokens", "thinking_tokens")
    return report.turns.select(names).rows()


def only(report: Report, column: str) -> Any:
    (value,) = report.turns[column].to_list()
    return value


def test_cached_tokens_are_inside_the_prompt_and_thoughts_beside_the_answer(tmp_path: Path) -> None:
    report = analyzed(tmp_path, gemini.pair(gemini.answer(usage(1000, 10, cached=600, thought=90))))
    assert report.summary.inputs.formats == {"gemini_api": 1}
    assert tokens(report) == [(400, 600, 100, 90)]
    assert report.summary.totals.usd == usd(400, 600, 100)
    assert report.summary.totals.usd_exact


def test_what_a_tool_brought_into_the_prompt_is_input(tmp_path: Path) -> None:
    report = analyzed(tmp_path, gemini.pair(gemini.answer(usage(1000, 10, tool=2395))))
    assert tokens(report) == [(3395, 0, 10, 0)]


def test_a_version_that_counts_thoughts_inside_is_seen_by_its_total(tmp_path: Path) -> None:
    told = usage(1000, 100, thought=90) | {"totalTokenCount": 1100}
    assert tokens(analyzed(tmp_path, gemini.pair(gemini.answer(told)))) == [(1000, 0, 100, 90)]


def test_a_total_that_fits_nothing_is_a_lower_bound(tmp_path: Path) -> None:
    told = usage(1000, 10) | {"totalTokenCount": 7}
    assert only(analyzed(tmp_path, gemini.pair(gemini.answer(told))), "usage_from") == "placeholder"


def test_all_thought_and_nothing_said_is_billed(tmp_path: Path) -> None:
    """The counter of what was said is left out, for it is zero."""
    call = {"functionCall": {"name": "find", "args": {"a": 1}}}
    report = analyzed(tmp_path, gemini.pair(gemini.answer(usage(440, thought=27), "r1", call)))
    assert tokens(report) == [(440, 0, 27, 27)]


@pytest.mark.parametrize("told", [None, [], {}, {"promptTokenCount": "many", "totalTokenCount": 3}])
def test_an_unknown_usage_is_null(tmp_path: Path, told: Any) -> None:
    report = analyzed(tmp_path, gemini.pair(gemini.answer() | {"usageMetadata": told}))
    assert only(report, "usage_from") == "unreported"
    assert only(report, "input_tokens") is None


def test_a_stream_is_billed_by_its_last_usage_and_not_by_their_sum(tmp_path: Path) -> None:
    chunks = [
        gemini.answer(usage(1000, 4), "s1", text("Por")),
        gemini.answer(usage(1000, 10, thought=20), "s1", text("to.")),
    ]
    streamed = gemini.pair() | {"response": None, "response_sse": gemini.events(*chunks)}
    listed = gemini.pair() | {"response": chunks}
    for line in (streamed, listed):
        report = analyzed(tmp_path, line)
        assert tokens(report) == [(1000, 0, 30, 20)]
        assert report.blocks.filter(role="assistant")["chars"].sum() == len("Porto.")


def test_the_tier_is_the_one_that_served(tmp_path: Path) -> None:
    told = [
        usage(1000, 10, serviceTier="STANDARD"),
        usage(1000, 10, trafficType="ON_DEMAND"),
        usage(1000, 10, trafficType="ON_DEMAND_PRIORITY"),
        usage(1000, 10, trafficType="PROVISIONED_THROUGHPUT"),
    ]
    pairs = [gemini.pair(gemini.answer(one, f"r{n}"), n) for n, one in enumerate(told)]
    report = analyzed(tmp_path, *pairs)
    tiers = report.turns.sort("at")["tier"].to_list()
    assert tiers == ["standard", "standard", "priority", "provisioned_throughput"]
    assert report.bill.filter(report.bill["usd"].is_null()).height == 2


def test_batch_results_cost_half(tmp_path: Path) -> None:
    report = analyzed(tmp_path, {"key": "item-1", "response": gemini.answer()})
    assert (only(report, "tier"), report.summary.totals.usd) == ("batch", usd(1000, 0, 10) / 2)


@pytest.mark.parametrize(
    ("model", "searches", "fee"),
    [("gemini-2.5-flash", 1, Decimal("0.035")), ("gemini-3-flash-preview", 3, Decimal("0.042"))],
)
def test_a_search_costs_by_the_call_or_by_the_query(
    tmp_path: Path, model: str, searches: int, fee: Decimal
) -> None:
    """35 USD a thousand calls before Gemini 3, 14 USD a thousand queries from it on."""
    grounded = {"groundingMetadata": {"webSearchQueries": ["tides", "ports", "ships"]}}
    report = analyzed(tmp_path, gemini.pair(gemini.answer(None, "r1", **grounded) | {"modelVersion": model}))
    assert only(report, "web_searches") == searches
    assert report.bill.filter(meter="web_search")["usd"].to_list() == [fee]


AUDIO = {"modality": "AUDIO", "tokenCount": 900}
NAMES = ("input_tokens", "cache_read_tokens", "audio_input_tokens", "audio_cache_read_tokens")


def test_audio_has_its_own_price(tmp_path: Path) -> None:
    """600 of 1,000 cached, 500 of them audio: 0.10 a million; 400 of audio fresh at 1, none of text.

    100 of text were cached: 0.03 a million. The prompt of a tool is fresh: 30 of text at 0.30.
    """
    heard = usage(
        1000, 10, cached=600, tool=30, cacheTokensDetails=[{"modality": "AUDIO", "tokenCount": 500}],
        promptTokensDetails=[AUDIO, {"modality": "TEXT", "tokenCount": 100}],
        candidatesTokensDetails=[{"modality": "TEXT", "tokenCount": 10}],
    )  # fmt: skip
    report = analyzed(tmp_path, gemini.pair(gemini.answer(heard)))
    assert report.turns.select(NAMES).rows() == [(430, 600, 400, 500)]
    assert only(report, "audio_output_tokens") == 0
    assert report.summary.totals.usd == Decimal("0.000487")
    assert report.summary.totals.usd_exact
    assert report.summary.meters["audio_input"] == Decimal("0.0004")
    assert report.summary.meters["input"] == Decimal("0.000009")
    assert report.diagnosis.parts.filter(part="(audio and images)")["output_pico_usd"].to_list() == [
        315_000_000
    ]


def test_how_much_audio_was_cached_is_a_lower_bound_where_it_is_not_told(tmp_path: Path) -> None:
    """At least 300 of 900 were not among the 600 cached: 300 at 1, 600 at 0.10, 100 of text at 0.30."""
    heard = usage(1000, 10, cached=600, promptTokensDetails=[AUDIO])
    report = analyzed(tmp_path, gemini.pair(gemini.answer(heard)))
    assert report.turns.select(NAMES).rows() == [(400, 600, 300, 600)]
    assert report.summary.totals.usd == Decimal("0.000415")
    assert only(report, "usage_from") == "placeholder"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gemini-2.5-pro", {"promptTokensDetails": [AUDIO]}),
        ("gemini-2.5-flash", {"promptTokensDetails": [AUDIO | {"tokenCount": 1_001}]}),
        ("gemini-2.5-flash", {"promptTokensDetails": [AUDIO | {"tokenCount": "many"}]}),
        ("gemini-2.5-flash", {"candidatesTokensDetails": [AUDIO | {"tokenCount": 5}]}),
        ("gemini-2.5-flash", {"candidatesTokensDetails": [{"modality": "VIDEO", "tokenCount": 5}]}),
    ],
    ids=["no price", "too many", "no number", "spoken", "video"],
)
def test_audio_without_a_price_makes_a_lower_bound(tmp_path: Path, model: str, told: dict[str, Any]) -> None:
    answered = [
        gemini.answer(used) | {"modelVersion": model} for used in (usage(1000, 10), usage(1000, 10, **told))
    ]
    plain, heard = (analyzed(tmp_path, gemini.pair(one)).summary.totals for one in answered)
    assert (plain.usd_exact, heard.usd_exact) == (True, False)
    assert heard.usd == plain.usd


def test_images_that_a_model_makes_have_their_own_price(tmp_path: Path) -> None:
    """1,120 of 1,130 at 120, 10 of text at 12, 1,000 in at 2 USD a million, the 258 of an image too."""
    made = usage(
        1000, 1130, promptTokensDetails=[{"modality": "IMAGE", "tokenCount": 258}],
        candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 1120}],
    )  # fmt: skip
    answered = gemini.answer(made) | {"modelVersion": "gemini-3-pro-image-preview"}
    report = analyzed(tmp_path, gemini.pair(answered))
    assert report.summary.totals.usd == Decimal("0.13652")
    assert report.summary.totals.usd_exact


def test_the_model_may_stand_in_the_address_alone(tmp_path: Path) -> None:
    answered = gemini.answer()
    del answered["modelVersion"]
    assert only(analyzed(tmp_path, gemini.pair(answered)), "model") == "gemini-2.5-flash"


def test_errors_cost_nothing_and_a_repeated_response_counts_once(tmp_path: Path) -> None:
    error = gemini.pair({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})
    report = analyzed(tmp_path, error, gemini.pair(), gemini.pair(second=9), gemini.answer())
    assert report.summary.totals.usd == usd(1000, 0, 10)
    assert report.summary.inputs.unknown_lines == 0


def test_the_prompt_is_known_block_by_block(tmp_path: Path) -> None:
    asked = content("user", text("Name a port."))
    call = content("model", {"functionCall": {"name": "find", "args": {"a": 1}}, "thoughtSignature": "x"})
    found = content("user", {"functionResponse": {"name": "find", "response": {"port": "porto"}}})
    fixed = {
        "systemInstruction": {"parts": [text("Be brief.")]},
        "tools": [{"functionDeclarations": [{"name": "find"}]}, {"googleSearch": {}}],
    }
    first = gemini.pair(gemini.answer(None, "r1", *call["parts"]), 0, contents=[asked], **fixed)
    told = usage(1050, 10)
    second = gemini.pair(gemini.answer(told, "r2"), 5, contents=[asked, call, found], **fixed)
    report = analyzed(tmp_path, first, second)
    assert report.turns["run_id"].n_unique() == 1
    blocks = report.blocks.filter(report.blocks["kind"] != "hidden")
    assert blocks.select("kind", "tool", "turn_in").rows() == [
        ("tool_def", "find", 0),
        ("tool_def", "googleSearch", 0),
        ("system", None, 0),
        ("text", None, 0),
        ("tool_use", "find", 1),
        ("tool_result", "find", 1),
        ("text", None, 2),
    ]


def test_usage_and_analyze_agree(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "log.jsonl", gemini.pair(), {"key": "1", "response": gemini.answer(None, "r2")})
    (total,) = json.loads(printed(capsys, "usage", str(path), "--json", "--by", "model"))["rows"]
    assert Decimal(str(total["usd"])) == costscan.analyze(path).summary.totals.usd
    assert Decimal(str(total["usd"])) == usd(1000, 0, 10) * Decimal("1.5")
