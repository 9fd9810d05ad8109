"""What the prompt cache of each maker of models does: `cache_policies.toml`, checked and typed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from costscan.models import model_info

_DATA: Final = Path(__file__).with_name("cache_policies.toml")
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The rules of a cache that a replay can follow.

    Attributes:
        ttl_s: how long an entry lives, by the name of its TTL, the shortest first.
        ttl_words: that in words.
        lookback_blocks: how many blocks are searched for an entry, back from a breakpoint, that one included.
        source: where the rules are documented.
    """

    ttl_s: Mapping[str, int]
    ttl_words: Mapping[str, str]
    lookback_blocks: int
    source: str


@cache
def policies() -> dict[str, CachePolicy]:
    """Return every policy by the name of its maker."""
    return {name: CachePolicy(**table) for name, table in tomllib.loads(_DATA.read_text("utf-8")).items()}


def policy_of(model: str | None) -> CachePolicy | None:
    """Return the rules of the cache of a canonical model, None where there are none to follow."""
    return CLAUDE if model is not None and model_info(model) is not None else None


CLAUDE: Final = policies()["claude"]
TTLS_US: Final = {name: seconds * _MICROSECONDS for name, seconds in CLAUDE.ttl_s.items()}
"""Microseconds that an entry lives, by the name of its TTL."""
SHORT, LONG = TTLS_US
"""The names of the two TTLs."""
SHORT_US, LONG_US = TTLS_US.values()
