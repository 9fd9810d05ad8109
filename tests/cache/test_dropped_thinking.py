"""What some models thought in earlier turns leaves the prompt when a person writes; others keep it."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import Case, error, read
from logs import HAIKU, OPUS, Json, assistant, text, tool_result, tool_use, usage, user, write
from seen import see_blocks
from slow_cache import pieces
from workloads import HAIKU45, OPUS48, SECOND, Calls, lines, loops, marked, prose


def thought(said: str) -> Json:
    return {"type": "thinking", "thinking": said, "signature": "c2ln"}


def talks(name: str, model: str, rounds: int = 4, calls: int = 3) -> Calls:
    """A person writes now and then; the model thinks before each of its calls and answers."""
    dice = random.Random(name)
    first = loops(name, model=model, runs=1, turns=1, system=5000)[0]
    messages: list[Json] = []
    out = []
    for n in range(rounds * calls):
        if n % calls == 0:
            messages.append({"role": "user", "content": [text(f"Please. {prose(dice, 80)}")]})
        last = n % calls == calls - 1
        asks = text(prose(dice, 40)) if last else tool_use(f"toolu_{name}_{n}", "look", query=prose(dice, 10))
        answer = [thought(prose(dice, 250)), asks]
        request = first.request | {
            "messages": list(messages),
            "thinking": {"type": "enabled", "budget_tokens": 4000},
        }
        out.append(replace(first, at_us=n * 9 * SECOND, request=request, answer=answer))
        messages.append({"role": "assistant", "content": answer})
        if not last:
            messages.append({"role": "user", "content": [tool_result(f"toolu_{name}_{n}", prose(dice, 300))]})
    return out


@pytest.mark.parametrize("model", [HAIKU45, OPUS48])
def test_what_was_foreseen_is_billed(model: str, tmp_path: Path) -> None:
    calls = talks("talk", model)
    case = Case("caching/breakpoints", calls, [marked(calls)])
    found = read(tmp_path, {"talk": case.before})
    assert error(found, "talk", case) < 0.005
    assert found.breaks("talk") == []
    with_marks = read(tmp_path / "marked", {"talk": marked(calls)})
    assert with_marks.x.agreement.exact == with_marks.x.agreement.compared == len(calls)


@pytest.mark.parametrize("model", [HAIKU45, OPUS48])
def test_results_are_as_long_as_they_are(model: str, tmp_path: Path) -> None:
    calls = talks("talk", model)
    seen = see_blocks(write(tmp_path / "c.jsonl", *lines(calls)))
    want: dict[str, int] = {}
    for call in calls:
        for said, size, _ in pieces(call.request):
            if '"tool_result"' in said:
                want.setdefault(said.partition('"tool_use_id": "')[2].partition('"')[0], size)
    results = seen.blocks.filter(kind="tool_result")
    told = dict(results.select("call_id", "tokens").iter_rows())
    assert told.keys() == want.keys()
    assert max(abs(told[name] / want[name] - 1) for name in want) < 0.03
    thoughts = seen.blocks.filter(kind="thinking", layer="messages").filter(
        pl.col("turn_in") < len(calls) - 1
    )
    ends = [3, 6, 9] if model == HAIKU45 else [len(calls)]
    assert sorted(set(thoughts["turn_out"])) == [*ends, *([len(calls)] if model == HAIKU45 else [])]


def talk(model: str, *news: list[Json]) -> list[Json]:
    """A transcript in which 2,000 tokens are thought, which are gone once a person wrote again."""

    def answer(n: int, used: Json) -> Json:
        content = [thought("word " * 2000), text("ok") if n else tool_use("t1")]
        return assistant(f"msg_{n}", used, model=model, content=content)

    told = [user("please"), answer(0, usage(5000, out=2050)), *(user(content) for content in news)]
    return [*told, answer(1, usage(7230, out=2050)), user("and now?"), answer(2, usage(5260, out=2050))]


def test_a_prompt_that_shrank_by_thinking_is_no_other_context(tmp_path: Path) -> None:
    """Nothing of it is unexplained: the first message and the result are in all prompts that follow."""
    seen = see_blocks(
        write(tmp_path / "c.jsonl", *talk(HAIKU, [tool_result("t1", "word " * 150)], [text("go on")]))
    )
    results = seen.blocks.filter(kind="tool_result")
    assert results["turn_out"].to_list() == [3]
    assert seen.blocks.filter(pl.col("turn_in") == 0, role="user", kind="text")["turn_out"].to_list() == [3]


@pytest.mark.parametrize("model", [HAIKU, OPUS])
def test_a_result_is_no_question(model: str, tmp_path: Path) -> None:
    """Between the calls of tools the thinking stays in any model."""

    def grown(*news: Any) -> int:
        told = [
            user("please"),
            assistant(
                "msg_0", usage(5000, out=2050), model=model, content=[thought("word " * 2000), tool_use("t1")]
            ),
        ]
        told += [user(list(news)), assistant("msg_1", usage(7200, out=5), model=model)]
        seen = see_blocks(write(tmp_path / "c.jsonl", *told))
        return int(seen.blocks.filter(kind="thinking")["turn_out"][0])  # fmt: skip

    assert grown(tool_result("t1")) == 2
    assert grown(tool_result("t1"), text("a reminder")) == 2
