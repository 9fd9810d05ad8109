"""Bodies of Bedrock's Converse API as those of the Messages API, which say the same in other words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costscan.formats.agents import blocks

_HOUR: Final = "1h"


def is_request(body: Mapping[str, Any]) -> bool:
    """Whether a body is a request of Converse and none of the Messages API."""
    own = {"inferenceConfig", "toolConfig", "additionalModelRequestFields", "performanceConfig"}
    parts = [part for m in blocks.list_in(body, "messages") for part in blocks.list_in(m, "content")]
    return not own.isdisjoint(body) or any(isinstance(part, dict) and "type" not in part for part in parts)


def is_answer(body: Mapping[str, Any]) -> bool:
    """Whether a body is an answer of Converse."""
    return "stopReason" in body or "message" in blocks.mapping_in(body, "output")


def request_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request in the words of the Messages API."""
    tools = blocks.list_in(body.get("toolConfig"), "tools")
    more = blocks.mapping_in(body, "additionalModelRequestFields")
    return {
        "thinking": more.get("thinking"),
        "system": _content(body.get("system")),
        "tools": _marked([_tool(tool) for tool in tools if isinstance(tool, dict)]),
        "messages": [
            {"role": m.get("role"), "content": _content(m.get("content"))}
            for m in blocks.list_in(body, "messages")
            if isinstance(m, dict)
        ],
    }


def answer_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer in the words of the Messages API."""
    message = blocks.mapping_in(body, "output", "message")
    usage = blocks.mapping_in(body, "usage")
    return {
        "type": "message",
        "role": "assistant",
        "content": _content(message.get("content")),
        "stop_reason": body.get("stopReason"),
        "usage": _usage(usage) if usage else None,
    }


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    read, written = (
        usage.get(f"cache{kind}InputTokens", usage.get(f"cache{kind}InputTokenCount"))
        for kind in ("Read", "Write")
    )
    told: dict[str, Any] = {
        "input_tokens": usage.get("inputTokens"),
        "output_tokens": usage.get("outputTokens"),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    details = [d for d in blocks.list_in(usage, "cacheDetails") if isinstance(d, dict)]
    if details:
        told["cache_creation"] = {
            f"ephemeral_{ttl}_input_tokens": sum(
                n for d in details if d.get("ttl") == ttl and type(n := d.get("inputTokens")) is int
            )
            for ttl in ("5m", _HOUR)
        }
    return told


def _content(parts: object) -> list[dict[str, Any]]:
    listed = parts if isinstance(parts, list) else []
    return _marked([_part(part) for part in listed if isinstance(part, dict)])


def _marked(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return parts without cache points, each marked that stood before one."""
    out: list[dict[str, Any]] = []
    for part in parts:
        if "cachePoint" not in part:
            out.append(part)
        elif out:
            ttl = blocks.mapping_in(part, "cachePoint").get("ttl")
            out[-1] = {**out[-1], "cache_control": {"type": "ephemeral", "ttl": ttl or "5m"}}
    return out


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if "toolSpec" not in tool:
        return dict(tool)
    spec = blocks.mapping_in(tool, "toolSpec")
    schema = blocks.mapping_in(spec, "inputSchema").get("json")
    return {"name": spec.get("name"), "description": spec.get("description"), "input_schema": schema}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if "toolUse" in part:
        use = blocks.mapping_in(part, "toolUse")
        return {
            "type": "tool_use",
            "id": use.get("toolUseId"),
            "name": use.get("name"),
            "input": use.get("input"),
        }
    if "toolResult" in part:
        return _result(blocks.mapping_in(part, "toolResult"))
    if "reasoningContent" in part:
        said = blocks.mapping_in(part, "reasoningContent", "reasoningText")
        return {"type": "thinking", "thinking": said.get("text") or "", "signature": said.get("signature")}
    if "image" in part or "document" in part:
        kind = "image" if "image" in part else "document"
        return _file(kind, blocks.mapping_in(part, kind))
    return {"type": "text", "text": blocks.text_of(part["text"])} if "text" in part else dict(part)


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    content = [
        {"type": "text", "text": blocks.text_of(part["json"])} if "json" in part else _part(part)
        for part in blocks.list_in(result, "content")
        if isinstance(part, dict)
    ]
    return {
        "type": "tool_result",
        "tool_use_id": result.get("toolUseId"),
        "content": content,
        "is_error": result.get("status") == "error",
    }


def _file(kind: str, file: Mapping[str, Any]) -> dict[str, Any]:
    media = "image/" if kind == "image" else "application/"
    data = blocks.word(blocks.mapping_in(file, "source").get("bytes")) or ""
    source = {"type": "base64", "media_type": f"{media}{blocks.word(file.get('format')) or ''}", "data": data}
    return {"type": kind, "source": source}
