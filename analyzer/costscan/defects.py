"""Defects of costscan itself, told in a line: each costs the part of the work that it is in, and no more."""

import os
import re
import sys
import traceback
from pathlib import Path
from typing import Final

TRACEBACK: Final = "COSTSCAN_TRACEBACK"
"""The environment variable that has tracebacks of defects printed."""
PANIC: Final = "PanicException"
"""What a defect of Polars raises; it is no `Exception`."""
DEFECT: Final = "a defect of costscan"
_PACKAGE: Final = Path(__file__).parent
_MOST_CHARS: Final = 160
_quoted: Final = re.compile(r"""(['"`]).{24,}?\1""")


def described(error: BaseException) -> str:
    """Return what was raised, and where: "a defect of costscan at FILE:LINE: WHAT; please report it".

    FILE is the innermost one of this package. With `COSTSCAN_TRACEBACK` set, the traceback is printed on
    standard error.
    """
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error, file=sys.stderr)
    kind, what = type(error).__name__, first_line(error)
    return f"{DEFECT} at {_place(error)}: {kind}{f': {what}' if what else ''}; please report it"


def first_line(error: BaseException) -> str:
    """Return what an exception says, in short, without long texts that it quotes: they may be of a log."""
    message = " ".join(str(error).strip().partition("\n")[0].split())
    return _quoted.sub(r"\1…\1", message)[:_MOST_CHARS]


def _place(error: BaseException) -> str:
    inside = [
        (path.relative_to(_PACKAGE), number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if (path := Path(frame.f_code.co_filename)).is_relative_to(_PACKAGE)
    ]
    return f"{inside[-1][0].as_posix()}:{inside[-1][1]}" if inside else "an unknown place"
