"""Names for runs: the task that runs are compared by, the type of a sub-agent, whether a human waited.

A task is the slash command or the opening request of a headless run with its numbers and ids left out, so
that the same job on another item is the same task; an interactive session is named by its project.
"""

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from costscan.reading import loose
from costscan.reading.claude_lines import Line, word
from costscan.reading.content import Block

CONTEXT_LINES: Final = 20
"""Where a session runs and as what is said on every line; this many lines are asked."""
MAX_TASK_CHARS: Final = 60
_HOUSEKEEPING: Final = """
agents clear compact config context cost doctor exit export help hooks ide login logout mcp memory model
permissions plugin quit rename resume rewind status statusline terminal-setup theme upgrade usage vim
"""
HOUSEKEEPING: Final = frozenset(_HOUSEKEEPING.split())
"""Commands of the client itself: a session that begins with one is not named by it."""
_PRINTED: Final = ("<local-command-", "Caveat: The messages below")
_varying = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,}\b|\d+")
_secret = re.compile(r"\b(?:sk|ghp|gho|xox[abp]|AKIA)[-_A-Za-z0-9]{8,}|[\w.+-]+@[\w-]+\.[\w.]+")
_command = re.compile(r"<command-name>\s*(/?[\w:.-]{1,60})")
_space = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Labels:
    """What the lines of one thread say about its names."""

    def __init__(self) -> None:
        self.agent: str | None = None
        self._first: str | None = None
        self._humans = 0
        self._lines = 0
        self._entrypoint: str | None = None
        self._cwd: str | None = None

    def assistant(self, line: Line) -> None:
        """Take an assistant line."""
        if self._lines < CONTEXT_LINES:
            self.agent = self.agent or word(line.attributionAgent)
            self.context(line)

    def user(self, line: Line) -> None:
        """Take a user line."""
        if self._lines < CONTEXT_LINES:
            self.context(line)
        if line.isMeta is True or line.isCompactSummary is True or line.message is None:
            return
        said = _said(line.message.content)
        if said is not None and not _is_housekeeping(said):
            self._humans += 1
            self._first = self._first or said

    def context(self, line: Line) -> None:
        """Take what a line says of where the session ran."""
        self._lines += 1
        self._entrypoint = self._entrypoint or word(line.entrypoint)
        self._cwd = self._cwd or word(line.cwd)

    def interactive(self) -> bool:
        """Say whether a human wrote again after the run had begun."""
        headless = self._entrypoint is not None and self._entrypoint.startswith("sdk")
        return self._humans > 1 and not headless

    def task(self) -> str:
        """Give the name that runs of the same task share."""
        said = self._first or ""
        command = _command.search(said)
        if command:
            return "/" + command.group(1).lstrip("/")
        project = template(_basename(self._cwd) or "")
        if self.interactive() and project:
            return project
        return template(said) or project or "unnamed"


def template(text: str) -> str:
    """Give the first words of a request with what varies from item to item replaced by #."""
    line = _space.sub(" ", text[:2000]).strip()
    short = _varying.sub("#", _secret.sub("…", line))
    return short if len(short) <= MAX_TASK_CHARS else short[: MAX_TASK_CHARS - 1].rstrip() + "…"


def _is_housekeeping(said: str) -> bool:
    """Say whether this is a command of the client itself, or what it printed, and no request."""
    command = _command.search(said)
    return said.startswith(_PRINTED) or (command is not None and command.group(1).lstrip("/") in HOUSEKEEPING)


def _said(content: list[Block] | str | None) -> str | None:
    if isinstance(content, str):
        return content[:2000]
    for block in content or ():
        if block.type == "tool_result":
            return None
        if block.type == "text" and block.text:
            return block.text[:2000]
    return None


def _basename(path: str | None) -> str | None:
    if path is None:
        return None
    return (PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name) or None


def agent_type(raw_input: bytes) -> str:
    """Give the sub-agent type a Task call asks for."""
    found = (loose.mapping(raw_input) or {}).get("subagent_type")
    return found if isinstance(found, str) and found else "general-purpose"


def agent_id(raw_result: bytes) -> str | None:
    """Give the id of the sub-agent whose result this is."""
    found = (loose.mapping(raw_result) or {}).get("agentId")
    return found if isinstance(found, str) and found else None
