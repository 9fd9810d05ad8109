"""Stretches of turns that are routed alike: what each of them costs on each model."""

from collections.abc import Callable
from typing import Final

import polars as pl

from costscan.cache_policy import SHORT_US
from costscan.levers.plan import with_context
from costscan.levers.routing.apply import served_by
from costscan.meters import METERS
from costscan.prices import cost_of

_READ, _W5, _W1, _IN = "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "input_tokens"
CLASSES: Final = (_IN, _READ, _W5, _W1)
_OF_STRETCH: Final = (
    *(
        "run_id",
        "from_req",
        "to_req",
        "begins_us",
        "ends_us",
        "context",
        "begins_block",
        "ends_block",
        "ttl_us",
        "crowd",
    ),
)
_NEEDED: Final = (
    *("req", "run_id", "turn", "context", "crowd", "at", "at_us", "ttl_us", "min_tokens"),
    *("provider", "model", "model_raw", "tier", "speed", "geo", "prompt_tokens", "shared_tokens"),
    *("output_tokens", "thinking_tokens", "web_searches", "output_growth", "size_spread"),
)
OWN: Final = ""
"""The model that served a turn."""


def turns_of(steps: pl.DataFrame, priced: pl.DataFrame, runs: pl.Series) -> pl.DataFrame:
    """Return the turns of some runs as `stretches` takes them.

    Args:
        steps: the steps of a plan.
        priced: their token classes and unit prices, from `Costs.of_turns`.
        runs: the ids of the runs.
    """
    chosen = pl.col("run_id").is_in(runs.implode())
    needed = with_context(steps.with_columns(crowd=_crowd(chosen))).select(_NEEDED)
    return needed.hstack(priced.select(*CLASSES, *_units(priced))).filter(chosen)


def stretches(
    turns: pl.DataFrame,
    options: pl.DataFrame,
    sizes: pl.DataFrame,
    units: Callable[[pl.DataFrame], pl.DataFrame],
) -> pl.DataFrame:
    """Return the stretches of some runs.

    Args:
        turns: from `turns_of`, with block_end (from `links.block_counts`).
        options: as `options.OPTIONS`.
        sizes: as `sizes.sizes`.
        units: gives the unit prices of steps.

    Returns:
        run_id, stretch, from_req, to_req, begins_us, ends_us, context, begins_block, ends_block (the blocks
        in its first and its last prompt), ttl_us, crowd (runs with options that share its prefix), and by
        model (lists): models, usable, warm (the cost when the model served the turn before), cold (when it
        did not), per_read (what a token costs more when it is written instead of read), read (tokens the
        first turn read), shared (those of them that other runs had cached), cached (tokens cached after the
        last turn).
    """
    costs = [_on_own(turns)]
    costs += [_on(turns, target, sizes, units) for target in options["to_model"].unique().sort()]
    marked = pl.concat(costs).join(
        options.with_columns(may=pl.lit(value=True)),
        left_on=["req", "model"], right_on=["req", "to_model"], how="left", maintain_order="left",
    )  # fmt: skip
    marked = marked.with_columns(usable=pl.col("may").fill_null(pl.col("model") == OWN)).drop("may")
    ever = pl.col("usable").any().over("run_id", "model")
    return _together(marked.filter(ever & pl.col("warm").is_not_null().all().over("run_id")))


def _crowd(chosen: pl.Expr) -> pl.Expr:
    """Count the chosen runs that begin like a run."""
    begins = pl.when(pl.col("shared_tokens") > 0).then(pl.struct("domain", "shared_key").hash())
    first = begins.first().over("run_id")
    runs = pl.when(chosen).then("run_id").drop_nulls().n_unique().over(first)
    return pl.when(first.is_not_null()).then(runs.cast(pl.Int64)).otherwise(1)


def _units(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name.startswith("pico_") and name != "pico_usd"]


def _on_own(own: pl.DataFrame) -> pl.DataFrame:
    return _costs(own.with_columns(model=pl.lit(OWN)))


def _on(
    own: pl.DataFrame, target: str, sizes: pl.DataFrame, units: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Return what the turns would cost on another model, once it has their prompts cached."""
    moved = served_by(own, own.select("req", to_model=pl.lit(target)), sizes)
    ratio = pl.when("is_other").then("size_ratio").otherwise(1.0)
    sized = moved.with_columns(
        (pl.col(name) * ratio).round().cast(pl.Int64) for name in (*CLASSES, "prompt_tokens", "shared_tokens")
    )
    long_enough = pl.col(_READ) + pl.col(_W5) + pl.col(_W1) >= pl.col("min_tokens")
    whole = pl.sum_horizontal(CLASSES)
    plain = sized.with_columns(
        *(pl.when(long_enough).then(name).otherwise(0).alias(name) for name in CLASSES[1:]),
        pl.when(long_enough).then(_IN).otherwise(whole).alias(_IN),
    )
    return _costs(plain.drop(_units(plain)).hstack(units(plain)).with_columns(model=pl.lit(target)))


def _costs(turns: pl.DataFrame) -> pl.DataFrame:
    """Return, by turn, what it costs warm and cold, and what decides what a return finds."""
    warm = pl.sum_horizontal(*(cost_of(meter) for meter in METERS), ignore_nulls=False)
    hour = (pl.col(_W1) > 0) | ((pl.col(_W5) == 0) & (pl.col("ttl_us") > SHORT_US))
    write = pl.when(hour).then("pico_cache_write_1h").otherwise("pico_cache_write_5m")
    # What no mark would write again is sent plain. A model that is not known to cache reads nothing.
    more_expensive = (write - pl.col("pico_cache_read")).fill_null(0)
    return turns.select(
        *("req", "run_id", "turn", "context", "block_end", "at_us", "ttl_us", "crowd", "model"),
        warm=warm,
        per_read=more_expensive,
        read=_READ,
        shared=pl.when(pl.col("turn") == 0).then(pl.min_horizontal(_READ, "shared_tokens")).otherwise(0),
        cached=pl.col(_READ) + pl.col(_W5) + pl.col(_W1),
    ).with_columns(cold=pl.col("warm") + pl.col("read") * pl.col("per_read"))


def _together(turns: pl.DataFrame) -> pl.DataFrame:
    """Cut the runs where the choice, the context or the winner changes, or where nothing was cached."""
    own = turns.filter(model=OWN).select("req", own="warm")
    compared = turns.join(own, on="req", how="left", maintain_order="left").sort("req", "model")
    each = compared.group_by("req", maintain_order=True).agg(
        *(
            pl.col(name).first()
            for name in ("run_id", "turn", "context", "block_end", "at_us", "ttl_us", "crowd")
        ),
        *(pl.col(name) for name in ("usable", "warm", "cold", "per_read", "read", "shared", "cached")),
        models=pl.col("model"),
        kind=pl.struct("usable", pl.col("warm") < pl.col("own")).implode().hash().first(),
        start=pl.col("read").filter(pl.col("model") == OWN).first() == 0,
    )
    begins = (
        (pl.col("run_id") != pl.col("run_id").shift(1))
        | (pl.col("kind") != pl.col("kind").shift(1))
        | (pl.col("context") != pl.col("context").shift(1))
        | pl.col("start")
    ).fill_null(value=True)
    numbered = each.with_columns(stretch=begins.cast(pl.Int64).cum_sum())
    lists = numbered.explode("models", "usable", "warm", "cold", "per_read", "read", "shared", "cached")
    sums = lists.group_by("stretch", "models", maintain_order=True).agg(
        *(
            pl.col(name).first()
            for name in ("run_id", "context", "crowd", "usable", "per_read", "read", "shared")
        ),
        from_req=pl.col("req").first(),
        to_req=pl.col("req").last(),
        begins_block=pl.col("block_end").first(),
        ends_block=pl.col("block_end").last(),
        begins_us=pl.col("at_us").first(),
        ends_us=pl.col("at_us").last(),
        ttl_us=pl.col("ttl_us").last(),
        is_priced=pl.col("warm").null_count() == 0,
        cold=pl.col("warm").sum() - pl.col("warm").first() + pl.col("cold").first(),
        warm=pl.col("warm").sum(),
        cached=pl.col("cached").last(),
    )
    by_model = ("models", "warm", "cold", "per_read", "read", "shared", "cached")
    return sums.group_by("stretch", maintain_order=True).agg(
        *(pl.col(name).first() for name in _OF_STRETCH),
        *(pl.col(name) for name in by_model),
        usable=pl.col("usable") & pl.col("is_priced"),
    )
