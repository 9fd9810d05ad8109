"""History that is replaced at a turn: of what was cached, only what stands before it is found again."""

from typing import Final

import polars as pl

from costscan.levers.plan import Breakpoints, Plan, salted, with_context, with_others

REWRITES: Final = ("run_id", "turn", "from_tokens", "cut_tokens")
"""From `turn` on, what stood behind `from_tokens` is another text, shorter by `cut_tokens`."""
_CHAIN: Final = ("extends", "stable_extends")


def rewritten(plan: Plan, rewrites: pl.DataFrame, only: pl.Series | None = None) -> Plan:
    """Replace history in the prompts of a context from a turn on.

    Args:
        plan: the plan.
        rewrites: as `REWRITES`, at most one of each context.
        only: the requests that change; else all since then.
    """
    steps = _with_rewrites(plan.steps, rewrites, only)
    changed = steps.filter(pl.col("salt").is_not_null()).select(
        "req", "salt", "from_tokens", "to_tokens", "cut_tokens"
    )
    shorter = steps.with_columns(
        salted("key"),
        salted("stable_key"),
        *(column for name in _CHAIN for column in _extended(name)),
        prompt_tokens=pl.col("prompt_tokens") - pl.col("cut_tokens").fill_null(0),
    ).select(plan.steps.columns)
    return plan.changed(shorter, lambda breakpoints, _: _rewritten_breakpoints(breakpoints, changed, shorter))


def later(steps: pl.DataFrame, rewrites: pl.DataFrame) -> pl.DataFrame:
    """Return the turns of each context since it is rewritten, with the columns of the rewrites."""
    numbered = with_context(steps).select("req", "run_id", "turn", "context")
    at = numbered.select("run_id", "turn", "context").join(rewrites, on=["run_id", "turn"], how="inner")
    since = at.rename({"turn": "since"})
    joined = numbered.join(since, on=["run_id", "context"], how="inner", maintain_order="left")
    return joined.filter(pl.col("turn") >= pl.col("since"))


def _with_rewrites(steps: pl.DataFrame, rewrites: pl.DataFrame, only: pl.Series | None) -> pl.DataFrame:
    """Add to the turns of a context, from the one where it is rewritten: salt, from_, to_ and cut_tokens."""
    numbered = with_context(steps)
    before = pl.col("prompt_tokens").shift(1).over("run_id", "context")
    # Where another model was sent the prompt before, that may be longer.
    ends = pl.when(before.is_not_null()).then(pl.min_horizontal(before, pl.col("prompt_tokens") - 1))
    place = numbered.select("run_id", "turn", "context", to_tokens=ends)
    at = place.join(rewrites, on=["run_id", "turn"], how="inner", maintain_order="left")
    name = (pl.struct("run_id", "turn").hash() // 2).cast(pl.Int64)
    per_context = at.select(
        "run_id", "context", "from_tokens", "to_tokens", "cut_tokens", salt=name, since="turn"
    ).filter(pl.col("to_tokens").is_not_null())
    joined = place.drop("to_tokens").join(
        per_context, on=["run_id", "context"], how="left", maintain_order="left"
    )
    late = pl.col("turn") >= pl.col("since")
    if only is not None:
        late &= numbered["req"].is_in(only.implode())
    columns = (
        pl.when(late).then(name).alias(name) for name in ("salt", "from_tokens", "to_tokens", "cut_tokens")
    )
    return numbered.hstack(joined.select(columns))


def _extended(name: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the key and the tokens of what a prompt extends: nothing, where that is the old history."""
    key, tokens = f"{name}_key", f"{name}_tokens"
    is_new, is_behind = pl.col("salt").is_not_null(), pl.col(tokens) > pl.col("to_tokens")
    less = pl.when(is_new & is_behind).then(pl.col(tokens) - pl.col("cut_tokens")).otherwise(tokens)
    return pl.when(is_new.not_() | is_behind).then(salted(key)).alias(key), less.alias(tokens)


def _rewritten_breakpoints(
    breakpoints: Breakpoints, changed: pl.DataFrame, steps: pl.DataFrame
) -> Breakpoints:
    positions = breakpoints.positions.join(changed, on="req", how="left", maintain_order="left")
    is_old = pl.col("salt").is_null() | (pl.col("tokens") <= pl.col("from_tokens"))
    is_new = pl.col("tokens") > pl.col("to_tokens")
    remaining = positions.filter(is_old | is_new).with_columns(
        salt=pl.when(is_old.not_()).then("salt"),
        tokens=pl.when(is_old.not_()).then(pl.col("tokens") - pl.col("cut_tokens")).otherwise("tokens"),
    )
    sent = remaining.with_columns(salted("key")).select(breakpoints.positions.columns)
    return Breakpoints(with_others(breakpoints.requests, steps.select("req", "prompt_tokens")), sent)
