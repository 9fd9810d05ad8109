"""How wide a screen is, and the console that prints on it, whatever $COLUMNS and the terminal say."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from costscan.reports.text.sanitize import unheeded

PIPED_WIDTH: Final = 100
TERMINAL_WIDTH: Final = 80
"""The columns of a terminal that does not know its own, as a pseudo-terminal of a CI server."""
WIDEST: Final = 140
NARROWEST: Final = 40
_HEIGHT: Final = 25
_TAKEN: Final = "█…·"
"""A stream that takes these takes all that is printed."""
_ASCII: Final = str.maketrans(
    {
        "·": "|",
        "█": "#",
        "░": ".",
        "▒": ":",
        "▓": "=",
        "▪": "o",
        "✗": "x",
        "✓": "+",
        "▮": "*",
        "…": "...",
        "\ufffd": "?",
        "→": "->",
        "↑": "up",
        "↓": "down",
        **dict(zip("▁▂▃▄▅▆▇", "_.-:=+*", strict=True)),
        **dict.fromkeys("▏▎▍▌▋▊▉", ""),
    }
)


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


def printed(lines: Sequence[Text | str], out: TextIO | None = None) -> None:
    """Print lines: with colours to a terminal, plain to anything else, in ASCII where it takes no more.

    No server that runs a job takes one of them for a command.
    """
    out = out or sys.stdout
    screen = console(out)
    narrow = not _takes(out, _TAKEN)
    for line in lines:
        text = Text(line) if isinstance(line, str) else line
        text.plain = unheeded(text.plain)
        screen.print(Text(in_encoding(text.plain, out)) if narrow else text, soft_wrap=True)


def write_bytes(document: bytes) -> None:
    """Write a document for programs to standard output as it is, behind what was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(document)


def in_encoding(text: str, out: TextIO) -> str:
    """Return a text in characters that a stream takes: as it is, or in ASCII where it takes no more."""
    if _takes(out, _TAKEN):
        return text
    encoding = out.encoding or "ascii"
    return text.translate(_ASCII).encode(encoding, "replace").decode(encoding)


def _takes(out: TextIO, text: str) -> bool:
    try:
        text.encode(out.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
