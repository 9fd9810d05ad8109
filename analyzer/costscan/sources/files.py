"""Opening log files: plain, .gz or .zst, known by their first bytes and not by their names."""

import gzip
import io
from pathlib import Path
from typing import BinaryIO, Final, cast

from costscan.errors import CostscanError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def open_log(path: str | Path) -> BinaryIO:
    """Open a log for reading bytes, decompressed.

    Raises:
        CostscanError: the file cannot be opened.
    """
    try:
        raw = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise CostscanError(f"{path}: {error.strerror}", "check the path and its permissions") from error
    head = raw.read(4)
    raw.seek(0)
    if head[:2] == _GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if head == _ZSTD:
        import zstandard  # noqa: PLC0415 - seldom needed

        return cast("BinaryIO", io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)))
    return raw
