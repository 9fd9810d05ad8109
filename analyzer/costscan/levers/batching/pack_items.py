"""Pack single-item runs that share a prefix into one context: the prefix is sent once for many items."""

from typing import Final

import polars as pl

from costscan.levers.plan import PREFIX_ERROR, Breakpoints, Plan, beside, with_others
from costscan.levers.uncertainty import doubted
from costscan.models import model_info

CONTEXTS: Final = pl.Schema({"run_id": pl.String, "context": pl.Int64, "is_first": pl.Boolean})
ITEM_OUTPUT_TOKENS: Final = 7
"""An item number and its separators around each answer (assumed: half of it to twice)."""
ITEM_INPUT_TOKENS: Final = 4
"""The same before each item."""
INSTRUCTION_TOKENS: Final = 30
"""What asks to answer all items, and to number the answers: once in each context (assumed, too)."""
_DEFAULT_CONTEXT: Final = 200_000
_DEFAULT_OUTPUT: Final = 32_000


def contexts(shots: pl.DataFrame, items: int, longest: dict[str, int]) -> pl.DataFrame:
    """Return `CONTEXTS`: which runs share a context, at least two each.

    Args:
        shots: the `single_shots` that nobody waits for.
        items: at most so many to a context; fewer where the context or the output of the model would not do.
        longest: by model, the longest prompt at the plain price.
    """
    keys = ["task", "wave", "model", "tier", "speed", "shared_key"]
    packable = shots.filter(pl.col("shared_tokens") > 0, pl.col("prompt_tokens") > pl.col("shared_tokens"))
    if packable.is_empty():
        return pl.DataFrame(schema=CONTEXTS)
    models = packable["model"].unique()
    room = {m: min(_context(m), longest.get(m, _context(m))) for m in models}
    output = {m: (info.max_output_tokens if (info := model_info(m)) else _DEFAULT_OUTPUT) for m in models}
    item = (pl.col("prompt_tokens") - pl.col("shared_tokens")).max().over(keys) + ITEM_INPUT_TOKENS
    answer_tokens = pl.max_horizontal(pl.col("output_tokens").max().over(keys), 1) + ITEM_OUTPUT_TOKENS
    of_model = pl.col("model")
    room_left = of_model.replace_strict(room, return_dtype=pl.Int64) - pl.col("shared_tokens").max().over(
        keys
    )
    fits = pl.min_horizontal(
        room_left // (item + answer_tokens),
        of_model.replace_strict(output, return_dtype=pl.Int64) // answer_tokens,
        items,
    )
    numbered = packable.sort(*keys, "at", "run_id", nulls_last=True).with_columns(
        nth=pl.int_range(pl.len(), dtype=pl.Int64).over(keys), fits=pl.max_horizontal(fits, 1)
    )
    parts = numbered.with_columns(
        context=(pl.struct(*keys, part=pl.col("nth") // pl.col("fits")).hash() // 2).cast(pl.Int64),
        is_first=pl.col("nth") % pl.col("fits") == 0,
    )
    return parts.filter(pl.len().over("context") > 1).select(*CONTEXTS)


def _context(model: str) -> int:
    info = model_info(model)
    return info.context_tokens if info else _DEFAULT_CONTEXT


def packed(plan: Plan, contexts: pl.DataFrame) -> Plan:
    """Return the plan with the prefix sent with the first item of a context only, all items numbered."""
    if contexts["is_first"].all():
        return plan
    steps = beside(plan.steps, contexts.select("run_id", "is_first"), on="run_id")
    joins, leads = pl.col("is_first").not_().fill_null(value=False), pl.col("is_first").fill_null(value=False)
    prompt, none = (
        pl.max_horizontal(pl.col("prompt_tokens") - pl.col("shared_tokens"), 0),
        pl.lit(0, pl.Int64),
    )
    left = {"prompt_tokens": prompt, "shared_tokens": none, "stable_shared_tokens": none}
    added_tokens = ITEM_INPUT_TOKENS + pl.when(leads).then(INSTRUCTION_TOKENS).otherwise(0)
    packed_steps = steps.with_columns(
        pl.when(joins).then(e).otherwise(n).alias(n) for n, e in left.items()
    ).with_columns(
        prompt_tokens=pl.col("prompt_tokens") + pl.when(joins | leads).then(added_tokens).otherwise(0),
        output_tokens=pl.col("output_tokens") + pl.when(joins | leads).then(ITEM_OUTPUT_TOKENS).otherwise(0),
    )
    lengths = packed_steps.filter(joins | leads).select("req", "prompt_tokens")
    apart = packed_steps.filter(joins).select("req")

    def sent(breakpoints: Breakpoints, _: str) -> Breakpoints:
        remaining = breakpoints.positions.join(apart, on="req", how="anti", maintain_order="left")
        return Breakpoints(with_others(breakpoints.requests, lengths), remaining)

    off = packed_steps.filter(joins | leads).select("req", **_doubts(joins, added_tokens))
    return doubted(plan.changed(packed_steps.select(plan.steps.columns), sent), off)


def _doubts(joins: pl.Expr, added_tokens: pl.Expr) -> dict[str, pl.Expr]:
    """Tell how far prompts and answers may be off: by numbers, and by the prefix that others send."""
    prefix = pl.when(joins).then(PREFIX_ERROR).otherwise(0.0)
    return {
        "more_tokens": added_tokens + prefix,
        "fewer_tokens": added_tokens / 2 + prefix,
        "more_output_tokens": pl.lit(float(ITEM_OUTPUT_TOKENS)),
        "fewer_output_tokens": pl.lit(ITEM_OUTPUT_TOKENS / 2),
    }
