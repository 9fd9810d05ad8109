"""Which earlier prompt a turn finds: the last one that it extends and that its own model was sent.

A cache is that of a model at a speed (a domain). Where turns of other models lie between, a turn that is back
on a model still extends, and if it is alive reads, what that model was sent before.
"""

from typing import Final

import polars as pl

OF_CHAIN: Final = ("run_id", "chain", "domain")
"""The turns of a run whose prompts extend one another, by model."""


def extending(steps: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Let turns extend the last prompt that their model was sent in an unbroken chain of prompts.

    Where there is none, they extend the one that they did, if that went to their model.

    Args:
        steps: steps with logged (their domain in the log) and moved (which turns are to be looked at).
        prefix: that of the columns with the keys.

    Returns:
        `steps`, with chain (its number) beside them.
    """
    key, extends, tokens = f"{prefix}key", f"{prefix}extends_key", f"{prefix}extends_tokens"
    chain = _breaks(key, extends).cast(pl.Int64).cum_sum().over("run_id")
    chained = steps.with_columns(chain=chain, is_there=is_there(steps, prefix))
    taken = pl.col("moved_tokens") if prefix else 0
    ends = chained.with_columns(end=pl.max_horizontal(pl.col("prompt_tokens") - taken, 0))
    return ends.with_columns(
        pl.when("moved")
        .then(pl.coalesce(pl.col(of).shift(1).over(OF_CHAIN), pl.when("is_there").then(name)))
        .otherwise(name)
        .alias(name)
        for name, of in ((extends, key), (tokens, "end"))
    ).drop("is_there", "end")


def back_home(steps: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Let turns that extend a prompt of another model extend the last one that their own was sent."""
    other = ~is_there(steps, prefix) & steps[f"{prefix}extends_key"].is_not_null()
    if not other.any():
        return steps
    moving = steps.with_columns(moved=other, logged="domain")
    return extending(moving, prefix).select(steps.columns)


def _breaks(key: str, extends: str) -> pl.Expr:
    """Say where a prompt does not extend the one before it.

    A prompt that a transcript does not show extends, in its context, all before it; of a model that begins
    there nothing is told.
    """
    goes_on = (pl.col(extends) == pl.col(key).shift(1).over("run_id")).fill_null(value=False)
    begins = pl.col("logged") != pl.col("logged").shift(1).over("run_id")
    inferred = ~pl.col("is_cut") & (pl.col(extends).is_not_null() | begins)
    return ~(goes_on | (~pl.col("is_shown") & inferred.fill_null(value=False)))


def is_there(steps: pl.DataFrame, prefix: str) -> pl.Series:
    """Whether the prompt that each turn extends was sent to its model."""
    key, extends = f"{prefix}key", f"{prefix}extends_key"
    sent = steps.select("domain", pl.col(key).alias(extends), there=pl.lit(value=True)).unique()
    joined = steps.select("domain", extends).join(
        sent, on=["domain", extends], how="left", maintain_order="left"
    )
    return joined["there"].fill_null(value=False)


def is_extended(steps: pl.DataFrame, groups: pl.DataFrame) -> pl.Series:
    """Return whether any prompt of its task and agent type extends another: which, nobody knows before."""
    of_steps = steps.select("run_id", extends=pl.col("extends_key").is_not_null())
    grouped = of_steps.join(groups, on="run_id", how="left", maintain_order="left")
    return grouped.select(pl.col("extends").any().over("group")).to_series()
