"""What a log format is to the rest of costscan: one module of this folder with these names.

- `NAME`: the word `--format` takes and the `source` column shows.
- `EXPECTED`: what a line of this format looks like, for error messages.
- `sniff(objects)`: True when the first objects of a file are of this format.
- `read(file, rows)`: reads a file into `rows`. Files are read apart, in any order and in several processes;
  what joins them (a session and its sub-agents, the same call in two files) is the ids in the rows.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from costscan.reading.io.rows import Rows


class LogFile(Struct, frozen=True):
    """A file to read: `path` as shown to the user; "-" is standard input, spooled to `spooled`."""

    path: str
    spooled: str | None = None

    @property
    def on_disk(self) -> str:
        """The path to open."""
        return self.spooled or self.path


class Source(Protocol):
    """One log format; the module itself is the object."""

    NAME: str
    EXPECTED: str

    def sniff(self, objects: Sequence[dict[str, Any]]) -> bool:
        """Whether a file that begins with these objects is of this format."""

    def read(self, file: LogFile, rows: Rows) -> None:
        """Read a file into `rows`."""
