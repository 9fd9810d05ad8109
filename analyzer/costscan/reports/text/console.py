"""How wide a screen is, and the console that prints on it, whatever $COLUMNS and the terminal say."""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from rich.console import Console

PIPED_WIDTH: Final = 100
TERMINAL_WIDTH: Final = 80
"""The columns of a terminal that does not know its own, as a pseudo-terminal of a CI server."""
WIDEST: Final = 140
NARROWEST: Final = 40
_HEIGHT: Final = 25


def width_of(out: TextIO) -> int:
    """Return the columns to fill, from NARROWEST to WIDEST.

    They are those of $COLUMNS where it is a number above 0, else those of the terminal, else PIPED_WIDTH.
    """
    width = _asked() or (_of_terminal(out) if console(out).is_terminal else PIPED_WIDTH)
    return max(min(width, WIDEST), NARROWEST)


def console(out: TextIO, width: int = TERMINAL_WIDTH) -> Console:
    """Return a console that prints text as it is; rich by itself fails over some of $COLUMNS and $LINES."""
    return Console(file=out, width=width, height=_HEIGHT, highlight=False, markup=False, emoji=False)


def _asked() -> int:
    """Return $COLUMNS, 0 where it says nothing of use."""
    try:
        return max(int(os.environ.get("COLUMNS", "")), 0)
    except ValueError:
        return 0


def _of_terminal(out: TextIO) -> int:
    """Return the columns of the first stream that is a terminal and knows them: colours may go to a pager."""
    for stream in (out, sys.__stdout__, sys.__stderr__, sys.__stdin__):
        with suppress(OSError, ValueError, AttributeError):
            if columns := os.get_terminal_size(stream.fileno()).columns:  # type: ignore[union-attr]
                return columns
    return TERMINAL_WIDTH
