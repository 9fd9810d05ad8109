"""Measures of a content block: its kind, hash, length and the tool call it belongs to."""

from collections.abc import Callable
from functools import cache, reduce
from typing import Final

import msgspec
from msgspec import Struct

from costscan.reading.content import shell
from costscan.reading.content.block import Block, Part, encode, hash_of, hash_text
from costscan.reading.content.documents import document_tokens
from costscan.reading.content.images import image_tokens
from costscan.reading.content.kept_texts import taker
from costscan.reading.content.kind import content_kind
from costscan.reading.content.token_estimate import NOTHING, Weights, by_length, weigh, weigh_raw
from costscan.reading.io import lenient_json

_BASE64_CHARS_PER_BYTE: Final = 4 / 3


_SKILL_TOOL: Final = "Skill"
_ATTACHED: Final = ("image", "document")
LARGE_CHARS: Final = 12_000
"""Of results from this size on is said what they look like."""


class Measured(Struct, gc=False):
    """What is kept of a block.

    `weights` estimates its tokens for each tokenizer family. Those of a picture that `is_sized` follow from
    its size; null says that what it shows is not in the log. `content` says what a large tool result looks
    like, or that a command of a shell only looks. `text` is its text, or the raw input of a tool, for the
    thread that takes the block; it is not kept, nor is `inside`: the pictures and documents of a tool result,
    which are blocks of their own behind it.
    """

    kind: str
    tool: str | None
    call_id: str | None
    content_hash: int | None
    args_hash: int | None
    chars: int
    weights: Weights
    is_sized: bool | None
    is_error: bool
    content: str | None = None
    text: str | bytes | None = None
    skill: str | None = None
    inside: tuple["Measured", ...] = ()

    def apart(self) -> list["Measured"]:
        """Return this block and, behind it, those inside it."""
        inside, self.inside = self.inside, ()
        return [self, *inside]


_any = msgspec.json.Decoder().decode


def measure(block: Block) -> Measured | None:
    """Return the measures of `block`; None for a breakpoint that takes no tokens (a fallback notice)."""
    kind = block.type
    measure_type = _BY_TYPE.get(kind) if type(kind) is str else None
    if measure_type is not None:
        return measure_type(block)
    if kind == "fallback":
        return None
    if isinstance(kind, str) and kind.endswith("_tool_result"):
        return _tool_result(block)
    return _text(block)


def text(prompt_text: str, kind: str = "text") -> Measured:
    """Return the measures of prompt text."""
    return Measured(
        kind,
        None,
        None,
        hash_text(prompt_text),
        None,
        len(prompt_text),
        weigh(prompt_text),
        False,
        False,
        text=prompt_text,
    )


def _text(block: Block) -> Measured:
    content = block.text
    if content is None:
        content = block.content if isinstance(block.content, str) else ""
    return text(content)


def _tool_use(block: Block) -> Measured:
    name = block.name if type(block.name) is str else ""
    call_id = block.id if type(block.id) is str else None
    raw = bytes(block.input)
    args = hash_of(raw)
    # The id is left out of the content hash: the same call made again is the same content.
    content = hash_of(name.encode() + raw) if name.isascii() else hash_text(name) ^ args
    weights = _sum(weigh_raw(raw), _weights_of_name(name))
    size = len(raw) + len(name)
    measured = Measured(
        "tool_use", name or None, call_id, content, args, size, weights, False, False, text=raw
    )
    if name == _SKILL_TOOL:
        measured.skill = _skill(raw)
    measured.content = shell.content_of(name, raw)
    return measured


def _skill(raw: bytes) -> str | None:
    """Return the skill that a call of the tool for skills loads."""
    args = lenient_json.mapping(raw) or {}
    skill = args.get("skill") or args.get("command")
    return skill.split()[0] if isinstance(skill, str) and skill.strip() else None


def _tool_result(block: Block) -> Measured:
    call_id = block.tool_use_id if type(block.tool_use_id) is str else None
    content, failed = block.content, block.is_error is True
    if type(content) is str:
        looks = content_kind(content) if len(content) >= LARGE_CHARS else None
        whole, size = hash_text(content), weigh(content)
        return Measured(
            "tool_result", None, call_id, whole, None, len(content), size, False, failed, looks, content
        )
    if not content or isinstance(content, str):
        return Measured("tool_result", None, call_id, None, None, 0, NOTHING, False, failed)
    texts = [part.text for part in content if part.type not in _ATTACHED]
    chars = sum(map(len, texts))
    size = reduce(_sum, map(weigh, texts), NOTHING)
    looks = content_kind(max(texts, key=len)) if chars >= LARGE_CHARS else None
    shown = texts[0] if len(texts) == 1 else "\n".join(texts)
    whole = _parts_hash(content)
    measured = Measured("tool_result", None, call_id, whole, None, chars, size, False, failed, looks, shown)
    measured.inside = tuple(_inside(part, call_id) for part in content if part.type in _ATTACHED)
    return measured


def _inside(part: Part, call_id: str | None) -> Measured:
    """Return the measures of a picture or a document in a tool result."""
    measured = _of_source(str(part.type), part.source, hash_of(encode(part.source)))
    measured.call_id = call_id
    return measured


def _parts_hash(parts: list[Part]) -> int:
    if len(parts) == 1 and parts[0].text:
        return hash_text(parts[0].text)
    fields = [[str(p.type), p.text, p.source, *([p.tool_name] if p.tool_name else [])] for p in parts]
    return hash_of(encode(fields))


def _thinking(block: Block) -> Measured:
    thought = block.thinking or (block.data if isinstance(block.data, str) else "")
    chars = len(thought)
    if chars == 0 and isinstance(block.signature, str):
        # Newer logs leave the thinking out and keep its signature, whose length grows with it.
        chars = int(len(block.signature) / _BASE64_CHARS_PER_BYTE)
    return Measured(
        "thinking",
        None,
        None,
        hash_text(thought or block.signature or "") if chars else None,
        None,
        chars,
        weigh(thought) if thought else by_length(chars),
        False,
        False,
        text=thought,
    )


def _attached(block: Block) -> Measured:
    raw = bytes(block.source)
    try:
        source = _any(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        source = None
    return _of_source(str(block.type), source, hash_of(raw) if raw else None)


def _of_source(kind: str, source: object, content_hash: int | None) -> Measured:
    if kind == "image":
        tokens, is_known = image_tokens(source)
        return Measured("image", None, None, content_hash, None, 0, tokens, True if is_known else None, False)
    tokens, chars, is_known = document_tokens(source, content_hash)
    sized = False if is_known else None
    return Measured("document", None, None, content_hash, None, chars, tokens, sized, False)


def definition(tool: object) -> Measured:
    """Return the measures of a tool definition; its name is in `tool`."""
    name = tool.get("name") if isinstance(tool, dict) else None
    raw = encode(tool)
    called = name if isinstance(name, str) else None
    measured = Measured("tool_def", called, None, hash_of(raw), None, len(raw), weigh_raw(raw), False, False)
    if taker() is not None:
        measured.text = raw
    return measured


def _sum(a: Weights, b: Weights) -> Weights:
    return a[0] + b[0], a[1] + b[1]


@cache
def _weights_of_name(name: str) -> Weights:
    return weigh(name)


_BY_TYPE: Final[dict[str, Callable[[Block], Measured]]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "mcp_tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _attached,
    "document": _attached,
}
