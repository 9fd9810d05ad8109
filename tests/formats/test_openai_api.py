"""Pairs of Chat Completions and the Responses API: each call once, its classes and its price."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
import openai_pairs as oai
from command import Capture
from command import said as printed
from costscan.report import Report
from logs import Json, write

PER_MTOK = {"plain": Decimal(5), "read": Decimal("0.5"), "out": Decimal(30)}
"""gpt-5.5 at list price."""


def usd(plain: int = 0, read: int = 0, out: int = 0) -> Decimal:
    told = {"plain": plain, "read": read, "out": out}
    return sum((PER_MTOK[name] * n for name, n in told.items()), Decimal(0)) / 10**6


def analyzed(path: Path, *lines: Any) -> Report:
    return costscan.analyze(write(path / "log.jsonl", *lines), workers=1)


def tokens(report: Report) -> list[tuple[Any, ...]]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens", "thinking_tokens")
    return report.turns.select(names).rows()


def only(report: Report, column: str) -> Any:
    (value,) = report.turns[column].to_list()
    return value


def test_classes_of_chat_completions(tmp_path: Path) -> None:
    usage = oai.chat_usage(1000, 90, cached=768, reasoned=64)
    report = analyzed(tmp_path, oai.chat_pair(oai.chat(usage=usage)))
    assert report.summary.inputs.formats == {"openai_api": 1}
    assert tokens(report) == [(232, 768, 0, 90, 64)]
    assert report.summary.totals.usd == usd(232, 768, 90)


def test_classes_of_responses(tmp_path: Path) -> None:
    """gpt-5.6-sol in July: 5 in, 6.25 written, 0.50 read, 30 out."""
    told = oai.usage_of(5000, 100, read=1024, written=3000, reasoned=40)
    report = analyzed(tmp_path, oai.pair(oai.response("resp_1", told, model="gpt-5.6-sol")))
    assert tokens(report) == [(976, 1024, 3000, 100, 40)]
    assert report.summary.totals.usd == (976 * 5 + 512 + 3000 * Decimal("6.25") + 3000) / 10**6


@pytest.mark.parametrize(
    ("asked", "ttl", "is_exact"),
    [
        ({}, "unknown", True),
        ({"prompt_cache_options": {"ttl": "30m"}}, "30m", True),
        # Twelve hours cost more than the price that is known: a lower bound.
        ({"prompt_cache_options": {"ttl": "12h"}}, "12h", False),
        ({"prompt_cache_options": {"ttl": ["12h"]}}, "unknown", True),
    ],
)
def test_how_long_writes_live_is_what_was_asked_for(
    asked: Json, ttl: str, is_exact: bool, tmp_path: Path, capsys: Capture
) -> None:
    told = oai.usage_of(5000, 100, read=1024, written=3000)
    answer = oai.response("resp_1", told, model="gpt-5.6-sol")
    report = analyzed(tmp_path, oai.pair(answer, asked=asked))
    assert only(report, "cache_write_ttl") == ttl
    totals = report.summary.totals
    assert (totals.cache_write_other_tokens, totals.usd_exact) == (3000, is_exact)
    assert totals.usd == (976 * 5 + 512 + 3000 * Decimal("6.25") + 3000) / 10**6
    path = str(tmp_path / "log.jsonl")
    used = json.loads(printed(capsys, "usage", path, "--json", "--no-cache"))
    assert used["totals"]["cache_write_other_tokens"] == 3000
    assert report.to_dict()["totals"]["cache_write_other_tokens"] == 3000
    words = "tokens written to the cache for another time than 5 minutes or 1 hour"
    assert words in " ".join(printed(capsys, "usage", path, "--no-cache").split())
    page = tmp_path / "report.html"
    report.write(page)
    assert words in page.read_text("utf-8")


def test_a_usage_without_details_has_nothing_cached(tmp_path: Path) -> None:
    report = analyzed(tmp_path, oai.chat_pair())
    assert tokens(report) == [(1000, 0, 0, 10, 0)]
    assert report.summary.totals.usd_exact


def test_of_other_makers_the_total_is_believed(tmp_path: Path) -> None:
    """One that tells reasoning beside the output: 100 in, 20 said, 300 reasoned, 420 in all."""
    usage = oai.chat_usage(100, 20, reasoned=300, total=420)
    report = analyzed(tmp_path, oai.chat_pair(oai.chat(usage=usage)))
    assert tokens(report) == [(100, 0, 0, 320, 300)]


def test_a_total_that_fits_nothing_is_a_lower_bound(tmp_path: Path) -> None:
    report = analyzed(tmp_path, oai.chat_pair(oai.chat(usage=oai.chat_usage(100, 20, total=999))))
    assert only(report, "usage_from") == "placeholder"
    assert not report.summary.totals.usd_exact


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": None, "completion_tokens": "x"}])
def test_an_unknown_usage_is_null(tmp_path: Path, usage: Any) -> None:
    report = analyzed(tmp_path, oai.chat_pair(oai.chat() | {"usage": usage}))
    assert only(report, "usage_from") == "unreported"
    assert (only(report, "input_tokens"), only(report, "output_tokens")) == (None, None)


def test_a_chat_stream_is_billed_by_the_last_usage_it_tells(tmp_path: Path) -> None:
    """Behind the chunk with the usage another may come, whose usage is null."""
    call = {"index": 0, "id": "call_1", "function": {"name": "find", "arguments": '{"a":'}}
    rest = {"index": 0, "function": {"arguments": "1}"}}
    told = oai.events(
        oai.chunk(content="Por"),
        oai.chunk(content="to."),
        oai.chunk(tool_calls=[call]),
        oai.chunk(tool_calls=[rest], finish="tool_calls"),
        oai.chunk(oai.chat_usage(1000, 10, cached=512)),
        oai.chunk(),
    )
    report = analyzed(tmp_path, oai.chat_pair() | {"response": None, "response_sse": told})
    assert tokens(report) == [(488, 512, 0, 10, 0)]
    assert only(report, "stop_reason") == "tool_use"
    written = report.blocks.filter(role="assistant").select("kind", "tool", "chars").rows()
    assert written == [("text", None, 6), ("tool_use", "find", len('{"a": 1}find'))]


def test_a_stream_without_a_usage_is_a_call_of_unknown_usage(tmp_path: Path) -> None:
    told = oai.events(oai.chunk(content="Porto."), oai.chunk(finish="stop"))
    report = analyzed(tmp_path, oai.chat_pair() | {"response": None, "response_sse": told})
    assert only(report, "usage_from") == "unreported"


def stream(*more: Any) -> str:
    begun = oai.response(status="in_progress", output=[], usage=None) | {"usage": None}
    return oai.events({"type": "response.created", "response": begun}, *more)


def test_a_responses_stream_is_billed_by_its_end(tmp_path: Path) -> None:
    done = {"type": "response.output_item.done", "item": oai.item()}
    ended = {"type": "response.completed", "response": oai.response() | {"output": []}}
    report = analyzed(tmp_path, oai.pair() | {"response": None, "response_sse": stream(done, ended)})
    assert report.summary.totals.usd == usd(1000, 0, 10)
    assert report.blocks.filter(role="assistant")["tokens"].to_list() == [10]


def test_a_responses_stream_that_was_cut_is_a_call_of_unknown_usage(tmp_path: Path) -> None:
    report = analyzed(tmp_path, oai.pair() | {"response": None, "response_sse": stream()})
    assert only(report, "usage_from") == "unreported"


def test_what_wraps_a_response_is_taken_off(tmp_path: Path) -> None:
    proxied = {"status": 200, "headers": {}, "body": json.dumps(oai.chat())}
    asked = {"method": "POST", "body": {"model": "gpt-5.5", "messages": []}}
    report = analyzed(tmp_path, {"request": asked, "response": proxied})
    assert report.summary.totals.usd == usd(1000, 0, 10)


def test_a_response_alone_is_a_call_at_its_own_time(tmp_path: Path) -> None:
    report = analyzed(tmp_path, oai.response())
    assert report.summary.totals.usd == usd(1000, 0, 10)
    assert only(report, "at").isoformat() == "2026-07-01T00:00:00+00:00"


def test_batch_results_cost_half(tmp_path: Path) -> None:
    failed = oai.batch({"error": {"message": "too long"}}, "item-2")
    not_run = {"custom_id": "item-3", "response": None, "error": {"code": "batch_expired"}}
    report = analyzed(tmp_path, oai.batch(oai.chat()), failed, not_run)
    assert report.summary.inputs.unknown_lines == 0
    assert only(report, "tier") == "batch"
    assert report.summary.totals.usd == usd(1000, 0, 10) / 2


def test_the_tier_is_that_which_was_served(tmp_path: Path) -> None:
    """Priority costs 2.5 times as much."""
    asked = oai.pair(asked={"service_tier": "priority"})
    served = oai.pair(oai.response("resp_2", service_tier="priority"), asked={"service_tier": "auto"})
    report = analyzed(tmp_path, asked | {"response": oai.response(service_tier="default")}, served)
    assert sorted(report.turns["tier"]) == ["priority", "standard"]
    assert report.summary.totals.usd == usd(1000, 0, 10) * Decimal("3.5")


def test_errors_and_what_is_not_there_yet_cost_nothing(tmp_path: Path) -> None:
    waiting = [
        oai.response(status=status) | {"usage": None} for status in ("queued", "in_progress", "failed")
    ]
    error = oai.pair({"error": {"message": "rate limit", "type": "requests"}})
    report = analyzed(tmp_path, *(oai.pair(one) for one in waiting), error, oai.pair())
    assert report.summary.totals.usd == usd(1000, 0, 10)
    assert len(report.turns) == 1
    assert report.summary.inputs.unknown_lines == 0


def test_a_response_that_is_logged_twice_is_billed_once(tmp_path: Path) -> None:
    assert len(analyzed(tmp_path, oai.pair(), oai.pair(second=5), oai.response()).turns) == 1


def test_a_search_has_a_fee_and_other_tools_make_a_lower_bound(tmp_path: Path) -> None:
    """10 USD per thousand searches; what a search in files costs is not known."""
    searched = oai.response("r1", None, oai.item("web_search_call", action={"type": "search"}), oai.item())
    report = analyzed(tmp_path, oai.pair(searched))
    assert report.summary.totals.usd == usd(1000, 0, 10) + Decimal("0.01")
    assert report.summary.totals.usd_exact
    files = oai.response("r2", None, oai.item("file_search_call", queries=["x"]), oai.item())
    assert not analyzed(tmp_path, oai.pair(files)).summary.totals.usd_exact


HEARD: dict[str, Any] = {
    "prompt_tokens_details": {"audio_tokens": 44, "cached_tokens": 0},
    "completion_tokens_details": {"audio_tokens": 30, "reasoning_tokens": 0},
}


def test_audio_has_its_own_price(tmp_path: Path) -> None:
    """20 of text at 2.50, 44 of audio at 32; 20 out at 10 and 30 of audio at 64 USD a million."""
    answered = oai.chat(usage=oai.chat_usage(64, 50) | HEARD, model="gpt-audio-2025-08-28")
    report = analyzed(tmp_path, oai.chat_pair(answered))
    assert tokens(report) == [(64, 0, 0, 50, 0)]
    assert report.summary.totals.usd == Decimal("0.003578")
    assert report.summary.totals.usd_exact
    assert report.turns.select("audio_input_tokens", "audio_output_tokens").rows() == [(44, 30)]


def test_cached_audio_has_its_own_price(tmp_path: Path) -> None:
    """4 of text at 4, 10 of audio at 32 USD a million; cached 20 of text and 30 of audio at 0.40."""
    read = {"cached_tokens": 50, "audio_tokens": 40, "cached_tokens_details": {"audio_tokens": 30}}
    usage = oai.chat_usage(64, 0) | {
        "prompt_tokens_details": read,
        "completion_tokens_details": {"audio_tokens": 0},
    }
    report = analyzed(tmp_path, oai.chat_pair(oai.chat(usage=usage, model="gpt-realtime")))
    assert report.summary.totals.usd == Decimal("0.000356")


def test_audio_without_a_price_makes_a_lower_bound(tmp_path: Path) -> None:
    plain, heard = (oai.chat(usage=oai.chat_usage(64, 50) | more) for more in ({}, HEARD))
    bills = [analyzed(tmp_path, oai.chat_pair(one)).summary.totals for one in (plain, heard)]
    assert [bill.usd_exact for bill in bills] == [True, False]
    assert bills[0].usd == bills[1].usd


def test_a_model_that_speaks_may_have_where_its_log_tells_no_audio(tmp_path: Path) -> None:
    spoke = oai.chat(usage=oai.chat_usage(64, 50), model="gpt-audio")
    assert not analyzed(tmp_path, oai.chat_pair(spoke)).summary.totals.usd_exact


def test_the_prompt_is_known_block_by_block(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"a":1}'}}
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Name a port."}]},
    ]
    first = oai.chat_pair(oai.chat(choices=[{"message": {"content": None, "tool_calls": [call]}}]))
    first["request"] = {"model": "gpt-5.5", "messages": asked, "tools": [tool]}
    answered = [
        *asked,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "porto"},
    ]
    second = oai.chat_pair(oai.chat("chatcmpl-2", oai.chat_usage(1050, 10)), 5)
    second["request"] = {"model": "gpt-5.5", "messages": answered, "tools": [tool]}
    report = analyzed(tmp_path, first, second)
    assert report.turns["run_id"].n_unique() == 1
    blocks = report.blocks.filter(report.blocks["kind"] != "hidden")
    assert blocks.select("kind", "tool", "turn_in").rows() == [
        ("tool_def", "find", 0),
        ("system", None, 0),
        ("text", None, 0),
        ("tool_use", "find", 1),
        ("tool_result", "find", 1),
        ("text", None, 2),
    ]


def test_a_response_that_names_the_one_before_continues_its_run(tmp_path: Path) -> None:
    after = oai.pair(oai.response("resp_2"), 5, {"previous_response_id": "resp_1", "input": "And one more."})
    report = analyzed(tmp_path, oai.pair(), after, oai.pair(oai.response("resp_3"), 9))
    assert [len(run) for run in report.turns.partition_by("run_id")] == [2, 1]


def test_usage_and_analyze_agree(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "log.jsonl", oai.pair(), oai.chat_pair(), oai.batch(oai.chat("chatcmpl-9")))
    (total,) = json.loads(printed(capsys, "usage", str(path), "--json"))["rows"]
    assert Decimal(str(total["usd"])) == costscan.analyze(path).summary.totals.usd
    assert Decimal(str(total["usd"])) == usd(1000, 0, 10) * Decimal("2.5")


@pytest.mark.whole
def test_levers_are_worked_out(tmp_path: Path) -> None:
    scenario = analyzed(tmp_path, oai.pair()).summary.scenario("all")
    assert scenario is not None
    assert (scenario.saved_usd, scenario.reason) == (Decimal(0), None)


def test_the_first_token(tmp_path: Path) -> None:
    pair = {**oai.chat_pair(), "ttft_ms": 312.5}
    assert only(analyzed(tmp_path, pair), "first_token_s") == 0.3125
