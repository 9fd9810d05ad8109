"""What of a request the model is sent, block by block, with the tokens of each: prompts of this world.

Where the documentation is silent: every block of content is one position, what a forced tool adds stands before the
messages, and what a tool search found stands in its result.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from logs import Json
from slow_cache import FIVE_US, HOUR_US
from slow_cache import tokens as counted
from world.prices import MODELS, Model

Row = Mapping[str, Any]
AROUND_TOOL: Final = 8
AROUND_MESSAGE: Final = 4
AROUND_BLOCK: Final = 3
PAGE_TOKENS: Final = 2100
SETTINGS: Final = ("tool_choice", "thinking", "output_config")
"""Parts of the key of the messages, beside whether there are pictures: with another value nothing of them is found."""
DEFAULTS: Final = ({"type": "auto"}, {"type": "disabled"}, {"effort": "high"})


@dataclass(frozen=True)
class Piece:
    """A block of a prompt: where it stands in the request, what it says, its tokens, and how long its mark lives."""

    place: tuple[str, int, int]
    said: str
    tokens: int
    ttl_us: int | None


@lru_cache(maxsize=50_000)
def tokens(text: str) -> int:
    return counted(text)


def pieces(request: Row, ratio: float | None = None) -> list[Piece]:
    """The blocks of a prompt in order.

    A block may say itself how many tokens it has `exactly`. `ratio` stands instead of that of the model's tokenizer.
    """
    model = MODELS[request["model"]]
    times = model.ratio if ratio is None else ratio
    found = list(_sent(request))
    last = len(found) - 1
    has_pictures = any(_measured(block, request, model)[2] for *_, block in found)
    out, seen = [], False
    for n, (place, more, block) in enumerate(found):
        mark = block.get("cache_control") or (request.get("cache_control") if n == last else None)
        text, plain, seen_tokens = _measured(block, request, model)
        size = block.get("exactly", round((plain + more) * times) + seen_tokens)
        said = f"{place[0]} {text}"
        if n == 0 and _tools(request):
            size += model.auto
        if place[0] not in {"tools", "system"} and not seen:
            seen = True
            size += _forced(request, model)
            said += json.dumps([has_pictures, *_settings(request)])
        out.append(Piece(place, said, size, _ttl_us(mark)))
    return out


_known: Final[dict[tuple[int, int], tuple[Json, tuple[str, int, int]]]] = {}
_MOST_KNOWN: Final = 20_000


def _measured(block: Json, request: Row, model: Model) -> tuple[str, int, int]:
    """What a block says, the tokens of its text and those of its pictures; each block is looked at once."""
    key = id(block), model.picture
    found = _known.get(key)
    if found is None:
        bare = {name: value for name, value in block.items() if name != "cache_control"}
        measures = json.dumps(bare, ensure_ascii=False), _size(bare, model, request), pictures(bare, model)
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        # The block is kept, so that no other takes its identity.
        found = _known[key] = block, measures
    return found[1]


def _settings(request: Row) -> list[Any]:
    """What is set beside the prompt; a default that is said is as one that is not."""
    return [given if (given := request.get(name)) not in DEFAULTS else None for name in SETTINGS]


def _ttl_us(mark: Any) -> int | None:
    return None if mark is None else HOUR_US if mark.get("ttl") == "1h" else FIVE_US


def _tools(request: Row) -> list[Json]:
    """The tools whose definitions are sent."""
    return [t for t in request.get("tools", []) if not t.get("defer_loading")]


def _forced(request: Row, model: Model) -> int:
    """What a tool choice that asks for a tool adds beyond one that lets the model choose."""
    asks = (request.get("tool_choice") or {}).get("type") in {"any", "tool"}
    return model.forced - model.auto if asks and _tools(request) else 0


def _sent(request: Row) -> Iterator[tuple[tuple[str, int, int], int, Json]]:
    """Where each block stands, what is counted around it, and the block."""
    for n, tool in enumerate(request.get("tools", [])):
        if not tool.get("defer_loading"):
            yield ("tools", 0, n), AROUND_TOOL, tool
    for n, block in enumerate(request.get("system", [])):
        yield ("system", 0, n), 0, block
    for m, n, role, block in _kept(request):
        yield (role, m, n), 0 if n else AROUND_MESSAGE, block


def _kept(request: Row) -> Iterator[tuple[int, int, str, Json]]:
    """The blocks of messages, without what was compacted, and without thinking that is stripped."""
    all_blocks = [
        (m, n, message["role"], block)
        for m, message in enumerate(request["messages"])
        for n, block in enumerate(message["content"])
    ]
    compact = [i for i, (*_, b) in enumerate(all_blocks) if b["type"] == "compaction"]
    strips = not MODELS[request["model"]].keeps_thinking
    asked = [m for m, _, role, _ in all_blocks if role == "user" and not _is_results(request["messages"][m])]
    since = max(asked) if strips and asked else -1
    for m, n, role, block in all_blocks[compact[-1] if compact else 0 :]:
        if not (block["type"] == "thinking" and m < since):
            yield m, n, role, block


def _is_results(message: Json) -> bool:
    return any(block["type"] == "tool_result" for block in message["content"])


def _size(block: Json, model: Model, request: Row) -> int:
    """The tokens of a block, but for pictures, as an older tokenizer counts them."""
    kind = block.get("type")
    if kind == "text":
        return tokens(block["text"])
    if kind == "image":
        return AROUND_BLOCK
    if isinstance(kind, str) and kind in _TEXTS:
        return AROUND_BLOCK + _TEXTS[kind](block)
    if kind == "tool_result" and isinstance(block["content"], list):
        shell = block | {"content": []}
        return _of_json(json.dumps(shell)) + sum(
            _size(_found(p, request), model, request) for p in block["content"]
        )
    return _of_json(json.dumps(block, ensure_ascii=False))


def _found(part: Json, request: Row) -> Json:
    """What stands for a part of a result: for a reference the definition of its tool."""
    if part["type"] != "tool_reference":
        return part
    found: Json = next(t for t in request["tools"] if t["name"] == part["tool_name"])
    return found


def _document(source: Json) -> int:
    if source["type"] == "text":
        return tokens(source["data"])
    return PAGE_TOKENS * b64decode(source["data"]).count(b"/Type /Page\n")


_TEXTS: Final[Mapping[str, Callable[[Json], int]]] = {
    "compaction": lambda block: tokens(block["content"]),
    "thinking": lambda block: tokens(block["thinking"]) or len(block["signature"]) // 5,
    "document": lambda block: _document(block["source"]),
}
"""What blocks of some kinds have beside what is counted around them."""


def pictures(block: Json, model: Model) -> int:
    """The tokens of the pictures of a block; no tokenizer makes more of them than another."""
    if block.get("type") == "image":
        return min(patches(block), model.picture)
    parts = block.get("content")
    return sum(pictures(part, model) for part in parts) if isinstance(parts, list) else 0


def patches(image: Json) -> int:
    """How many squares of 28 pixels a picture has."""
    head = b64decode(image["source"]["data"][:44])
    wide, high = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
    return -(-wide // 28) * -(-high // 28)


def _of_json(said: str) -> int:
    return AROUND_BLOCK + tokens(said)
