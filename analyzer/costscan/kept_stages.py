"""Scenarios and actions that were worked out, kept for the next look at the same logs with the same settings.

They take most of the time of an analysis. Reading and what is billed are not among them: what reports tell of
logs is worked out each time, and what is taken from here is what would be worked out of it again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import polars as pl
import xxhash

from costscan import kept_answers
from costscan.actions import Advice
from costscan.ingest.kept_readings import digest_of
from costscan.scenarios import Priced

T = TypeVar("T")
_FRAME: Final = 1


class Stage(Generic[T]):
    """One stage of an analysis: what it gives, as bytes and back.

    Args:
        name: its name.
        kind: the class of what it gives: a dataclass of frames and plain values.
    """

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.encode = msgspec.msgpack.Encoder(enc_hook=_packed).encode
        self.decode: Callable[[bytes], T] = msgspec.msgpack.Decoder(kind, dec_hook=_unpacked).decode


@dataclass(frozen=True)
class KeptStages:
    """What stages gave for some logs.

    Attributes:
        question: all that decides it beside the logs and the code; its `repr` counts.
        state: returns the state of the logs, None where that cannot be told.
        before: that state before they were read; None keeps and takes nothing.
        chosen: what is another as soon as other turns of them are looked at.
    """

    question: tuple[object, ...]
    state: Callable[[], bytes | None]
    before: bytes | None
    chosen: bytes = b""

    def of(self, stage: Stage[T], make: Callable[[], T], is_whole: Callable[[T], bool], *more: object) -> T:
        """Return what a stage gives: as it was kept, else made and kept, if the logs are what they were.

        Args:
            stage: the stage.
            make: works it out.
            is_whole: whether what was worked out is to be kept.
            more: what decides it beside the question of all stages.
        """
        if self.before is None:
            return make()
        place = kept_answers.place(self.before + self.chosen, (stage.name, self.question, more), _code())
        if (kept := kept_answers.take(place)) is not None:
            with suppress(msgspec.DecodeError, msgspec.ValidationError, pl.exceptions.PolarsError):
                return stage.decode(kept)
        made = make()
        if is_whole(made) and self.state() == self.before:
            kept_answers.keep(place, stage.encode(made))
        return made


def contents(paths: Sequence[Path]) -> str:
    """Return what is another as soon as the content of a file, or of one of a folder, is."""
    digest = xxhash.xxh3_128()
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            with suppress(OSError):
                digest.update(repr((str(file), file.read_bytes())).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def digest_of_turns(turns: pl.DataFrame) -> bytes:
    """Return what is another as soon as turns are: they are told by run_id and turn."""
    content = BytesIO()
    turns.select("run_id", "turn").write_ipc(content)
    return xxhash.xxh3_128_digest(content.getvalue())


def _packed(value: object) -> Any:
    if not isinstance(value, pl.DataFrame):
        raise NotImplementedError(f"{type(value)} is no frame")
    content = BytesIO()
    value.write_ipc(content)
    return msgspec.msgpack.Ext(_FRAME, content.getvalue())


def _unpacked(kind: type, value: Any) -> Any:
    if kind is not pl.DataFrame or not isinstance(value, msgspec.msgpack.Ext):
        raise NotImplementedError(f"{kind} is no frame")
    return pl.read_ipc(BytesIO(bytes(value.data)))


@cache
def _code() -> str:
    """Return a digest of this package: nearly all of it decides what stages give."""
    return digest_of("**/*.py", "**/*.toml")


PRICED: Final = Stage("scenarios", Priced)
ADVICE: Final = Stage("actions", Advice)

__all__ = ["ADVICE", "PRICED", "KeptStages", "Stage", "contents", "digest_of_turns"]
