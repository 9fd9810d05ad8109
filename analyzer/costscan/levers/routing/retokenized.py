"""What the other family of tokenizers makes of each prompt: the same text is up to half as long again."""

from typing import Final

import polars as pl

from costscan.calibration import Calibration
from costscan.levers.routing.apply import SIZE_SPREAD, family_of
from costscan.tokenizers import family

_COUNTS: Final = ("tokens", "other_tokens", "fixed", "other_fixed", "tools", "attached", "sure")
_WHOLE: Final = 10_000
"""Shares are summed in whole parts: sums of fractions depend on their order."""


def sizes(steps: pl.DataFrame, blocks: pl.LazyFrame, calibration: Calibration | None = None) -> pl.DataFrame:
    """Return req, output_ratio, has_tools, size_ratio of the prompt, fixed_ratio of what precedes messages.

    And attached_share, the share of documents in the prompt, and sure_share: by what share the prompt is less
    off than usual, where it was counted by how much blocks like those in it are.

    Args:
        steps: req, run_id, turn, model.
        blocks: run_id, turn_in, turn_out, layer, role, kind, tokens, other_tokens (null where hidden).
        calibration: what was counted.
    """
    ratios = {m: family(family_of(m)).other_ratio for m in steps["model"].unique()}
    hidden = pl.col("model").replace_strict(ratios, return_dtype=pl.Float64)
    sure = pl.col("kind").replace_strict(_surer(calibration), default=0, return_dtype=pl.Int64)
    shown = blocks.filter(pl.col("other_tokens").is_not_null()).with_columns(sure=pl.col("tokens") * sure)
    place = ["run_id", "turn"]
    came, left = (_summed(shown, turn) for turn in ("turn_in", "turn_out"))
    changes = (
        pl.concat([came, left.with_columns(-pl.col(_COUNTS))]).group_by(place).agg(pl.col(_COUNTS).sum())
    )
    running = pl.col(_COUNTS).fill_null(0).cum_sum().over("run_id")
    # Blocks may be fewer than the prompt: what is hidden has the usual ratio.
    return (
        steps.select("req", *place, "prompt_tokens", hidden=hidden)
        .join(changes, on=place, how="left", maintain_order="left")
        .with_columns(running)
        .join(_written(shown), on=place, how="left", maintain_order="left")
        .select("req", *_ratios())
    )


def _surer(calibration: Calibration | None) -> dict[str, int]:
    """Return by how many parts of `_WHOLE` less than usual each kind of block is off that was counted."""
    spreads = calibration.spreads if calibration is not None else {}
    return {kind: round((SIZE_SPREAD - spread) * _WHOLE) for kind, spread in spreads.items()}


def _summed(blocks: pl.LazyFrame, turn: str) -> pl.DataFrame:
    """Sum up the tokens of the blocks that came or left at each turn."""
    is_fixed = pl.col("layer") != "messages"
    sums = {
        "tokens": pl.col("tokens").sum(),
        "other_tokens": pl.col("other_tokens").sum(),
        "fixed": pl.col("tokens").filter(is_fixed).sum(),
        "other_fixed": pl.col("other_tokens").filter(is_fixed).sum(),
        "attached": pl.col("tokens").filter(pl.col("kind") == "document").sum(),
        "sure": pl.col("sure").sum(),
        "tools": (pl.col("kind") == "tool_def").sum().cast(pl.Int64),
    }
    return blocks.group_by("run_id", turn=turn).agg(**sums).collect(engine="streaming")


def _written(blocks: pl.LazyFrame) -> pl.DataFrame:
    """Return run_id, turn and output_ratio of what each turn wrote."""
    made = blocks.filter(pl.col("role") == "assistant")
    sums = made.group_by("run_id", turn=pl.col("turn_in") - 1).agg(pl.col("tokens", "other_tokens").sum())
    ratio = pl.col("other_tokens") / pl.col("tokens")
    return (
        sums.filter(pl.col("tokens") > 0)
        .select("run_id", "turn", output_ratio=ratio)
        .collect(engine="streaming")
    )


def _ratios() -> list[pl.Expr]:
    shown = pl.min_horizontal("tokens", "prompt_tokens")
    times = pl.when(pl.col("tokens") > 0).then(pl.col("other_tokens") / pl.col("tokens")).otherwise("hidden")
    whole = (shown * times + (pl.col("prompt_tokens") - shown) * pl.col("hidden")) / pl.col("prompt_tokens")
    fixed = pl.when(pl.col("fixed") > 0).then(pl.col("other_fixed") / pl.col("fixed")).otherwise("hidden")
    return [
        pl.when(pl.col("prompt_tokens") > 0).then(whole).otherwise("hidden").alias("size_ratio"),
        fixed.alias("fixed_ratio"),
        pl.col("output_ratio").fill_null(pl.col("hidden")),
        _share_of_prompt("attached").clip(upper_bound=1.0).alias("attached_share"),
        (_share_of_prompt("sure") / _WHOLE).clip(upper_bound=SIZE_SPREAD).alias("sure_share"),
        (pl.col("tools").fill_null(0) > 0).alias("has_tools"),
    ]


def _share_of_prompt(tokens: str) -> pl.Expr:
    share = pl.col(tokens).fill_null(0) / pl.col("prompt_tokens")
    return pl.when(pl.col("prompt_tokens") > 0).then(share).otherwise(0.0)
