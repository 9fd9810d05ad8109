"""History that is replaced at a turn: of what was cached, only what stands before it is found again."""

from typing import Final

import polars as pl

from costscan.levers.plan import Marks, Plan

REWRITES: Final = ("run_id", "turn", "from_tokens", "cut_tokens")
"""From `turn` on, what stood behind `from_tokens` is another text, shorter by `cut_tokens`."""
_CHAIN: Final = ("extends", "stable_extends")


def with_context(steps: pl.DataFrame) -> pl.DataFrame:
    """Add context: which of the contexts of its run, one after another, a turn is in."""
    return steps.with_columns(context=pl.col("is_cut").cast(pl.Int64).cum_sum().over("run_id"))


def rewritten(plan: Plan, rewrites: pl.DataFrame) -> Plan:
    """Replace history in the prompts of a context from a turn on.

    Args:
        plan: the plan.
        rewrites: as `REWRITES`, at most one of each context.
    """
    steps = _told(plan.steps, rewrites)
    changed = steps.filter(pl.col("salt").is_not_null()).select(
        "req", "salt", "from_tokens", "to_tokens", "cut_tokens"
    )
    is_new = pl.col("salt").is_not_null()
    length = pl.col("prompt_tokens") - pl.col("cut_tokens")
    told = steps.with_columns(
        _salted("key", is_new),
        _salted("stable_key", is_new),
        *(column for name in _CHAIN for column in _extended(name, is_new)),
        prompt_tokens=pl.when(is_new).then(length).otherwise("prompt_tokens"),
    ).select(plan.steps.columns)
    return plan.changed(told, lambda marks, _: _rewritten_marks(marks, changed, told))


def _told(steps: pl.DataFrame, rewrites: pl.DataFrame) -> pl.DataFrame:
    """Add to the turns of a context, from the one where it is rewritten: salt, from_, to_ and cut_tokens."""
    numbered = with_context(steps)
    before = pl.col("prompt_tokens").shift(1).over("run_id", "context")
    place = numbered.select("run_id", "turn", "context", to_tokens=before)
    at = place.join(rewrites, on=["run_id", "turn"], how="inner", maintain_order="left")
    name = (pl.struct("run_id", "turn").hash() // 2).cast(pl.Int64)
    each = at.select(
        "run_id", "context", "from_tokens", "to_tokens", "cut_tokens", salt=name, since="turn"
    ).filter(pl.col("to_tokens").is_not_null())
    found = place.drop("to_tokens").join(each, on=["run_id", "context"], how="left", maintain_order="left")
    late = pl.col("turn") >= pl.col("since")
    told = (
        pl.when(late).then(name).alias(name) for name in ("salt", "from_tokens", "to_tokens", "cut_tokens")
    )
    return numbered.hstack(found.select(told))


def _salted(name: str, is_new: pl.Expr) -> pl.Expr:
    other = (pl.struct(name, "salt").hash() // 2).cast(pl.Int64)
    return pl.when(is_new & pl.col(name).is_not_null()).then(other).otherwise(name).alias(name)


def _extended(name: str, is_new: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Give the key and the tokens of what a prompt extends: nothing, where that is the old history."""
    key, tokens = f"{name}_key", f"{name}_tokens"
    kept = pl.col(tokens) > pl.col("to_tokens")
    other = (pl.struct(key, "salt").hash() // 2).cast(pl.Int64)
    return (
        pl.when(is_new.not_()).then(key).when(kept & pl.col(key).is_not_null()).then(other).alias(key),
        pl.when(is_new & kept).then(pl.col(tokens) - pl.col("cut_tokens")).otherwise(tokens).alias(tokens),
    )


def _rewritten_marks(marks: Marks, changed: pl.DataFrame, told: pl.DataFrame) -> Marks:
    positions = marks.positions.join(changed, on="req", how="left", maintain_order="left")
    is_old = pl.col("salt").is_null() | (pl.col("tokens") <= pl.col("from_tokens"))
    is_new = pl.col("tokens") > pl.col("to_tokens")
    kept = positions.filter(is_old | is_new).with_columns(
        _salted("key", is_old.not_()),
        tokens=pl.when(is_old.not_()).then(pl.col("tokens") - pl.col("cut_tokens")).otherwise("tokens"),
    )
    lengths = told.select("req", length="prompt_tokens")
    requests = marks.requests.join(lengths, on="req", how="left", maintain_order="left").with_columns(
        prompt_tokens=pl.coalesce("length", "prompt_tokens")
    )
    return Marks(requests.drop("length"), kept.select(marks.positions.columns))
