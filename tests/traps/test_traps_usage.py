"""Usage as logs really hold it: every token class at its own price, and damage that hides no other call."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from logs import OPUS, Json, Line, assistant, at, encoded, usage, usd, write
from seen import see, see_each

MILLION = 1_000_000


def one(tmp_path: Path, used: Any, **more: Any) -> Any:
    return see(write(tmp_path / "s.jsonl", assistant("msg_1", used, **more)))


def test_each_class_at_its_own_price(tmp_path: Path) -> None:
    part = MILLION // 10
    seen = one(tmp_path, usage(part, read=part, w5m=part, w1h=part, out=part))
    assert 10 * seen.usd == Decimal(5) + Decimal("0.5") + Decimal("6.25") + 10 + 25


SPLITS: list[tuple[Any, Any, int, int]] = [
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
]


def test_split_of_cache_writes(tmp_path: Path) -> None:
    used = [
        usage() | {"cache_creation": split, "cache_creation_input_tokens": whole}
        for split, whole, *_ in SPLITS
    ]
    told = see_each(tmp_path, {str(n): [assistant("msg_1", u)] for n, u in enumerate(used)})
    for n, (*case, w5m, w1h) in enumerate(SPLITS):
        row = told[str(n)].row(0, named=True)
        assert (row["cache_write_5m_tokens"], row["cache_write_1h_tokens"]) == (w5m, w1h), case
        assert row["usd"] == usd(OPUS, w5m=w5m, w1h=w1h), case


def test_no_split_field_at_all(tmp_path: Path) -> None:
    seen = one(tmp_path, {"input_tokens": 1, "cache_creation_input_tokens": 100, "output_tokens": 2})
    assert seen.tokens == (1, 0, 100, 0, 2)


PLAIN_FIELDS = {
    "input_tokens": "input_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "output_tokens": "output_tokens",
}


def test_numbers_as_text_and_floats(tmp_path: Path) -> None:
    written: list[tuple[Any, int]] = [
        ("12", 12),
        ("12.0", 12),
        (12.0, 12),
        (1.2e1, 12),
        (" 12 ", 12),
    ]
    cases = {
        f"{f} {n}": usage(3, read=4, out=30) | {f: w}
        for f in PLAIN_FIELDS
        for n, (w, _) in enumerate(written)
    }
    told = see_each(tmp_path, {name: [assistant("msg_1", used)] for name, used in cases.items()})
    for name, turns in told.items():
        field, n = name.split()
        expected = {"input_tokens": 3, "cache_read_tokens": 4, "output_tokens": 30} | {
            PLAIN_FIELDS[field]: written[int(n)][1]
        }
        assert turns.select(*expected).row(0, named=True) == expected, (field, written[int(n)])
        assert turns["usage_from"].to_list() == ["reported"], name


DAMAGE = ["NaN", "Infinity", "-Infinity", "-5", "-0.5", "12.5", '"many"', '""', "[]", "[12]", "{}", '{"n":1}', "true",
          "1e999", "1" + "0" * 30, "9" * 400]  # fmt: skip


def damaged(used: Json, damage: str) -> str:
    return encoded(assistant("msg_1", used)).decode().replace('"DAMAGE"', damage)


def test_no_cache_counter_is_no_cache(tmp_path: Path) -> None:
    seen = one(tmp_path, usage(3, read=None, w5m=None, out=30) | {"cache_creation_input_tokens": None})
    assert (seen.tokens, seen.column("usage_from")) == ((3, 0, 0, 0, 30), ["reported"])


def test_a_damaged_number_is_unknown_and_hides_nothing_else(tmp_path: Path) -> None:
    cases: dict[str, list[Line]] = {
        f"{field} {damage}": [
            assistant("msg_0"),
            damaged(usage(3, read=4, w5m=5, out=30) | {field: "DAMAGE"}, damage),
            assistant("msg_2"),
        ]
        for field in PLAIN_FIELDS
        for damage in DAMAGE
    }
    for name, turns in see_each(tmp_path, cases).items():
        assert turns.height == 3, name
        row = turns.row(1, named=True)
        expected = {"input_tokens": 3, "cache_read_tokens": 4, "output_tokens": 30} | {
            PLAIN_FIELDS[name.split()[0]]: None
        }
        assert {k: row[k] for k in expected} == expected, name
        assert (row["usage_from"], row["cache_write_5m_tokens"]) == ("unreported", 5), name


def test_damaged_searches_hide_nothing(tmp_path: Path) -> None:
    used = usage(3, out=30, server_tool_use={"web_search_requests": "DAMAGE"})
    damage = ["NaN", "-1", "true", '"x"', "{}", "5000000000000", "999999999"]
    cases: dict[str, list[Line]] = {
        d: [damaged(used, d), assistant("msg_2", usage(4, out=6))] for d in damage
    }
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == usd(OPUS, **{"in": 7}, out=36), name


def test_odd_usage_hides_no_other_call(tmp_path: Path) -> None:
    cases: dict[str, list[Json]] = {"missing": [assistant("msg_1"), assistant("msg_2")]}
    del cases["missing"][0]["message"]["usage"]
    odd: Any
    for odd in (None, [], {}, "", "text", 5, [1, 2], [{"input_tokens": 5}]):
        line = assistant("msg_1")
        line["message"]["usage"] = odd
        cases[repr(odd)] = [line, assistant("msg_2")]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == usd(OPUS, **{"in": 10}, out=5), name


ODD: list[Any] = [None, [], {}, "", 5, 1.5, True, [[]], [{"type": []}], {"type": {}}, {"a": [1]}]


def test_odd_message_fields_hide_no_call(tmp_path: Path) -> None:
    cases = {}
    for field in ("message", "content", "model", "id", "stop_reason", "role"):
        for odd in ODD:
            line = assistant("msg_1", model="claude-opus-4-8")
            target = line if field == "message" else line["message"]
            target[field] = odd
            cases[f"{field} {odd!r}"] = [line, assistant("msg_2")]
    for name, turns in see_each(tmp_path, cases).items():
        calls = 1 if name.startswith("message") else 2
        assert (turns["input_tokens"].sum(), turns["output_tokens"].sum()) == (10 * calls, 5 * calls), name


TOP = ["type", "uuid", "parentUuid", "sessionId", "timestamp", "requestId", "isSidechain", "agentId", "version",
       "effort", "cwd", "entrypoint", "costUSD", "supersedes", "attributionAgent", "isMeta", "subtype", "data",
       "attachment", "toolUseResult", "microcompactMetadata", "modelUsage", "event"]  # fmt: skip


def test_odd_line_fields_hide_no_call(tmp_path: Path) -> None:
    kinds = ("assistant", "user", "system", "progress", "attachment", "cost-state", "summary")
    cases = {}
    for odd in ODD:
        lines: list[Json] = []
        for name in TOP:
            base = assistant(f"msg_{name}", usage(1, out=1), content=[])
            told = [
                base | {"uuid": f"{name}{kind}"} | ({} if kind == "assistant" else {"type": kind})
                for kind in kinds
            ]
            lines.extend(line | {name: odd} for line in told)
        cases[repr(odd)] = [*lines, assistant("msg_last", usage(1, out=1))]
    for name, turns in see_each(tmp_path, cases).items():
        # The line whose type is damaged has the message of an assistant.
        assert turns["output_tokens"].sum() == len(TOP) + 1, name


def test_no_model_is_unpriced_and_counted(tmp_path: Path) -> None:
    line = assistant("msg_1", usage(MILLION, out=MILLION))
    del line["message"]["model"]
    seen = see(write(tmp_path / "s.jsonl", line, assistant("msg_2", usage(4, out=6))))
    assert seen.analysis.turns["usd"].null_count() == 1
    assert seen.usd == usd(OPUS, **{"in": 4}, out=6)
    assert seen.column("model") == ["unknown", OPUS]


def test_synthetic_and_api_error_lines_cost_nothing(tmp_path: Path) -> None:
    synthetic = assistant("c7630156", usage(), model="<synthetic>")
    failed = assistant("a5e042e9", usage(), model="<synthetic>", isApiErrorMessage=True, error="unknown")
    retry = {"type": "system", "subtype": "api_error", "sessionId": "s1", "retryInMs": 500}
    seen = see(write(tmp_path / "s.jsonl", synthetic, failed, retry, assistant("msg_1")))
    assert (seen.n_turns, seen.usd) == (1, usd(OPUS, **{"in": 10}, out=5))


def test_a_synthetic_line_with_tokens_was_no_synthetic_line(tmp_path: Path) -> None:
    seen = one(tmp_path, usage(5, out=5), model="<synthetic>")
    assert (seen.n_turns, seen.analysis.turns["usd"].to_list()) == (1, [None])


def test_a_log_of_only_synthetic_lines_is_a_log_that_cost_nothing(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", assistant("x", usage(), model="<synthetic>")))
    assert (seen.n_turns, seen.runs.height) == (0, 0)


SPELLINGS: list[tuple[str, str, str | None]] = [
    ("claude-opus-4-8[1m]", OPUS, "30"),
    ("us.anthropic.claude-opus-4-8-v1:0", OPUS, "33.0"),
    ("global.anthropic.claude-opus-4-8", OPUS, "30"),
    ("anthropic/claude-opus-4.8", OPUS, "30"),
    ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "18"),
    ("claude-haiku-4-5-20251001", "claude-haiku-4-5", "6"),
    ("claude-opus-9-1", "claude-opus-9-1", None),
    ("claude-opus-4-8-next", "claude-opus-4-8-next", None),
    ("my-own-model", "my-own-model", None),
]


def test_spellings_of_models(tmp_path: Path) -> None:
    used = usage(MILLION // 100, out=MILLION // 100)
    told = see_each(tmp_path, {name: [assistant("msg_1", used, model=name)] for name, *_ in SPELLINGS})
    for name, canonical, dollars in SPELLINGS:
        expected = (canonical, name, None if dollars is None else Decimal(dollars) / 100)
        assert told[name].select("model", "model_raw", "usd").row(0) == expected


MODES: list[tuple[Json, str]] = [
    ({"speed": "fast"}, "2"),
    ({"speed": "standard"}, "1"),
    ({"speed": None}, "1"),
    ({"service_tier": "batch"}, "0.5"),
    ({"service_tier": "priority"}, "1"),
    ({"service_tier": None}, "1"),
    ({"inference_geo": "us"}, "1.1"),
    ({"inference_geo": "not_available"}, "1"),
    ({"inference_geo": ""}, "1"),
    ({"inference_geo": "global"}, "1"),
]


def test_speed_tier_and_place(tmp_path: Path) -> None:
    # FACTS 2.10: 0.00025 + 0.00155 + 0.0009 + 0.012575 = 0.015275
    used = usage(50, w5m=248, read=1800, out=503)
    told = see_each(
        tmp_path, {repr(more): [assistant("msg_1", used | more, timestamp=at())] for more, _ in MODES}
    )
    for more, factor in MODES:
        assert told[repr(more)]["usd"].to_list() == [Decimal("0.015275") * Decimal(factor)], more


def test_web_searches_cost_a_cent_each(tmp_path: Path) -> None:
    searched = {"web_search_requests": 3, "web_fetch_requests": 9}
    seen = one(tmp_path, usage(0, out=0, server_tool_use=searched), content=[])
    assert seen.usd == Decimal("0.03")
    assert seen.bill.rows() == [("s1", 0, "web_search", 3, Decimal("0.03"))]


def test_a_model_with_some_prices_is_all_or_nothing(tmp_path: Path) -> None:
    # Claude 3 Sonnet never had cache prices: the input of such a call has a price, its cache reads have none.
    seen = one(tmp_path, usage(100, read=100, out=100), model="claude-3-sonnet-20240229")
    assert seen.analysis.turns["usd"].to_list() == [None]
    assert seen.usd == 0
