"""What went wrong without being the end of a command, in a line each on standard error."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

MOST: Final = 5
"""So many are told; the JSON report has them all."""


def warn(what: Iterable[str]) -> None:
    """Print `warning: WHAT` for each, made inert; of many the first ones, and how many more there are."""
    every = list(what)
    if not every:
        return
    from costscan.reports.text.sanitize import inert, unheeded  # noqa: PLC0415 - seldom needed

    lines = every if len(every) <= MOST + 1 else [*every[:MOST], f"{len(every) - MOST} more in --json"]
    with suppress(OSError, ValueError):
        for line in lines:
            print(unheeded(f"warning: {inert(line)}"), file=sys.stderr)  # noqa: T201 - prose belongs there
