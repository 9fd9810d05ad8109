"""The columns and types of the canonical frames, one by one; `frames` checks them.

Token counts are Int64, money is Decimal(38, 12) in USD, ratios and seconds are Float64, times are UTC.
Unsigned and 32-bit integers wrap silently, float sums change with the order of threads: neither is used.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

USD: Final = pl.Decimal(38, 12)
TIME: Final = pl.Datetime("us", "UTC")


def _schema(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Schema:
    return pl.Schema(columns)


RUNS: Final = _schema(
    {
        "run_id": pl.String,
        "root_run_id": pl.String,
        "parent_run_id": pl.String,
        "source": pl.String,
        "path": pl.String,
        "task": pl.String,
        "agent": pl.String,
        "started_at": TIME,
        "ended_at": TIME,
        "interactive": pl.Boolean,
        "n_turns": pl.Int64,
    }
)
TURNS: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "line": pl.Int64,
        "at": TIME,
        "duration_s": pl.Float64,
        "gap_s": pl.Float64,
        "provider": pl.String,
        "model": pl.String,
        "model_raw": pl.String,
        "tier": pl.String,
        "speed": pl.String,
        "geo": pl.String,
        "effort": pl.String,
        "input_tokens": pl.Int64,
        "cache_read_tokens": pl.Int64,
        "cache_write_5m_tokens": pl.Int64,
        "cache_write_1h_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "thinking_tokens": pl.Int64,
        "web_searches": pl.Int64,
        "stop_reason": pl.String,
        "message_id": pl.String,
        "recorded_usd": USD,
        "usage_from": pl.String,
    }
)
BLOCKS: Final = _schema(
    {
        "run_id": pl.String,
        "block": pl.Int64,
        "turn_in": pl.Int64,
        "turn_out": pl.Int64,
        "line": pl.Int64,
        "layer": pl.String,
        "role": pl.String,
        "kind": pl.String,
        "tool": pl.String,
        "call_id": pl.String,
        "content_hash": pl.Int64,
        "args_hash": pl.Int64,
        "chars": pl.Int64,
        "weight": pl.Int64,
        "tokens": pl.Int64,
        "is_error": pl.Boolean,
        "breakpoint": pl.String,
        "used_share": pl.Float64,
    }
)
TOOL_CALLS: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "tool": pl.String,
        "server": pl.String,
        "args_hash": pl.Int64,
        "result_hash": pl.Int64,
        "result_tokens": pl.Int64,
        "is_error": pl.Boolean,
        "carried_turns": pl.Int64,
        "carried_usd": USD,
    }
)
PRICES: Final = _schema(
    {
        "provider": pl.String,
        "model": pl.String,
        "tier": pl.String,
        "speed": pl.String,
        "meter": pl.String,
        "usd_per_mtok": USD,
        "over_prompt_tokens": pl.Int64,
        "valid_from": TIME,
        "valid_to": TIME,
        "source": pl.String,
    }
)
BILL: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "meter": pl.String,
        "units": pl.Int64,
        "usd": USD,
    }
)
GROWTH: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "prompt_tokens": pl.Int64,
        "carried_tokens": pl.Int64,
        "added_tokens": pl.Int64,
        "dropped_tokens": pl.Int64,
        "prefix_tokens": pl.Int64,
        "replay_read_tokens": pl.Int64,
        "replay_write_tokens": pl.Int64,
        "replay_input_tokens": pl.Int64,
        "unexplained_tokens": pl.Int64,
        "disagreement": pl.String,
    }
)

PREFIX_BREAKS: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "layer": pl.String,
        "path": pl.String,
        "char_offset": pl.Int64,
        "token_offset": pl.Int64,
        "cause": pl.String,
        "before": pl.String,
        "after": pl.String,
        "tokens_lost": pl.Int64,
        "usd_lost": USD,
    }
)
MODEL_SWITCHES: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "turn_end": pl.Int64,
        "from_model": pl.String,
        "to_model": pl.String,
        "usd_lost": USD,
        "usd_saved": USD,
        "usd_lost_back": USD,
    }
)
_CACHE_USE_INTS: Final = (
    *("markers", "first_marked_tokens", "marked_tokens", "shared_tokens", "shared_key", "wave"),
    *("extends_tokens", "min_tokens", "unread_tokens", "begun_us", "ready_us"),
)
CACHE_USE: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "is_shown": pl.Boolean,
        "ttl": pl.String,
        **dict.fromkeys(_CACHE_USE_INTS, pl.Int64),
    }
)
BLOCK_COSTS: Final = _schema(
    {
        "run_id": pl.String,
        "block": pl.Int64,
        "entry_usd": USD,
        "carried_usd": USD,
        "output_usd": USD,
        "skill": pl.String,
        "content": pl.String,
        "last_used_turn": pl.Int64,
        "used_to": pl.Float64,
        "other_tokens": pl.Int64,
    }
)
SINGLE_SHOTS: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "task": pl.String,
        "at": TIME,
        "model": pl.String,
        "tier": pl.String,
        "speed": pl.String,
        "prompt_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "shared_key": pl.Int64,
        "shared_tokens": pl.Int64,
        "wave": pl.Int64,
        "wave_runs": pl.Int64,
        "nightly_days": pl.Int64,
        "reason": pl.String,
    }
)
ROUTES: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "model": pl.String,
        "to_model": pl.String,
        "evidence": pl.String,
        "confidence": pl.String,
        "reason": pl.String,
    }
)
TURN_WORK: Final = _schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "model_class": pl.String,
        "n_turns": pl.Int64,
        "is_sub_agent": pl.Boolean,
        "calls": pl.Int64,
        "writes": pl.Int64,
        "errors": pl.Int64,
        "repeats": pl.Int64,
        "follows_errors": pl.Int64,
        "user_tokens": pl.Int64,
        "thought": pl.Boolean,
        "thinks_by_default": pl.Boolean,
        "output_tokens": pl.Int64,
        "before_output_tokens": pl.Int64,
        "prompt_tokens": pl.Int64,
        "stop_reason": pl.String,
    }
)
SCENARIOS: Final = _schema(
    {
        "run_id": pl.String,
        "scenario": pl.String,
        "usd": USD,
        "saved_usd": USD,
        "input_tokens": pl.Int64,
        "cache_read_tokens": pl.Int64,
        "cache_write_5m_tokens": pl.Int64,
        "cache_write_1h_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "saved_low_usd": USD,
        "saved_high_usd": USD,
        "saved_joint_usd": USD,
    }
)
LIFETIMES: Final = _schema(
    {
        "run_id": pl.String,
        "ttl": pl.String,
        "cheaper": pl.String,
        **dict.fromkeys(("usd_5m", "usd_1h"), USD),
        **dict.fromkeys(("written_tokens", "rewritten_tokens", "break_even_tokens"), pl.Int64),
    }
)
FINDINGS: Final = _schema(
    {
        "rule": pl.String,
        "name": pl.String,
        "lever": pl.String,
        "severity": pl.String,
        "confidence": pl.String,
        "run_id": pl.String,
        "turn": pl.Int64,
        "turn_end": pl.Int64,
        "block": pl.Int64,
        "tool": pl.String,
        "tokens": pl.Int64,
        "usd": USD,
        "message": pl.String,
        "evidence": pl.String,
        "fix": pl.String,
        "fingerprint": pl.String,
        "path": pl.String,
        "char_offset": pl.Int64,
    }
)
COMPARISON: Final = _schema(
    {
        **dict.fromkeys(("task", "metric"), pl.String),
        **dict.fromkeys(("before", "after", "change", "p_value"), pl.Float64),
        **dict.fromkeys(("limit", "verdict"), pl.String),
    }
)
