"""Usage as logs really hold it: every token class at its own price, and damage that hides no other call."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logs import HAIKU, OPUS, SONNET, Json, assistant, usage, usd, write
from seen import see

MILLION = 1_000_000


def one(tmp_path: Path, used: Any, **more: Any) -> Any:
    return see(write(tmp_path / "s.jsonl", assistant("msg_1", used, **more)))


def test_each_class_at_its_own_price(tmp_path: Path) -> None:
    seen = one(tmp_path, usage(MILLION, read=MILLION, w5m=MILLION, w1h=MILLION, out=MILLION))
    assert seen.usd == Decimal(5) + Decimal("0.5") + Decimal("6.25") + 10 + 25


@pytest.mark.parametrize(
    ("split", "total", "w5m", "w1h"),
    [
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}, 100, 30, 70),
        ({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100}, 100, 0, 100),
        (None, 100, 100, 0),
        ({}, 100, 100, 0),
        ([], 100, 100, 0),
        ("5m", 100, 100, 0),
        ({"ephemeral_5m_input_tokens": None, "ephemeral_1h_input_tokens": None}, 100, 100, 0),
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 60}, 100, 40, 60),
        ({"ephemeral_1h_input_tokens": 60}, 100, 40, 60),
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}, 0, 30, 70),
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}, None, 30, 70),
        ({"ephemeral_5m_input_tokens": "30", "ephemeral_1h_input_tokens": "70"}, "100", 30, 70),
        ({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, 100, 100, 0),
    ],
)
def test_split_of_cache_writes(tmp_path: Path, split: Any, total: Any, w5m: int, w1h: int) -> None:
    seen = one(tmp_path, usage() | {"cache_creation": split, "cache_creation_input_tokens": total})
    assert seen.tokens == (0, 0, w5m, w1h, 0)
    assert seen.usd == usd(OPUS, w5m=w5m, w1h=w1h)


def test_no_split_field_at_all(tmp_path: Path) -> None:
    seen = one(tmp_path, {"input_tokens": 1, "cache_creation_input_tokens": 100, "output_tokens": 2})
    assert seen.tokens == (1, 0, 100, 0, 2)


@pytest.mark.parametrize(
    ("written", "counted"),
    [("12", 12), ("12.0", 12), (12.0, 12), (1.2e1, 12), (None, 0), (0, 0), (" 12 ", 12)],
)
@pytest.mark.parametrize("field", ["input_tokens", "cache_read_input_tokens", "output_tokens"])
def test_numbers_as_text_and_floats(tmp_path: Path, field: str, written: Any, counted: int) -> None:
    seen = one(tmp_path, usage(3, read=3, out=30) | {field: written})
    place = ("input_tokens", "cache_read_input_tokens", "-", "-", "output_tokens").index(field)
    assert seen.tokens[place] == counted
    assert seen.column("usage_from") == ["reported"]
    assert sum(seen.tokens) == 36 - (30 if field == "output_tokens" else 3) + counted


DAMAGE = ["NaN", "Infinity", "-Infinity", "-5", "-0.5", "12.5", '"many"', '""', "[]", "[12]", "{}", '{"n":1}', "true",
          "1e999", "1" + "0" * 30, "9" * 400]  # fmt: skip


@pytest.mark.parametrize("field", ["input_tokens", "cache_read_input_tokens", "output_tokens"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_number_is_a_lower_bound_and_hides_nothing_else(
    tmp_path: Path, field: str, damage: str
) -> None:
    used = usage(3, read=3, w5m=3, out=30) | {field: "DAMAGE"}
    whole = str(write(tmp_path / "x", assistant("msg_1", used)).read_text()).replace('"DAMAGE"', damage)
    seen = see(write(tmp_path / "s.jsonl", assistant("msg_0"), whole, assistant("msg_2")))
    assert seen.column("message_id") == ["msg_0", "msg_1", "msg_2"]
    row = seen.turns.row(1, named=True)
    assert row["usage_from"] == "placeholder"
    assert row["input_tokens"] + row["cache_read_tokens"] + row["output_tokens"] == 36 - (
        30 if "out" in field else 3
    )
    assert row["cache_write_5m_tokens"] == 3


@pytest.mark.parametrize("damage", ["NaN", "-1", "true", '"x"', "{}", "5000000000000", "999999999"])
def test_damaged_searches_hide_nothing(tmp_path: Path, damage: str) -> None:
    used = usage(3, out=30, server_tool_use={"web_search_requests": "DAMAGE"})
    whole = str(write(tmp_path / "x", assistant("msg_1", used)).read_text()).replace('"DAMAGE"', damage)
    seen = see(write(tmp_path / "s.jsonl", whole, assistant("msg_2", usage(4, out=6))))
    assert seen.tokens == (7, 0, 0, 0, 36)
    assert seen.usd == usd(OPUS, **{"in": 7}, out=36)


@pytest.mark.parametrize("odd", [None, [], {}, "", "text", 5, [1, 2], [{"input_tokens": 5}]])
def test_odd_usage_hides_no_other_call(tmp_path: Path, odd: Any) -> None:
    odd_line = assistant("msg_1")
    odd_line["message"]["usage"] = odd
    missing = assistant("msg_3")
    del missing["message"]["usage"]
    seen = see(write(tmp_path / "s.jsonl", odd_line, assistant("msg_2"), missing))
    assert seen.usd == usd(OPUS, **{"in": 10}, out=5)


@pytest.mark.parametrize("field", ["message", "content", "model", "id", "stop_reason", "role"])
@pytest.mark.parametrize("odd", [None, [], {}, "", 5, True, [[]], [{"type": []}], {"type": {}}])
def test_odd_message_fields_hide_no_call(tmp_path: Path, field: str, odd: Any) -> None:
    line, other = assistant("msg_1"), assistant("msg_2")
    if field == "message":
        line["message"] = odd
    else:
        line["message"][field] = odd
    seen = see(write(tmp_path / "s.jsonl", line, other))
    calls = 1 if field == "message" else 2
    assert (seen.n_turns, seen.tokens) == (calls, (10 * calls, 0, 0, 0, 5 * calls))


TOP = ["type", "uuid", "parentUuid", "sessionId", "timestamp", "requestId", "isSidechain", "agentId", "version",
       "effort", "cwd", "entrypoint", "costUSD", "supersedes", "attributionAgent", "isMeta", "subtype", "data",
       "attachment", "toolUseResult", "microcompactMetadata", "modelUsage", "event"]  # fmt: skip


@pytest.mark.parametrize("odd", [None, [], {}, "", 5, 1.5, True, [[]], {"a": [1]}])
def test_odd_line_fields_hide_no_call(tmp_path: Path, odd: Any) -> None:
    kinds = ("assistant", "user", "system", "progress", "attachment", "cost-state", "summary")
    lines: list[Json] = []
    for name in TOP:
        base = assistant(f"msg_{name}", usage(1, out=1), content=[])
        lines.extend(base | {"uuid": f"{name}{kind}"} | ({} if kind == "assistant" else {"type": kind}) | {name: odd}
                     for kind in kinds)  # fmt: skip
    seen = see(write(tmp_path / "s.jsonl", *lines, assistant("msg_last", usage(1, out=1))))
    # The line whose type is damaged is no assistant line; the session of the others is the file or "s1".
    assert seen.tokens == (len(TOP), 0, 0, 0, len(TOP))


def test_no_model_is_unpriced_and_counted(tmp_path: Path) -> None:
    line = assistant("msg_1", usage(MILLION, out=MILLION))
    del line["message"]["model"]
    seen = see(write(tmp_path / "s.jsonl", line, assistant("msg_2", usage(4, out=6))))
    assert seen.analysis.turns["usd"].null_count() == 1
    assert seen.usd == usd(OPUS, **{"in": 4}, out=6)
    assert seen.column("model") == ["unknown", OPUS]


def test_synthetic_and_api_error_lines_cost_nothing(tmp_path: Path) -> None:
    synthetic = assistant("c7630156", usage(5, out=5), model="<synthetic>")
    failed = assistant("a5e042e9", usage(), model="<synthetic>", isApiErrorMessage=True, error="unknown")
    retry = {"type": "system", "subtype": "api_error", "sessionId": "s1", "retryInMs": 500}
    seen = see(write(tmp_path / "s.jsonl", synthetic, failed, retry, assistant("msg_1")))
    assert (seen.n_turns, seen.usd) == (1, usd(OPUS, **{"in": 10}, out=5))


def test_a_log_of_only_synthetic_lines_is_a_log_that_cost_nothing(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", assistant("x", usage(), model="<synthetic>")))
    assert (seen.n_turns, seen.runs.height) == (0, 0)


@pytest.mark.parametrize(
    ("model", "canonical", "dollars"),
    [
        ("claude-opus-4-8[1m]", OPUS, "30"),
        ("us.anthropic.claude-opus-4-8-v1:0", OPUS, "33.0"),
        ("global.anthropic.claude-opus-4-8", OPUS, "30"),
        ("anthropic/claude-opus-4.8", OPUS, "30"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "18"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5", "6"),
        ("claude-opus-9-1", "claude-opus-9-1", None),
        ("claude-opus-4-8-next", "claude-opus-4-8-next", None),
        ("my-own-model", "my-own-model", None),
    ],
)
def test_spellings_of_models(tmp_path: Path, model: str, canonical: str, dollars: str | None) -> None:
    seen = one(tmp_path, usage(MILLION // 10, out=MILLION // 10), model=model)
    assert seen.column("model") == [canonical]
    assert seen.column("model_raw") == [model]
    assert seen.analysis.turns["usd"].to_list() == [None if dollars is None else Decimal(dollars) / 10]


@pytest.mark.parametrize(
    ("more", "factor"),
    [
        ({"speed": "fast"}, "2"),
        ({"speed": "standard"}, "1"),
        ({"speed": None}, "1"),
        ({"service_tier": "batch"}, "0.5"),
        ({"service_tier": "priority"}, "1"),
        ({"service_tier": None}, "1"),
        ({"service_tier": ["batch"]}, "1"),
        ({"inference_geo": "us"}, "1.1"),
        ({"inference_geo": "not_available"}, "1"),
        ({"inference_geo": ""}, "1"),
        ({"inference_geo": "global"}, "1"),
        ({"inference_geo": 5}, "1"),
    ],
)
def test_speed_tier_and_place(tmp_path: Path, more: Json, factor: str) -> None:
    # FACTS 2.10: 0.00025 + 0.00155 + 0.0009 + 0.012575 = 0.015275
    seen = one(tmp_path, usage(50, w5m=248, read=1800, out=503) | more)
    assert seen.usd == Decimal("0.015275") * Decimal(factor)


def test_web_searches_cost_a_cent_each(tmp_path: Path) -> None:
    seen = one(tmp_path, usage(0, out=0, server_tool_use={"web_search_requests": 3, "web_fetch_requests": 9}))
    assert seen.usd == Decimal("0.03")
    assert seen.bill.rows() == [("s1", 0, "web_search", 3, Decimal("0.03"))]


def test_a_model_with_some_prices_is_all_or_nothing(tmp_path: Path) -> None:
    # Claude 3 Sonnet never had cache prices: the input of such a call has a price, its cache reads have none.
    seen = one(tmp_path, usage(100, read=100, out=100), model="claude-3-sonnet-20240229")
    assert seen.analysis.turns["usd"].to_list() == [None]
    assert seen.usd == 0
    assert usd(HAIKU, out=0) == usd(SONNET, out=0)
