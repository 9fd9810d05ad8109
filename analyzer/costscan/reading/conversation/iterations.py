"""The model calls inside one request, where the Messages API tells them apart in `usage.iterations`."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from costscan.reading.conversation.usage import Counters, Usage, counters, from_dict, nothing_known
from costscan.reading.io import lenient_json

_decode_list = msgspec.json.Decoder(list[Raw]).decode


class Iteration(NamedTuple):
    """One billed model call inside a request: its kind, its model where it has its own, its counters."""

    kind: str
    model: str | None
    counters: Counters


def iterations(usage: Usage) -> list[Iteration] | None:
    """Return the model calls inside a request where the log tells them apart, else an empty list.

    The top level leaves compaction and advisor calls out, and holds only the answering call after a
    fallback, so a request with several iterations is billed as the sum of them; those that were refused
    before any output are among them (see `refusals`). None: the log tells of iterations, and they cannot be
    read.
    """
    raw = bytes(usage.iterations)
    if raw in {b"", b"null", b"[]"}:
        return []
    items = lenient_json.value(raw) if _several(raw) else None
    if not isinstance(items, list):
        return [] if raw.count(b'"type"') == 1 and b'"message"' in raw else None
    parts = [_iteration(item) for item in items]
    searches = counters(usage).web_searches
    if searches != 0 and not any(part.counters.web_searches for part in parts):
        parts[-1].counters.web_searches = searches
    return parts


def after_compaction(parts: Sequence[Iteration]) -> int | None:
    """Return the number of the model call that went on from a summary of the prompt, None where none did."""
    summed_up = max((n for n, part in enumerate(parts) if part.kind == "compaction"), default=None)
    return None if summed_up is None or summed_up + 1 == len(parts) else summed_up + 1


def _several(raw: bytes) -> bool:
    try:
        return len(_decode_list(raw)) > 1
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        items = lenient_json.value(raw)
        return isinstance(items, list) and len(items) > 1


def _iteration(item: object) -> Iteration:
    inner = from_dict(item)
    if inner is None or not isinstance(item, dict):
        return Iteration("message", None, nothing_known())
    kind, model = item.get("type"), item.get("model")
    used = counters(inner)
    return Iteration(
        kind if isinstance(kind, str) else "message",
        model if isinstance(model, str) and model else None,
        # No call takes no tokens at all.
        nothing_known() if used.is_zero else used,
    )
