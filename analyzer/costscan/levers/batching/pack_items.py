"""Pack single-item runs that share a prefix into one context: the prefix is sent once for many items."""

from typing import Final

import polars as pl

from costscan.levers.plan import Marks, Plan, with_others
from costscan.models import model_info

CONTEXTS: Final = pl.Schema({"run_id": pl.String, "context": pl.Int64, "is_first": pl.Boolean})
_DEFAULT_CONTEXT: Final = 200_000
_DEFAULT_OUTPUT: Final = 32_000


def contexts(shots: pl.DataFrame, items: int, longest: dict[str, int]) -> pl.DataFrame:
    """Give `CONTEXTS`: which runs share a context, at least two each.

    Args:
        shots: the `single_shots` that nobody waits for.
        items: at most so many to a context; fewer where the context or the output of the model would not do.
        longest: by model, the longest prompt at the plain price.
    """
    one = ["task", "wave", "model", "tier", "speed", "shared_key"]
    packable = shots.filter(pl.col("shared_tokens") > 0, pl.col("prompt_tokens") > pl.col("shared_tokens"))
    if packable.is_empty():
        return pl.DataFrame(schema=CONTEXTS)
    models = packable["model"].unique()
    room = {m: min(_context(m), longest.get(m, _context(m))) for m in models}
    output = {m: (info.max_output_tokens if (info := model_info(m)) else _DEFAULT_OUTPUT) for m in models}
    item = (pl.col("prompt_tokens") - pl.col("shared_tokens")).max().over(one)
    said = pl.max_horizontal(pl.col("output_tokens").max().over(one), 1)
    of_model = pl.col("model")
    room_left = of_model.replace_strict(room, return_dtype=pl.Int64) - pl.col("shared_tokens").max().over(one)
    fits = pl.min_horizontal(
        room_left // (item + said), of_model.replace_strict(output, return_dtype=pl.Int64) // said, items
    )
    numbered = packable.sort(*one, "at", "run_id", nulls_last=True).with_columns(
        nth=pl.int_range(pl.len(), dtype=pl.Int64).over(one), fits=pl.max_horizontal(fits, 1)
    )
    parts = numbered.with_columns(
        context=(pl.struct(*one, part=pl.col("nth") // pl.col("fits")).hash() // 2).cast(pl.Int64),
        is_first=pl.col("nth") % pl.col("fits") == 0,
    )
    return parts.filter(pl.len().over("context") > 1).select(*CONTEXTS)


def _context(model: str) -> int:
    info = model_info(model)
    return info.context_tokens if info else _DEFAULT_CONTEXT


def packed(plan: Plan, contexts: pl.DataFrame) -> Plan:
    """Give the plan with the prefix sent with the first item of each context only."""
    rest = contexts.filter(~pl.col("is_first"))["run_id"]
    if rest.is_empty():
        return plan
    joins = pl.col("run_id").is_in(rest.implode())
    prompt = pl.max_horizontal(pl.col("prompt_tokens") - pl.col("shared_tokens"), 0)
    left = {"prompt_tokens": prompt, "shared_tokens": pl.lit(0, pl.Int64),
            "stable_shared_tokens": pl.lit(0, pl.Int64)}  # fmt: skip
    steps = plan.steps.with_columns(pl.when(joins).then(e).otherwise(n).alias(n) for n, e in left.items())
    shorter = steps.filter(joins).select("req", "prompt_tokens")

    def sent(marks: Marks, _: str) -> Marks:
        kept = marks.positions.join(shorter, on="req", how="anti", maintain_order="left")
        return Marks(with_others(marks.requests, shorter), kept)

    return plan.changed(steps, sent)
