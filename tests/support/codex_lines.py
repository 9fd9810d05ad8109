"""Lines of Codex rollouts, as its versions write them."""

from typing import Any

from logs import Json, at

THREAD = "019f0000-0000-7000-8000-000000000001"
CHILD = "019f0000-0000-7000-8000-000000000009"


def turn(n: int, thread: str = THREAD) -> str:
    """Return the id of the n-th turn after a thread began: ids rise with time."""
    return f"{thread[:-2]}{int(thread[-2:]) * 1 + n:02d}"


def line(kind: str, payload: Json, second: float = 0) -> Json:
    return {"timestamp": at(second), "type": kind, "payload": payload}


def meta(thread: str = THREAD, second: float = 0, **more: Any) -> Json:
    told = {"id": thread, "cwd": "/src/ports", "cli_version": "0.140.0", "source": "cli", **more}
    return line("session_meta", {"git": {"branch": "main"}, **told}, second)


def context(model: str = "gpt-5.5", n: int = 1, second: float = 0, thread: str = THREAD) -> Json:
    return line("turn_context", {"turn_id": turn(n, thread), "model": model, "effort": "high"}, second)


def item(kind: str, second: float = 0, **more: Any) -> Json:
    return line("response_item", {"type": kind, **more}, second)


def said(role: str, text: str, second: float = 0) -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return item("message", second, role=role, content=[{"type": kind, "text": text}])


def used(plain: int = 0, read: int = 0, out: int = 0, *, reasoned: int = 0, written: int = 0) -> Json:
    """Return a usage told inclusively: `plain` is what was neither read nor written."""
    whole = plain + read + written
    return {
        "input_tokens": whole,
        "cached_input_tokens": read,
        "cache_write_input_tokens": written,
        "output_tokens": out,
        "reasoning_output_tokens": reasoned,
        "total_tokens": whole + out,
    }


def plus(*usages: Json) -> Json:
    return {name: sum(usage[name] for usage in usages) for name in used()}


def counted(last: Json | None, total: Json | None = None, second: float = 0) -> Json:
    """Return a `token_count`; without a usage it tells rate limits alone."""
    info = None if last is None else {"last_token_usage": last, "total_token_usage": total or last}
    return line("event_msg", {"type": "token_count", "info": info, "rate_limits": {}}, second)


def record(response: str, usage: Json, total: Json | None = None, second: float = 0) -> Json:
    told = {"response_id": response, "turn_id": turn(1), "usage": usage, "thread_token_usage": total or usage}
    return line("token_usage_record", told, second)


def settings(tier: str | None, second: float = 0) -> Json:
    chosen = {"model": "gpt-5.5"} | ({"service_tier": tier} if tier else {})
    return line("event_msg", {"type": "thread_settings_applied", "thread_settings": chosen}, second)
