"""What a log format is to the rest of costscan: a module of this folder that declares a `FORMAT`.

Files are read apart, in any order and in several processes; what joins them (a session and its sub-agents,
the same call in two files) is the ids in the rows.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from costscan.tokenizers import UNKNOWN

if TYPE_CHECKING:
    from costscan.reading.io.rows import Rows


BESIDE: Final = 3
"""The least precedence of a format that another program than the client writes."""


class RemoteFile(NamedTuple):
    """A log that is no file of this machine.

    Attributes:
        size: its bytes.
        version: tells whether it is as it was; None where that cannot be told.
        beside: the names of what is read with it, and their versions.
        url: where it is, if its path does not say: with what is signed in it.
    """

    size: int
    version: str | None
    beside: tuple[tuple[str, str], ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read: `path` as shown to the user; "-" is standard input, spooled to `spooled`.

    One that is `remote` is fetched to `spooled` before it is read.
    """

    path: str
    spooled: str | None = None
    remote: RemoteFile | None = None

    @property
    def is_alone(self) -> bool:
        """Whether nothing can stand beside it: it came through a pipe."""
        return self.spooled is not None and self.remote is None

    @property
    def on_disk(self) -> str:
        """The path to open."""
        return self.spooled or self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A log format.

    Attributes:
        name: the word that `--format` takes and the `source` column shows; the name of its module.
        expected: what a line of it looks like, for error messages: WHAT such as EXAMPLE.
        sniff: whether a file that begins with these objects is of this format.
        read: reads a file into rows.
        precedence: where several formats tell the same call, that of the least one counts; from `BESIDE` on
            it is told by what stands beside the client: a gateway, a trace.
        logs_whole_prompts: every prompt is logged whole, so that nothing in it is hidden.
        tokenizer: the family of tokenizers that models are taken to have of which it is not known.
        repeats_calls: a call has several lines, whose counters grow while it is answered.
        totals: the events by which recorded totals are told that are this format's own.
        reads_files_alone: what is made of a file depends on no other file.
        in_tables: the rows of CSV and Parquet files may be its objects (`reading.io.tables` reads them).
        owns: whether a file that is no text (SQLite, zip) is of this format, by its path on disk.
        endings: how names of logs end in a folder, beside those that logs of any format have.
        beside: the endings of files beside a log that are read with it, or their whole names: such a file is
            no log of its own where it is found in a folder. A folder beside a log may be one.
        parts: what files are called in a folder that hold parts of logs, and are none of their own.
        roots: the folders or files in which its client keeps logs, with variables of the environment in them.
    """

    name: str
    expected: str
    sniff: Callable[[Sequence[dict[str, Any]]], bool]
    read: "Callable[[LogFile, Rows], None]"
    precedence: int = 0
    logs_whole_prompts: bool = False
    tokenizer: str = UNKNOWN.name
    repeats_calls: bool = False
    totals: Sequence[str] = ()
    reads_files_alone: bool = True
    in_tables: bool = False
    owns: Callable[[str], bool] | None = None
    endings: Sequence[str] = ()
    beside: Sequence[str] = ()
    parts: re.Pattern[str] | None = None
    roots: Sequence[str] = ()

    @property
    def about(self) -> str:
        """What its module says of it: its chapter of docs/formats.md."""
        return (sys.modules[self.read.__module__].__doc__ or "").strip()
