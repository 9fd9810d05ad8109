"""Where a transcript shows no prompt: what its turns could read, inferred from how the client caches.

The client marks the system prompt with the tools, and the end of the prompt. So a turn finds the end of the
last prompt that the same model was sent in this context, and what it shares with other runs: as much as the
first turn of the run read. What was sent plain behind the last mark is `input_tokens`.
"""

from typing import Final

import polars as pl

from costscan.growth import PROMPT

CHAINS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "key": pl.Int64,
        "uses": pl.Boolean,
        "end_tokens": pl.Int64,
        "before_key": pl.Int64,
        "before_tokens": pl.Int64,
        "shared_key": pl.Int64,
        "shared_tokens": pl.Int64,
        "is_first": pl.Boolean,
    }
)
_SAME: Final = ["copy", "context", "model", "speed"]


def chains(calls: pl.DataFrame, fixed: pl.DataFrame) -> pl.DataFrame:
    """Give, for each kept call, what it could read of what was sent before.

    Args:
        calls: from `growth.with_epochs`, kept or not, sorted by copy and seq, with message_id, model, speed.
        fixed: row, shared_key, shared_tokens: the tools and the system prompt of calls whose prompts are in
            the log.

    Returns:
        run_id, turn, key (of the whole prompt); uses (it wrote to or read from the cache) and end_tokens (how
        far); before_key and before_tokens, the last such prompt it extends (null where it begins a context
        or a model); shared_key and shared_tokens, what it may share with other runs; is_first (nothing was
        sent before it).
    """
    cached = pl.col("cache_read_tokens") + pl.col("cache_write_5m_tokens") + pl.col("cache_write_1h_tokens")
    # The same call in two copies has the same end: its id names it.
    name = pl.coalesce(pl.col("message_id").hash(), pl.struct("copy", "seq").hash())
    whole = (
        calls.join(fixed, on="row", how="left", maintain_order="left")
        .with_columns(key=_as_int(name), end_tokens=PROMPT - pl.col("input_tokens"), uses=cached > 0)
        .with_columns(read_first=pl.col("cache_read_tokens").first().over("copy"))
    )
    before = {
        "before_key": pl.when("uses").then("key").forward_fill().shift(1).over(_SAME),
        "before_tokens": pl.when("uses").then("end_tokens").forward_fill().shift(1).over(_SAME),
    }
    inferred = pl.col("shared_key").is_null()
    shared = {
        "shared_key": pl.when(inferred).then(-pl.col("read_first")).otherwise("shared_key"),
        "shared_tokens": pl.when(inferred).then("read_first").otherwise("shared_tokens"),
    }
    found = whole.with_columns(**before, **shared).filter("kept")
    return found.select(*CHAINS.names()[:-1], is_first=pl.col("seq") == 0)


def _as_int(value: pl.Expr) -> pl.Expr:
    return (value // 2).cast(pl.Int64)
