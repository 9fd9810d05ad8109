"""How much of each prompt had been sent, by a turn that used the cache, and was not read."""

from typing import Final

import polars as pl

_RUN: Final = "run_id"
REWRITTEN: Final = ("definition-changed", "text-edited", "history-rewritten")
"""The causes that change what the prompt says, and leave most of it as it was sent before."""


def with_readable(steps: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Add readable_tokens, tokens_lost, since_s and was_cached.

    `since_s` is the time since the turn before, or since the run `against` that a first prompt departs from;
    `was_cached` says that the earlier prompt used the cache.

    Args:
        steps: the turns as the replay has them, with their tokens and carried_tokens, sorted by run and turn.
        departures: where prompts depart from those before.
    """
    across = _across(steps, departures)
    rewritten = departures.filter(pl.col("is_first") & pl.col("against").is_null()).select(
        "run_id", "turn", is_rewritten=pl.col("cause").is_in(REWRITTEN)
    )
    before = {
        "was_cached": pl.col("uses").cast(pl.Int8).cum_max().shift(1).over(_RUN).fill_null(0) > 0,
        "since_s": (pl.col("at_us") - pl.col("at_us").shift(1).over(_RUN)) / 1e6,
    }
    joined = (
        steps.with_columns(**before)
        .join(across, on=["run_id", "turn"], how="left", maintain_order="left")
        .join(rewritten, on=["run_id", "turn"], how="left", maintain_order="left")
        .with_columns(
            since_s=pl.coalesce("across_since_s", "since_s"),
            was_cached=pl.col("was_cached") | pl.col("across_cached").fill_null(False),
        )
    )
    readable = (
        pl.when("is_shown")
        .then(
            pl.max_horizontal(
                pl.coalesce("stable_extends_tokens", "stable_shared_tokens"), _kept(), _as_set()
            )
        )
        .when("is_cut")
        .then("shared_tokens")
        .otherwise(pl.coalesce("before_tokens", "previous_tokens"))
    )
    readable_tokens = pl.min_horizontal(readable.fill_null(0), "prompt_tokens")
    lost = pl.max_horizontal(readable_tokens - pl.col("cache_read_tokens"), 0)
    return joined.with_columns(
        readable_tokens=readable_tokens, tokens_lost=pl.when(pl.col("was_cached")).then(lost).otherwise(0)
    )


def _kept() -> pl.Expr:
    """Return what a prompt still says of the one before it, where that was changed in front of it."""
    return pl.when(pl.col("is_rewritten").fill_null(value=False)).then("carried_tokens").otherwise(0)


def _as_set() -> pl.Expr:
    """Return what was cached of the prompt before, and is said again under another setting."""
    cached = pl.min_horizontal("carried_tokens", "previous_tokens")
    return pl.when("setting_changed").then(cached).otherwise(0)


def _across(steps: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Return of first prompts that depart from those of other runs: when those last used what both share."""
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
