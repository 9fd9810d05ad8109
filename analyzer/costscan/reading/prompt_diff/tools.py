"""Where the tools of a prompt depart from those of an older one."""

from typing import Any

import msgspec
from msgspec import Raw

from costscan.reading.content.block import encode, hash_of
from costscan.reading.prompt_diff.divergence import Break, Prompt, excerpt, of_texts

_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_value = msgspec.json.Decoder().decode
CHANGED = "definition-changed"


def of_tools(old: Prompt, new: Prompt, first: int) -> list[Break]:
    """Return the places where the tools differ; they agree before position `first`."""
    before, after = _named(old), _named(new)
    old_names, new_names = list(before), list(after)
    breaks = []
    if old_names != new_names:
        at = next(
            (n for n, (p, q) in enumerate(zip(old_names, new_names, strict=False)) if p != q),
            min(len(old_names), len(new_names)),
        )
        cause = "random-order" if sorted(old_names) == sorted(new_names) else CHANGED
        shown = excerpt(", ".join(old_names[at:])), excerpt(", ".join(new_names[at:]))
        path = next((p.blocks[at].path for p in (new, old) if _is_tool(p, at)), f"tools[{at}]")
        breaks.append(Break(at, "tools", path, 0, None, cause, *shown))
    for name, at in after.items():
        was = before.get(name)
        if was is not None and old.keys[was] != new.keys[at]:
            breaks += _of_definition(old, was, new, at)
    # Where both the order and a definition changed, the earlier place is the first.
    return sorted(breaks, key=lambda b: b.position) or [
        Break(first, "tools", f"tools[{first}]", 0, None, CHANGED)
    ]


def _is_tool(prompt: Prompt, at: int) -> bool:
    return at < len(prompt.blocks) and prompt.blocks[at].layer == "tools"


def _named(prompt: Prompt) -> dict[str, int]:
    """Return the positions of the tools by name; one without, or with that of another, gets its number."""
    out: dict[str, int] = {}
    for at, block in enumerate(prompt.blocks):
        if block.layer != "tools":
            break
        name = block.measured.tool or f"tool {at}"
        out[name if name not in out else f"{name} {at}"] = at
    return out


def _of_definition(old: Prompt, was: int, new: Prompt, at: int) -> list[Break]:
    """Return the places where the definition of a tool differs, field by field."""
    path = new.blocks[at].path
    if old.forgot(was) or new.forgot(at):
        return [Break(at, "tools", path, None, None, "unknown")]
    old_fields, new_fields = _decoded(old.texts[was]), _decoded(new.texts[at])
    if old_fields is None or new_fields is None:
        return [Break(at, "tools", path, 0, None, CHANGED)]
    breaks: list[Break] = []
    for name in [*new_fields, *(n for n in old_fields if n not in new_fields)]:
        a, b = _text(old_fields.get(name)), _text(new_fields.get(name))
        if name != "cache_control" and _sent(old_fields.get(name)) != _sent(new_fields.get(name)):
            place = Break(at, "tools", f"{path}.{name}", None, None, "unknown")
            breaks += of_texts(a, b, place, CHANGED)
    return breaks or [
        Break(
            at,
            "tools",
            path,
            0,
            None,
            "random-order",
            excerpt(_names(old_fields)),
            excerpt(_names(new_fields)),
        )
    ]


def _names(fields: dict[str, Raw]) -> str:
    return ", ".join(fields)


def _decoded(raw: str | bytes | None) -> dict[str, Raw] | None:
    try:
        return _fields(raw or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _text(raw: Raw | None) -> str:
    """Return what a string field says, or the JSON of another field as it was sent."""
    if raw is None:
        return ""
    value = _read(raw)
    return value if isinstance(value, str) else bytes(raw).decode("utf-8", "replace")


def _read(raw: Raw) -> Any:
    """Return the value of a field; where it cannot be read, its bytes."""
    try:
        return _value(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return bytes(raw)


def _sent(raw: Raw | None) -> int:
    """Return a hash of a field as the model gets it: spaces and escapes between its parts are not sent."""
    return 0 if raw is None else hash_of(encode(_read(raw)))
