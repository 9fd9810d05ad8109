"""Requests that hide several model calls: server-side compaction, advisors, fallbacks."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from logs import (
    HAIKU,
    OPUS,
    SONNET,
    Json,
    assistant,
    at,
    message,
    pair,
    text,
    tool_result,
    tool_use,
    usage,
    usd,
    write,
)
from seen import Seen, see, see_blocks, see_each


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


def asked(*messages: Json) -> Json:
    """A request whose system prompt is marked, and what it holds of the messages."""
    marked = text("You help. " * 800) | {"cache_control": {"type": "ephemeral"}}
    return {"model": SONNET, "system": [marked], "messages": list(messages)}


def compacted(folder: Path, summary: Json) -> Seen:
    """A run in which the API compacts before it answers the second request; the client sends all of it again."""
    first = {"role": "user", "content": "Look around. " * 100}
    second: list[Json] = [tool_use("t0"), *([] if summary["content"] else [text("on")])]
    history: list[Json] = [first, {"role": "assistant", "content": second},
               {"role": "user", "content": [tool_result("t0", "line of a file " * 200)]}]  # fmt: skip
    answer = [summary, tool_use("t1")]
    last = [{"role": "assistant", "content": answer}, {"role": "user", "content": [tool_result("t1", "ok")]}]
    parts = (part("compaction", 1100, read=2000, out=400), part("message", 420, read=2000, out=30))
    used = [
        usage(300, w5m=2000, out=40),
        with_parts(usage(420, read=2000, out=30), *parts),
        usage(480, read=2000, out=9),
    ]
    requests = [asked(first), asked(*history), asked(*history, *last)]
    wrote = [second, answer, [text("done")]]
    lines = (
        pair(message(f"m{n}", used[n], model=SONNET, content=wrote[n]), **requests[n], run_id="r", timestamp=at(9 * n))
        for n in range(3)
    )  # fmt: skip
    return see_blocks(write(folder / "p.jsonl", *lines))


def test_a_compaction_by_the_server_replaces_what_stands_before_it(tmp_path: Path) -> None:
    seen = compacted(tmp_path, {"type": "compaction", "content": "They looked around. " * 100})
    blocks = seen.blocks.filter(layer="messages").sort("turn_in", "block")
    # Turn 1 wrote the summary; turn 2, inside the same request, went on from it, and its prompt held no more.
    assert blocks.select("kind", "turn_in", "turn_out").rows()[:5] == [
        ("text", 0, 2), ("tool_use", 1, 2), ("tool_result", 1, 2), ("text", 2, 4), ("tool_use", 3, 4),
    ]  # fmt: skip
    replayed = seen.analysis.agreement.turns
    assert replayed["replay_read_tokens"].to_list() == [0, 2000, 2000, 2000]


def test_a_compaction_that_failed_replaces_nothing(tmp_path: Path) -> None:
    seen = compacted(tmp_path, {"type": "compaction", "content": None})
    assert seen.blocks.filter(kind="tool_result")["turn_out"].to_list() == [4, 4]


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
