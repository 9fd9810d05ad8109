"""The prompt cache, one request after another: the reference for `cache/simulator.py`, and a biller of requests."""

import json
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, Final
from zlib import crc32

FIVE_US: Final = 300_000_000
HOUR_US: Final = 3_600_000_000
LOOKBACK: Final = 20
Row = Mapping[str, Any]


@dataclass
class Entry:
    """A cached prefix: when it was last written or read, and how long it lives."""

    used_us: int
    ttl_us: int


def slow(
    requests: Sequence[Row], positions: Sequence[Row], *, longest_only: bool = False
) -> dict[int, tuple[int, int, int, int]]:
    """By request, the tokens read, written for an hour, written for five minutes, and sent plain."""
    entries: dict[tuple[Any, Any], Entry] = {}
    coming: list[tuple[int, int, int, tuple[Any, Any], int]] = []
    told = {}
    of_request = defaultdict(list)
    for p in positions:
        of_request[p["req"]].append(p)
    for request in sorted(requests, key=lambda r: (r["at_us"], r["req"])):
        now = request["at_us"]
        for item in sorted(item for item in coming if item[0] <= now):
            coming.remove(item)
            _, began, _, name, ttl = item
            known = entries.get(name)
            entries[name] = Entry(max(began, known.used_us) if known else began, ttl)
        mine = [p for p in of_request[request["req"]] if p["tokens"] >= request["min_tokens"]]
        read = _read(entries, request, mine, longest_only=longest_only)
        marks = [p for p in mine if p["ttl_us"] is not None]
        hour = max(
            [p["tokens"] for p in marks if p["ttl_us"] == HOUR_US and p["tokens"] > read], default=read
        )
        last = max([p["tokens"] for p in marks if p["tokens"] > read], default=read)
        told[request["req"]] = (
            read,
            hour - read,
            max(last, hour) - hour,
            request["prompt_tokens"] - max(last, hour),
        )
        for n, p in enumerate(marks):
            if longest_only and p["tokens"] <= read:
                continue
            name = (request["domain"], p["key"])
            coming.append((max(request["ready_us"], now + 1), now, n, name, p["ttl_us"]))
    return told


def _read(
    entries: dict[tuple[Any, Any], Entry], request: Row, mine: Sequence[Row], *, longest_only: bool
) -> int:
    """The longest entry that is alive; every one that is (or it alone) lives anew, every other is gone."""
    now, longest, alive = request["at_us"], 0, []
    for p in mine:
        name = (request["domain"], p["key"])
        entry = entries.get(name)
        if entry is None:
            continue
        if now - entry.used_us <= entry.ttl_us:
            longest = max(longest, p["tokens"])
            alive.append((p["tokens"], entry))
        else:
            del entries[name]
    for tokens, entry in alive:
        if tokens == longest or not longest_only:
            entry.used_us = now
    return longest


MINIMUM: Final = {
    "claude-opus-4-7": 2048,
    "claude-opus-4-8": 1024,
    "claude-opus-4-5": 4096,
    "claude-sonnet-4-6": 1024,
    "claude-haiku-4-5": 4096,
    "claude-sonnet-5": 1024,
}
"""The shortest prefix that is cached, typed from the documentation, as of July 2026."""
TOOL_USE: Final = {
    "claude-opus-4-7": 675,
    "claude-opus-4-8": 290,
    "claude-opus-4-5": 496,
    "claude-sonnet-4-6": 497,
    "claude-haiku-4-5": 496,
    "claude-sonnet-5": 354,
}
"""What a request with tools takes on top of their definitions, typed from the documentation."""
DROPS_THINKING: Final = frozenset({"claude-haiku-4-5"})
NONE: Final[Mapping[str, float]] = {}
_word = re.compile(r"[^\W\d_]+|\d{1,3}|(?:[^\w\s]|_){1,2}")


@lru_cache(maxsize=20_000)
def tokens(text: str) -> int:
    """Tokens of a text: about a quarter of its characters, more or less from word to word."""
    return sum(map(_of_word, _word.findall(text)))


@lru_cache(maxsize=100_000)
def _of_word(word: str) -> int:
    noise = crc32(word.encode()) % 7 / 10 - 0.3
    return max(1, round(len(word) / 7 + noise))


def _without_images(block: Row, said: str) -> str:
    """What a block says beside its pictures."""
    if not isinstance(block.get("content"), list):
        return said
    left = [part for part in block["content"] if part["type"] != "image"]
    return json.dumps({**block, "content": left}, ensure_ascii=False)


def of_images(block: Row) -> int:
    """The tokens of the pictures in a tool result: one for 28 x 28 pixels; they are small enough not to be shrunk."""
    total = 0
    for part in block["content"] if isinstance(block.get("content"), list) else ():
        if part["type"] == "image":
            head = b64decode(part["source"]["data"])
            width, height = (int.from_bytes(head[n : n + 4]) for n in (16, 20))
            total += ceil(width / 28) * ceil(height / 28)
    return total


def _without_thinking(request: Row) -> list[Row]:
    """The messages that are sent: what some models thought before a person last wrote is left out."""
    messages: list[Row] = request["messages"]
    if request["model"] not in DROPS_THINKING:
        return messages
    asked = [
        n
        for n, m in enumerate(messages)
        if m["role"] == "user" and not any(b["type"] == "tool_result" for b in m["content"])
    ]
    return [
        {**m, "content": [b for b in m["content"] if b["type"] != "thinking"]} if n < asked[-1] else m
        for n, m in enumerate(messages)
    ]


def pieces(request: Row, ratio: float = 1) -> Iterator[tuple[str, int, int | None]]:
    """The blocks of a prompt in its order: what each says, its tokens, and the lifetime it is marked with.

    A tokenizer of another family makes `ratio` times as many tokens of the text.
    """
    found = [("tools", 8, tool) for tool in request.get("tools", [])]
    found += [("system", 0, block) for block in request.get("system", [])]
    for message in _without_thinking(request):
        for n, block in enumerate(message["content"]):
            found.append((message["role"], 0 if n else 4, block))
    on_top = TOOL_USE[request["model"]] if request.get("tools") else 0
    last = len(found) - 1
    for n, (where, more, block) in enumerate(found):
        bare = {name: value for name, value in block.items() if name != "cache_control"}
        said = json.dumps(bare, ensure_ascii=False)
        size = tokens(bare["text"]) if bare.get("type") == "text" else 3 + tokens(_without_images(bare, said))
        marker = block.get("cache_control") or (request.get("cache_control") if n == last else None)
        ttl = None if marker is None else HOUR_US if marker.get("ttl") == "1h" else FIVE_US
        whole = round((size + more) * ratio) + of_images(bare) + (0 if n else on_top)
        yield f"{where} {said}", whole, ttl


def asked_otherwise(request: Row) -> str:
    """What of a request beside its blocks is part of the keys of its messages: what is asked for in another way."""
    asked = [request.get(name) for name in ("tool_choice", "thinking", "output_config")]
    images = '"type": "image"' in json.dumps(request["messages"])
    return json.dumps([asked, images]) if images or any(asked) else ""


def positions_of(request: Row, number: int, ratio: float = 1) -> tuple[list[Row], int]:
    """The positions of a prompt that are marked, or looked back at from a mark, and the tokens of the prompt."""
    keys: list[Row] = []
    so_far, total, asked = hash(request["model"]), 0, asked_otherwise(request)
    for said, size, ttl in pieces(request, ratio):
        layer = "" if said.startswith(("tools ", "system ")) else asked
        so_far, total = hash((so_far, said, layer)), total + size
        keys.append({"req": number, "key": so_far, "tokens": total, "ttl_us": ttl})
    marked = [n for n, p in enumerate(keys) if p["ttl_us"] is not None]
    assert len(marked) <= 4, "the API takes four marks"
    seen = {n for mark in marked for n in range(max(0, mark + 1 - LOOKBACK), mark + 1)}
    return [keys[n] for n in sorted(seen)], total


def bill(
    calls: Sequence[Row], ratios: Mapping[str, float] = NONE, *, longest_only: bool = False
) -> list[tuple[int, int, int, int]]:
    """Bill requests: the tokens read, written for an hour, written for five minutes, and sent plain, of each.

    Args:
        calls: at_us, took_us, request.
        ratios: by model, what tokenizers of another family make of a text, as for `pieces`.
        longest_only: as for `slow`.
    """
    requests, positions = [], []
    for n, call in enumerate(calls):
        mine, total = positions_of(call["request"], n, ratios.get(call["request"]["model"], 1))
        positions += mine
        requests.append({
            "req": n, "domain": call["request"]["model"], "at_us": call["at_us"],
            "ready_us": call["at_us"] + call["took_us"], "prompt_tokens": total,
            "min_tokens": MINIMUM[call["request"]["model"]],
        })  # fmt: skip
    told = slow(requests, positions, longest_only=longest_only)
    return [told[n] for n in range(len(calls))]
