"""Transcripts that begin in the middle of a conversation: their first prompt holds what no line shows."""

from typing import Final

import polars as pl

from costscan.schema.frames import PROMPT

LARGE_TOKENS: Final = 60_000
"""A first read of so many tokens is more than tools and a system prompt, unless other runs begin with it too.

Of 659 Claude Code sessions, nine in ten first prompts have at most 47,000 tokens, their messages included.
"""
_ONE: Final = ["copy", "model", "speed"]


def with_clipped(calls: pl.DataFrame) -> pl.DataFrame:
    """Add `is_clipped`: the copy begins in the middle of a conversation that its log does not show.

    It does where its lines say so (the end of an answer, or a tool result, before any call), where its first
    call read more from the cache than a later prompt of the same model has in all, or more than tools and a
    system prompt take, unless a run of another tree began with the very same read.

    Args:
        calls: of all copies, with seq, model, speed, the counters, root_run_id, begins_late and is_exact.
    """
    first = calls.filter(pl.col("seq") == pl.col("seq").min().over("copy")).filter(~pl.col("is_exact"))
    read = first.select(*_ONE, "root_run_id", "begins_late", read_tokens="cache_read_tokens").filter(
        pl.col("read_tokens") > 0
    )
    least = calls.group_by(_ONE).agg(least_tokens=PROMPT.min())
    alike = read.group_by("model", "read_tokens").agg(trees=pl.col("root_run_id").n_unique())
    begun = read.join(least, on=_ONE, how="left", nulls_equal=True).join(
        alike, on=["model", "read_tokens"], how="left", nulls_equal=True
    )
    alone = (pl.col("read_tokens") >= LARGE_TOKENS) & (pl.col("trees") == 1)
    clipped = begun.filter(pl.col("begins_late") | alone | (pl.col("least_tokens") < pl.col("read_tokens")))
    return calls.with_columns(is_clipped=pl.col("copy").is_in(clipped["copy"].implode()))
