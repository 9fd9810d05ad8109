"""One agent of a transcript as it is being read: the session, or a sub-agent of it."""

from typing import Final

from costscan.formats.claude import subagents, task_names
from costscan.formats.interface import LogFile
from costscan.reading.conversation.thread import Thread
from costscan.reading.io.row_types import CopyRow

_UNASKED_TOKENS: Final = 30_000
"""More than tools and a system prompt usually take: read by a first call that no message comes before."""


class Agent:
    """The session or a sub-agent: its thread, its names, and what its lines tell of one another.

    `chained`: they point to one another; `asked`: a message came before the first call; `late`: the first of
    them belong to a conversation that the log does not show.
    """

    __slots__ = ("asked", "chained", "labels", "late", "thread")

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self.labels = task_names.Labels()
        self.chained = False
        self.asked = False
        self.late = False

    def begins_late(self) -> bool:
        """Whether the first prompt holds a conversation that the log does not show."""
        first = self.thread.calls[0].counters.cache_read_tokens if self.thread.calls else None
        return self.late or (not self.asked and (first or 0) >= _UNASKED_TOKENS)

    def copy(self, number: int, session: str, key: str, file: LogFile, source: str) -> CopyRow:
        """Return what is known of its run: that of the session, or of the sub-agent that `key` names."""
        name = subagents.meta_agent(file.on_disk, key) or self.labels.agent if key else None
        return CopyRow(
            copy=number,
            run_id=f"{session}/agent-{key}" if key else session,
            root_run_id=session,
            parent_run_id=session if key else None,
            source=source,
            path=file.path,
            task=None if key else self.labels.task(),
            agent=name,
            interactive=not key and self.labels.interactive(),
            begins_late=self.begins_late(),
            project=self.labels.project,
            branch=self.labels.branch,
        )
