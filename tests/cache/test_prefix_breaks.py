"""Where prefixes break: the place, the cause, and what was lost, against the same loops mended."""

import random
from decimal import Decimal
from pathlib import Path

import pytest

from applied import Told, alone, read
from logs import OPUS, Json, at, message, pair, text, tool_result, tool_use, usage, write
from mishaps import ORDERS, PLACES, VALUES, Mishap, disordered, varying
from seen import see
from workloads import OPUS48, Calls, lines, loops, marked, usd
from world.agents import picture

MISHAPS: dict[str, Mishap] = {
    f"{kind} in {path}": varying(loops(f"{kind} {path}", runs=1, turns=6), kind, path)
    for kind in VALUES
    for path in PLACES
} | {what: disordered(loops(what, runs=1, turns=6), what) for what in ORDERS}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    logged = {it.before[0].task: marked(it.before) for it in MISHAPS.values()}
    return read(tmp_path_factory.mktemp("breaks"), logged, alone("caching"))


def read_tokens(log: list[Json]) -> list[int]:
    return [line["response"]["usage"]["cache_read_input_tokens"] for line in log]


@pytest.mark.parametrize("name", MISHAPS)
def test_the_place_and_the_cause(told: Told, name: str) -> None:
    it = MISHAPS[name]
    rows = told.breaks(it.before[0].task)
    assert [row["turn"] for row in rows] == [1, 2, 3, 4, 5]
    assert {(row["path"], row["char_offset"], row["cause"]) for row in rows} == {
        (it.path, it.offset, it.cause)
    }


@pytest.mark.parametrize("name", MISHAPS)
def test_what_was_lost_is_what_the_mended_loop_reads_more(told: Told, name: str) -> None:
    it = MISHAPS[name]
    task = it.before[0].task
    rows = told.breaks(task)
    mended = lines(it.mended(marked))
    more = [b - a for a, b in zip(read_tokens(told.logs[task]), read_tokens(mended), strict=True)]
    # How many tokens the value itself takes is estimated.
    assert [row["tokens_lost"] for row in rows] == pytest.approx(more[1:], rel=0.01, abs=2)
    saved = usd(told.logs[task]) - usd(mended)
    assert sum((row["usd_lost"] for row in rows), Decimal(0)) == pytest.approx(saved, rel=Decimal("0.02"))


def test_where_orders_break_the_loss_is_exact(told: Told) -> None:
    """Nothing is moved there, so that the bill tells all that could have been read."""
    for what in ORDERS:
        it = MISHAPS[what]
        rows = told.breaks(it.before[0].task)
        more = zip(
            read_tokens(told.logs[it.before[0].task]), read_tokens(lines(it.mended(marked))), strict=True
        )
        assert [row["tokens_lost"] for row in rows] == [b - a for a, b in more][1:]


def asked_again(calls: Calls) -> Calls:
    """A new question of the user with every third call."""
    question = {"type": "text", "text": "Fine. And what of the other accounts?"}
    out = []
    for call in calls:
        told = list(call.request["messages"])
        for n in range(2, len(told), 6):
            told[n] = told[n] | {"content": [*told[n]["content"], question]}
        out.append(call.told(messages=told))
    return out


SOUND: dict[str, Calls] = {
    "a growing loop": marked(loops("growing", runs=3)),
    "new questions": marked(asked_again(loops("questions", runs=2))),
    "marks between": marked(loops("between", wide=12, result=60, turns=6), between=True),
    "nothing marked": loops("unmarked", runs=3),
    "an hour": marked(loops("an hour", runs=2, gap_s=1800), "1h"),
    "values behind the last mark": varying(loops("behind", runs=2), "timestamp", PLACES[0]).mended(marked),
}


def test_sound_loops_have_no_break(tmp_path: Path) -> None:
    found = read(tmp_path, {calls[0].task: calls for calls in SOUND.values()}, alone("caching"))
    assert found.x.prefix_breaks.select("run_id", "turn", "path", "cause", "tokens_lost").rows() == []


def test_other_breaks_of_loops(tmp_path: Path) -> None:
    calls = {
        "expired": marked(loops("late", runs=1, turns=4, gap_s=400)),
        "lookback": marked(loops("wide", runs=1, turns=4, wide=12, result=60)),
        "model-switched": marked(
            [c.told(model=OPUS48) if n > 2 else c for n, c in enumerate(loops("switch", runs=1, turns=5))]
        ),
    }
    found = read(tmp_path, {log[0].task: log for log in calls.values()}, alone("caching"))
    turns = {"expired": [1, 2, 3], "lookback": [1, 2, 3], "model-switched": [3]}
    for cause, log in calls.items():
        rows = found.breaks(log[0].task)
        assert [(row["turn"], row["cause"]) for row in rows] == [(n, cause) for n in turns[cause]]
        reads = read_tokens(found.logs[log[0].task])
        prompts = [sum(used(line)) for line in found.logs[log[0].task]]
        lost = [prompts[n - 1] - reads[n] for n in turns[cause]]
        # What a prompt takes with another model is estimated: that of the model before says little of it.
        exact = cause != "model-switched"
        assert [row["tokens_lost"] for row in rows] == (lost if exact else pytest.approx(lost, rel=0.1))


def used(line: Json) -> list[int]:
    counts = line["response"]["usage"]
    return [counts[f"{name}input_tokens"] for name in ("", "cache_read_", "cache_creation_")]


SET: dict[str, tuple[Json, list[Json]]] = {
    "tool choice": ({"tool_choice": {"type": "tool", "name": "Bash"}}, []),
    "thinking": ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, []),
    "effort": ({"output_config": {"effort": "low"}}, []),
    "first image": ({}, [picture(280, 280, random.Random(0))]),
}


@pytest.mark.parametrize("name", SET)
def test_a_changed_setting_that_stands_in_the_request(name: str, tmp_path: Path) -> None:
    """The third request asks for something else: it reads tools and system prompt, as documented, no more."""
    mark = {"cache_control": {"type": "ephemeral"}}
    system, tools = [text("You help. " * 800) | mark], [{"name": "Bash", "input_schema": {"type": "object"}}]
    changed, more = SET[name]
    used: list[Json] = [
        usage(w5m=3000, out=40),
        usage(read=3000, w5m=400, out=40),
        usage(read=2000, w5m=1900, out=40),
    ]
    messages: list[Json] = [{"role": "user", "content": [text("Look around. " * 300)]}]
    calls = []
    for n in range(3):
        *before, newest = messages
        marked_end = [*newest["content"][:-1], newest["content"][-1] | mark]
        request = {
            "model": OPUS,
            "tools": tools,
            "system": system,
            "messages": [*before, newest | {"content": marked_end}],
        }
        answer = [tool_use(f"t{n}")]
        calls.append(
            pair(message(f"m{n}", used[n], content=answer), run_id="r", timestamp=at(9 * n))
            | {"request": request | (changed if n == 2 else {})}
        )
        result = [tool_result(f"t{n}", "line of a file " * 80), *(more if n == 1 else [])]
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": result}]
    found = see(write(tmp_path / "calls.jsonl", *calls)).analysis.prefix_breaks
    # 3,400 tokens had been cached, and 2,000 of them were read.
    assert found.select("turn", "cause", "path", "tokens_lost").rows() == [
        (2, "setting-changed", "settings", 1400)
    ]
