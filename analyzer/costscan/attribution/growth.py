"""How the input grows from turn to turn: what was sent before, what is new, what was left out.

A prompt is uncached input, cache reads and cache writes together. Each turn sends what the one before it sent
and what that one wrote, so `carried_tokens` is the prompt before it; where the context was cut (compaction,
a cleared session, an edited history) it is what is left of that.
"""

from typing import Final

import polars as pl

from costscan.schema.frames import PROMPT

GROWN: Final = pl.Schema(
    {
        "run_id": pl.String,
        **dict.fromkeys(
            ("turn", "prompt_tokens", "carried_tokens", "added_tokens", "dropped_tokens"), pl.Int64
        ),
    }
)
"""The columns of the `growth` frame that come from the prompts alone."""
QUADRATIC_MIN_TURNS: Final = 6
QUADRATIC_SHARE: Final = 0.5
"""A run is called quadratic when resending makes up at least this share of its input, over enough turns."""


def with_shrinks(calls: pl.DataFrame, cuts: pl.Series) -> pl.DataFrame:
    """Add prompt_tokens, before_tokens (the prompt before, null for a first call), and what sets them apart.

    `resized`: another tokenizer counts the same text. `refitted`: a tool is forced now, or no longer, which
    takes tokens that stand in no block. `shrank`: the prompt is smaller for no logged reason; `cuts` are the
    rows of calls before which blocks are known to have left. `calls` have forced_tokens.
    """
    same = pl.col("copy") == pl.col("copy").shift(1)
    before = pl.when(same).then(pl.col("prompt_tokens").shift(1))
    calls = calls.with_columns(prompt_tokens=PROMPT).with_columns(
        before_tokens=before,
        resized=(same & (pl.col("family") != pl.col("family").shift(1))).fill_null(False),
    )
    forced = pl.col("forced_tokens") - pl.col("forced_tokens").shift(1)
    calls = calls.with_columns(refitted=(same & (forced != 0)).fill_null(False))
    smaller = pl.col("prompt_tokens") - pl.when(same).then(forced).otherwise(0) < pl.col("before_tokens")
    reason = pl.col("resets") | pl.col("resized") | pl.col("row").is_in(cuts.implode())
    return calls.with_columns(shrank=(smaller & ~reason).fill_null(False))


def with_epochs(calls: pl.DataFrame, cuts: pl.Series, dropped: pl.Series) -> pl.DataFrame:
    """Number the stretches in which the context only grew.

    Args:
        calls: from `with_shrinks`, one row a call, sorted by copy and seq, numbered by `row`.
        cuts: the rows of calls before which blocks left the context.
        dropped: the rows of calls before which only thinking left it.

    Returns:
        `calls` with `starts` (the first call of an epoch), `epoch` and `context` (which neither another
        tokenizer ends nor a forced tool nor thinking that is dropped), counted over all copies.
    """
    cut = (pl.col("seq") == 0) | pl.col("resets") | pl.col("shrank") | pl.col("row").is_in(cuts.implode())
    goes_on = pl.col("resized") | pl.col("refitted") | pl.col("row").is_in(dropped.implode())
    return calls.with_columns(starts=cut | goes_on, context=cut.cast(pl.Int64).cum_sum()).with_columns(
        epoch=pl.col("starts").cast(pl.Int64).cum_sum() - 1
    )


def growth(calls: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Return the `growth` frame of the calls that are kept.

    Args:
        calls: from `with_epochs`, with run_id, turn and `kept`.
        kept: row, carried_tokens of the calls that start an epoch.
    """
    carried = pl.when("starts").then(pl.col("carried_tokens").fill_null(0)).otherwise("before_tokens")
    joined = calls.join(kept, on="row", how="left", maintain_order="left").with_columns(
        carried_tokens=pl.min_horizontal(carried, "prompt_tokens"),
    )
    return joined.filter("kept").select(
        "run_id",
        "turn",
        "prompt_tokens",
        "carried_tokens",
        added_tokens=pl.col("prompt_tokens") - pl.col("carried_tokens"),
        dropped_tokens=pl.max_horizontal(pl.col("before_tokens").fill_null(0) - pl.col("carried_tokens"), 0),
    )


def per_run(growth_frame: pl.DataFrame) -> pl.DataFrame:
    """Return, per root run: carried_tokens, carried_share, growth_tokens_per_turn, is_quadratic.

    `growth_tokens_per_turn` is the median, over all its agent threads, of the tokens added after the first
    turn of each; null where no thread has a second one.

    Args:
        growth_frame: the `growth` frame with `root_run_id`; `added_tokens` is null where a turn is in no log.
    """
    return (
        growth_frame.group_by("root_run_id", maintain_order=True)
        .agg(
            pl.col("prompt_tokens").sum(),
            pl.col("carried_tokens").sum(),
            pl.col("added_tokens").count().alias("n"),
            growth_tokens_per_turn=pl.col("added_tokens").filter(pl.col("turn") > 0).median(),
        )
        .with_columns(
            carried_share=_share("carried_tokens", "prompt_tokens"),
        )
        .with_columns(
            is_quadratic=(
                (pl.col("n") >= QUADRATIC_MIN_TURNS)
                & (pl.col("carried_share") >= QUADRATIC_SHARE)
                & (pl.col("growth_tokens_per_turn") > 0)
            ).fill_null(False),
        )
        .drop("n", "prompt_tokens")
    )


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))
