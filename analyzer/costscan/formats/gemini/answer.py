"""A response of the Gemini API, streamed or not, out of what wraps it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.formats.api.proxy_body import told_in
from costscan.formats.api.sse import events_of
from costscan.formats.gemini.parts import blocks_of
from costscan.reading.content.block import Block

_IN_ADDRESS: Final = re.compile(r"/models/([\w.@-]+)")
_VERSION: Final = re.compile(r"gemini-(\d+)")
_PER_QUERY_SINCE: Final = 3


def answer_of(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the response of a line, put together where it was streamed; None where it holds none."""
    events, response = line.get("response_sse"), line.get("response")
    if isinstance(response, list):
        return _whole([chunk for chunk in response if isinstance(chunk, dict)])
    told = events if isinstance(events, str) else told_in(response)
    if isinstance(told, str):
        return _whole(events_of(told)) if "data:" in told else None
    return told if told is not None else dict(line) if is_answer(line) else None


def is_answer(answer: Mapping[str, Any]) -> bool:
    """Whether a response is one of this API; one whose prompt was blocked has no candidates."""
    has_usage = isinstance(answer.get("usageMetadata"), dict)
    return has_usage or isinstance(answer.get("candidates"), list)


def written(answer: Mapping[str, Any]) -> list[Block]:
    """Return what the model wrote, in all candidates."""
    return [block for one in _candidates(answer) for block in blocks_of(one.get("content"))]


def stop_reason(answer: Mapping[str, Any]) -> str | None:
    """Return why the model stopped; it says of calls of tools what it says of a whole answer."""
    told = next((word(one.get("finishReason")) for one in _candidates(answer)), None)
    calls = any(block.type == "tool_use" for block in written(answer))
    return "tool_use" if told == "STOP" and calls else told


def model_of(line: Mapping[str, Any], answer: Mapping[str, Any], request: Mapping[str, Any]) -> str | None:
    """Return the model that answered, else the one that was asked, which may stand in the address alone."""
    asked = request.get("model") or line.get("model")
    address = _IN_ADDRESS.search(word(line.get("url")) or "")
    return word(answer.get("modelVersion")) or word(asked) or (address[1] if address else None)


def searches(answer: Mapping[str, Any], model: str | None) -> int:
    """Return how many web searches a call is billed for: each query, before Gemini 3 each call with any.

    Source: https://ai.google.dev/gemini-api/docs/pricing (grounding with Google Search)
    """
    grounding = (one.get("groundingMetadata") for one in _candidates(answer))
    queries = [one.get("webSearchQueries") for one in grounding if isinstance(one, dict)]
    count = sum(len(some) for some in queries if isinstance(some, list))
    version = _VERSION.search(model or "")
    return count if version is None or int(version[1]) >= _PER_QUERY_SINCE else min(count, 1)


def _candidates(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = answer.get("candidates")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _whole(chunks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the response that chunks amount to: all parts, and the last word on everything else."""
    if not chunks:
        return None
    told = {key: value for chunk in chunks for key, value in chunk.items() if value is not None}
    by_index: dict[Any, dict[str, Any]] = {}
    for one in (one for chunk in chunks for one in _candidates(chunk)):
        whole = by_index.setdefault(str(one.get("index", 0)), {"content": {"role": "model", "parts": []}})
        content = one.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        whole["content"]["parts"] += parts if isinstance(parts, list) else []
        whole.update({key: value for key, value in one.items() if key != "content"})
    return {**told, "candidates": list(by_index.values())} if by_index else told
