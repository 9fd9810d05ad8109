"""Items of the Responses API, which Codex logs too, as content blocks.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.reading.content.block import Block, Part, encode, raw_json, text_block
from costscan.reading.io import lenient_json

_CALL: Final = "_call"
_OUTPUTS: Final = ("_output", "_response")
_DATA_URL: Final = "data:"


def is_written(item: Mapping[str, Any]) -> bool:
    """Whether the model wrote an item: what it says, reasons and calls."""
    kind = _kind(item)
    if kind == "message":
        return item.get("role") == "assistant"
    return kind in {"reasoning", "compaction", "compaction_summary"} or kind.endswith(_CALL)


def is_definitions(item: Mapping[str, Any]) -> bool:
    """Whether an item defines tools."""
    return _kind(item) == "additional_tools"


def blocks_of(item: Mapping[str, Any]) -> list[Block]:
    """Return the content blocks of an item; none of one that holds nothing to send or to read."""
    kind = _kind(item)
    if kind == "message":
        return content_blocks(item.get("content"))
    if kind in {"reasoning", "compaction", "compaction_summary"}:
        return [_reasoning(item)]
    if kind.endswith(_CALL):
        return [_call(item, kind)]
    return [_output(item)] if kind.endswith(_OUTPUTS) else []


def content_blocks(content: object) -> list[Block]:
    """Return the blocks of a message: its content is a text, or a list of parts."""
    if isinstance(content, str):
        return [text_block(content)]
    parts = content if isinstance(content, list) else []
    return [_part(part) for part in parts if isinstance(part, dict)]


def searches(item: Mapping[str, Any]) -> int:
    """Return how many web searches an item is billed for: to open a page or to look in one costs nothing.

    Source: https://platform.openai.com/docs/guides/tools-web-search (output and citations)
    """
    action = item.get("action")
    kind = action.get("type") if isinstance(action, dict) else None
    return int(_kind(item) == "web_search_call" and kind in (None, "search"))


def definitions(tools: object) -> list[dict[str, Any]]:
    """Return the tool definitions of a list, those inside namespaces one by one."""
    found: list[dict[str, Any]] = []
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict):
            continue
        inside = tool.get("tools")
        found += [t for t in inside if isinstance(t, dict)] if isinstance(inside, list) else [tool]
    return found


def _kind(item: Mapping[str, Any]) -> str:
    kind = item.get("type")
    if kind is None and "role" in item:
        return "message"
    return kind if isinstance(kind, str) else ""


def _part(part: Mapping[str, Any]) -> Block:
    kind = word(part.get("type"))
    if kind in {"input_image", "image_url"}:
        return Block(type="image", source=raw_json(_source(part.get("image_url"))))
    if kind in {"input_file", "file"}:
        inside = part.get("file")
        file = inside if isinstance(inside, dict) else part
        return Block(type="document", source=raw_json(_source(file.get("file_data"))))
    return text_block(
        next((t for name in ("text", "refusal", "transcript") if (t := word(part.get(name)))), "")
    )


def _source(url: object) -> dict[str, Any] | None:
    """Return the source of a picture or file as the Messages API has it, from a data URL or a plain one."""
    address = url.get("url") if isinstance(url, dict) else url
    if not isinstance(address, str):
        return None
    if not address.startswith(_DATA_URL):
        return {"type": "url", "url": address}
    head, _, data = address.partition(",")
    media = head.removeprefix(_DATA_URL).partition(";")[0]
    return {"type": "base64", "media_type": media, "data": data}


def _reasoning(item: Mapping[str, Any]) -> Block:
    """Return what was reasoned: its summary, or what length its encrypted form tells."""
    told = [
        part for name in ("content", "summary") for part in _list(item.get(name)) if isinstance(part, dict)
    ]
    thought = "\n".join(text for part in told if (text := word(part.get("text"))))
    return Block(type="thinking", thinking=thought or None, signature=word(item.get("encrypted_content")))


def _call(item: Mapping[str, Any], kind: str) -> Block:
    arguments = next(
        (item[n] for n in ("arguments", "input", "action", "code", "queries") if n in item), None
    )
    return tool_use(item.get("call_id") or item.get("id"), item.get("name") or kind[: -len(_CALL)], arguments)


def tool_use(call_id: object, name: object, arguments: object) -> Block:
    """Return the block of a tool call; its arguments are JSON in a text, any other text, or a value."""
    if isinstance(arguments, str):
        parsed = lenient_json.value(arguments)
        arguments = {"input": arguments} if parsed is None else parsed
    return Block(type="tool_use", id=word(call_id), name=word(name), input=raw_json(arguments or {}))


def _output(item: Mapping[str, Any]) -> Block:
    return tool_result(item.get("call_id"), item.get("output", item.get("tools")))


def tool_result(call_id: object, output: object) -> Block:
    """Return the block of a tool result: a text, a list of parts, or any value."""
    content: str | list[Part] | None = None
    if isinstance(output, str):
        content = output
    elif isinstance(output, list) and all(isinstance(part, dict) and "type" in part for part in output):
        content = [_result_part(part) for part in output]
    elif output is not None:
        content = encode(output).decode()
    return Block(type="tool_result", tool_use_id=word(call_id), content=content)


def _result_part(part: Mapping[str, Any]) -> Part:
    if part.get("type") == "input_image":
        return Part(type="image", source=_source(part.get("image_url")))
    return Part(type="text", text=word(part.get("text")) or encode(part).decode())


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
