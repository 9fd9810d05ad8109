"""What the other family of tokenizers makes of each prompt: the same text is up to half as long again."""

from typing import Final

import polars as pl

from costscan.levers.routing.apply import family_of

HIDDEN_RATIO: Final = {"v3": 1.3, "v4.7": 1 / 1.3}
"""What is not in the log becomes so many times as long, by the family it was counted in.

Source: https://platform.claude.com/docs/en/about-claude/pricing ("approximately 30% more tokens")
"""


def sizes(steps: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Give req, output_ratio, has_tools, size_ratio of the prompt, fixed_ratio of what precedes the messages.

    Args:
        steps: req, run_id, turn, model.
        blocks: run_id, turn_in, turn_out, layer, role, kind, tokens, other_tokens (null where hidden).
    """
    families = {m: family_of(m) or "v4.7" for m in steps["model"].unique()}
    hidden = pl.col("model").replace_strict(families, return_dtype=pl.String).replace_strict(
        HIDDEN_RATIO, return_dtype=pl.Float64
    )  # fmt: skip
    is_fixed = pl.col("layer") != "messages"
    known = blocks.filter(pl.col("other_tokens").is_not_null()).select(
        "run_id", "turn_in", "turn_out", "tokens", "other_tokens", is_fixed=is_fixed,
        tools=(pl.col("kind") == "tool_def").cast(pl.Int64),
    )  # fmt: skip
    counts = ("tokens", "other_tokens", "fixed", "other_fixed", "tools")
    rows = known.with_columns(
        fixed=pl.when("is_fixed").then("tokens").otherwise(0),
        other_fixed=pl.when("is_fixed").then("other_tokens").otherwise(0),
    )
    came = rows.select("run_id", *counts, turn="turn_in")
    left = rows.select("run_id", *(-pl.col(n) for n in counts), turn="turn_out")
    place = ["run_id", "turn"]
    changes = pl.concat([came, left]).group_by(place).agg(pl.col(counts).sum())
    written = known_written(blocks)
    running = pl.col(counts).fill_null(0).cum_sum().over("run_id")
    # Blocks may be fewer than the prompt: what is hidden has the usual ratio.
    return (
        steps.select("req", *place, "prompt_tokens", hidden=hidden)
        .join(changes, on=place, how="left", maintain_order="left")
        .with_columns(running)
        .join(written, on=place, how="left", maintain_order="left")
        .select("req", *_ratios())
    )


def known_written(blocks: pl.DataFrame) -> pl.DataFrame:
    """Give run_id, turn and output_ratio of what each turn wrote."""
    made = blocks.filter((pl.col("role") == "assistant") & pl.col("other_tokens").is_not_null())
    sums = made.group_by("run_id", turn=pl.col("turn_in") - 1).agg(pl.col("tokens", "other_tokens").sum())
    return sums.filter(pl.col("tokens") > 0).select(
        "run_id", "turn", output_ratio=pl.col("other_tokens") / pl.col("tokens")
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
        (pl.col("tools").fill_null(0) > 0).alias("has_tools"),
    ]
