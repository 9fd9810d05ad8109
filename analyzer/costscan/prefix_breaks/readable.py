"""How much of each prompt had been sent, by a turn that used the cache, and was not read."""

from typing import Final

import polars as pl

_RUN: Final = "run_id"


def with_readable(steps: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Add readable_tokens, tokens_lost, since_s and was_cached.

    `since_s` is the time since the turn before, or since the run `against` that a first prompt departs from;
    `was_cached` says that the earlier prompt used the cache.

    Args:
        steps: the turns as the replay has them, with their token columns, sorted by run and turn.
        departures: where prompts depart from those before.
    """
    across = _across(steps, departures)
    before = {
        "was_cached": pl.col("uses").cast(pl.Int8).cum_max().shift(1).over(_RUN).fill_null(0) > 0,
        "since_s": (pl.col("at_us") - pl.col("at_us").shift(1).over(_RUN)) / 1e6,
    }
    found = (
        steps.with_columns(**before)
        .join(across, on=["run_id", "turn"], how="left", maintain_order="left")
        .with_columns(
            since_s=pl.coalesce("across_since_s", "since_s"),
            was_cached=pl.col("was_cached") | pl.col("across_cached").fill_null(False),
        )
    )
    readable = (
        pl.when("is_shown")
        .then(pl.coalesce("stable_extends_tokens", "stable_shared_tokens"))
        .when("is_cut")
        .then("shared_tokens")
        .otherwise(pl.coalesce("before_tokens", "previous_tokens"))
    )
    known = pl.min_horizontal(readable.fill_null(0), "prompt_tokens")
    lost = pl.max_horizontal(known - pl.col("cache_read_tokens"), 0)
    return found.with_columns(
        readable_tokens=known, tokens_lost=pl.when(pl.col("was_cached")).then(lost).otherwise(0)
    )


def _across(steps: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Give of first prompts that depart from those of other runs: when those last used what both share."""
    firsts = departures.filter(pl.col("is_first") & pl.col("against").is_not_null())
    own = firsts.select("run_id", "turn", "against").join(
        steps.select("run_id", "turn", "at_us"), on=["run_id", "turn"], how="inner"
    )
    others = steps.filter("uses").select(against="run_id", other_us="at_us")
    earlier = own.join(others, on="against", how="inner").filter(pl.col("other_us") < pl.col("at_us"))
    return earlier.group_by("run_id", "turn").agg(
        across_since_s=(pl.col("at_us") - pl.col("other_us")).min() / 1e6,
        across_cached=pl.lit(value=True).first(),
    )
