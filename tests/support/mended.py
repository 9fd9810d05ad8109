"""Fixes of trimming, routing and batching, really applied to workloads."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from logs import Json, text
from slow_cache import tokens
from workloads import Call, Calls

AROUND: Final = 3
"""What the reference counts beside the text of a block."""
STUB_TOKENS: Final = 500
NUMBER_TOKENS: Final = 7


def size(block: Json) -> int:
    """The tokens that the reference counts for a block that is no text."""
    return AROUND + tokens(json.dumps(block, ensure_ascii=False))


def most_that(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest number up to `most` that fits, where the smaller fit wherever the larger do."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


def cut(result: Json, cap: int) -> Json:
    """A tool result with the end of its text left out, so that the reference counts `cap` tokens at most."""
    said = result["content"]
    if isinstance(said, list):
        return _cut_beside_pictures(result, cap)
    if size(result) <= cap:
        return result
    length = most_that(lambda n: size(result | {"content": said[:n]}) <= cap, len(said))
    return result | {"content": said[:length]}


def _cut_beside_pictures(result: Json, cap: int) -> Json:
    """A tool result of one text, if any, and pictures: these count for themselves."""
    texts, pictures = (
        [p for p in result["content"] if (p["type"] == "image") is is_it] for is_it in (False, True)
    )
    if not texts:
        return result
    said = texts[0]["text"]
    length = most_that(lambda n: size(result | {"content": [text(said[:n])]}) <= cap, len(said))
    return result | {"content": [text(said[:length]), *pictures]}


def capped(calls: Calls, cap: int) -> Calls:
    """Cut tool results when they enter."""
    known: dict[str, Json] = {}

    def short(block: Json) -> Json:
        if block["type"] != "tool_result":
            return block
        mark = {name: value for name, value in block.items() if name == "cache_control"}
        bare = {name: value for name, value in block.items() if name not in mark}
        said = json.dumps(bare)
        if said not in known:
            known[said] = cut(bare, cap)
        return known[said] | mark

    return [with_blocks(call, short) for call in calls]


def with_blocks(call: Call, change: Callable[[Json], Json]) -> Call:
    messages = [
        message | {"content": [change(block) for block in message["content"]]}
        for message in call.request["messages"]
    ]
    return call.told(messages=messages)


def search_tool(size_tokens: int = STUB_TOKENS) -> Json:
    """The tool to search for others, of so many tokens as the reference counts them."""
    stub: Json = {"name": "tool_search", "description": "", "input_schema": {"type": "object"}}
    said = "a " * size_tokens

    def told(n: int) -> Json:
        return stub | {"description": said[:n]}

    # 8 is what the reference counts beside a definition.
    return told(most_that(lambda n: 8 + size(told(n)) <= size_tokens, len(said)))


def deferred(calls: Calls) -> Calls:
    """Leave out the tools that no call of the task uses; one to search for them stands in their place."""
    used = {block["name"] for call in calls for block in call.answer if block["type"] == "tool_use"}
    return [
        call.told(tools=[*(t for t in call.request["tools"] if t["name"] in used), search_tool()])
        for call in calls
    ]


def terse(calls: Calls) -> Calls:
    """Let the prompts begin with hardly more than the definitions of tools."""
    asked = {"role": "user", "content": [text("Please see to this.")]}
    return [
        call.told(system=[text(f"You are {call.task}.")], messages=[asked, *call.request["messages"][1:]])
        for call in calls
    ]


def repeating(calls: Calls) -> Calls:
    """Let every tool return what the first call of the task got."""
    results = (b for call in calls for m in call.request["messages"] for b in m["content"])
    said = next(b["content"] for b in results if b["type"] == "tool_result")

    def same(block: Json) -> Json:
        return block | {"content": said} if block["type"] == "tool_result" else block

    return [with_blocks(call, same) for call in calls]


def on_model(calls: Calls, model: str) -> Calls:
    return [call.told(model=model) for call in calls]


def shots(calls: Calls) -> Calls:
    """Single requests that are answered at once, without a tool."""
    return [replace(call, answer=call.answer[:1]) for call in calls]


def for_system(calls: Calls) -> Calls:
    """Mark the system prompt only."""
    mark = {"cache_control": {"type": "ephemeral"}}
    return [
        call.told(system=[*call.request["system"][:-1], call.request["system"][-1] | mark]) for call in calls
    ]


def words(size: int) -> str:
    """Text of so many tokens, as the reference counts them."""
    said = "so it was told " * size
    return said[: most_that(lambda n: tokens(said[:n]) <= size, len(said))]


def numbered(block: Json) -> Json:
    """An answer with its number before it."""
    return block | {"text": f"{words(NUMBER_TOKENS)} {block['text']}"}


def packed(calls: Calls, items: int) -> Calls:
    """Send so many single requests as one: what they share once, then what each asks; all with numbers."""
    out = []
    for n in range(0, len(calls), items):
        some = calls[n : n + items]
        each = [[text(words(4)), *call.request["messages"][0]["content"]] for call in some]
        asked = [text(words(30)), *(block for blocks in each for block in blocks)]
        message = {"role": "user", "content": asked}
        answer = [numbered(block) for call in some for block in call.answer]
        out.append(replace(some[0].told(messages=[message]), answer=answer))
    return out
