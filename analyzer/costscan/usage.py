"""What is known of the usage of calls: counters that no model can have, and calls whose prompt is unknown."""

from typing import Final

import polars as pl

from costscan.meters import PROMPT_TOKENS
from costscan.models import model_info

KNOWS_PROMPT: Final = pl.all_horizontal(pl.col(PROMPT_TOKENS).is_not_null())
"""Whether every counter of the prompt is known: only then it can be told how it grew, and replayed."""
UNREPORTED: Final = pl.col("usage_from") == "unreported"
PLACEHOLDER: Final = pl.col("usage_from") == "placeholder"
UNPRICED: Final = pl.col("usd").is_null() & pl.any_horizontal(
    pl.col(*PROMPT_TOKENS, "output_tokens", "web_searches").is_not_null()
)
"""Whether something is known of what a turn used, and not what that costs."""
OTHER_WRITES: Final = (
    pl.when(pl.col("cache_write_ttl").is_not_null()).then("cache_write_5m_tokens").otherwise(0)
)
"""The tokens among the 5-minute cache writes whose lifetime is another, or not logged."""
BATCH_OUTPUT_TOKENS: Final = 300_000
"""The largest output of a request in a batch (beta header output-300k)."""
MOST_SAMPLINGS: Final = 20
"""A request with web searches samples several times and counts the prompt of each."""


def within_limits(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the calls with counters that are more than their model can take or write as null.

    Args:
        calls: with canonical model, tier, the counters and usage_from.
    """
    models = calls["model"].unique().to_list()
    infos = {model: info for model in models if (info := model_info(model)) is not None}
    if not infos:
        return calls
    context = {model: info.longest_context_tokens for model, info in infos.items()}
    longest = {model: info.max_output_tokens for model, info in infos.items()}
    times = pl.when(pl.col("web_searches") > 0).then(MOST_SAMPLINGS).otherwise(1)
    most_out = pl.col("model").replace_strict(longest, default=None, return_dtype=pl.Int64)
    in_batch = pl.when(pl.col("tier") == "batch").then(pl.max_horizontal(most_out, BATCH_OUTPUT_TOKENS))
    most_in = pl.col("model").replace_strict(context, default=None, return_dtype=pl.Int64)
    too_long = (pl.sum_horizontal(PROMPT_TOKENS) > most_in * times).fill_null(False)
    too_much = (pl.col("output_tokens") > pl.coalesce(in_batch, most_out) * times).fill_null(False)
    return calls.with_columns(
        *(pl.when(~too_long).then(pl.col(name)).alias(name) for name in PROMPT_TOKENS),
        output_tokens=pl.when(~too_much).then("output_tokens"),
        usage_from=pl.when(too_long | too_much).then(pl.lit("unreported")).otherwise("usage_from"),
    )


def counted(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the calls or turns whose prompt is known; of the rest of their usage, what is unknown is 0.

    They are what can be attributed and replayed: what such a call wrote is a lower bound.
    """
    with_prompt = calls.filter(KNOWS_PROMPT)
    return with_prompt.with_columns(pl.col("output_tokens", "web_searches").fill_null(0))
