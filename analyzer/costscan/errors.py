"""The one error the program shows: what is wrong, where, and what to do about it."""

from collections.abc import Sequence
from difflib import get_close_matches

MIN_PART, MAX_LISTED = 3, 15


def near(name: str, names: Sequence[str], *, otherwise: str = "") -> str:
    """Return the hint for an unknown name: those that look alike, else all if few, else `otherwise`."""
    same_end = [k for k in names if k.rpartition(".")[2] == name.rpartition(".")[2]]
    alike = get_close_matches(name, names, n=3, cutoff=0.6)
    holding = [k for k in names if len(name) >= MIN_PART and name.lower() in k.lower()]
    if close := same_end or alike or holding:
        return f"did you mean {' or '.join(close[:3])}?"
    if otherwise and len(names) > MAX_LISTED:
        return otherwise
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"known: {', '.join(names[:MAX_LISTED])}{more}"


class CostscanError(Exception):
    """An expected failure, shown as `error: WHAT` and `hint: HINT`, exit code 2.

    `what` begins with the place (`FILE:LINE: ...`) where there is one; `hint` is the next step.
    """

    exit_code = 2

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"error: {self.what}" + (f"\nhint: {self.hint}" if self.hint else "")
