"""The texts of blocks, for whoever asks for them while logs are read; else no thread keeps one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from costscan.reading.conversation.call import Call
    from costscan.reading.conversation.placed_block import PlacedBlock

Take: TypeAlias = "Callable[[Sequence[Call], Sequence[PlacedBlock]], None]"
_TAKE: "ContextVar[Take | None]" = ContextVar("take_texts", default=None)


def taker() -> "Take | None":
    """Return who is shown each thread as it ends, its blocks with their texts; mostly that is nobody."""
    return _TAKE.get()


@contextmanager
def taking(take: "Take") -> Iterator[None]:
    """Show `take` the threads that are read in this process while inside."""
    token = _TAKE.set(take)
    try:
        yield
    finally:
        _TAKE.reset(token)


__all__ = ["taker", "taking"]
