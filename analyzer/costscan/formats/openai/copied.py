"""Which lines of a Codex rollout are copied from the thread that it was forked from, or that started it.

What tells, the surest first:
- From 0.15x on lines have an `ordinal`, and the first line the one at which a sub-agent's own begin
  (`subagent_history_start_ordinal`). A fork that names a `history_base` copies nothing.
- A `session_meta` of another thread begins a copy, one of the own thread ends it.
- Ids of turns and threads are UUIDs of version 7, which rise with time: a turn from before the thread is
  copied, and so is what has a time from before it.
- Without such ids, the first turn behind a pause is the thread's own: copies are written in a burst, or keep
  times from before the thread.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.formats.openai.who import parent_of
from costscan.reading.conversation.usage import number
from costscan.reading.io.timestamps import time_of

_UUID_CHARS: Final = 36
_VERSION_AT: Final = 14
_PAUSE: Final = timedelta(seconds=5)


class Copied:
    """Whether the line at hand is copied."""

    def __init__(self) -> None:
        self.is_copy = False
        self._own = ""
        self._born: datetime | None = None
        self._own_from: int | None = None
        self._is_fork = False
        self._before: datetime | None = None
        self._counts = self._has_other = self._has_places = self._paused = False

    def begin(self, meta: Mapping[str, Any]) -> None:
        """Take the first line of a rollout, which tells its thread."""
        self._own = word(meta.get("id")) or ""
        self._born = time_of(word(meta.get("timestamp")))
        self._own_from = number(meta.get("subagent_history_start_ordinal"))
        is_linked = isinstance(meta.get("history_base"), dict)
        is_forked = word(meta.get("forked_from_id")) is not None and not is_linked
        self._is_fork = is_forked or (parent_of(meta)[0] is not None and not is_linked)
        self.is_copy = is_forked

    def meta(self, thread: object) -> None:
        """Take a later line that tells a thread."""
        self.is_copy = thread != self._own
        self._has_other = self._has_other or self.is_copy
        self._is_fork = self._is_fork or self.is_copy

    def turn(self, turn_id: str | None) -> None:
        """Take the begin of a turn."""
        if not self._is_fork or self._has_places:
            return
        if _rises(turn_id) and _rises(self._own):
            self.is_copy = str(turn_id) < self._own
        elif self.is_copy:
            self.is_copy = not self._paused and (self._has_other or self._counts)

    def line(self, ordinal: object) -> None:
        """Take the place of a line, before what it tells."""
        place = number(ordinal)
        if self._own_from is not None and place is not None:
            self._has_places = True
            self.is_copy = place < self._own_from

    def at(self, at: str | None) -> None:
        """Take the time of a line, before what it tells."""
        now = time_of(at) if self.is_copy else None
        if now is not None and not self.is_older(at):
            self._paused = self._paused or (self._before is not None and now - self._before >= _PAUSE)
            self._before = now

    def counts(self, at: str | None) -> bool:
        """Whether a line that counts a call is copied."""
        self._counts = self._counts or self.is_copy
        return self.is_copy or self.is_older(at)

    def is_older(self, at: str | None) -> bool:
        """Whether a time is from before a thread that may hold copies."""
        now = time_of(at)
        return self._is_fork and now is not None and self._born is not None and now < self._born


def _rises(name: str | None) -> bool:
    return name is not None and len(name) == _UUID_CHARS and name[_VERSION_AT] == "7"
