"""Serve turns with other models: their limits, their caches, their tokens."""

from collections.abc import Callable
from typing import Final

import polars as pl

from costscan.cache.requests import with_minimums
from costscan.levers.plan import Breakpoints, Plan, with_others
from costscan.levers.routing.cache_links import relinked
from costscan.levers.routing.other_makers import ACROSS_SPREAD, between_makers, recached
from costscan.levers.routing.thoughts import without_thoughts
from costscan.levers.shortening import shortened
from costscan.levers.uncertainty import ATTACHED_ERROR
from costscan.models import drops_thinking, model_info, resolve
from costscan.other_models import other_model

SIZE_SPREAD: Final = 0.12
"""By what share the tokens of a text in the other family of tokenizers are taken to be off.

Nine of ten texts are within it in the older family, and within 0.14 in the newer: docs/token-weights.md.
"""
THINKING_GROWTH: Final = 0.5
"""A model that thinks by default may write so much more where the one before it did not think (assumed)."""
_REGIONS: Final = {"regional": "us.anthropic.", "us-gov": "us-gov.anthropic."}


_NEEDED: Final = (
    *("req", "at", "provider", "model", "model_raw", "speed", "domain", "min_tokens"),
    *("output_tokens", "thinking_tokens", "output_growth", "size_spread", "run_id"),
)


def family_of(model: str) -> str | None:
    """Return the tokenizer family of a model, null where it is not known."""
    info = model_info(model) or other_model(model)
    return info.tokenizer if info else None


def served_by(steps: pl.DataFrame, choice: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return the chosen turns with what changes: all columns of steps, with those of the other model.

    Args:
        steps: the steps of a plan.
        choice: req and to_model.
        sizes: req, size_ratio, fixed_ratio and output_ratio (what the other family of tokenizers makes of
            it), attached_share (of documents in the prompt), sure_share (see `sizes`), and has_tools.
    """
    moved = between_makers(
        steps.join(choice, on="req", how="inner", maintain_order="left").join(
            sizes, on="req", how="left", maintain_order="left"
        )
    )
    families = {m: family_of(m) for m in {*moved["model"].unique(), *moved["to_model"].unique()}}
    of = {
        name: pl.col(name).replace_strict(families, return_dtype=pl.String) for name in ("model", "to_model")
    }
    other = (of["model"] != of["to_model"]).fill_null(value=False)
    thinks = {m: bool((i := model_info(m)) and i.thinks_by_default) for m in moved["to_model"].unique()}
    quiet = (pl.col("thinking_tokens").fill_null(0) == 0) & pl.col("model").ne(pl.col("to_model"))
    grows = pl.col("to_model").replace_strict(thinks, return_dtype=pl.Boolean) & quiet
    longer = (pl.col("output_tokens") * pl.col("output_ratio")).round().cast(pl.Int64)
    served = moved.with_columns(
        is_other=other,
        output_tokens=pl.when(other).then(longer).otherwise("output_tokens"),
        output_growth=pl.when(grows).then(THINKING_GROWTH).otherwise("output_growth"),
        size_spread=pl.when("is_across")
        .then(ACROSS_SPREAD)
        .when(other)
        .then(_off())
        .otherwise("size_spread"),
        model_raw=_region(moved) + pl.col("to_model"),
        provider=pl.coalesce(_maker(moved), "provider"),
        speed=pl.lit("standard"),
        model="to_model",
    )
    domain = (pl.struct("provider", "model", "speed").hash() // 2).cast(pl.Int64)
    return with_minimums(served.with_columns(domain=domain).drop("min_tokens"))


def _off() -> pl.Expr:
    """Tell by what share a prompt may be off, by how much of it is documents, and how much was counted."""
    return SIZE_SPREAD + (ATTACHED_ERROR - SIZE_SPREAD) * pl.col("attached_share") - pl.col("sure_share")


def _maker(moved: pl.DataFrame) -> pl.Expr:
    """Return who is taken to serve the other model: its maker."""
    names = moved["to_model"].unique()
    of = {name: other.provider if (other := other_model(name)) else "anthropic" for name in names}
    known = {name: provider for name, provider in of.items() if family_of(name) is not None}
    return pl.col("to_model").replace_strict(known, default=None, return_dtype=pl.String)


def _region(turns: pl.DataFrame) -> pl.Expr:
    """Return what stands before the name of a model served in a region: that decides its price."""
    names = turns["model_raw"].unique().drop_nulls()
    prefixes = {
        name: _REGIONS.get((ref.region if (ref := resolve(name)) else None) or "", "") for name in names
    }
    prefix = pl.col("model_raw").replace_strict(prefixes, default="", return_dtype=pl.String)
    others = [name for name in turns["to_model"].unique() if other_model(name)]
    return pl.when(pl.col("to_model").is_in(others)).then(pl.lit("")).otherwise(prefix)


def routed(
    plan: Plan, choice: pl.DataFrame, sizes: pl.DataFrame, counts: pl.DataFrame, thoughts: pl.DataFrame
) -> Plan:
    """Return the plan with turns served by other models.

    Arguments are those of `served_by`; `counts` are from `links.block_counts`, `thoughts` is from
    `thoughts.thoughts`.
    """
    if choice.is_empty():
        return plan
    choice = choice.select("req", "to_model")
    changed = served_by(plan.steps.select(_NEEDED), choice, sizes)
    sent = plan
    for model in choice["to_model"].unique(maintain_order=True):
        moved_there = choice.filter(to_model=model)["req"]
        cuts = _as_sent_to(model, plan.steps, sizes)
        if (cuts.filter(pl.col("req").is_in(moved_there.implode()))["cut_tokens"] != 0).any():
            sent = shortened(sent, cuts, moved_there)
    names = ("model", "model_raw", "provider", "speed", "domain", "min_tokens", "output_tokens",
             "output_growth", "size_spread")  # fmt: skip
    steps = with_others(sent.steps, changed.select("req", *names))
    other = changed.select("req", "domain", "min_tokens")

    def moved(breakpoints: Breakpoints, _: str) -> Breakpoints:
        return Breakpoints(with_others(breakpoints.requests, other), breakpoints.positions)

    served = sent.changed(steps, moved)
    linked = relinked(served, plan.steps["domain"], changed["run_id"].unique(), counts)
    return without_thoughts(recached(linked, plan.steps["model"]), _dropping(changed, plan.steps), thoughts)


def _dropping(changed: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Return the turns whose model drops thinking, where that before did not."""
    own = changed.join(steps.select("req", own="model"), on="req", how="left", maintain_order="left")
    names = {*own["own"].unique().drop_nulls(), *own["model"].unique().drop_nulls()}
    dropping = [name for name in names if drops_thinking(name)]
    return own.filter(pl.col("model").is_in(dropping) & ~pl.col("own").is_in(dropping))


def _as_sent_to(model: str, steps: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return what would come off each prompt, were it sent to a model: req, cut_tokens, cut_fixed_tokens.

    Another family of tokenizers makes another length of the text; what tool use adds is that of the model.
    """
    both = steps.select("req", "model", "prompt_tokens", "shared_tokens").join(
        sizes, on="req", how="inner", maintain_order="left"
    )
    own, adds = (_of_models(both["model"], of_model) for of_model in (family_of, _tool_use_tokens))
    will = _tool_use_tokens(model)
    is_known = both["has_tools"] & (adds > 0) & (will > 0)
    both = between_makers(both.with_columns(to_model=pl.lit(model)))
    sized = both.with_columns(
        is_other=(own != family_of(model)).fill_null(value=False),
        adds=pl.when(is_known).then(adds).otherwise(0),
        will=pl.when(is_known).then(will).otherwise(0),
    )
    return sized.select(
        "req",
        cut_tokens=pl.col("prompt_tokens") - _length("prompt_tokens", "size_ratio"),
        cut_fixed_tokens=pl.col("shared_tokens") - _length("shared_tokens", "fixed_ratio"),
    )


def _length(tokens: str, ratio: str) -> pl.Expr:
    """Return what becomes of tokens that begin with what tool use adds; of none nothing."""
    times = pl.when("is_other").then(ratio).otherwise(1.0)
    text_tokens = pl.max_horizontal(pl.col(tokens) - pl.col("adds"), 0)
    grown = (text_tokens * times).round().cast(pl.Int64) + pl.col("will")
    return pl.when(pl.col(tokens) > 0).then(grown).otherwise(0)


def _of_models(models: pl.Series, lookup: Callable[[str], str | int | None]) -> pl.Series:
    by_name = {name: lookup(name) for name in models.unique().drop_nulls()}
    return models.replace_strict(by_name, default=None)


def _tool_use_tokens(model: str) -> int:
    info = model_info(model)
    return info.tool_use_tokens if info else 0
