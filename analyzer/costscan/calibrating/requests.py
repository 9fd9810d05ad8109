"""The requests that count a block: the smallest that the API takes with it, and the same without it.

What a text takes is what the two differ by, plus what stands in its place in the second. What the API puts
around a block is in both, and is known (`result_tokens`, `call_tokens` in `tokenizers.toml`).
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, TypeAlias

from costscan.calibrating.sample import Sample
from costscan.reading.content.token_estimate import Weights, weigh, weigh_raw

Body: TypeAlias = Mapping[str, Any]

_X: Final = "x"
"""A text of one token in both families."""
_CALL: Final = "toolu_01"
_CALLED: Final = "f"
_TOOL: Final = {
    "name": "costscan_base",
    "description": _X,
    "input_schema": {"type": "object", "properties": {}},
}


def body(sample: Sample) -> Body:
    """Return the request that a block stands in, without a model."""
    if sample.kind == "tool_use":
        return _with_call(sample.name, json.loads(sample.text), _X)
    if sample.kind == "tool_def":
        return {"tools": [_TOOL, json.loads(sample.text)], "messages": [_user(_X)]}
    return _with_text(sample.kind, sample.text)


def base(sample: Sample) -> tuple[Body, Weights]:
    """Return the request without the block, and what stands there in its place in each family."""
    if sample.kind == "tool_use":
        empty, name = weigh_raw(b"{}"), weigh(_CALLED)
        return _with_call(_CALLED, {}, _X), (empty[0] + name[0], empty[1] + name[1])
    if sample.kind == "tool_def":
        return {"tools": [_TOOL], "messages": [_user(_X)]}, (0, 0)
    return _with_text(sample.kind, _X), (1, 1)


def _with_text(kind: str, text: str) -> Body:
    if kind == "system":
        return {"system": text, "messages": [_user(_X)]}
    return _with_call(_CALLED, {}, text) if kind == "tool_result" else {"messages": [_user(text)]}


def _user(content: object) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _with_call(name: str, given: Any, result: str) -> Body:
    call = {"type": "tool_use", "id": _CALL, "name": name, "input": given}
    answer = {"type": "tool_result", "tool_use_id": _CALL, "content": result}
    return {
        "tools": [_TOOL],
        "messages": [_user(_X), {"role": "assistant", "content": [call]}, _user([answer])],
    }


def key_of(model: str, request: Body) -> str:
    """Return what a count is kept by: a hash, from which no text can be read."""
    return sha256(f"{model}\0{json.dumps(request, sort_keys=True)}".encode()).hexdigest()[:32]


__all__ = ["Body", "base", "body", "key_of"]
