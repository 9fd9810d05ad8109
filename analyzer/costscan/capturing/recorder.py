"""Writes the lines of calls to their log, whatever happens there."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal, TypeAlias

from costscan.capturing.content import without_content
from costscan.capturing.lines import Line, encoded
from costscan.capturing.log_file import LogFile

MAX_BYTES: Final = 256 << 20
Redact: TypeAlias = Callable[[Line], Line | None] | Literal["content"]
_log = logging.getLogger("costscan")


def redaction(redact: Redact | None) -> Callable[[Line], Line | None] | None:
    """Return the function that a choice of what to redact stands for."""
    return without_content if redact == "content" else redact


class Recorder:
    """Writes lines; what goes wrong is said once and never raised."""

    def __init__(self, file: LogFile, redact: Callable[[Line], Line | None] | None) -> None:
        """Write to a file.

        Args:
            file: the log.
            redact: gets each line decoded and returns what is written, None for nothing.
        """
        self._file, self._redact = file, redact
        self._has_warned = False

    def write(self, line: Line, keys: list[bytes]) -> None:
        """Write a line without some keys."""
        try:
            text = encoded(line, keys, self._redact)
            if text is not None:
                self._file.append(text)
        except Exception as error:  # noqa: BLE001 - nothing may reach the program
            self.warn(error)

    def warn(self, error: Exception) -> None:
        """Say once that calls are not logged; even that must not fail."""
        if self._has_warned:
            return
        self._has_warned = True
        with suppress(Exception):
            _log.warning("costscan: calls are not logged in %s: %s", self._file.path, error)
