"""What a source hands over: rows of plain tuples, one list a table, under fixed column names.

Blocks, which are most of it, come as columns. Sources run in worker processes that import neither Polars nor
PyArrow before they are done reading, so the tables are named here by plain words; `costscan.ingest` turns
them into frames. A *copy* is one run as one file tells it: the same run may be told by several files (a
resumed session, a transcript and its stream), and which copy of a call is billed is decided once all files
are read.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from costscan.defects import described

COPIES: Final = {
    "copy": "int",
    "run_id": "str",
    "root_run_id": "str",
    "parent_run_id": "str",
    "source": "str",
    "path": "str",
    "task": "str",
    "agent": "str",
    "interactive": "bool",
    "begins_late": "bool",
}
CALLS: Final = {
    "copy": "int",
    "seq": "int",
    "part": "int",
    "line": "int",
    "at": "time",
    "end_at": "time",
    "model_raw": "str",
    "tier": "str",
    "speed": "str",
    "geo": "str",
    "effort": "str",
    "input_tokens": "int",
    "cache_read_tokens": "int",
    "cache_write_5m_tokens": "int",
    "cache_write_1h_tokens": "int",
    "output_tokens": "int",
    "thinking_tokens": "int",
    "web_searches": "int",
    "stop_reason": "str",
    "message_id": "str",
    "request_id": "str",
    "recorded_usd": "str",
    "usage_from": "str",
    "visible_chars": "int",
    "shown_chars": "int",
    "is_dated": "bool",
    "resets": "bool",
    "settings": "int",
    "miss_reason": "str",
    "asks": "str",
    "refusal": "str",
}
"""Model calls. `refusal` is the category of one that was refused before any output, null for every other."""
BLOCKS: Final = {
    "copy": "int",
    "block": "int",
    "made_by": "int",
    "turn_in": "int",
    "turn_out": "int",
    "line": "int",
    "layer": "str",
    "role": "str",
    "kind": "str",
    "tool": "str",
    "call_id": "str",
    "content_hash": "int",
    "args_hash": "int",
    "chars": "int",
    "weight_v3": "int",
    "weight_v47": "int",
    "content": "str",
    "is_sized": "bool",
    "is_error": "bool",
    "breakpoint": "str",
    "position": "int",
    "skill": "str",
    "used_share": "float",
    "used_last": "int",
    "used_to": "float",
}
BREAKS: Final = {
    "copy": "int",
    "seq": "int",
    "position": "int",
    "place": "int",
    "layer": "str",
    "path": "str",
    "char_offset": "int",
    "text_chars": "int",
    "cause": "str",
    "before": "str",
    "after": "str",
    "is_first": "bool",
    "across_runs": "bool",
    "against": "str",
}
"""Where a prompt departs from the one before it in its run, or from the first prompt of the run `against`.

`position` counts the blocks of the request, `place` is the number of the block in its copy; `char_offset`
counts in a text of `text_chars`. Of a call, one row is first: there the prefix breaks.
"""
WINDOWS: Final = {
    "copy": "int",
    "seq": "int",
    "position": "int",
    "place": "int",
    "prefix_hash": "int",
    "stable_hash": "int",
    "breakpoint": "str",
}
"""The positions of a prompt at which a cache entry may be written (those with a breakpoint) or found.

`prefix_hash` is a hash of all blocks up to this one: equal hashes are equal prefixes. `stable_hash` is what
it would be without values that vary.
"""
PREFIXES: Final = {
    "copy": "int",
    "seq": "int",
    "position": "int",
    "place": "int",
    "role": "str",
    "prefix_hash": "int",
    "stable_hash": "int",
}
"""The prefixes of each prompt that matter to a cache whatever was marked, by `role`; see `prompts.Prefix`."""
MOVED: Final = dict.fromkeys(("copy", "seq", "position", "place", "value_tokens"), "int")
"""The values in each prompt that vary from one to the next: about so many tokens of the block at a place."""
RECORDED: Final = {
    "session": "str",
    "path": "str",
    "line": "int",
    "at": "time",
    "event": "str",
    "uuid": "str",
    "result_index": "int",
    "part": "str",
    "model_raw": "str",
    "input_tokens": "int",
    "cache_read_tokens": "int",
    "cache_write_tokens": "int",
    "cache_write_1h_tokens": "int",
    "output_tokens": "int",
    "web_searches": "int",
    "usd": "str",
    "tier": "str",
    "speed": "str",
    "geo": "str",
}
"""What a line records of costs, by `part`: the tokens and dollars of a `model`, the `total` dollars, and the
`usage` of its main loop. A counter is null where the line leaves it out."""
AGENTS: Final = {"session": "str", "agent_id": "str", "agent": "str"}
UNKNOWN: Final = {"path": "str", "kind": "str", "lines": "int", "other": "bool"}
"""Lines of no kind that a format knows, by what they look like; `other`: like a format not read yet."""
SKIPPED: Final = {"path": "str", "line": "int", "reason": "str", "lost": "bool"}

TABLES: Final[dict[str, dict[str, str]]] = {
    "copies": COPIES,
    "calls": CALLS,
    "blocks": BLOCKS,
    "breaks": BREAKS,
    "windows": WINDOWS,
    "prefixes": PREFIXES,
    "moved": MOVED,
    "recorded": RECORDED,
    "agents": AGENTS,
    "skipped": SKIPPED,
    "unknown": UNKNOWN,
}
MAX_NAMED_SKIPS: Final = 100
MAX_SHAPES: Final = 100
"""Of lines that fit no kind the format knows, so many shapes are told apart in a file."""


class Rows:
    """The tables some files give: append tuples in the column order above.

    `lines`, `bytes_read`, `skipped_lines` and `repaired_lines` count what was read; of the skipped ones at
    most `MAX_NAMED_SKIPS` are named. `kept` is what one file leaves for the next: the first prompts of runs.
    `strange` holds, by shape, the first line of those that the reader of the current file does not know, and
    how many there are; `counting` is off where a file is read once more, by another format.
    """

    def __init__(self) -> None:
        self.tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES if name != "blocks"}
        self._blocks: list[list[Any]] = [[] for _ in BLOCKS]
        self.kept: dict[str, Any] = {}
        self.lines = 0
        self.bytes_read = 0
        self.skipped_lines = 0
        self.repaired_lines = 0
        self.strange: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
        self.counting = True

    def add_strange(self, line: dict[str, Any]) -> None:
        """Count a line that was decoded and is of no kind that its format knows."""
        kind = line.get("type")
        shape = (kind if isinstance(kind, str) else None, *sorted(line)[:MAX_SHAPES])
        first, n = self.strange.get(shape, (line, 0))
        if n or len(self.strange) < MAX_SHAPES:
            self.strange[shape] = first, n + 1
        else:
            rest, n = self.strange.get((), ({}, 0))
            self.strange[()] = rest, n + 1

    def add_blocks(self, columns: Iterable[Sequence[Any]]) -> None:
        """Add blocks, given column by column."""
        for column, more in zip(self._blocks, columns, strict=True):
            column.extend(more)

    def columns(self, name: str) -> Sequence[Sequence[Any]]:
        """Return the columns of a table."""
        if name == "blocks":
            return self._blocks
        return list(zip(*self.tables[name], strict=True)) or [()] * len(TABLES[name])

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep what the body adds, or nothing of it where it raises: rows and counts are as they were."""
        rows = {name: len(table) for name, table in self.tables.items()}
        blocks = len(self._blocks[0])
        counts = self.lines, self.bytes_read, self.skipped_lines, self.repaired_lines
        try:
            yield
        except BaseException:
            for name, n in rows.items():
                del self.tables[name][n:]
            for column in self._blocks:
                del column[blocks:]
            self.lines, self.bytes_read, self.skipped_lines, self.repaired_lines = counts
            raise

    @contextmanager
    def once_more(self) -> Iterator[None]:
        """Read a file that was read before, for the lines of another format: nothing is counted again."""
        self.counting = False
        try:
            yield
        finally:
            self.counting = True

    @contextmanager
    def run(self, path: str, run: str) -> Iterator[None]:
        """Keep what the body writes of a run; where it raises, nothing of it, and say that it was skipped."""
        try:
            with self.whole():
                yield
        except Exception as error:  # noqa: BLE001 - a defect costs this run and no other
            self.skip(path, None, f"run {run} was not read: {described(error)}")

    def skip(self, path: str, line: int | None, reason: str, *, lost: bool = True) -> None:
        """Count a line that could not be read as it stands; `lost` is False when its call was recovered."""
        if not self.counting:
            return
        if lost:
            self.skipped_lines += 1
        else:
            self.repaired_lines += 1
        if len(self.tables["skipped"]) < MAX_NAMED_SKIPS:
            self.tables["skipped"].append((path, line, reason, lost))
