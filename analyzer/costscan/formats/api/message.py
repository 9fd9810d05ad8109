"""What the settings of a request add to the keys of its prefix."""

from typing import Any

from msgspec import UNSET, Raw, Struct

from costscan.reading.content import block
from costscan.reading.content.block import Block


class Message(Struct, gc=False):
    """`message` of an assistant or user line."""

    id: Any = None
    model: Any = None
    usage: Raw = Raw()
    stop_reason: Any = UNSET
    stop_details: Any = UNSET
    content: list[Block] | str | None = None
    diagnostics: Any = None
    type: Any = None
    role: Any = None
    object: Any = None


def lenient_message(value: object) -> Message | None:
    """Return a `Message` of a decoded object, or None."""
    if not isinstance(value, dict):
        return None
    return Message(
        id=value.get("id"),
        model=value.get("model"),
        usage=block.raw_json(value.get("usage")),
        stop_reason=value.get("stop_reason", UNSET),
        stop_details=value.get("stop_details", UNSET),
        content=block.lenient_content(value.get("content")),
        diagnostics=value.get("diagnostics"),
        type=value.get("type"),
        role=value.get("role"),
        object=value.get("object"),
    )


def word(value: object) -> str | None:
    """Return a non-empty string as it is, anything else as None."""
    return value if isinstance(value, str) and value else None
