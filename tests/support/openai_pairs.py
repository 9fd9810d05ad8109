"""Requests and responses of OpenAI's APIs, as clients and proxies log them."""

import json
from typing import Any

from logs import Json, at


def chat_usage(prompt: Any, out: Any, *, cached: Any = None, reasoned: Any = None, total: Any = None) -> Json:
    told: Json = {"prompt_tokens": prompt, "completion_tokens": out}
    told["total_tokens"] = prompt + out if total is None else total
    if cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoned is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoned}
    return told


def chat(name: str = "chatcmpl-1", usage: Json | None = None, said: str = "Porto.", **more: Any) -> Json:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
    return {
        "id": name,
        "object": "chat.completion",
        "created": 1782864000,
        "model": "gpt-5.5-2026-04-23",
        "choices": [choice],
        "usage": usage or chat_usage(1000, 10),
        "service_tier": "default",
    } | more


def chat_pair(response: Json | None = None, second: float = 0, **more: Any) -> Json:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a port."}]
    request = {"model": "gpt-5.5", "messages": asked}
    return {"timestamp": at(second), "request": request, "response": response or chat()} | more


def usage_of(whole: int, out: int, *, read: int = 0, written: int | None = None, reasoned: int = 0) -> Json:
    details = {"cached_tokens": read} | ({} if written is None else {"cache_write_tokens": written})
    return {
        "input_tokens": whole,
        "input_tokens_details": details,
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": reasoned},
        "total_tokens": whole + out,
    }


def item(kind: str = "message", **more: Any) -> Json:
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "Porto."}]}
    return {"type": kind} | (said if kind == "message" else {}) | more


def response(name: str = "resp_1", usage: Json | None = None, *output: Json, **more: Any) -> Json:
    return {
        "id": name,
        "object": "response",
        "created_at": 1782864000,
        "status": "completed",
        "model": "gpt-5.5",
        "output": list(output) or [item()],
        "usage": usage or usage_of(1000, 10),
    } | more


def pair(answer: Json | None = None, second: float = 0, asked: Json | None = None, **more: Any) -> Json:
    request = {"model": "gpt-5.5", "input": "Name a port."} | (asked or {})
    return {"timestamp": at(second), "request": request, "response": answer or response()} | more


def batch(answer: Json, name: str = "item-1") -> Json:
    whole = {"status_code": 200, "request_id": "req_1", "body": answer}
    return {"id": "batch_req_1", "custom_id": name, "response": whole, "error": None}


def events(*told: Json) -> str:
    return "".join(f"event: {e.get('type')}\ndata: {json.dumps(e)}\n\n" for e in told) + "data: [DONE]\n\n"


def chunk(usage: Json | None = None, finish: str | None = None, **delta: Any) -> Json:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if delta or finish else []
    head = {"id": "chatcmpl-s", "object": "chat.completion.chunk", "created": 1782864000, "model": "gpt-5.5"}
    return {**head, "choices": choices, "usage": usage}
