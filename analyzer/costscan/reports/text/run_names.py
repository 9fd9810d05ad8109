"""Which run a user means by a name, and the short name that means a run."""

from collections.abc import Collection, Sequence
from typing import Final

_LENGTHS: Final = (10, 16)
"""How much of the last part of an id is tried: `agent-a714` is often enough."""
_SESSION: Final = 8
"""Reports shorten a UUID to so many characters."""


def meant(name: str, every: Sequence[str], roots: Collection[str]) -> list[str]:
    """Return the ids that a name may mean: itself, else the only root run that begins so, else all that do.

    Args:
        name: what was typed: an id, its beginning, the beginning of its last part, or of each of its parts.
        every: the ids of all runs and their sub-agents.
        roots: those of the runs.
    """
    matches = [run for run in every if _begins(run, name)]
    if name in matches:
        return [name]
    of_roots = [run for run in matches if run in roots]
    return of_roots if len(of_roots) == 1 else matches


def handle(run: str, every: Sequence[str], roots: Collection[str]) -> str:
    """Return a short name that means this run and no other, as far as there is one."""
    first, _, last = run.rpartition("/")
    short = [last[:n] for n in _LENGTHS if n < len(last)]
    for name in (*short, last, f"{first[:_SESSION]}/{last}"):
        if meant(name, every, roots) == [run]:
            return name
    return run


def _begins(run: str, name: str) -> bool:
    """Whether a run id, its last part, or each of its parts begins so: reports shorten each part."""
    parts, words = run.split("/"), name.split("/")
    each = len(parts) == len(words) and all(map(str.startswith, parts, words))
    return run.startswith(name) or parts[-1].startswith(name) or each
