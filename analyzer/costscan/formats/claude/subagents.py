"""Sub-agents inside the log of their session: `progress` lines, inline sidechains, their types."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from costscan.formats.api.message import lenient_message, word
from costscan.formats.claude.bill_lines import BillLine
from costscan.formats.claude.lines import Line, lenient_line
from costscan.reading.io import lenient_json


class _Progress(Struct, gc=False):
    type: Any = None
    agentId: Any = None  # noqa: N815
    message: Line | None = None


class _BillProgress(_Progress, gc=False):
    message: BillLine | None = None


class _Kind(Struct, gc=False):
    type: Any = None


_decode_progress = msgspec.json.Decoder(_Progress).decode
_decode_bill = msgspec.json.Decoder(_BillProgress).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode


def progress(raw: bytes, *, bill_only: bool) -> tuple[str, Line] | None:
    """Return the sub-agent that the data of a `progress` line names and its line inside, if any.

    For the bill alone, the content of its message stays raw.
    """
    if not is_progress(raw):
        return None
    try:
        event = _decode_bill(raw) if bill_only else _decode_progress(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = _lenient_progress(raw)
    inner, agent = event.message, word(event.agentId)
    if event.type != "agent_progress" or inner is None or agent is None:
        return None
    return agent, inner


def has_kind(raw: bytes) -> bool:
    """Whether the data of a `progress` line says what it tells of."""
    try:
        return isinstance(_decode_kind(raw).type, str)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def is_progress(raw: bytes) -> bool:
    """Whether data of a `progress` line tells of a sub-agent."""
    return b'"agent_progress"' in raw


def _lenient_progress(raw: bytes) -> _Progress:
    value = lenient_json.mapping(raw) or {}
    inner = value.get("message")
    if not isinstance(inner, dict):
        return _Progress()
    line = lenient_line(inner)
    if line is not None:
        line.message = lenient_message(inner.get("message"))
    return _Progress(type=value.get("type"), agentId=value.get("agentId"), message=line)


class Sidechains:
    """Tells inline sub-agents that their lines do not name apart, by which line follows which."""

    def __init__(self) -> None:
        self._of_line: dict[str, int] = {}
        self._count = 0

    def name(self, line: Line, *, uuids: Container[str]) -> str:
        """Return the sub-agent of a line: that of the line before it in its chain.

        `uuids` are those of the log so far: a chain that hangs on none of a sidechain begins one.
        """
        before = line.parentUuid if type(line.parentUuid) is str else None
        number = self._of_line.get(before or "")
        if number is None:
            begins = before is None or before in uuids or not self._of_line
            number = self._count + 1 if begins else self._count
            self._count = number
        if type(line.uuid) is str:
            self._of_line[line.uuid] = number
        return f"sidechain-{number}"


def meta_agent(log: str, agent_id: str) -> str | None:
    """Return the agent's type from the `.meta.json` beside its transcript."""
    path = Path(log)
    if path.name.split(".")[0] != f"agent-{agent_id}":
        return None
    meta = path.with_name(f"{path.name.split('.')[0]}.meta.json")
    try:
        fields = lenient_json.mapping(meta.read_bytes()[:100_000]) if meta.is_file() else None
    except OSError:
        return None
    return word(fields.get("agentType")) if fields else None
