"""Lines of a log file, decoded; what cannot be decoded as it stands is repaired where that is certain.

A file is read in blocks that end at a line end and decoded block by block, which is twice as fast as line by
line. A block with one bad line is decoded again line by line, and a bad line goes through, in order: several
objects glued to one line, broken escapes, the rest of a line whose start was cut off, the usage alone.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from costscan.sources.records import Rows
from costscan.sources.salvage import salvage

BLOCK_BYTES: Final = 1 << 16
READ_BYTES: Final = 1 << 22
MAX_OBJECT_STARTS: Final = 50
T = TypeVar("T")

_AROUND: Final = b" \t\r\x00\xef\xbb\xbf"
_loose = json.JSONDecoder(strict=False)
_between = re.compile(r"[\s,]*(?:\]\s*$)?")
_bad_escape = re.compile(r'\\(?:u(?![0-9a-fA-F]{4})|(?![\\/"bfnrtu]))')
_object_start = re.compile(r'\{\s*"(?:type|parentUuid|uuid|sessionId|session_id|request|timestamp|run_id)"')


class Reader:
    """Decodes the lines of files into one type, and keeps account of the lines that would not decode.

    `lenient` makes a T of a plain dict (strings where numbers belong, lists where objects belong), or None
    when the dict holds nothing of use. `shorten` may leave out of a block what is not needed; a block that is
    no longer decodable without it is decoded whole.
    """

    def __init__(self, kind: type[T], lenient: Callable[[dict[str, Any]], T | None], rows: Rows,
                 shorten: Callable[[bytes], bytes] | None = None) -> None:
        decoder = msgspec.json.Decoder(kind)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._lenient = lenient
        self._shorten = shorten
        self._rows = rows
        self._path = ""

    def lines(self, stream: BinaryIO, path: str) -> Iterator[tuple[int, Any]]:
        """Give (line number from 1, object) for every object of the file."""
        self._path = path
        number = 1
        for block in self._blocks_of(stream):
            if number == 1 and is_document(block):
                yield from self._document(block + stream.read())
                return
            self._rows.bytes_read += len(block)
            count = count_lines(block)
            found = self._whole_block(block, count)
            if found is not None:
                yield from enumerate(found, number)
            else:
                yield from self._line_by_line(block, number)
            number += count
        self._rows.lines += number - 1

    def _document(self, whole: bytes) -> Iterator[tuple[int, Any]]:
        """Give the objects of a JSON list, or of objects written over several lines; their numbers count."""
        self._rows.bytes_read += len(whole)
        self._rows.lines += whole.count(b"\n") + (not whole.endswith(b"\n"))
        objects, problem = loose_objects(text_of(whole))
        if problem:
            self._rows.skip(self._path, None, problem, lost=True)
        for number, value in enumerate(objects, 1):
            if (made := self._lenient(value)) is not None:
                yield number, made

    def _blocks_of(self, stream: BinaryIO) -> Iterator[bytes]:
        blocks = _blocks(stream)
        while True:
            try:
                yield next(blocks)
            except StopIteration:
                return
            except (OSError, EOFError, zlib.error) as error:
                self._rows.skip(self._path, None, f"the file cannot be read to its end: {error}")
                return

    def _whole_block(self, block: bytes, count: int) -> list[Any] | None:
        if self._shorten is not None:
            short = self._shorten(block)
            if short is not block and (found := self._decoded(short, count)) is not None:
                return found
        return self._decoded(block, count)

    def _decoded(self, block: bytes, count: int) -> list[Any] | None:
        try:
            found = self._decode_lines(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return found if len(found) == count else None

    def _line_by_line(self, block: bytes, number: int) -> Iterator[tuple[int, Any]]:
        for at, line in enumerate(block.split(b"\n"), number):
            line = line.strip(_AROUND)  # noqa: PLW2901
            if not line:
                continue
            try:
                yield at, self._decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                for found in self._repaired(line, at):
                    yield at, found

    def _repaired(self, line: bytes, at: int) -> list[Any]:
        text = text_of(line)
        objects, problem = loose_objects(text)
        if not objects and problem and (saved := salvage(text)) is not None:
            objects, problem = [saved], f"{problem}; its usage was recovered"
        found = [made for o in objects if (made := self._lenient(o)) is not None]
        if problem:
            self._rows.skip(self._path, at, problem, lost=not found)
        elif not objects:
            self._rows.skip(self._path, at, "not a JSON object")
        return found


def count_lines(block: bytes) -> int:
    """Count the lines of a block; `find` is several times faster than `count` where lines are long."""
    lines, at = 0, block.find(b"\n")
    while at >= 0:
        lines += 1
        at = block.find(b"\n", at + 1)
    return lines + (not block.endswith(b"\n"))


def text_of(raw: bytes) -> str:
    """Give bytes as text, without byte order marks and NULs."""
    return raw.strip(_AROUND).decode("utf-8", "replace").replace("\x00", "")


def is_document(head: bytes) -> bool:
    """Say whether a file is one JSON list, or an object written over several lines, rather than lines."""
    start = head.lstrip(_AROUND + b"\n")
    return start[:1] == b"[" or start.split(b"\n", 1)[0].strip() == b"{"


def loose_objects(text: str) -> tuple[list[dict[str, Any]], str]:
    """Give the JSON objects on a line and, when not all of it could be read, what was wrong with it."""
    objects, problem, rest = _decode_all(text)
    if not problem:
        return objects, ""
    repaired, still, _ = _decode_all(_bad_escape.sub(r"\\\\", rest))
    if not still and repaired:
        return objects + repaired, "broken escapes, repaired"
    starts = (m.start() for m in _object_start.finditer(rest, 1))
    for _, start in zip(range(MAX_OBJECT_STARTS), starts, strict=False):
        tail, bad, _ = _decode_all(rest[start:])
        if not bad and tail:
            return objects + tail, f"{problem}; read again from character {len(text) - len(rest) + start + 1}"
    return objects, problem


def _decode_all(text: str) -> tuple[list[dict[str, Any]], str, str]:
    objects: list[dict[str, Any]] = []
    at, end = (1 if text[:1] == "[" else 0), len(text)
    while True:
        at = _between.match(text, at).end()  # type: ignore[union-attr] - it matches the empty text too
        if at >= end:
            return objects, "", ""
        try:
            found, stop = _loose.raw_decode(text, at)
        except json.JSONDecodeError as error:
            return objects, f"not JSON: {error.msg} at character {error.pos + 1}", text[at:]
        except RecursionError:
            return objects, "not JSON that can be read: nested too deeply", text[at:]
        if isinstance(found, dict):
            objects.append(found)
        elif not objects:
            return objects, f"not a JSON object but a {type(found).__name__}", ""
        at = stop


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Give the file in pieces of about BLOCK_BYTES that end at a line end."""
    rest: list[bytes] = []
    while read := stream.read(READ_BYTES):
        cut = read.rfind(b"\n") + 1
        if not cut:
            rest.append(read)
            continue
        start = 0
        if rest:
            start = read.find(b"\n") + 1
            yield b"".join([*rest, read[:start]])
        while start < cut:
            stop = read.find(b"\n", min(start + BLOCK_BYTES, cut - 1)) + 1
            yield read[start:stop]
            start = stop
        rest = [read[cut:]] if cut < len(read) else []
    if rest:
        yield b"".join(rest)
