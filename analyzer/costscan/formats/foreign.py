"""Formats that costscan does not read yet, told by what their lines look like, to be refused by name.

Each is known by keys that no format read here has.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

_Line: TypeAlias = Mapping[str, Any]
MAX_CHARS: Final = 30
MAX_KEYS: Final = 4


def _in(line: _Line, key: str) -> Mapping[str, Any]:
    """Return the object under a key, an empty one where there is none."""
    inner = line.get(key)
    return inner if isinstance(inner, dict) else {}


def _answer(line: _Line) -> _Line:
    """Return the response of a pair, out of the wrapper of a proxy, or the line itself."""
    response = _in(line, "response")
    return _in(response, "body") or response or line


def _is_converse(line: _Line) -> bool:
    answer = _answer(line)
    return "inputTokens" in _in(answer, "usage") and ("stopReason" in answer or "output" in answer)


def _is_codex_exec(line: _Line) -> bool:
    """Whether a line is of `codex exec --json`, whose usage is the sum of a thread, of no told model."""
    if line.get("type") == "turn.completed":
        return "input_tokens" in _in(line, "usage")
    return line.get("type") == "thread.started" and "thread_id" in line


_TESTS: Final[Sequence[tuple[str, Callable[[_Line], bool]]]] = (
    ("Bedrock Converse pairs", _is_converse),
    (
        "what `codex exec --json` prints (sums without a model; ~/.codex/sessions tells each call)",
        _is_codex_exec,
    ),
)


def named(line: _Line) -> str | None:
    """Return what a line looks like, in words, where it is of a format that is known and not read yet."""
    return next((name for name, test in _TESTS if test(line)), None)


def described(line: _Line) -> str:
    """Return what a line looks like to people: its type, else the names of its keys."""
    kind = line.get("type")
    if isinstance(kind, str) and kind:
        return f"{{type: {kind[:MAX_CHARS]}}}"
    if ("request" in line or "custom_id" in line) and not _answer(line).keys() - line.keys():
        return "a request without a response"
    keys = [key[:MAX_CHARS] for key in list(line)[:MAX_KEYS]]
    return f"{{{', '.join([*keys, '…'] if len(line) > MAX_KEYS else keys)}}}"
