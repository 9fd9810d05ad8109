"""Totals of some logs, and nothing else: what was spent by day, session, project, user or model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from costscan.meters import TOKENS
from costscan.price_basis import PriceBasis

SCHEMA_VERSION: Final = 1
COUNTS: Final = (
    "turns",
    "unpriced_turns",
    "unreported_turns",
    "placeholder_turns",
    "sum_turns",
    *TOKENS,
    "web_searches",
    "cache_write_other_tokens",
)
UNKNOWN: Final = "unknown"
"""The period of what has no time, the project, branch or user of what tells none."""
PERIODS: Final = ("hour", "day", "week", "month", "block")
"""Shown in the order of time; everything else with the most expensive first."""
KEYS: Final = ("day", "week", "month", "hour", "session", "project", "branch", "user", "model", "block")
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What some logs cost.

    Attributes:
        by: what the rows are by, one of `KEYS`.
        rows: `by`, usd, `COUNTS`, models; of sessions also project and ended_at. `usd` and tokens are what is
            known of them, null where nothing is; `sum_turns` are no calls, but sums of an export.
        models: the same by `by` and model.
        unusable_files: files that hold no usable line.
        unread: of the files that could not be read, why.
        charged_usd: what cost exports of the chosen time tell beyond what is billed of their days, and what
            trajectories tell where no time is chosen.
        total: the same of all turns, one row.
    """

    schema_version: int
    costscan_version: str
    generated_at: datetime
    paths: tuple[str, ...]
    by: str
    tz: str
    prices: PriceBasis
    files: int
    skipped_lines: int
    unusable_files: int
    unread: Mapping[str, str]
    total: Row
    rows: Sequence[Row]
    models: Sequence[Row]
    charged_usd: Decimal = Decimal(0)


__all__ = ["COUNTS", "KEYS", "PERIODS", "UNKNOWN", "Totals"]
