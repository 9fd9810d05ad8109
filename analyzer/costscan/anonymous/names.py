"""The hashes that stand for names: a name has the same one in every report, and two names never share one."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import polars as pl

from costscan.anonymous.known import AGENTS, PATHS, TASKS, TOOLS, WORDS
from costscan.prices import identify
from costscan.recorded_cost.unlogged import SUFFIX

_DIGITS, _MORE, _ID_DIGITS = 6, 12, 16
_AGENT_TASK, _AGENT_RUN, _MCP = "agent:", "/agent-", "mcp__"
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_PLACE: Final = re.compile(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.[A-Za-z_]\w*(?:\[\d+\])?)*")
_SET: Final = re.compile(r"\d+ s")
_LEAST_CHARS: Final = 3
"""A shorter name is no trace of anybody within a text."""
_LEAST_PART: Final = 6
_IDS: Final = frozenset({"call", "message"})
"""Kinds of which there are as many as calls: their hashes are so long that none is shared."""


class Names:
    """What stands for each name that was met.

    Args:
        models: the models with a price, which are told by name.
        parts: what the bill is divided into beside tools, in the words of reports.
    """

    def __init__(self, models: Iterable[str], parts: Iterable[str]) -> None:
        self._models = frozenset(models)
        self._parts = frozenset(parts)
        self._given: dict[tuple[str, str], str] = {}
        self._taken: dict[str, tuple[str, str]] = {}

    def name(self, kind: str, value: str) -> str:
        """Return what stands for a name of a kind: `run`, `task`, `tool`, `agent`, ..."""
        if value in self._taken:
            return value  # it stands for a name already
        key = kind, value
        if key not in self._given:
            self._given[key] = self._made(kind, value)
        return self._given[key]

    def series(self, kind: str, values: pl.Series) -> pl.Series:
        """Return a column of names of a kind as what stands for them; null stays null."""
        every = values.drop_nulls().unique().sort().to_list()
        if not every:
            return values
        new = {value: self.name(kind, value) for value in every}
        return values.replace_strict(new, default=None, return_dtype=pl.String).alias(values.name)

    def in_text(self, value: str) -> str:
        """Return a value that goes into a text as it may stand there: each name in it by what stands for it.

        A value that is a part of a name is a hash itself. All names must have been met before.
        """
        if value in self._models or value in WORDS or identify(value) is not None:
            return value
        if value in self._shown:
            return self._shown[value]
        shown = self._in_it.sub(lambda match: self._shown[match[0]], value) if self._shown else value
        is_part = shown == value and len(value) >= _LEAST_PART and value in self._all
        return f"text-{_digest('text', value)[:_DIGITS]}" if is_part else shown

    @property
    def originals(self) -> Mapping[str, str]:
        """The names of runs by what stands for them."""
        return {given: value for (kind, value), given in self._given.items() if kind == "run"}

    @cached_property
    def _shown(self) -> dict[str, str]:
        """What stands for a name in texts, where that is another than itself; of ids none is in one."""
        return {
            value: given
            for (kind, value), given in self._given.items()
            if kind not in _IDS and given != value
        }

    @cached_property
    def _in_it(self) -> re.Pattern[str]:
        """The names that a longer text may hold, the longest first."""
        longest = sorted((name for name in self._shown if len(name) >= _LEAST_CHARS), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest)) or r"(?!)")

    @cached_property
    def _all(self) -> str:
        return "\0".join(self._shown)

    def _made(self, kind: str, value: str) -> str:
        if self._may_stay(kind, value):
            return value
        if kind in _IDS:
            return f"{kind}-{_digest(kind, value)[:_ID_DIGITS]}"
        if kind == "place":
            return _WORD.sub(_known_word, value) if _PLACE.fullmatch(value) else "place"
        return self._of_parts(kind, value) or self._free(f"{kind}-", value)

    def _of_parts(self, kind: str, value: str) -> str | None:
        """Return what stands for a name that is made of others; None where it is of one piece."""
        if kind in {"part", "set"}:
            return self.name("tool" if kind == "part" else "text", value)
        if kind == "run" and value.endswith(SUFFIX):
            return self.name(kind, value.removesuffix(SUFFIX)) + SUFFIX
        if kind == "run" and (root := value.rpartition(_AGENT_RUN)[0]):
            return self.name(kind, root) + _AGENT_RUN + self._free("", value)
        if kind == "task" and value.startswith(_AGENT_TASK):
            return _AGENT_TASK + self.name("agent", value.removeprefix(_AGENT_TASK))
        server, _, tool = value.removeprefix(_MCP).partition("__")
        if kind == "tool" and value.startswith(_MCP) and server and tool:
            return f"{_MCP}{self.name('server', server)}__{self._free('tool-', value)}"
        return None

    def _may_stay(self, kind: str, value: str) -> bool:
        if kind == "model":
            return value in self._models or identify(value) is not None
        if kind in {"part", "tool"}:
            return value in TOOLS or (kind == "part" and value in self._parts)
        if kind == "set":
            return _SET.fullmatch(value) is not None or value in WORDS or self._may_stay("model", value)
        own = {"agent": AGENTS, "task": TASKS, "word": WORDS}
        return not value or value in own.get(kind, ())

    def _free(self, before: str, value: str) -> str:
        """Return a short hash that stands for nothing else."""
        digest = _digest(before, value)
        for digits in (_DIGITS, _MORE, len(digest)):
            short = before + digest[:digits]
            if self._taken.setdefault(short, (before, value)) == (before, value):
                break
        return short


def _known_word(match: re.Match[str]) -> str:
    return match[0] if match[0] in PATHS else "…"


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode("utf-8", "surrogatepass")).hexdigest()
