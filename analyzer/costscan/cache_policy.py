"""What the prompt cache of each maker of models does: `cache_policies.toml`, checked and typed."""

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from costscan.models import model_info

_DATA: Final = Path(__file__).with_name("cache_policies.toml")
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The rules of a cache of which requests mark what it shall hold.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticPolicy:
    """The rules of a cache that holds every prompt, and of which a call may reach a server that does not.

    Attributes:
        name: its name.
        models: the names of the models, as a regular expression.
        ttl_s: how long an entry lives that nobody reads.
        min_tokens: shorter prompts are not cached.
        step_tokens: what is read is a multiple of it.
        bills_writes: what is written costs more than what is sent plain.
        hit_rate: the share of calls that find what the one before sent, before a log is seen.
        read_share: the same of the tokens that could be read.
        prior_calls: how many calls of a log weigh as much as these two.
        needs_calls: the fewest calls of a log that they are fitted on.
        source: where the rules are documented.
        is_promised: whether what it reads follows rules, so that it is to be expected.
    """

    name: str
    models: str
    ttl_s: int
    min_tokens: int
    step_tokens: int
    bills_writes: bool
    hit_rate: float
    read_share: float
    prior_calls: int
    needs_calls: int
    source: str
    is_promised: bool = True

    @property
    def ttl_us(self) -> int:
        """Microseconds that an entry lives that nobody reads."""
        return self.ttl_s * _MICROSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitPolicy:
    """The rules of a cache that a client makes, and pays for by the hour.

    Attributes:
        name: its name.
        models: the names of the models, as a regular expression.
        ttl_s: how long it lives after it was made or renewed.
        min_tokens: shorter beginnings are not taken.
        storage_usd_per_mtok_hour: by names of models, what a million tokens cost an hour.
        source: where the rules are documented.
    """

    name: str
    models: str
    ttl_s: int
    min_tokens: int
    storage_usd_per_mtok_hour: Sequence[tuple[str, str]]
    source: str

    def storage_of(self, model: str) -> Decimal:
        """Return what a million tokens cost an hour."""
        prices = self.storage_usd_per_mtok_hour
        return next(Decimal(usd) for models, usd in prices if re.fullmatch(models, model))


@cache
def _data() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_DATA.read_text("utf-8"))


@cache
def policies() -> dict[str, CachePolicy]:
    """Return every policy of a cache with breakpoints by the name of its maker."""
    return {name: CachePolicy(**table) for name, table in _data()["marked"].items()}


@cache
def automatic_policies() -> tuple[AutomaticPolicy, ...]:
    """Return every policy of a cache without breakpoints, those that come first count first."""
    return tuple(AutomaticPolicy(name=name, **table) for name, table in _data()["automatic"].items())


@cache
def _implicit_policies() -> tuple[AutomaticPolicy, ...]:
    """Return every policy of a cache that promises nothing: none of what it could read is expected."""
    nothing: dict[str, Any] = {
        "hit_rate": 0.0,
        "read_share": 0.0,
        "prior_calls": 0,
        "needs_calls": sys.maxsize,
    }
    rules = {**nothing, "step_tokens": 1, "bills_writes": False, "is_promised": False}
    return tuple(AutomaticPolicy(name=name, **table, **rules) for name, table in _data()["implicit"].items())


def policy_of(model: str | None) -> CachePolicy | None:
    """Return the rules of the cache of a canonical model that has breakpoints, None for others."""
    return CLAUDE if model is not None and model_info(model) is not None else None


@cache
def automatic_of(model: str | None) -> AutomaticPolicy | None:
    """Return the rules of the cache of a canonical model that has no breakpoints, None for others."""
    if model is None or model_info(model) is not None:
        return None
    return next((p for p in automatic_policies() if re.fullmatch(p.models, model)), None)


@cache
def target_of(model: str | None) -> AutomaticPolicy | None:
    """Return the rules of the cache that a call finds that is moved to a model; None: it has breakpoints.

    They may be those of a cache that promises nothing.
    """
    implicit = (p for p in _implicit_policies() if model is not None and re.fullmatch(p.models, model))
    return automatic_of(model) or next(implicit, None)


@cache
def explicit_of(model: str | None) -> ExplicitPolicy | None:
    """Return the rules of the cache that a client can make for a canonical model, None for others."""
    made = (ExplicitPolicy(name=name, **table) for name, table in _data()["explicit"].items())
    return next((policy for policy in made if model is not None and re.fullmatch(policy.models, model)), None)


CLAUDE: Final = policies()["claude"]
TTLS_US: Final = {name: seconds * _MICROSECONDS for name, seconds in CLAUDE.ttl_s.items()}
"""Microseconds that an entry lives, by the name of its TTL."""
SHORT, LONG = TTLS_US
"""The names of the two TTLs."""
SHORT_US, LONG_US = TTLS_US.values()
