"""Requests that hide several model calls: server-side compaction, advisors, fallbacks."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logs import HAIKU, OPUS, SONNET, Json, assistant, message, pair, usage, usd, write
from seen import see, see_each


def part(kind: str, plain: int = 0, **more: Any) -> Json:
    return usage(plain, **more) | {"type": kind}


def with_parts(top: Json, *parts: Any) -> Json:
    return top | {"iterations": list(parts)}


FORMATS = ("transcript", "pairs")


def bill(tmp_path: Path, form: str, used: Json, model: str = OPUS) -> Any:
    line = (
        assistant("msg_1", used, model=model)
        if form == "transcript"
        else pair(message("msg_1", used, model=model))
    )
    return see(write(tmp_path / "s.jsonl", line))


def test_nothing_hidden(tmp_path: Path) -> None:
    odd: list[Any] = [None, [], {}, "x", [None], [5], [part("message", 10, out=5)], [[]]]
    cases: dict[str, list[Json]] = {}
    for parts in odd:
        used = usage(10, out=5) | {"iterations": parts}
        cases[f"transcript {parts!r}"] = [assistant("msg_1", used)]
        cases[f"pairs {parts!r}"] = [pair(message("msg_1", used))]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].to_list() == [usd(OPUS, **{"in": 10}, out=5)], name


@pytest.mark.parametrize("form", FORMATS)
def test_compaction_by_the_server_is_billed(tmp_path: Path, form: str) -> None:
    # The top level leaves the compaction out: 55,096 written and 131 tokens of summary.
    hidden, shown = part("compaction", 100, w5m=55_096, out=131), part("message", 229, out=5)
    seen = bill(tmp_path, form, with_parts(usage(229, out=5), hidden, shown), SONNET)
    expected = usd(SONNET, **{"in": 329}, w5m=55_096, out=136)
    assert (seen.n_turns, seen.usd) == (2, expected)
    assert expected == Decimal("0.000987") + Decimal("0.20661") + Decimal("0.00204")
    assert set(seen.column("message_id")) == {"msg_1"}


@pytest.mark.parametrize("form", FORMATS)
def test_an_advisor_is_billed_at_its_own_model(tmp_path: Path, form: str) -> None:
    parts = (
        part("message", 100, out=20),
        part("advisor_message", 900, out=300) | {"model": "claude-opus-4-8"},
        part("message", 400, out=50),
    )
    seen = bill(tmp_path, form, with_parts(usage(500, out=70), *parts), HAIKU)
    assert seen.usd == usd(HAIKU, **{"in": 500}, out=70) + usd(OPUS, **{"in": 900}, out=300)
    assert seen.column("model") == ["claude-haiku-4-5", OPUS, "claude-haiku-4-5"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_model_that_declined_before_it_wrote_is_not_billed(tmp_path: Path, form: str) -> None:
    declined = part("message", 2, read=32_238, w1h=21_874, out=2) | {"model": "claude-fable-5"}
    answered = part("fallback_message", 2, read=54_112, out=136) | {"model": OPUS}
    seen = bill(tmp_path, form, with_parts(usage(2, read=54_112, out=136), declined, answered))
    assert seen.usd == usd(OPUS, **{"in": 2}, read=54_112, out=136)


@pytest.mark.parametrize("form", FORMATS)
def test_a_model_that_declined_late_is_billed(tmp_path: Path, form: str) -> None:
    declined = part("message", 1000, out=400) | {"model": SONNET}
    answered = part("fallback_message", 1000, out=100) | {"model": OPUS}
    seen = bill(tmp_path, form, with_parts(usage(1000, out=100), declined, answered))
    assert seen.usd == usd(SONNET, **{"in": 1000}, out=400) + usd(OPUS, **{"in": 1000}, out=100)


@pytest.mark.parametrize("form", FORMATS)
def test_searches_beside_iterations_are_billed(tmp_path: Path, form: str) -> None:
    top = usage(229, out=5, server_tool_use={"web_search_requests": 3})
    seen = bill(
        tmp_path, form, with_parts(top, part("compaction", 100, out=131), part("message", 229, out=5))
    )
    assert seen.usd == usd(OPUS, **{"in": 329}, out=136) + Decimal("0.03")


@pytest.mark.parametrize("form", FORMATS)
def test_tier_speed_and_place_hold_for_every_part(tmp_path: Path, form: str) -> None:
    top = usage(229, out=5, inference_geo="us", service_tier="batch")
    seen = bill(
        tmp_path, form, with_parts(top, part("compaction", 100, out=131), part("message", 229, out=5))
    )
    assert seen.usd == usd(OPUS, **{"in": 329}, out=136) * Decimal("0.55")


def test_repeated_lines_of_a_request_with_parts(tmp_path: Path) -> None:
    parts = (part("compaction", 100, out=131), part("message", 229, out=5))
    lines = [assistant("msg_1", with_parts(usage(229, out=5), *parts), uuid=u) for u in "abc"]
    write(tmp_path / "a.jsonl", *lines)
    write(tmp_path / "b.jsonl", *(line | {"sessionId": "s2"} for line in lines))
    seen = see(tmp_path)
    assert (seen.n_turns, seen.usd) == (2, usd(OPUS, **{"in": 329}, out=136))


def test_damaged_parts_lose_no_call(tmp_path: Path) -> None:
    parts: tuple[Any, ...] = (part("message", "many", out=131), 5, part("message", 229, out=5))  # type: ignore[arg-type]
    seen = see(write(tmp_path / "s.jsonl", assistant("msg_1", with_parts(usage(229, out=5), *parts))))
    assert seen.usd >= usd(OPUS, **{"in": 229}, out=5)
