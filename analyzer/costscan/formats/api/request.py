"""A full request as the list of its blocks in prompt order (tools, system, messages), measured."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from costscan.models import drops_thinking
from costscan.reading.content.block import Block, encode, hash_of, text_block
from costscan.reading.content.block import from_dict as block_from_dict
from costscan.reading.content.deferred_tools import found_by, is_deferred
from costscan.reading.content.measure import Measured, definition, measure
from costscan.reading.io import lenient_json
from costscan.reading.prompt_diff.prompt import Key, Sent

_ROLES: Final = frozenset({"user", "assistant", "system"})


class RequestMessage(Struct, gc=False):
    """A message of a request."""

    role: Any = None
    content: list[Block] | str | None = None


class Request(Struct, gc=False):
    """The body of a request: what decides its price and its prompt."""

    model: Any = None
    system: list[Block] | str | None = None
    tools: list[Raw] | None = None
    messages: list[RequestMessage] | None = None
    cache_control: Any = None
    output_config: Any = None
    output_format: Any = None
    tool_choice: Any = None
    thinking: Any = None
    speed: Any = None
    betas: Any = None
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    metadata: Any = None


_SAMPLING: Final = ("temperature", "top_p", "top_k")
_SETTINGS: Final = ("output_config", "output_format", "tool_choice", "thinking", "speed", "betas")
_THINKING: Final = ("thinking", "redacted_thinking")
_WEB_TOOLS: Final = ("web_search_", "web_fetch_")
"""Types of tools that are rendered behind the others, so that these stay cached when one is added."""


MAX_DEFINITIONS: Final = 4096


class Definitions:
    """Measures of tool definitions, each text measured once however often it is sent."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, int], Sent] = {}

    def sent(self, raw: bytes, index: int) -> Sent:
        """Return the block of a raw tool definition."""
        key = hash_of(raw), index
        if key not in self._blocks:
            if len(self._blocks) == MAX_DEFINITIONS:
                # Definitions that change with every request are not worth remembering.
                self._blocks.clear()
            value = _decoded(raw)
            block_ttl, deferred, of_web = None, False, False
            if isinstance(value, dict):
                block_ttl = ttl(value.pop("cache_control", None))
                deferred = is_deferred(value)
                of_web = str(value.get("type")).startswith(_WEB_TOOLS)
            block = Sent("tools", "system", definition(value), block_ttl, -1, index, raw, deferred)
            self._blocks[key] = block._replace(of_web=of_web)
        return self._blocks[key]


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return lenient_json.value(raw)


def blocks_of(request: Request, definitions: Definitions) -> list[Sent]:
    """Return the blocks of a request in the order of the prompt.

    Left out is what is deferred and not found, what a compaction block stands for, and thinking that the
    model drops.
    """
    tools = [definitions.sent(bytes(raw), index) for index, raw in enumerate(request.tools or ())]
    tools.sort(key=lambda tool: tool.of_web)
    waiting = {tool.measured.tool: tool for tool in tools if tool.deferred}
    out = [tool for tool in tools if not tool.deferred]
    for index, block in _as_blocks(request.system):
        measured = measure(block)
        if measured is not None:
            kind = replace(measured, kind="system") if measured.kind == "text" else measured
            out.append(Sent("system", "system", kind, ttl(block.cache_control), -1, index))
    last_question = last_asked(request.messages or ()) if drops_thinking(request.model) else -1
    begin = _summed_up(request.messages or ())
    for number, message in enumerate(request.messages or ()):
        role = message.role if isinstance(message.role, str) and message.role in _ROLES else "user"
        for index, block in _as_blocks(message.content):
            if waiting:
                named = [waiting.pop(name) for name in found_by(block) if name in waiting]
                out += (tool._replace(layer="messages", message=number, nth=index) for tool in named)
            if (number, index) >= begin and (number > last_question or block.type not in _THINKING):
                out += in_message(block, role, number, index)
    if request.cache_control is not None and out:
        out[-1] = out[-1]._replace(breakpoint=f"auto-{ttl(request.cache_control) or '5m'}")
    return out


def _summed_up(messages: Sequence[RequestMessage]) -> tuple[int, int]:
    """Return the place of the newest compaction block: the API drops all messages before it.

    One without content tells of a compaction that failed, and drops nothing.
    Source: https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    return max(
        (
            (number, index)
            for number, message in enumerate(messages)
            for index, block in _as_blocks(message.content)
            if block.type == "compaction" and block.content
        ),
        default=(-1, -1),
    )


def last_asked(messages: Sequence[RequestMessage]) -> int:
    """Return the place of the last message of a user that answers no tool call, -1 where there is none."""
    return max((n for n, message in enumerate(messages) if _asks(message)), default=-1)


def _asks(message: RequestMessage) -> bool:
    if message.role != "user" or not message.content:
        return False
    return isinstance(message.content, str) or all(block.type != "tool_result" for block in message.content)


def in_message(block: Block, role: str, message: int, nth: int) -> list[Sent]:
    """Return a content block of a message, with what is inside it; a breakpoint stands at the end."""
    measured = measure(block)
    if measured is None:
        return []
    parts = measured.apart()
    out = [Sent("messages", role, part, None, message, nth, inside=n > 0) for n, part in enumerate(parts)]
    out[-1] = out[-1]._replace(breakpoint=ttl(block.cache_control))
    return [out[0]._replace(cites=True), *out[1:]] if cites(block) else out


def cites(block: Block) -> bool:
    """Whether citations of a document are asked for; those that a text has made are a list."""
    raw = bytes(block.citations)
    return raw.startswith(b"{") and bool((lenient_json.mapping(raw) or {}).get("enabled"))


def ttl(cache_control: object) -> str | None:
    """Return the TTL a cache breakpoint asks for ("5m" or "1h"), None where there is no breakpoint."""
    if not isinstance(cache_control, dict):
        return None
    return "1h" if cache_control.get("ttl") == "1h" else "5m"


def asks_of(request: Request) -> str | None:
    """Return what a request asks for that some models refuse, in the words of `models.toml`."""
    thinking = request.thinking if isinstance(request.thinking, dict) else {}
    choice = request.tool_choice if isinstance(request.tool_choice, dict) else {}
    last = request.messages[-1] if request.messages else None
    demands = {
        "sampling": any(getattr(request, name) is not None for name in _SAMPLING),
        "prefill": last is not None and last.role == "assistant",
        "forced-tool": choice.get("type") in ("any", "tool"),  # a list compares with anything
        "thinking-budget": thinking.get("budget_tokens") is not None,
        "thinking-off": thinking.get("type") == "disabled",
    }
    return " ".join(name for name, is_made in demands.items() if is_made) or None


def _as_blocks(value: list[Block] | str | None) -> Iterable[tuple[int, Block]]:
    if isinstance(value, str):
        return [(-1, text_block(value))] if value else []
    return enumerate(value or ())


def lenient_request(value: dict[str, Any]) -> Request:
    """Return a `Request` of a decoded body, whatever types its fields have."""
    tools, messages = value.get("tools"), value.get("messages")
    return Request(
        model=value.get("model"),
        system=_lenient_content(value.get("system")),
        tools=[Raw(encode(t)) for t in tools] if isinstance(tools, list) else None,
        messages=[
            RequestMessage(role=m.get("role"), content=_lenient_content(m.get("content")))
            for m in messages
            if isinstance(m, dict)
        ]
        if isinstance(messages, list)
        else None,
        cache_control=value.get("cache_control"),
        metadata=value.get("metadata"),
        **{name: value.get(name) for name in (*_SETTINGS, *_SAMPLING)},
    )


def _lenient_content(value: object) -> list[Block] | str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [block_from_dict(b) if isinstance(b, dict) else text_block(str(b)) for b in value]
    return None


__all__ = [
    "Definitions",
    "Key",
    "Measured",
    "Request",
    "Sent",
    "asks_of",
    "blocks_of",
    "lenient_request",
    "ttl",
]
