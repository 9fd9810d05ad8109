"""The lines of a transcript: identifiers, timestamps, and one method per line type."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from synthetic.tools import ToolUse

_NO_SYMBOLS: Final = str.maketrans("+/=", "xyz")


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the program that writes transcripts, and the habits that cost depends on."""

    version: str
    first_day: str
    models: tuple[str, ...]
    chars_per_token: float = 3.3
    one_hour: bool = True
    unfinished_share: float = 0.0
    is_new: bool = False
    """No progress lines and no thinking text, but attachments; constant fields at the end of a line."""


RELEASES: Final = (
    Release("2.1.12", "2026-01-05", ("claude-opus-4-5-20251101",), one_hour=False, unfinished_share=0.95),
    Release("2.1.47", "2026-02-05", ("claude-opus-4-6", "claude-sonnet-4-6"), unfinished_share=0.5),
    Release("2.1.63", "2026-03-05", ("claude-opus-4-6", "claude-haiku-4-5-20251001")),
    Release("2.1.112", "2026-04-20", ("claude-opus-4-7", "claude-sonnet-4-6"), 2.5, is_new=True),
    Release("2.1.215", "2026-07-13", ("claude-opus-4-8",), 2.4, is_new=True),
)


class Ids:
    """Identifiers of the usual shapes, unique because they are long and random."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def letters(self, count: int) -> str:
        """Return random letters and digits."""
        return b64encode(self.rng.randbytes(count)).decode().translate(_NO_SYMBOLS)[:count]


def stamp(at_s: float) -> str:
    """Return a time in seconds since 1970 as transcripts write it."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


class LineWriter:
    """Builds the lines of one file; each one with a uuid becomes the parent of the next."""

    def __init__(self, ids: Ids, release: Release, session_id: str, cwd: str, agent: str | None) -> None:
        self.ids = ids
        self.session_id = session_id
        self.lines: list[str] = []
        self.parent = "null"
        self.request_id = ""
        sidechain = f'"isSidechain":true,"agentId":"{agent}",' if agent else '"isSidechain":false,'
        common = (
            f'"userType":"external","cwd":"{cwd}","sessionId":"{session_id}","version":"{release.version}",'
            '"gitBranch":"main"'
        )
        self.head = sidechain if release.is_new else f"{sidechain}{common},"
        self.tail = f',"entrypoint":"cli",{common}' if release.is_new else ""

    def threaded(self, body: str, at_s: float, extra: str = "") -> str:
        """Append a line that is part of the thread and return its uuid."""
        uuid = self.ids.uuid()
        self.lines.append(
            f'{{"parentUuid":{self.parent},{self.head}{body},"uuid":"{uuid}","timestamp":"{stamp(at_s)}"'
            f"{extra}{self.tail}}}",
        )
        self.parent = f'"{uuid}"'
        return uuid

    def assistant(self, start: str, block: str, end: str, at_s: float) -> str:
        """Append one content block of a call; `start` and `end` are those of its message."""
        message = f'"message":{{{start},"type":"message","role":"assistant","content":[{block}],{end}}}'
        return self.threaded(f'{message},"requestId":"{self.request_id}","type":"assistant"', at_s)

    def user(self, content: str, at_s: float, extra: str = "") -> str:
        """Append a user line; `content` is JSON."""
        return self.threaded(
            f'"type":"user","message":{{"role":"user","content":{content}}}{extra}',
            at_s,
        )

    def tool_result(self, use: ToolUse, tool_id: str, source: str, at_s: float) -> None:
        """Append the result of a tool, with the transcript's own copy of it."""
        flag = ',"is_error":true' if use.is_error else ""
        content = f'[{{"tool_use_id":"{tool_id}","type":"tool_result","content":{use.content}{flag}}}]'
        self.threaded(
            f'"type":"user","message":{{"role":"user","content":{content}}}',
            at_s,
            f',"toolUseResult":{use.detail},"sourceToolAssistantUUID":"{source}"',
        )

    def progress(self, data: str, kind: str, tool_id: str, at_s: float) -> None:
        """Append a progress line of a hook, a shell command or a sub-agent."""
        body = f'"type":"progress","data":{data},"toolUseID":"{kind}","parentToolUseID":"{tool_id}"'
        self.threaded(body, at_s)

    def hook_progress(self, tool: str, tool_id: str, at_s: float) -> None:
        """Append the line that a hook leaves after each tool call."""
        data = (
            '{"type":"hook_progress","hookEvent":"PostToolUse",'
            f'"hookName":"PostToolUse:{tool}","command":"callback"}}'
        )
        self.progress(data, tool_id, tool_id, at_s)

    def system(self, subtype: str, fields: str, at_s: float) -> None:
        """Append a system line."""
        self.threaded(f'"type":"system","subtype":"{subtype}",{fields}', at_s)

    def attachment(self, fields: str, at_s: float) -> None:
        """Append an attachment line (newer releases)."""
        self.threaded(f'"attachment":{{{fields}}},"type":"attachment"', at_s)

    def file_snapshot(self, backups: str, at_s: float, *, is_update: bool) -> None:
        """Append the list of files that were backed up, which is not part of the thread."""
        message_id = self.ids.uuid()
        self.lines.append(
            f'{{"type":"file-history-snapshot","messageId":"{message_id}","snapshot":{{"messageId":"{message_id}",'
            f'"trackedFileBackups":{{{backups}}},"timestamp":"{stamp(at_s)}"}},'
            f'"isSnapshotUpdate":{"true" if is_update else "false"}}}',
        )

    def plain(self, kind: str, fields: str) -> None:
        """Append a line that has only a type, a session and these fields."""
        self.lines.append(f'{{"type":"{kind}",{fields},"sessionId":"{self.session_id}"}}')
