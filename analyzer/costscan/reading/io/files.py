"""Opening log files: plain, .gz or .zst, known by their first bytes and not by their names."""

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from costscan.errors import CostscanError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PIECE_BYTES: Final = 1 << 14
"""Of a piece with damage in it nothing is given, so pieces are small."""


class _Decoder(Protocol):
    """Decompresses one gzip member or zstd frame."""

    @property
    def eof(self) -> bool:
        """Whether its end was read."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind its end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what these bytes amount to."""


def open_log(path: str | Path) -> BinaryIO:
    """Open a log for reading bytes, decompressed.

    A compressed file that is damaged or cut off gives all that comes before, and then an OSError.

    Raises:
        CostscanError: the file cannot be opened.
    """
    try:
        raw = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
        head = raw.read(4)
        raw.seek(0)
    except OSError as error:
        raise CostscanError(f"{path}: {error.strerror}", "check the path and its permissions") from error
    if head[:2] == _GZIP:
        return cast("BinaryIO", _Unpacked(raw, lambda: zlib.decompressobj(wbits=31), zlib.error))
    if head == _ZSTD:
        import zstandard  # noqa: PLC0415 - seldom needed

        unpacker = zstandard.ZstdDecompressor()
        return cast("BinaryIO", _Unpacked(raw, unpacker.decompressobj, zstandard.ZstdError))
    return raw


class _Unpacked(io.RawIOBase):
    """The bytes in a compressed file; an error is raised once all bytes before it were given."""

    def __init__(self, raw: BinaryIO, new_decoder: Callable[[], _Decoder], damage: type[Exception]) -> None:
        self._raw = raw
        self._new_decoder = new_decoder
        self._damage = damage
        self._pieces = self._unpacked()
        self._rest = b""
        self._error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        pieces, have = [self._rest], len(self._rest)
        while size < 0 or have < size:
            try:
                piece = next(self._pieces, b"")
            except (OSError, self._damage) as error:
                self._error, piece = error, b""
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        whole = b"".join(pieces)
        if not whole and self._error is not None:
            raise OSError(f"damaged compressed data: {self._error}") from self._error
        cut = len(whole) if size < 0 else size
        self._rest = whole[cut:]
        return whole[:cut]

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _unpacked(self) -> Iterator[bytes]:
        decoder = self._new_decoder()
        while data := self._raw.read(_PIECE_BYTES):
            while data:
                if decoder.eof:
                    # Members may follow each other; tape blocks leave zeros between and behind them.
                    data = data.lstrip(b"\x00")
                    if not data:
                        break
                    decoder = self._new_decoder()
                piece = decoder.decompress(data)
                data = decoder.unused_data if decoder.eof else b""
                if piece:
                    yield piece
        if not decoder.eof:
            raise OSError("it ends early")
