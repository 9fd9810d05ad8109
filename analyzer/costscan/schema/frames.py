"""The canonical frames by name, and the check made at every hand-over.

A column named in `NULLABLE` may hold nulls, and a null always means "unknown"; no other column may.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from costscan.errors import CostscanError
from costscan.schema.tables import (
    BILL,
    BLOCK_COSTS,
    BLOCKS,
    CACHE_USE,
    COMPARISON,
    FINDINGS,
    GROWTH,
    LIFETIMES,
    MODEL_SWITCHES,
    PREFIX_BREAKS,
    PRICES,
    ROUTES,
    RUNS,
    SCENARIOS,
    SINGLE_SHOTS,
    TIME,
    TOOL_CALLS,
    TURN_WORK,
    TURNS,
    USD,
)

PROMPT: Final = (
    pl.col("input_tokens")
    + pl.col("cache_read_tokens")
    + pl.col("cache_write_5m_tokens")
    + pl.col("cache_write_1h_tokens")
)


SCHEMAS: Final[Mapping[str, pl.Schema]] = {
    "runs": RUNS,
    "turns": TURNS,
    "blocks": BLOCKS,
    "tool_calls": TOOL_CALLS,
    "prices": PRICES,
    "bill": BILL,
    "growth": GROWTH,
    "prefix_breaks": PREFIX_BREAKS,
    "model_switches": MODEL_SWITCHES,
    "cache_use": CACHE_USE,
    "block_costs": BLOCK_COSTS,
    "routes": ROUTES,
    "turn_work": TURN_WORK,
    "single_shots": SINGLE_SHOTS,
    "scenarios": SCENARIOS,
    "lifetimes": LIFETIMES,
    "findings": FINDINGS,
    "comparison": COMPARISON,
}
OF_LOGS: Final = tuple(name for name in SCHEMAS if name != "comparison")
"""The frames that tell of some logs; the last tells of two."""
NULLABLE: Final[Mapping[str, frozenset[str]]] = {
    "runs": frozenset({"parent_run_id", "agent", "started_at", "ended_at"}),
    "turns": frozenset(
        {
            "at",
            "duration_s",
            "gap_s",
            "geo",
            "effort",
            "input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
            "thinking_tokens",
            "web_searches",
            "stop_reason",
            "message_id",
            "recorded_usd",
        }
    ),
    "blocks": frozenset({"tool", "call_id", "content_hash", "args_hash", "breakpoint", "used_share"}),
    "tool_calls": frozenset({"server", "result_hash", "result_tokens", "carried_usd"}),
    "prices": frozenset({"valid_from", "valid_to"}),
    "bill": frozenset({"usd"}),
    "growth": frozenset(GROWTH)
    - {"run_id", "turn", "prompt_tokens", "carried_tokens", "added_tokens", "dropped_tokens"},
    "prefix_breaks": frozenset({"char_offset", "token_offset", "usd_lost"}),
    "model_switches": frozenset({"usd_lost", "usd_saved", "usd_lost_back"}),
    "cache_use": frozenset(CACHE_USE)
    - {"run_id", "turn", "is_shown", "extends_tokens", "min_tokens", "unread_tokens"},
    "block_costs": frozenset({"skill", "content", "last_used_turn", "used_to", "other_tokens"}),
    "routes": frozenset({"evidence", "confidence", "reason"}),
    "turn_work": frozenset({"model_class", "stop_reason"}),
    "single_shots": frozenset({"at", "shared_key", "wave", "wave_runs", "nightly_days", "reason"}),
    "scenarios": frozenset({"usd", "saved_usd", "saved_low_usd", "saved_high_usd", "saved_joint_usd"}),
    "lifetimes": frozenset({"cheaper", "usd_5m", "usd_1h", "break_even_tokens"}),
    "findings": frozenset({"block", "tool", "usd", "path", "char_offset"}),
    "comparison": frozenset({"before", "after", "change", "p_value", "limit"}),
}


def check(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` back when it is a true `name` frame: its columns, types and no null where none may be.

    Raises:
        CostscanError: the frame breaks the contract; this is a defect of costscan, never of a log.
    """
    expected = SCHEMAS[name]
    if frame.schema != expected:
        wrong = sorted(
            {c for c in {*expected, *frame.schema} if expected.get(c) != frame.schema.get(c)},
        )
        raise CostscanError(f"frame {name}: wrong columns or types: {', '.join(wrong) or 'their order'}")
    must = [c for c in expected if c not in NULLABLE[name]]
    nulls = frame.select(pl.col(must).null_count()).row(0, named=True) if must else {}
    if bad := [c for c, n in nulls.items() if n]:
        raise CostscanError(f"frame {name}: null in {', '.join(bad)}")
    return frame


def empty(name: str) -> pl.DataFrame:
    """Return the `name` frame with no rows."""
    return pl.DataFrame(schema=SCHEMAS[name])


__all__ = [
    "BILL",
    "BLOCKS",
    "BLOCK_COSTS",
    "CACHE_USE",
    "COMPARISON",
    "FINDINGS",
    "GROWTH",
    "LIFETIMES",
    "MODEL_SWITCHES",
    "NULLABLE",
    "OF_LOGS",
    "PREFIX_BREAKS",
    "PRICES",
    "ROUTES",
    "RUNS",
    "SCENARIOS",
    "SCHEMAS",
    "SINGLE_SHOTS",
    "TIME",
    "TOOL_CALLS",
    "TURNS",
    "TURN_WORK",
    "USD",
    "check",
    "empty",
]
