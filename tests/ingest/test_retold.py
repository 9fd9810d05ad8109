"""The same call in logs of two formats is billed once, as the one that tells most of it has it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
from command import Capture
from costscan.levers import LEVERS
from costscan.report import Report
from logs import HAIKU, Json, assistant, at, message, pair, usage, usd, user, write
from openai_pairs import chat, chat_pair, chat_usage
from other_agents import read_alike, tokens

pytestmark = pytest.mark.usefixtures("bill_only")

MESSAGE = "msg_01XFDUDYJgAACzvnptvVoYEL"
LATER = "msg_01HCDu5LRGeP2o7s2xGmxyx8"
REQUEST = "req_011CSHoEeqs5C35K2UUqR7Fy"
CHAT = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
SPLIT = usage(100, read=700, w1h=200, out=50)
BILL = usd(HAIKU, **{"in": 100}, read=700, w1h=200, out=50)
"""100 at 1, 700 at 0.10, 200 at 2 and 50 at 5 USD a million."""


def chat_used(**details: Any) -> Json:
    return {
        "prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050,
        "prompt_tokens_details": {"cached_tokens": 700, **details},
    }  # fmt: skip


def gateway(call_id: str, used: Json, *, request: str | None = None, model: str = HAIKU) -> Json:
    headers = {} if request is None else {"llm_provider-request-id": request}
    return {
        "id": call_id, "trace_id": "gateway-run", "call_type": "completion", "custom_llm_provider": "anthropic",
        "startTime": 1_782_864_000.0, "endTime": 1_782_864_002.0, "model": model, "response_cost": 0.25,
        "metadata": {"usage_object": used}, "hidden_params": {"additional_headers": headers},
    }  # fmt: skip


def span(number: str, model: str, **used: int) -> Json:
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "gen_ai.response.id": number}
    told |= {f"gen_ai.usage.{name}": str(count) for name, count in used.items()}
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    own = {"traceId": "trace-1", "spanId": number, "name": "chat", "attributes": listed,
           "startTimeUnixNano": "1782864000000000000", "endTimeUnixNano": "1782864002000000000"}  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "app"}, "spans": [own]}]}]}


def cached_span(number: str, model: str, whole: int, read: int, out: int) -> Json:
    return span(
        number, model, **{"input_tokens": whole, "cache_read.input_tokens": read, "output_tokens": out}
    )


def event(**more: Any) -> Json:
    told = {"session.id": "s1", "model": HAIKU, "input_tokens": 100, "output_tokens": 50, "query_source": "sdk",
            "cache_read_tokens": 700, "cache_creation_tokens": 200, "request_id": REQUEST, **more}  # fmt: skip
    kinds = {str: "stringValue", int: "intValue"}
    listed = [{"key": key, "value": {kinds[type(value)]: value}} for key, value in told.items()]
    record = {"timeUnixNano": "1782864002000000000", "body": {"stringValue": "claude_code.api_request"},
              "attributes": listed}  # fmt: skip
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "events"}, "logRecords": [record]}]}]}


def transcript(*calls: str, used: Json = SPLIT, **more: Any) -> list[Json]:
    names = calls or (MESSAGE,)
    lines = [
        assistant(name, used, model=HAIKU, requestId=REQUEST if name == MESSAGE else f"req_{name}", **more)
        for name in names
    ]
    return [user(timestamp=at(0)), *(line | {"timestamp": at(2 + n)} for n, line in enumerate(lines))]


def trajectory(number: str, used: Json) -> Json:
    said = {"role": "assistant", "content": "Look."}
    response = {"id": number, "model": f"anthropic/{HAIKU}", "created": 1_782_864_000, "usage": used,
                "choices": [{"finish_reason": "stop", "message": said}]}  # fmt: skip
    told = {"role": "assistant", "content": "Look.", "extra": {"response": response, "cost": 0.25}}
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Solve this."}]
    return {"info": {"model_stats": {"instance_cost": 0.25, "api_calls": 1}}, "messages": [*asked, told],
            "trajectory_format": "mini-swe-agent-1.1"}  # fmt: skip


def both(capsys: Capture, folder: Path, mine: list[Json], theirs: list[Json]) -> Report:
    """Return the analysis of two logs in a folder, in order of their names, which the other order gives, too."""
    paths = [write(folder / f"{name}.jsonl", *lines) for name, lines in (("b", mine), ("a", theirs))]
    report = read_alike(capsys, folder)
    off = {f"{lever}.enabled": False for lever in LEVERS}
    other = costscan.analyze(paths, workers=1, settings=off)
    assert other.summary.totals.usd == report.summary.totals.usd
    assert tokens(other.turns) == tokens(report.turns)
    return report


PAIRS: dict[str, tuple[list[Json], list[Json], str]] = {
    "LiteLLM by the id of the response": (transcript(), [gateway(MESSAGE, chat_used(cache_creation_tokens=200))], "claude_code"),
    "LiteLLM by the id of the request": (transcript(), [gateway("chatcmpl-d9d1b7e0-6283-4a5e-bb84-4b55fb958a95", chat_used(cache_creation_tokens=200), request=REQUEST)], "claude_code"),
    "Claude Code's own events": (transcript(), [event()], "claude_code"),
    "a trace that leaves writes out": ([pair(message(MESSAGE, SPLIT, model=HAIKU))], [cached_span(MESSAGE, HAIKU, 1000, 700, 50)], "messages_api"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_richest_log_of_a_call_is_billed(name: str, tmp_path: Path, capsys: Capture) -> None:
    mine, theirs, source = PAIRS[name]
    report = both(capsys, tmp_path, mine, theirs)
    assert tokens(report.turns) == [(100, 700, 0, 200, 50)]
    assert report.summary.totals.usd == BILL == Decimal("0.00082")
    assert report.runs["source"].to_list() == [source]
    assert report.turns["message_id"].to_list() == [MESSAGE]
    assert report.summary.inputs.duplicate_turns == 1


def test_an_openai_call_that_a_trace_tells_too(tmp_path: Path, capsys: Capture) -> None:
    told = chat_pair(chat(CHAT, chat_usage(1000, 10, cached=400)))
    report = both(capsys, tmp_path, [told], [cached_span(CHAT, "gpt-5.5", 1000, 400, 10)])
    assert tokens(report.turns) == [(600, 400, 0, 0, 10)]
    # 600 at 5, 400 at 0.50 and 10 at 30 USD a million.
    assert report.summary.totals.usd == Decimal("0.0035")
    assert report.runs["source"].to_list() == ["openai_api"]
    assert report.summary.inputs.duplicate_turns == 1


def test_a_trajectory_and_the_gateway_behind_it(tmp_path: Path, capsys: Capture) -> None:
    used = chat_used()
    report = both(capsys, tmp_path, [trajectory(CHAT, used)], [gateway(CHAT, used)])
    # 300 at 1, 700 at 0.10 and 50 at 5 USD a million.
    assert report.summary.totals.usd == Decimal("0.00062")
    assert report.runs["source"].to_list() == ["mini_swe_agent"]
    assert report.summary.inputs.duplicate_turns == 1


def test_a_gateway_that_tells_only_output_adds_nothing(tmp_path: Path, capsys: Capture) -> None:
    bare = {"prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050}
    report = both(capsys, tmp_path, transcript(), [gateway(MESSAGE, bare)])
    assert report.summary.totals.usd == BILL
    assert report.summary.totals.usd_exact


def test_a_call_that_one_log_alone_has_stays(tmp_path: Path, capsys: Capture) -> None:
    lone = "msg_01PkJ3v9dQm5sYwXr8ZcTbLa"
    theirs = [gateway(MESSAGE, chat_used(cache_creation_tokens=200)), gateway(lone, chat_used())]
    report = both(capsys, tmp_path, transcript(MESSAGE, LATER), theirs)
    assert sorted(report.turns["message_id"]) == sorted([MESSAGE, LATER, lone])
    assert report.summary.totals.usd == 2 * BILL + Decimal("0.00062")
    assert report.runs.sort("source").select("source", "n_turns").rows() == [
        ("claude_code", 2),
        ("litellm", 1),
    ]
    assert report.summary.inputs.duplicate_turns == 1


def test_a_sub_agent_keeps_its_calls_from_the_gateway(tmp_path: Path, capsys: Capture) -> None:
    lines = transcript(isSidechain=True, agentId="a1")
    report = both(capsys, tmp_path, lines, [gateway(MESSAGE, chat_used(cache_creation_tokens=200))])
    assert report.runs["source"].to_list() == ["claude_code"]
    assert report.summary.totals.usd == BILL


def test_a_call_in_parts_is_not_billed_again_as_a_whole(tmp_path: Path, capsys: Capture) -> None:
    part = {"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 0}
    inner = [{"type": "compaction", **part}, {"type": "message", **part}]
    told = transcript(used=usage(100, out=50, iterations=inner))
    alone = read_alike(capsys, write(tmp_path / "alone" / "t.jsonl", *told)).summary.totals.usd
    whole = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300, "cached_tokens": 0}
    report = both(capsys, tmp_path / "both", told, [gateway(MESSAGE, whole)])
    # Twice 100 at 1 and 50 at 5 USD a million.
    assert report.summary.totals.usd == alone == Decimal("0.0007")


@pytest.mark.parametrize(
    ("theirs", "n_calls"),
    [
        (cached_span("chatcmpl-123", "gpt-5.5", 1000, 400, 10), 1),
        (cached_span("chatcmpl-123", "gpt-5.5", 1000, 400, 11), 2),
        (cached_span("chatcmpl-123", "gpt-5.4", 1000, 400, 10), 2),
        (cached_span("chatcmpl-123", "gpt-5.5", 2000, 400, 10), 2),
        (cached_span(CHAT, "gpt-5.5", 1000, 400, 10), 2),
    ],
)
def test_an_id_that_many_calls_may_have(theirs: Json, n_calls: int, tmp_path: Path, capsys: Capture) -> None:
    told = chat_pair(chat("chatcmpl-123", chat_usage(1000, 10, cached=400)))
    report = both(capsys, tmp_path, [told], [theirs])
    assert report.turns.height == n_calls
    assert report.summary.inputs.duplicate_turns == 2 - n_calls


def test_a_reused_long_id_is_two_calls_in_both_logs(tmp_path: Path, capsys: Capture) -> None:
    mine = [chat_pair(chat(CHAT, chat_usage(size, 10, cached=0)), n) for n, size in enumerate((1000, 2000))]
    theirs = [cached_span(CHAT, "gpt-5.5", size, 0, 10) for size in (1000, 2000)]
    report = both(capsys, tmp_path, mine, theirs[1:])
    assert sorted(report.turns["input_tokens"]) == [1000, 2000]
    assert report.summary.inputs.duplicate_turns == 1


def test_calls_of_one_log_with_a_placeholder_for_an_id(tmp_path: Path, capsys: Capture) -> None:
    used = chat_usage(1000, 10, cached=400)
    lines = [chat_pair(chat("chatcmpl-123", used)), chat_pair(chat("chatcmpl-123", used, model="gpt-5.4"), 5)]
    assert read_alike(capsys, write(tmp_path / "log.jsonl", *lines)).turns.height == 2


def test_gateway_lines_without_an_id_are_calls_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    line = gateway("", chat_used())
    del line["trace_id"]
    report = both(capsys, tmp_path, [line], [line | {"model": HAIKU}])
    assert report.turns.height == 2


def test_the_log_that_tells_how_long_writes_live_counts(tmp_path: Path, capsys: Capture) -> None:
    told = both(
        capsys, tmp_path / "told", transcript(), [gateway(MESSAGE, chat_used(cache_creation_tokens=200))]
    )
    assert told.turns["cache_write_ttl"].to_list() == [None]
    whole = usage(100, read=700, w5m=200, out=50)
    del whole["cache_creation"]
    untold = both(capsys, tmp_path / "untold", transcript(used=whole), [event()])
    assert untold.turns["cache_write_ttl"].to_list() == ["unknown"]
    assert untold.summary.totals.cache_write_other_tokens == 200
    split = {"cache_creation_5m_tokens": 200, "cache_creation_1h_tokens": 0}
    known = both(capsys, tmp_path / "known", transcript(used=whole), [event(**split)])
    assert known.turns["cache_write_ttl"].to_list() == [None]
    assert tokens(known.turns) == tokens(untold.turns) == [(100, 700, 200, 0, 50)]
