"""Where a transcript shows no prompt: what its turns could read, inferred from how the client caches.

The client marks the system prompt with the tools, and the end of the prompt. So a turn finds the end of the
last prompt that the same model was sent in this context, and what it shares with other runs: as much as the
first turn of the run read. What was sent plain behind the last mark is `input_tokens`.
"""

import polars as pl

from costscan.growth import PROMPT

CHAINS = pl.Schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "key": pl.Int64,
        "end_tokens": pl.Int64,
        "before_key": pl.Int64,
        "before_tokens": pl.Int64,
        "shared_tokens": pl.Int64,
        "is_first": pl.Boolean,
    }
)


def chains(calls: pl.DataFrame) -> pl.DataFrame:
    """Give, for each kept call, the end of its prompt and the end of the one before that it extends.

    Args:
        calls: from `growth.with_epochs`, kept or not, sorted by copy and seq, with message_id, model, speed.

    Returns:
        run_id, turn, key and end_tokens (of what was cached of the prompt), before_key and before_tokens (of
        the prompt it extends; null where it begins a context or another model), shared_tokens (what the first
        call of the copy read), is_first (nothing was sent before it).
    """
    cached = pl.col("cache_read_tokens") + pl.col("cache_write_5m_tokens") + pl.col("cache_write_1h_tokens")
    same = ["copy", "context", "model", "speed"]
    # The same call in two copies has the same end: its id names it.
    name = pl.coalesce(pl.col("message_id").hash(), pl.struct("copy", "seq").hash())
    whole = (
        calls.with_columns(key=_as_int(name), end_tokens=PROMPT - pl.col("input_tokens"), uses=cached > 0)
        .with_columns(shared_tokens=pl.col("cache_read_tokens").first().over("copy"))
        .with_columns(
            before_key=pl.when("uses").then("key").forward_fill().shift(1).over(same),
            before_tokens=pl.when("uses").then("end_tokens").forward_fill().shift(1).over(same),
        )
    )
    return whole.filter(pl.col("kept") & pl.col("uses")).select(
        "run_id",
        "turn",
        "key",
        "end_tokens",
        "before_key",
        "before_tokens",
        "shared_tokens",
        is_first=pl.col("seq") == 0,
    )


def _as_int(value: pl.Expr) -> pl.Expr:
    return (value // 2).cast(pl.Int64)
