"""What is to be read, and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from costscan.formats.interface import LogFile
from costscan.ingest.engines import ReadAll


@dataclass(frozen=True)
class Wanted:
    """What to read: files that `paths` mean, of one format or of any, and who reads them.

    `kept_in` is where what is read is kept, None where nothing is to be; `keys` tell whether they are as they
    were, where that is known already.
    """

    files: Sequence[LogFile]
    paths: Sequence[str]
    source: str | None
    read_all: ReadAll
    kept_in: Path | None
    keys: Mapping[str, bytes | None] | None = None
