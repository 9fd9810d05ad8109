"""What the settings of a request add to the keys of its prefix."""

from collections.abc import Sequence
from typing import NamedTuple

from costscan.reading.prompt_diff.prompt import Key


class Salt(NamedTuple):
    """Hashes that settings add to the keys of the layers behind the tools; 0 where all are the default."""

    system: int = 0
    messages: int = 0

    def of(self, layer: str) -> int:
        """Return what is added to the key of a block of this layer."""
        return 0 if layer == "tools" else self.system if layer == "system" else self.messages


def salted(keys: Sequence[Key], old: Salt, new: Salt, same: int) -> int:
    """Return how many of the `same` blocks that two prompts begin with have the same keys in both."""
    if old == new:
        return same
    return next((n for n in range(same) if old.of(keys[n][0]) != new.of(keys[n][0])), same)
