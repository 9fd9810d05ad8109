"""Names for runs: the task that runs are compared by, the type of a sub-agent, whether a human waited.

A task is the slash command or the opening request of a headless run with its numbers and ids left out, so
that the same job on another item is the same task; an interactive session is named by its project. Which
lines are a person's is said in `people.py`.
"""

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.formats.claude import people
from costscan.formats.claude.lines import Line
from costscan.reading.content.redaction import label, without
from costscan.reading.io import lenient_json

CONTEXT_LINES: Final = 20
"""Where a session runs and as what is said on every line; this many lines are asked."""
_AGENT_TOOLS: Final = frozenset({"Task", "Agent"})
_DETACHED: Final = "HEAD"
"""What git calls a commit that is checked out without a branch."""
MAX_TASK_CHARS: Final = 60
MOST_CHARS: Final = 2000
"""Of a request, so much is looked at for its name."""
_varying = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,}\b|\d+")
_space = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Labels:
    """What the lines of one thread say about its names."""

    def __init__(self) -> None:
        self.agent: str | None = None
        self._first: str | None = None
        self._humans = 0
        self._before: tuple[int, str | None] = (0, None)
        self._lines = 0
        self._entrypoint: str | None = None
        self._cwd: str | None = None
        self._branch: str | None = None

    def assistant(self, line: Line) -> None:
        """Take an assistant line."""
        self._settle()
        if self._lines < CONTEXT_LINES:
            self.agent = self.agent or word(line.attributionAgent)
            self.context(line)

    def user(self, line: Line) -> None:
        """Take a user line."""
        self.place(line)
        if people.printed(line):
            self._humans, self._first = self._before
        elif text := people.written(line):
            self.asked(text)
        else:
            self._settle()

    def place(self, line: Line) -> None:
        """Take where a line says that it was written, as long as lines are asked for that."""
        if self._lines < CONTEXT_LINES:
            self.context(line)

    def asked(self, text: str) -> None:
        """Take what a person asked for."""
        self._settle()
        self._humans += 1
        self._first = self._first or text[:MOST_CHARS]
        if not people.COMMAND.search(text):
            self._settle()

    def _settle(self) -> None:
        """Keep what was counted: what a command prints at once says that it asked the model for nothing."""
        self._before = self._humans, self._first

    def context(self, line: Line) -> None:
        """Take what a line says of where the session ran."""
        self._lines += 1
        self._entrypoint = self._entrypoint or word(line.entrypoint)
        self._cwd = self._cwd or word(line.cwd)
        self._branch = self._branch or word(line.gitBranch)

    def ran(self, folder: str | None, branch: str | None, *, headless: bool) -> None:
        """Take where another client says that a session runs, once for all."""
        self._cwd, self._branch = folder, branch
        self._entrypoint = "sdk" if headless else None

    @property
    def project(self) -> str | None:
        """The folder that it ran in."""
        return self._cwd

    @property
    def branch(self) -> str | None:
        """The branch that was checked out there as it began; None too where that was no branch."""
        return None if self._branch in {None, _DETACHED} else label(self._branch)

    def interactive(self) -> bool:
        """Whether a human wrote again after the run had begun."""
        headless = self._entrypoint is not None and self._entrypoint.startswith("sdk")
        return self._humans > 1 and not headless

    def task(self) -> str:
        """Return the name that runs of the same task share."""
        first = self._first or ""
        command = people.COMMAND.search(first)
        if command:
            return "/" + command.group(1).lstrip("/")
        project = template(_basename(self._cwd) or "")
        if self.interactive() and project:
            return project
        return template(first) or project or "unnamed"


def template(text: str) -> str:
    """Return the first words of a request numbers and ids replaced by #, what is personal left out."""
    line = _space.sub(" ", text[:MOST_CHARS]).strip()
    short = _varying.sub("#", without(line, lambda _: "…", numbers=False))
    return short if len(short) <= MAX_TASK_CHARS else short[: MAX_TASK_CHARS - 1].rstrip() + "…"


def _basename(path: str | None) -> str | None:
    if path is None:
        return None
    return (PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name) or None


def launches(content: object) -> dict[str, str]:
    """Return the types of the sub-agents that an answer starts, by the tool call that does."""
    blocks: list[Any] = content if isinstance(content, list) else []
    started = (
        block for block in blocks if word(block.name) in _AGENT_TOOLS and word(block.id) and block.input
    )
    return {block.id: agent_type(bytes(block.input)) for block in started}


def agent_type(raw_input: bytes) -> str:
    """Return the sub-agent type a Task call asks for."""
    kind = (lenient_json.mapping(raw_input) or {}).get("subagent_type")
    return kind if isinstance(kind, str) and kind else "general-purpose"


def agent_id(raw_result: bytes) -> str | None:
    """Return the id of the sub-agent whose result this is."""
    identifier = (lenient_json.mapping(raw_result) or {}).get("agentId")
    return identifier if isinstance(identifier, str) and identifier else None
