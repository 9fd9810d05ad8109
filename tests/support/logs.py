"""Minimal log lines in each format, and what costscan makes of files of them."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Line: TypeAlias = "Json | str | bytes | list[Any]"

OPUS = "claude-opus-4-8"
SONNET = "claude-sonnet-4-6"
HAIKU = "claude-haiku-4-5-20251001"
DAY = "2026-07-01"
PER_MTOK = {
    OPUS: {"in": "5", "out": "25", "w5m": "6.25", "w1h": "10", "read": "0.5"},
    SONNET: {"in": "3", "out": "15", "w5m": "3.75", "w1h": "6", "read": "0.3"},
    HAIKU: {"in": "1", "out": "5", "w5m": "1.25", "w1h": "2", "read": "0.1"},
}
"""List prices, USD per million tokens, typed from the public price list and not from the code."""


def usd(model: str = OPUS, **tokens: int) -> Decimal:
    """Return what tokens cost at list price: `usd(OPUS, read=1000, out=5)`."""
    return sum((Decimal(PER_MTOK[model][kind]) * n / 10**6 for kind, n in tokens.items()), Decimal(0))


def at(second: float = 0, day: str = DAY) -> str:
    """Return a time of day as logs write it."""
    whole, milli = divmod(round(second * 1000), 1000)
    return f"{day}T{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milli:03d}Z"


def usage(plain: Any = 0, *, read: Any = 0, w5m: Any = 0, w1h: Any = 0, out: Any = 0, **more: Any) -> Json:
    """Return a usage object with the cache writes split by lifetime."""
    whole = w5m + w1h if isinstance(w5m, int) and isinstance(w1h, int) else 0
    split = {"ephemeral_5m_input_tokens": w5m, "ephemeral_1h_input_tokens": w1h}
    return {
        "input_tokens": plain,
        "cache_creation_input_tokens": whole,
        "cache_read_input_tokens": read,
        "cache_creation": split,
        "output_tokens": out,
        "service_tier": "standard",
    } | more


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def tool_use(call_id: str, name: str = "Bash", **given: Any) -> Json:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def tool_result(call_id: str, said: Any = "done", **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": call_id, "content": said} | more


def assistant(message_id: str | None = "msg_1", used: Any = None, **more: Any) -> Json:
    """Return an assistant line of a transcript; `model`, `content`, `stop_reason` go into its message."""
    message: Json = {
        "model": more.pop("model", OPUS),
        "role": "assistant",
        "content": more.pop("content", [text("ok")]),
        "stop_reason": more.pop("stop_reason", "end_turn"),
        "usage": usage(10, out=5) if used is None else used,
    }
    if message_id is not None:
        message["id"] = message_id
    plain = {"type": "assistant", "sessionId": "s1", "version": "2.1.215", "isSidechain": False}
    return plain | {"message": message} | more


def user(content: Any = "go on", **more: Any) -> Json:
    """Return a user line of a transcript."""
    plain = {"type": "user", "sessionId": "s1", "version": "2.1.215", "isSidechain": False}
    return plain | {"message": {"role": "user", "content": content}} | more


def progress(inner: Json, agent: str = "a1", **more: Any) -> Json:
    """Return a line of a parent's transcript that shows a line of its sub-agent."""
    data = {"type": "agent_progress", "agentId": agent, "message": inner}
    return {"type": "progress", "sessionId": "s1", "toolUseID": "toolu_p", "data": data} | more


def streamed(message_id: str = "msg_1", used: Any = None, **more: Any) -> Json:
    """Return an assistant line of a stream-json log, with its output unfinished."""
    line = assistant(message_id, used, stop_reason=more.pop("stop_reason", None), **more)
    for name in ("sessionId", "version", "isSidechain"):
        line.pop(name, None)
    return {"session_id": "s1", "parent_tool_use_id": None} | line


def totals(
    plain: int = 0, *, read: int = 0, write: int = 0, out: int = 0, cost: Any = None, **more: Any
) -> Json:
    """Return an entry of `modelUsage`."""
    found: Json = {
        "inputTokens": plain,
        "cacheReadInputTokens": read,
        "cacheCreationInputTokens": write,
        "outputTokens": out,
        "webSearchRequests": 0,
    }
    return found | ({} if cost is None else {"costUSD": float(cost)}) | more


def result(cost: Any, models: Json | None = None, session: str = "s1", **more: Any) -> Json:
    """Return a result line of a stream."""
    line: Json = {
        "type": "result",
        "subtype": "success",
        "session_id": session,
        "total_cost_usd": float(cost),
    }
    return line | ({} if models is None else {"modelUsage": models}) | more


def cost_state(cost: Any, models: Json | None = None, session: str = "s1", **more: Any) -> Json:
    """Return a cost-state line of a transcript."""
    line: Json = {"type": "cost-state", "sessionId": session, "totalCostUSD": float(cost)}
    return line | ({} if models is None else {"modelUsage": models}) | more


def message(message_id: str | None = "msg_1", used: Any = None, **more: Any) -> Json:
    """Return a response of the Messages API."""
    plain = {"type": "message", "role": "assistant", "model": OPUS, "stop_reason": "end_turn"}
    named = {} if message_id is None else {"id": message_id}
    used = usage(10, out=5) if used is None else used
    return plain | named | {"content": [text("ok")], "usage": used} | more


def pair(answer: Any = None, messages: Any = None, **more: Any) -> Json:
    """Return a request/response pair; `system` and `tools` go into the request."""
    inside = {name: more.pop(name) for name in ("system", "tools", "model") if name in more}
    asked = {
        "model": OPUS,
        "messages": [{"role": "user", "content": "hello"}] if messages is None else messages,
    }
    return {
        "timestamp": at(),
        "request": asked | inside,
        "response": message() if answer is None else answer,
    } | more


def sse(*events: Json) -> str:
    """Return the text of a streamed response."""
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def encoded(line: Line) -> bytes:
    """Return a line as it stands in a file: JSON of objects and lists, text and bytes as they are."""
    if isinstance(line, bytes):
        return line
    return line.encode() if isinstance(line, str) else json.dumps(line, ensure_ascii=False).encode()


def write(path: Path, *lines: Line) -> Path:
    """Write lines to a new file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(joined(lines))
    return path


def joined(lines: Iterable[Line]) -> bytes:
    return b"".join(encoded(line) + b"\n" for line in lines)
