"""How far the tokens that a lever moves may be off: what is not billed apart is estimated.

A prompt has as many tokens as were billed. Where it is split over blocks by weights, a block that is a share
`part` of it is off by its error times (1 - part): what one block has more, the others have less, and a block
that is all of it is exact.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from costscan.meters import CACHED_TOKENS
from costscan.models import model_info

if TYPE_CHECKING:
    from costscan.levers.plan import Plan

TEXT_ERROR: Final = 0.1
"""By what share the weight of a tool result is off, in most cases: docs/token-weights.md."""
TOOL_ERROR: Final = 0.2
"""The same of definitions of tools, of which hardly any are billed apart."""
ATTACHED_ERROR: Final = 0.2
"""The same of pictures and documents."""
BETWEEN_ERROR: Final = TOOL_ERROR + TEXT_ERROR
"""By what share the end of the definitions may be off in a prompt of known length: what they have too much,
the rest has too little."""
ASSUMED_ERROR: Final = 0.5
"""The same of what tool use adds to prompts of a model for which the documentation does not say it."""
_ERRORS: Final = {"tool_def": TOOL_ERROR, "image": ATTACHED_ERROR, "document": ATTACHED_ERROR}


def with_errors(blocks: pl.DataFrame, exact: pl.Series) -> pl.DataFrame:
    """Add error_tokens: by how many tokens each block may be off.

    Args:
        blocks: run_id, turn_in, kind, tokens; of each turn all that was sent to it.
        exact: the runs whose whole prompts are logged. In others, what is hidden may be part of any block.
    """
    part = pl.col("tokens") / pl.max_horizontal(pl.col("tokens").sum().over("run_id", "turn_in"), 1)
    off = pl.when(pl.col("run_id").is_in(exact.implode())).then(1 - part).otherwise(1.0)
    error = pl.col("kind").replace_strict(_ERRORS, default=TEXT_ERROR, return_dtype=pl.Float64)
    return blocks.with_columns(error_tokens=pl.col("tokens") * error * off)


def prefix_errors(steps: pl.DataFrame, turns: pl.DataFrame) -> pl.Series:
    """Return, step by step, by how many tokens the end of tools and system prompt may be off.

    That is nothing where a bill tells it: what was read, or was not sent plain, ended there. So it did where
    a transcript shows no prompt. Else it is the estimate of a first prompt.

    Args:
        steps: req, run_id, turn, domain, model, is_shown, prompt_tokens, shared_key and shared_tokens.
        turns: the turns with their token classes.
    """
    sent = steps.select(
        "run_id", "turn", "domain", "model", "is_shown", "prompt_tokens", "shared_key", "shared_tokens"
    )
    both = sent.join(turns.select("run_id", "turn", *CACHED_TOKENS), on=["run_id", "turn"], how="left",
                      maintain_order="left")  # fmt: skip
    shared, first = pl.col("shared_tokens"), pl.col("prompt_tokens").first().over("run_id")
    ends = (pl.col("cache_read_tokens"), pl.sum_horizontal(CACHED_TOKENS), pl.col("prompt_tokens"))
    is_billed = pl.any_horizontal(shared == end for end in ends).any().over("domain", "shared_key")
    part = pl.min_horizontal(shared / pl.max_horizontal(first, 1), 1)
    off = (shared * BETWEEN_ERROR + _assumed(steps["model"])) * (1 - part)
    unsure = pl.when(pl.col("is_shown") & (shared > 0) & ~is_billed).then(off)
    return both.select(prefix_error_tokens=unsure.fill_null(0.0)).to_series()


def _assumed(models: pl.Series) -> pl.Expr:
    """Return by how many tokens what tool use adds may be off: nothing where it is documented."""
    infos = ((name, model_info(name)) for name in models.drop_nulls().unique())
    off = {
        name: info.tool_use_tokens * ASSUMED_ERROR
        for name, info in infos
        if info and info.tool_use_tokens_from
    }
    return pl.col("model").replace_strict(off, default=0.0, return_dtype=pl.Float64)


def minimums_off(steps: pl.DataFrame) -> pl.DataFrame:
    """Return by how many tokens a prefix as long as the minimum may be longer, and shorter, step by step.

    Columns: longer and shorter, of the end of a prompt; prefix_longer and prefix_shorter, of that of tools
    and system prompt.
    """
    sized = pl.col("size_spread") * pl.col("min_tokens")
    ends = {"longer": pl.col("more_tokens") + sized, "shorter": pl.col("fewer_tokens") + sized}
    prefix = {f"prefix_{name}": end + pl.col("prefix_error_tokens") for name, end in ends.items()}
    return steps.select(end.round().cast(pl.Int64).alias(name) for name, end in (ends | prefix).items())


def doubted(plan: "Plan", doubts: pl.DataFrame) -> "Plan":
    """Return the plan with more doubt in some steps: `doubts` has req and columns of `plan.DOUBTS`."""
    joined = plan.steps.select("req").join(doubts, on="req", how="left", maintain_order="left")
    more = (
        (pl.col(name) + joined[name].fill_null(0)).alias(name) for name in doubts.columns if name != "req"
    )
    return replace(plan, steps=plan.steps.with_columns(more))


__all__ = [
    "ATTACHED_ERROR",
    "TEXT_ERROR",
    "TOOL_ERROR",
    "doubted",
    "minimums_off",
    "prefix_errors",
    "with_errors",
]
