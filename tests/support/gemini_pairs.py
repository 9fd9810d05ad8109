"""Requests and responses of the Gemini API, as clients and proxies log them."""

import json
from typing import Any

from logs import Json, at


def usage(
    prompt: Any, said: int = 0, *, cached: int = 0, thought: int = 0, tool: int = 0, **more: Any
) -> Json:
    """Return a `usageMetadata`; counters that are zero are left out."""
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": said,
        "cachedContentTokenCount": cached,
        "thoughtsTokenCount": thought,
        "toolUsePromptTokenCount": tool,
        "totalTokenCount": prompt + said + thought + tool,
    }
    return {name: count for name, count in counts.items() if count} | more


def text(said: str, **more: Any) -> Json:
    return {"text": said} | more


def answer(told: Json | None = None, name: str = "r1", *parts: Json, **more: Any) -> Json:
    """Return a response; what is given more stands in its candidate."""
    content = {"role": "model", "parts": list(parts) or [text("Porto.")]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0} | more],
        "modelVersion": "gemini-2.5-flash",
        "responseId": name,
        "usageMetadata": told or usage(1000, 10),
    }


def content(role: str, *parts: Json) -> Json:
    return {"role": role, "parts": list(parts)}


def pair(response: Json | None = None, second: float = 0, **asked: Any) -> Json:
    request = {"contents": [content("user", text("Name a port."))]} | asked
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
    return {"timestamp": at(second), "url": url, "request": request, "response": response or answer()}


def events(*chunks: Json) -> str:
    return "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)
