"""What was counted so far, in a file that grows by a line an answer: a run that was stopped goes on from it.

A line is a hash of a request and its model, and the tokens that were counted, null where the API refused it.
"""

import json
import re
import threading
from pathlib import Path
from typing import Final

from costscan.errors import CostscanError

_KEY: Final = re.compile(r"[0-9a-f]{32}")


class State:
    """Counts by the keys of `requests.key_of`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._counts = _read(path)

    def __contains__(self, key: str) -> bool:
        """Whether a request was answered."""
        return key in self._counts

    def tokens(self, key: str) -> int | None:
        """Return what was counted; None where nothing was."""
        return self._counts.get(key)

    def add(self, key: str, tokens: int | None) -> None:
        """Keep a count at once.

        Raises:
            CostscanError: it cannot be written.
        """
        line = json.dumps({"request": key, "tokens": tokens}) + "\n"
        with self._lock:
            self._counts[key] = tokens
            try:
                with self.path.open("a", encoding="utf-8", newline="\n") as file:
                    file.write(line)
            except OSError as error:
                hint = "check space and permissions, or choose another place with --output"
                raise CostscanError(f"{self.path}: cannot be written: {error.strerror}", hint) from None


def _read(path: Path) -> dict[str, int | None]:
    """Return what is in a file, without lines that are none: the last one may be cut off."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CostscanError(f"{path}: cannot be read: {error.strerror}", "check its permissions") from None
    if text and not text.endswith("\n"):
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("\n")
    return dict(filter(None, map(_count, text.splitlines())))


def _count(line: str) -> tuple[str, int | None] | None:
    try:
        row = json.loads(line)
        key, tokens = row["request"], row["tokens"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    is_count = tokens is None or (isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0)
    return (key, tokens) if is_count and isinstance(key, str) and _KEY.fullmatch(key) else None


__all__ = ["State"]
