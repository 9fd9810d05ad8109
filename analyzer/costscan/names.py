"""Which names a user means: one as it is written, or those that fit `*` (any text) and `?` (a character)."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_WILD: Final = {"*": ".*", "?": "."}
_FOLDERS: Final = re.compile(r"[/\\]")


def meant(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the names that one of some patterns means, in their order.

    A pattern that is one of the names means that alone: names may have a `?` of their own.
    """
    every = list(dict.fromkeys(names))
    own = {pattern for pattern in patterns if pattern in every}
    wild = [_wild(pattern) for pattern in patterns if pattern not in own]
    return [name for name in every if name in own or any(fits.fullmatch(name) for fits in wild)]


def meant_folders(patterns: Sequence[str], folders: Iterable[str]) -> list[str]:
    """Return the folders that one of some patterns means: by the whole path, or by its last part."""
    every = list(dict.fromkeys(folders))
    whole, last = set(meant(patterns, every)), set(meant(patterns, map(last_part, every)))
    return [folder for folder in every if folder in whole or last_part(folder) in last]


def last_part(folder: str) -> str:
    """Return the name of a folder without those above it, whatever system it is of."""
    return _FOLDERS.split(folder.rstrip("/\\"))[-1] or folder


def _wild(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_WILD.get(char) or re.escape(char) for char in pattern), re.DOTALL)
