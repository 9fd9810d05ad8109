"""Where the messages begin in each prompt, and what was sent before it."""

from typing import Final

import polars as pl

from costscan.levers.plan import beside, with_context

NEAR_SHARE: Final = 0.2
"""By so much the estimated length of a prefix may be off from what was read of it."""


def with_prefix(steps: pl.DataFrame, fixed: pl.DataFrame) -> pl.DataFrame:
    """Return where the messages begin in each prompt, and what was sent before it in its context.

    Args:
        steps: the steps of a plan.
        fixed: from `fixed_blocks`.

    Returns:
        req, run_id, turn, context, at_us, ttl_us, prompt_tokens, fixed_tokens (tools and system prompt, with
        what tool use adds), and before_tokens and before_req of the prompt before it in its context.
    """
    of_turn = ("req", "run_id", "turn", "context", "at_us", "ttl_us", "prompt_tokens")
    both = with_context(steps).select(*of_turn, "is_shown", "shared_tokens")
    return beside(both, fixed).select(
        *of_turn,
        fixed_tokens=_whole_prefix(),
        before_tokens=pl.col("prompt_tokens").shift(1).over("run_id", "context"),
        before_req=pl.col("req").shift(1).over("run_id", "context"),
    )


def _whole_prefix() -> pl.Expr:
    """Tell where the messages begin: at the end of the shared prefix, as the replay has it.

    The blocks of it are a little less or more, by what tool use adds and by how the first prompt was split.
    What the first turn of a transcript read is that prefix if it is about as long; a session that goes on in
    another file reads its messages, too.
    """
    fixed, shared = pl.col("fixed_tokens").fill_null(0), pl.col("shared_tokens").fill_null(0)
    near = (shared - fixed).abs() <= NEAR_SHARE * shared
    return pl.when((shared > 0) & (pl.col("is_shown") | near)).then(shared).otherwise(fixed)


def fixed_blocks(steps: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Sum up the blocks before the messages in the prompt of each turn: req, fixed_tokens.

    Args:
        steps: all steps of a plan.
        blocks: run_id, turn_in, turn_out, layer, tokens.
    """
    fixed = blocks.filter(pl.col("layer") != "messages")
    came = fixed.select("run_id", "tokens", turn="turn_in")
    left = fixed.select("run_id", -pl.col("tokens"), turn="turn_out")
    changes = pl.concat([came, left]).group_by("run_id", "turn").agg(pl.col("tokens").sum())
    joined = steps.select("req", "run_id", "turn").join(
        changes, on=["run_id", "turn"], how="left", maintain_order="left"
    )
    return joined.select("req", fixed_tokens=pl.col("tokens").fill_null(0).cum_sum().over("run_id"))
