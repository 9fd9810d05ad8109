"""A line without what people, tools and models wrote: as many characters stand in place of each text."""

import secrets
from hashlib import blake2b
from typing import Any, Final

import msgspec

_SALT: Final = secrets.token_bytes(32)
_KEPT: Final = frozenset({
    "type", "role", "model", "id", "name", "tool_use_id", "media_type", "ttl", "stop_reason", "file_id",
    "service_tier", "inference_geo", "speed", "effort", "container", "server_tool_use_id",
    "call_id", "tool_call_id", "finish_reason", "status", "object", "verbosity",
})  # fmt: skip
"""Fields that tell what something is; all else under the content of a request or response is a text."""
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
_IN_REQUEST: Final = (
    *("system", "tools", "messages", "output_format", "stop_sequences"),
    *("input", "instructions", "functions", "response_format", "text", "prompt", "prediction", "stop"),
)
_IN_RESPONSE: Final = (
    *("content", "stop_sequence", "stop_details"),
    *("choices", "output", "output_text", "instructions", "tools", "text", "prompt", "reasoning"),
)
"""Of the Messages API, then of OpenAI's."""


def without_content(line: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded line without texts.

    Within a program the same text is the same again, so what is sent twice, or breaks a cache, still shows;
    what it was cannot be guessed.
    """
    request = _without_texts(line.get("request"), _IN_REQUEST)
    response = _without_texts(line.get("response"), _IN_RESPONSE)
    out = {**line, "request": request, "response": response}
    if isinstance(result := line.get("result"), dict):
        out["result"] = {**result, "message": _without_texts(result.get("message"), _IN_RESPONSE)}
    return out


def _without_texts(body: Any, fields: tuple[str, ...]) -> Any:
    if not isinstance(body, dict):
        return body
    config = body.get("output_config")
    hidden = {name: _hidden(body[name]) for name in fields if name in body}
    if isinstance(config, dict) and "format" in config:
        hidden["output_config"] = {**config, "format": _hidden(config["format"])}
    return {**body, **hidden}


def _hidden(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        return value if name in _KEPT else _filler(value)
    if isinstance(value, list):
        return [_hidden(item, name) for item in value]
    if isinstance(value, dict):
        if name in ("input", "input_schema", "schema", "parameters"):
            # Its keys are texts, too.
            return {"redacted": _filler(msgspec.json.encode(value).decode())}
        return {key: _hidden(item, key) for key, item in value.items()}
    return value


def _filler(text: str) -> str:
    """Return words of as many characters, which depend on the text."""
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=15, key=_SALT).hexdigest()
    letters = digest.translate(_LETTERS)
    unit = " ".join(letters[n : n + 5] for n in range(0, len(letters), 5)) + " "
    return (unit * (len(text) // len(unit) + 1))[: len(text)]
