"""Calls that go to a model of another maker: what its tokenizer makes of them, and what its cache holds."""

from typing import Final

import polars as pl

from costscan.cache.automatic import ttl_us_of
from costscan.cache.policies import holds_all, is_automatic, is_marked
from costscan.cache_policy import SHORT_US
from costscan.levers.extended_prompts import is_extended
from costscan.levers.plan import MARKS, Breakpoints, Plan
from costscan.models import model_info
from costscan.other_models import other_model
from costscan.tokenizers import family

ACROSS_SPREAD: Final = 0.25
"""By what share a text may have more or fewer tokens in the tokenizer of another maker: docs/accuracy.md."""
_RATIOS: Final = ("size_ratio", "fixed_ratio", "output_ratio")


def between_makers(moves: pl.DataFrame) -> pl.DataFrame:
    """Return moves with is_across, whether the makers differ, and there the usual ratio for all that is sent.

    Args:
        moves: model, to_model and those of size_ratio, fixed_ratio and output_ratio that are needed.
    """
    pairs = moves.select("model", "to_model").unique()
    ratios = [_ratio(model, to_model) for model, to_model in pairs.rows()]
    told = pairs.with_columns(across_ratio=pl.Series(ratios, dtype=pl.Float64))
    joined = moves.join(told, on=["model", "to_model"], how="left", maintain_order="left")
    ratio = pl.col("across_ratio")
    return joined.with_columns(
        *(pl.coalesce(ratio, name).alias(name) for name in _RATIOS if name in moves.columns),
        is_across=ratio.is_not_null(),
    ).drop("across_ratio")


def _ratio(model: str | None, to_model: str) -> float | None:
    """Return how many times as long text is; None within a maker, and where it is not known."""
    own, there = _length(model), _length(to_model)
    if own is None or there is None or _maker(model) == _maker(to_model):
        return None
    return there / own


def _maker(model: str | None) -> str | None:
    """Return who makes a model of another maker, None for Claude models."""
    return other.provider if (other := other_model(model)) else None


def _length(model: str | None) -> float | None:
    if other := other_model(model):
        return other.relative_length
    info = model_info(model) if model is not None else None
    return family(info.tokenizer).relative_length if info else None


def recached(plan: Plan, before: pl.Series) -> Plan:
    """Let caches without breakpoints hold what is sent there, and those with some what was held without.

    There, breakpoints stand where they pay: at what other requests begin with. What was held already without
    them lives as long as in the other cache.

    Args:
        plan: the plan, with the models that calls go to.
        before: the models of its steps as they were.
    """
    steps = plan.steps
    was = steps.select(model=before).select(is_automatic(before)).to_series()
    now = steps.select(holds_all(steps["model"])).to_series()
    goes_back = steps.select(is_marked(steps["model"])).to_series() & was
    there, back = steps.filter(now & ~was), steps.filter(goes_back)["req"]
    stays = steps.filter(now & was & (steps["model"] != before)).select(
        "req", there_ttl_us=ttl_us_of(steps["model"])
    )
    if there.is_empty() and back.is_empty() and stays.is_empty():
        return plan
    ends = steps.filter(is_extended(steps, plan.groups))["req"]
    held = there.with_columns(own_ttl_us=ttl_us_of(steps["model"]))

    def moved(breakpoints: Breakpoints, prefix: str) -> Breakpoints:
        left = breakpoints.positions.filter(~pl.col("req").is_in(there["req"].implode()))
        is_back = pl.col("req").is_in(back.implode()) & pl.col("ttl_us").is_not_null()
        pays = pl.col("req").is_in(ends.implode()) | (pl.len().over("key") > 1)
        ttl_us = pl.when(~is_back).then("ttl_us").when(pays).then(SHORT_US).cast(pl.Int64)
        kept = left.with_columns(ttl_us=ttl_us).join(stays, on="req", how="left", maintain_order="left")
        lives = pl.when(pl.col("ttl_us").is_not_null()).then(pl.coalesce("there_ttl_us", "ttl_us"))
        marked = [kept.with_columns(ttl_us=lives).select(MARKS), *_held(held, prefix)]
        return Breakpoints(breakpoints.requests, pl.concat(marked))

    return plan.changed(steps, moved)


def _held(steps: pl.DataFrame, prefix: str) -> list[pl.DataFrame]:
    """Return what a cache without breakpoints holds of prompts, and may find in them."""
    tokens = pl.col("prompt_tokens") - (pl.col("moved_tokens") if prefix else 0)
    extends, shared = f"{prefix}extends_", f"{prefix}shared_"
    ends = (
        (f"{prefix}key", tokens, pl.col("own_ttl_us")),
        (f"{extends}key", pl.col(f"{extends}tokens"), pl.lit(None, pl.Int64)),
        (f"{shared}key", pl.col(f"{shared}tokens"), pl.col("own_ttl_us")),
    )
    each = (steps.select("req", key=key, tokens=tokens, ttl_us=ttl) for key, tokens, ttl in ends)
    return [frame.filter(pl.col("key").is_not_null(), pl.col("tokens") > 0).select(MARKS) for frame in each]


__all__ = ["ACROSS_SPREAD", "between_makers", "recached"]
