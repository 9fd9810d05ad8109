"""The attempts of a call: those that failed wait until the SDK has tried again, or will not."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from costscan.capturing.context import Run
from costscan.capturing.lines import Line

LONGEST_PAUSE_S: Final = 90.0
"""The SDK waits a minute at most, and a little, before it tries again; then the call has failed."""
_RETRIED: Final = frozenset({408, 409, 429})
_FIRST_SERVER_ERROR: Final = 500


@dataclass(slots=True)
class Attempt:
    """An attempt of a call, as far as it is known before its answer.

    `key` is the same for all attempts of a call; `began_s` is by a clock that only measures, `at` the time.
    """

    key: str | None
    at: str
    began_s: float
    run: Run
    earlier: list[Line] = field(default_factory=list)

    def ms(self) -> float:
        """Return the milliseconds since it began."""
        return round((time.perf_counter() - self.began_s) * 1000, 3)


def is_retried(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the SDK tries again after such an answer, if it has attempts left."""
    told = headers.get("x-should-retry")
    if told in ("true", "false"):
        return told == "true"
    return status in _RETRIED or status >= _FIRST_SERVER_ERROR


@dataclass(slots=True)
class _Failed:
    """A failed attempt: the line that it is if none follows."""

    line: Line
    keys: list[bytes]
    until_s: float


class Waiting:
    """Failed attempts that may be followed by another one."""

    def __init__(self, write: Callable[[Line, list[bytes]], None]) -> None:
        """Name what writes the line of a call that failed for good; it must not raise."""
        self._write = write
        self._failed: dict[str, _Failed] = {}
        self._mutex = threading.RLock()  # see `LogFile`

    def hold(self, key: str, line: Line, keys: list[bytes]) -> None:
        """Keep the line of a failed attempt until the next one, or until none can come."""
        with self._mutex:
            self._failed[key] = _Failed(line, keys, time.monotonic() + LONGEST_PAUSE_S)

    def earlier(self, key: str | None) -> list[Line]:
        """Return the failed attempts of the call that an attempt begins for, oldest first."""
        with self._mutex:
            failed = self._failed.pop(key, None) if key is not None else None
            if self._failed:
                self.let_go(time.monotonic())
        return [] if failed is None else [*(failed.line.get("attempts") or ()), _told(failed.line)]

    def let_go(self, now_s: float = float("inf")) -> None:
        """Write the lines of calls that nobody tries again, at the end of a program all."""
        with self._mutex:
            over = [key for key, failed in self._failed.items() if failed.until_s <= now_s]
            lines = [self._failed.pop(key) for key in over]
        for failed in lines:
            self._write(failed.line, failed.keys)


def _told(line: Line) -> dict[str, Any]:
    names = ("timestamp", "duration_ms", "status", "request_id", "error")
    return {name: line[name] for name in names if line.get(name) is not None}
