"""Lines of a log file, decoded; what cannot be decoded as it stands is repaired where that is certain.

A file is read in blocks that end at a line end and decoded block by block, which is twice as fast as line by
line. A block with one bad line is decoded again line by line, and a bad line goes through, in order: several
objects glued to one line, broken escapes, the rest of a line whose start was cut off, the usage alone.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from costscan.defects import described
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log
from costscan.reading.io.progress_pieces import is_progress, of_sub_agent
from costscan.reading.io.rows import Rows

BLOCK_BYTES: Final = 1 << 16
READ_BYTES: Final = 1 << 20
T = TypeVar("T")

_AROUND: Final = b" \t\r\x00\xef\xbb\xbf"


class Reader:
    """Decodes the lines of files into one type, and keeps account of the lines that would not decode.

    `lenient` makes a T of a plain dict (strings where numbers belong, lists where objects belong), or None
    when the dict holds nothing of use.
    """

    def __init__(
        self,
        kind: type[T],
        lenient: Callable[[dict[str, Any]], T | None],
        rows: Rows,
    ) -> None:
        decoder = msgspec.json.Decoder(kind)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._lenient = lenient
        self._rows = rows
        self._path = ""
        self._block: tuple[bytes, int] = (b"", 1)
        self._split: list[bytes] | None = None
        self._value: dict[str, Any] | None = None

    def feed(self, stream: BinaryIO, path: str, take: Callable[[int, Any], bool]) -> None:
        """Have `take` called with every line of the file; one that it raises for is skipped, and counted.

        `take` returns False for a line of no kind that the format knows: such lines are counted by shape.
        """
        for number, line in self.lines(stream, path):
            try:
                if not take(number, line):
                    self.strange(number)
            except Exception as error:  # noqa: BLE001 - a defect costs this line and no other
                self._rows.skip(path, number, described(error))

    def lines(self, stream: BinaryIO, path: str) -> Iterator[tuple[int, Any]]:
        """Yield (line number from 1, object) for every object of the file."""
        self._path = path
        number = 1
        blocks = self._blocks_of(stream)
        for block in blocks:
            if number == 1 and lenient_json.is_document(block):
                yield from self._document(b"".join([block, *blocks]))
                return
            self._count(0, len(block))
            count = count_lines(block)
            self._block, self._split, self._value = (block, number), None, None
            decoded = self._whole_block(block, count)
            if decoded is not None:
                yield from enumerate(decoded, number)
            else:
                yield from self._line_by_line(block, number)
            number += count
        self._count(number - 1, 0)

    def strange(self, number: int) -> None:
        """Count the line that was given last, number `number`, as one of no kind that the format knows."""
        value = self._value
        if value is None:
            block, first = self._block
            if self._split is None:
                self._split = block.split(b"\n")
            value = lenient_json.mapping(self._split[number - first].strip(_AROUND))
        if value is not None:
            self._rows.add_strange(value)

    def _count(self, lines: int, n_bytes: int) -> None:
        if self._rows.counting:
            self._rows.lines += lines
            self._rows.bytes_read += n_bytes

    def _document(self, whole: bytes) -> Iterator[tuple[int, Any]]:
        """Yield the objects of a JSON list, or of objects written over several lines; their numbers count."""
        self._count(whole.count(b"\n") + (not whole.endswith(b"\n")), len(whole))
        parsed = lenient_json.document(lenient_json.text_of(whole))
        saved = [salvaged for piece in parsed.damaged if (salvaged := salvage(piece)) is not None]
        if parsed.problem:
            self._rows.skip(self._path, None, parsed.problem, lost=True)
        for number, value in enumerate([*parsed.objects, *saved], 1):
            self._value = value
            if (made := self._made(value, number)) is not None:
                yield number, made
            else:
                self._rows.add_strange(value)

    def _blocks_of(self, stream: BinaryIO) -> Iterator[bytes]:
        blocks = line_blocks(stream)
        while True:
            try:
                yield next(blocks)
            except StopIteration:
                return
            except (OSError, EOFError, zlib.error) as error:
                self._rows.skip(self._path, None, f"the file cannot be read to its end: {error}")
                return

    def _whole_block(self, block: bytes, count: int) -> list[Any] | None:
        try:
            decoded = self._decode_lines(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return decoded if len(decoded) == count else None

    def _line_by_line(self, block: bytes, number: int) -> Iterator[tuple[int, Any]]:
        for at, line in enumerate(block.split(b"\n"), number):
            line = line.strip(_AROUND)  # noqa: PLW2901
            if not line:
                continue
            self._value = None
            try:
                decoded = self._decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                for value, made in self._repaired(line, at):
                    self._value = value
                    yield at, made
            else:
                yield at, decoded

    def _repaired(self, line: bytes, at: int) -> list[tuple[dict[str, Any], Any]]:
        try:
            return self._mended(line, at)
        except Exception as error:  # noqa: BLE001 - a defect costs this line and no other
            self._rows.skip(self._path, at, described(error))
            return []

    def _made(self, value: dict[str, Any], number: int) -> Any:
        try:
            return self._lenient(value)
        except Exception as error:  # noqa: BLE001 - a defect costs this object and no other
            self._rows.skip(self._path, number, described(error))
            return None

    def _mended(self, line: bytes, at: int) -> list[tuple[dict[str, Any], Any]]:
        line_text = lenient_json.text_of(line)
        parsed = lenient_json.objects(line_text)
        saved = [salvaged for piece in parsed.damaged if (salvaged := salvage(piece)) is not None]
        problem = f"{parsed.problem}; its usage was recovered" if saved else parsed.problem
        pieces = [*saved, *parsed.objects]
        if problem:
            pieces = of_sub_agent(line_text, pieces)
        made = [(o, self._made(o, at)) for o in pieces]
        usable = [(o, m) for o, m in made if m is not None]
        if not problem:
            for o, m in made:
                if m is None:
                    self._rows.add_strange(o)
        if problem:
            self._rows.skip(self._path, at, problem, lost=not usable)
        elif not parsed.objects:
            self._rows.skip(self._path, at, "not a JSON object")
        return usable


def count_lines(block: bytes) -> int:
    """Count the lines of a block; `find` is several times faster than `count` where lines are long."""
    lines, at = 0, block.find(b"\n")
    while at >= 0:
        lines += 1
        at = block.find(b"\n", at + 1)
    return lines + (not block.endswith(b"\n"))


def line_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the file in pieces of about BLOCK_BYTES that end at a line end."""
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


_usage_key = re.compile(r'(?<!\\)"usage"\s*:\s*(?=\{)')
# Not the uuid: taken from a stray piece of another line, it would pass that line off as a repeat.
_TOP: Final = (
    "parentUuid",
    "sessionId",
    "session_id",
    "requestId",
    "timestamp",
    "version",
    "agentId",
    "run_id",
    "parent_tool_use_id",
)
_AROUND_SUB_AGENT: Final = frozenset({"parentUuid", "sessionId"})


def salvage(text: str) -> dict[str, Any] | None:
    """Return an assistant line with no content for a broken line whose usage can be read, else None.

    What the line around that of a sub-agent says of itself is left out.
    """
    usage = _usage(text)
    model = _word(text, "model")
    if usage is None or model is None:
        return None
    keys = [key for key in _TOP if key not in _AROUND_SUB_AGENT] if is_progress(text) else _TOP
    line: dict[str, Any] = {key: written for key in keys if (written := _word(text, key)) is not None}
    message = {"id": _message_id(text), "model": model, "usage": usage, "role": "assistant"}
    if (stop := _word(text, "stop_reason")) is not None:
        message["stop_reason"] = stop
    sidechain = re.search(r'(?<!\\)"isSidechain"\s*:\s*true', text) is not None
    return {"type": "assistant", "isSidechain": sidechain, "message": message, **line}


def _usage(text: str) -> dict[str, Any] | None:
    usage: dict[str, Any] | None = None
    for match in _usage_key.finditer(text):
        try:
            value, _ = lenient_json.decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "output_tokens" in value:
            usage = value
    return usage


def _word(text: str, key: str) -> str | None:
    match = re.search(rf'(?<!\\)"{key}"\s*:\s*"([^"\\]{{1,200}})"', text)
    return match.group(1) if match else None


def _message_id(text: str) -> str | None:
    match = re.search(r'(?<!\\)"id"\s*:\s*"(msg_[^"\\]{1,100})"', text)
    return match.group(1) if match else _word(text, "id")


def feed_objects(on_disk: str, path: str, rows: Rows, take: Callable[[int, Any], bool]) -> None:
    """Have `take` called with every object of a file, as `Reader.feed` does.

    Args:
        on_disk: the path to open.
        path: the path as it is shown.
        rows: where what is skipped is counted.
        take: is given the number of a line, and the object.
    """
    with open_log(on_disk) as stream:
        Reader(dict[str, Any], lambda value: value, rows).feed(stream, path, take)
