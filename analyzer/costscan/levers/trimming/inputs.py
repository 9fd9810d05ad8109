"""What trimming decides on."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class TrimmingInputs:
    """What prompts hold: frames of the analysis, and what the user set.

    Attributes:
        blocks: run_id, block, turn_in, turn_out, layer, role, kind, tool, content_hash, tokens, error_tokens,
            used_to, entry_usd, carried_usd.
        tool_calls: run_id, tool.
        runs: run_id, task, interactive.
        tool_result_max_tokens: longer tool results are cut to so many tokens; None for the best of each tool.
        fetch_usd: run_id, turn_in and fetch_usd: what a call costs that reads the prompt of a turn once more.
        clear_at_tokens: old tool results of longer prompts are cleared; None for the best of `THRESHOLDS`.
        compact_at_tokens: longer prompts are compacted; None for the best of `THRESHOLDS`.
        summary_tokens: how long the summary of a history is.
    """

    blocks: pl.DataFrame
    tool_calls: pl.DataFrame
    runs: pl.DataFrame
    tool_result_max_tokens: int | None
    fetch_usd: pl.DataFrame
    clear_at_tokens: int | None
    compact_at_tokens: int | None
    summary_tokens: int


__all__ = ["TrimmingInputs"]
