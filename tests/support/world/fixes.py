"""Fixes of trimming, routing and batching, really made to requests that nothing is marked in."""

import json
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from logs import Json, text
from mended import most_that, search_tool
from slow_cache import tokens
from workloads import prose
from world.agents import picture
from world.calls import Call, Calls, billed, prompt
from world.marks import Policy
from world.prices import MODELS
from world.prompt import AROUND_BLOCK, AROUND_TOOL, patches

NOTE_TOKENS, SUMMARY_TOKENS, ASKED_TOKENS, STUB_TOKENS, PICTURE_TOKENS = 30, 3000, 500, 500, 1568
Change = Callable[[Json], Json]


def with_blocks(calls: Calls, change: Change) -> Calls:
    """Calls with other blocks in their messages."""

    def changed(request: Json) -> Json:
        messages = [m | {"content": [change(b) for b in m["content"]]} for m in request["messages"]]
        return request | {"messages": messages}

    return [call.sending(changed) for call in calls]


def ratio_of(calls: Calls) -> float:
    return MODELS[calls[0].request["model"]].ratio


def capped(calls: Calls, cap: int) -> Calls:
    """Cut the text of tool results when they enter."""
    times, known = ratio_of(calls), dict[int, Json]()

    def short(block: Json) -> Json:
        if block["type"] != "tool_result":
            return block
        # The calls of a run share their blocks.
        if id(block) not in known:
            known[id(block)] = _cut(block, cap, times)
        return known[id(block)]

    return with_blocks(calls, short)


def _cut(result: Json, cap: int, times: float) -> Json:
    said = result["content"]
    parts = [text(said)] if isinstance(said, str) else said
    if not any(part["type"] == "text" for part in parts):
        return result
    written = parts[0]["text"]

    def with_text(n: int) -> Json:
        cut = [parts[0] | {"text": written[:n]}, *parts[1:]]
        return result | {"content": cut[0]["text"] if isinstance(said, str) else cut}

    length, has = len(written), _said(result, times)
    while has > cap:
        length = min(int(length * cap / has), length - 1)
        has = _said(with_text(length), times)
    return with_text(length) if length < len(written) else result


def _said(result: Json, times: float) -> int:
    """The tokens of a tool result, but for its pictures."""
    said = result["content"]
    if isinstance(said, str):
        return round((AROUND_BLOCK + tokens(json.dumps(result, ensure_ascii=False))) * times)
    shell = AROUND_BLOCK + tokens(json.dumps(result | {"content": []}))
    return round((shell + sum(tokens(p["text"]) for p in said if p["type"] == "text")) * times)


def deferred(calls: Calls) -> Calls:
    """Leave out the tools that no call of the task uses; one to search for them stands in their place."""
    times = ratio_of(calls)
    used = {block["name"] for call in calls for block in call.answer if block["type"] == "tool_use"} | {
        "tool_search"
    }
    tools = calls[0].request["tools"]
    gone = [t for t in tools if t["name"] not in used and not t.get("defer_loading")]
    names = {t["name"] for t in gone}
    has_search = any(t["name"] == "tool_search" for t in tools)
    least = 0 if has_search else STUB_TOKENS
    if sum(round((AROUND_TOOL + AROUND_BLOCK + tokens(json.dumps(t))) * times) for t in gone) <= least:
        return calls
    stub = [] if has_search else [search_tool(int(STUB_TOKENS / times))]

    def without(request: Json) -> Json:
        return request | {"tools": [*(t for t in request["tools"] if t["name"] not in names), *stub]}

    return [call.sending(without) for call in calls]


def note(result: Json) -> Json:
    """What stands in place of a tool result."""
    return {**result, "content": "See above.", "exactly": NOTE_TOKENS}


def once_each(calls: Calls) -> Calls:
    """Say of a tool result that it is the same as an earlier one that is still there, instead of sending it again."""
    again: set[str] = set()
    for call in calls:
        seen: set[str] = set()
        for message in call.request["messages"]:
            results = [b for b in message["content"] if b["type"] == "tool_result"]
            again |= {b["tool_use_id"] for b in results if _key(b["content"]) in seen}
            seen |= {_key(b["content"]) for b in results}

    def short(block: Json) -> Json:
        return note(block) if block.get("tool_use_id") in again else block

    return with_blocks(calls, short)


def _key(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def resized(calls: Calls) -> Calls:
    """Send pictures with so many squares as older models took at most."""

    def small(block: Json) -> Json:
        if block["type"] == "image" and patches(block) > PICTURE_TOKENS:
            return picture(28 * 28, 28 * (PICTURE_TOKENS // 28), random.Random(block["source"]["data"]))
        parts = block.get("content")
        return block | {"content": [small(p) for p in parts]} if isinstance(parts, list) else block

    return with_blocks(calls, small)


def pruned(calls: Calls, policy: Policy) -> Calls:
    """Drop the tool results of a task wherever a person writes again; mark what is left."""
    runs = dict.fromkeys(call.run for call in calls)
    each = (_pruned([call for call in calls if call.run == run]) for run in runs)
    return policy(sorted((call for run in each for call in run), key=lambda call: call.at_us))


def _pruned(run: Calls) -> Calls:
    lengths = [len(call.request["messages"]) for call in run]
    bounds = [
        (n, lengths[n])
        for n, call in enumerate(run)
        if n and not any(b["type"] == "tool_result" for b in call.request["messages"][-1]["content"])
    ]
    return [_without(call, n, bounds) for n, call in enumerate(run)]


def _without(call: Call, turn: int, bounds: list[tuple[int, int]]) -> Call:
    """A call without the results of the tasks that ended before it."""
    gone = max((at for since, at in bounds if turn >= since), default=0)

    def short(m: int, block: Json) -> Json:
        return note(block) if block["type"] == "tool_result" and m < gone else block

    messages = [
        x | {"content": [short(m, b) for b in x["content"]]} for m, x in enumerate(call.request["messages"])
    ]
    return call.told(messages=messages)


def compacted(calls: Calls, policy: Policy, at_tokens: int) -> Calls:
    """Replace the history by a summary whenever a prompt would pass so many tokens; mark what is left."""
    out: Calls = []
    for run in dict.fromkeys(call.run for call in calls):
        out += _compacted([call for call in calls if call.run == run], policy, at_tokens)
    return sorted(out, key=lambda call: call.at_us)


def _compacted(run: Calls, policy: Policy, at_tokens: int) -> Calls:
    dice, times = random.Random(run[0].run), ratio_of(run)
    summary, asked = (text(prose_of(n, times, dice)) for n in (SUMMARY_TOKENS, ASKED_TOKENS))
    asks: Calls = []
    for n in range(1, len(run)):
        before, first = run[n - 1], run[n - 1].request["messages"][0]
        if before.is_refused or run[n].request["messages"][0] != first:
            continue
        if _length(run[n]) <= at_tokens or _length(before, messages=True) <= 2 * SUMMARY_TOKENS:
            continue
        whole = policy(run)[n - 1].request
        asks.append(replace(
            run[n],
            request=whole | {"messages": [*whole["messages"], {"role": "user", "content": [asked]}]},
            at_us=run[n].at_us - 1, took_us=1, written=SUMMARY_TOKENS, is_refused=False,
        ))  # fmt: skip
        old = len(whole["messages"])
        new = {"role": "user", "content": [summary]}
        run = [
            # What its client has compacted since is another history.
            call.told(messages=[new, *call.request["messages"][old:]])
            if m >= n and call.request["messages"][0] == first else call
            for m, call in enumerate(run)
        ]  # fmt: skip
    return [*policy(run), *asks]


def cleared(calls: Calls, policy: Policy, at_tokens: int) -> Calls:
    """Clear all tool results but the newest three whenever a prompt would pass so many tokens, if a tenth goes."""
    out: Calls = []
    for run in dict.fromkeys(call.run for call in calls):
        out += _cleared([call for call in calls if call.run == run], at_tokens)
    return policy(sorted(out, key=lambda call: call.at_us))


def _cleared(run: Calls, at_tokens: int) -> Calls:
    times = ratio_of(run)
    for n in range(1, len(run)):
        first = run[n].request["messages"][0]
        if run[n].is_refused or run[n - 1].request["messages"][0] != first or _length(run[n]) <= at_tokens:
            continue
        results = [b for m in run[n].request["messages"] for b in m["content"] if b["type"] == "tool_result"]
        old = [b for b in results[:-3] if _whole(b, times) > NOTE_TOKENS]
        if not old or sum(_whole(b, times) - NOTE_TOKENS for b in old) < at_tokens / 10:
            continue
        gone = {b["tool_use_id"] for b in old}

        def short(block: Json, gone: Collection[str] = gone) -> Json:
            return note(block) if block.get("tool_use_id") in gone else block

        run = [
            with_blocks([call], short)[0] if m >= n and call.request["messages"][0] == first else call
            for m, call in enumerate(run)
        ]
    return run


def _whole(result: Json, times: float) -> int:
    """The tokens of a tool result, with its pictures."""
    said = result["content"]
    pictures = [] if isinstance(said, str) else [p for p in said if p["type"] == "image"]
    return result.get("exactly") or _said(result, times) + sum(map(patches, pictures))


def _length(call: Call, *, messages: bool = False) -> int:
    """The tokens of a prompt, or of its messages."""
    sent = prompt(call.request).pieces
    return sum(p.tokens for p in sent if not messages or p.place[0] not in {"tools", "system"})


def prose_of(size: int, times: float, dice: random.Random) -> str:
    said = prose(dice, 2 * size)
    return said[: most_that(lambda n: round(tokens(said[:n]) * times) <= size, len(said))]


def on_models(calls: Calls, routes: Mapping[tuple[str, int], tuple[str, bool]]) -> Calls:
    """Send turns to other models; what the API itself asks first is a turn of its own.

    A call of which the other model makes nothing is sent there, and then to its own model.
    """
    turns: dict[str, int] = {}
    moved: dict[int, Call] = {}
    tried: dict[int, Call] = {}
    for call in billed(calls):
        turn = turns[call.run] = turns.get(call.run, -1) + 1
        model, is_wrong = routes.get((call.run, turn), (call.request["model"], False))
        there = call.told(model=model)
        moved[id(call)] = call if is_wrong else there
        if is_wrong:
            tried[id(call)] = replace(there, before=None)
    out: Calls = []
    for call in calls:
        if call.is_refused:
            out.append(call)
            continue
        out += [tried[id(each)] for each in (call.before, call) if id(each) in tried]
        out.append(replace(moved[id(call)], before=call.before and moved[id(call.before)]))
    return out


def all_on(calls: Calls, model: str) -> Calls:
    return [call.sending(lambda request: request | {"model": model}) for call in calls]


def in_batches(calls: Calls, runs: set[str]) -> Calls:
    return [replace(call, is_batch=call.run in runs) for call in calls]


def packed(calls: Calls, runs: Collection[str], items: int) -> Calls:
    """Send so many single requests as one: what they share once, then what each asks, by numbers."""
    single = [call for call in calls if call.run in runs]
    out = [call for call in calls if call.run not in runs]
    for n in range(0, len(single), items):
        some = single[n : n + items]
        if len(some) == 1:
            out += some
            continue
        asked, answer = [text(NUMBERED)], list[Json]()
        for k, call in enumerate(some):
            asked += [text(f"Item {k}:"), *call.request["messages"][0]["content"]]
            answer += [text(f"Item {k}:"), *call.answer]
        out.append(replace(some[0].told(messages=[{"role": "user", "content": asked}]), answer=answer))
    return sorted(out, key=lambda call: call.at_us)


NUMBERED: Final = (
    "Below are several items, each of which begins with its number. Please answer each of them by itself, and begin "
    "each answer with the number of its item."
)
AT_THRESHOLD: Final[Mapping[str, Callable[[Calls, Policy, int], Calls]]] = {
    "compact-history": compacted,
    "context-editing": cleared,
}
"""The parts that replace history whenever a prompt passes a threshold."""
PARTS: Final = ("cap-tool-results", "defer-unused-tools", "drop-repeated-results", "resize-images")


def shortened(calls: Calls, parts: tuple[str, ...], cap: int) -> Calls:
    """Make some parts of trimming that shorten blocks when they enter."""
    made: dict[str, Callable[[Calls], Calls]] = {
        "cap-tool-results": lambda c: capped(c, cap),
        "defer-unused-tools": deferred,
        "drop-repeated-results": once_each,
        "resize-images": resized,
    }
    # What is dropped is no longer cut.
    for part in sorted(parts, key=lambda name: name == "cap-tool-results"):
        calls = made[part](calls)
    return calls
