"""Requests that hide several model calls: server-side compaction, advisors, fallbacks."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from logs import HAIKU, OPUS, SONNET, Json, assistant, message, pair, usage, usd, write
from seen import see, see_each


def part(kind: str, plain: int = 0, **more: Any) -> Json:
    return usage(plain, **more) | {"type": kind}


def with_parts(top: Json, *parts: Any) -> Json:
    return top | {"iterations": list(parts)}


def both(folder: Path, used: Json, model: str = OPUS) -> list[pl.DataFrame]:
    """The turns of a transcript and of a pair with that usage."""
    cases = {
        "transcript": [assistant("msg_1", used, model=model)],
        "pairs": [pair(message("msg_1", used, model=model))],
    }
    return list(see_each(folder, cases).values())


def test_nothing_hidden(tmp_path: Path) -> None:
    odd: list[Any] = [None, [], {}, "x", [None], [5], [part("message", 10, out=5)], [[]]]
    cases: dict[str, list[Json]] = {}
    for parts in odd:
        used = usage(10, out=5) | {"iterations": parts}
        cases[f"transcript {parts!r}"] = [assistant("msg_1", used)]
        cases[f"pairs {parts!r}"] = [pair(message("msg_1", used))]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].to_list() == [usd(OPUS, **{"in": 10}, out=5)], name


def test_compaction_by_the_server_is_billed(tmp_path: Path) -> None:
    # The top level leaves the compaction out: 55,096 written and 131 tokens of summary.
    hidden, shown = part("compaction", 100, w5m=55_096, out=131), part("message", 229, out=5)
    expected = usd(SONNET, **{"in": 329}, w5m=55_096, out=136)
    assert expected == Decimal("0.000987") + Decimal("0.20661") + Decimal("0.00204")
    for n, turns in enumerate(both(tmp_path, with_parts(usage(229, out=5), hidden, shown), SONNET)):
        assert (turns.height, turns["usd"].sum()) == (2, expected)
        assert set(turns["message_id"]) == {f"msg_{n}_1"}


def test_an_advisor_is_billed_at_its_own_model(tmp_path: Path) -> None:
    parts = (
        part("message", 100, out=20),
        part("advisor_message", 900, out=300) | {"model": "claude-opus-4-8"},
        part("message", 400, out=50),
    )
    for turns in both(tmp_path, with_parts(usage(500, out=70), *parts), HAIKU):
        assert turns["usd"].sum() == usd(HAIKU, **{"in": 500}, out=70) + usd(OPUS, **{"in": 900}, out=300)
        assert turns["model"].to_list() == ["claude-haiku-4-5", OPUS, "claude-haiku-4-5"]


def test_a_model_that_declined_before_it_wrote_is_not_billed(tmp_path: Path) -> None:
    declined = part("message", 2, read=32_238, w1h=21_874, out=2) | {"model": "claude-fable-5"}
    answered = part("fallback_message", 2, read=54_112, out=136) | {"model": OPUS}
    for turns in both(tmp_path, with_parts(usage(2, read=54_112, out=136), declined, answered)):
        assert turns["usd"].sum() == usd(OPUS, **{"in": 2}, read=54_112, out=136)


def test_a_model_that_declined_late_is_billed(tmp_path: Path) -> None:
    declined = part("message", 1000, out=400) | {"model": SONNET}
    answered = part("fallback_message", 1000, out=100) | {"model": OPUS}
    for turns in both(tmp_path, with_parts(usage(1000, out=100), declined, answered)):
        assert turns["usd"].sum() == usd(SONNET, **{"in": 1000}, out=400) + usd(OPUS, **{"in": 1000}, out=100)


def test_searches_beside_iterations_are_billed(tmp_path: Path) -> None:
    top = usage(229, out=5, server_tool_use={"web_search_requests": 3})
    parts = (part("compaction", 100, out=131), part("message", 229, out=5))
    for turns in both(tmp_path, with_parts(top, *parts)):
        assert turns["usd"].sum() == usd(OPUS, **{"in": 329}, out=136) + Decimal("0.03")


def test_tier_speed_and_place_hold_for_every_part(tmp_path: Path) -> None:
    top = usage(229, out=5, inference_geo="us", service_tier="batch")
    parts = (part("compaction", 100, out=131), part("message", 229, out=5))
    for turns in both(tmp_path, with_parts(top, *parts)):
        assert turns["usd"].sum() == usd(OPUS, **{"in": 329}, out=136) * Decimal("0.55")


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
