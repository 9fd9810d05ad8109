"""Why a prefix that had been cached was not read, as far as a log can tell."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from costscan.cache.proven_calls import SECONDS_BEFORE
from costscan.cache_policy import TTLS_US, policy_of

NOISE_TOKENS: Final = 100
"""Fewer tokens, lost for no reason that shows, are no finding: a reminder that the client left out."""
UNEXPLAINED: Final = "unexplained"
"""Nothing in the log says why."""
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "model_changed": ("model-switched", "tools"),
    "tools_changed": ("definition-changed", "tools"),
    "system_changed": ("text-edited", "system"),
    "messages_changed": ("history-rewritten", "messages"),
}
"""What the API itself says, and the layer that it is about.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""
_PLACE: Final = ["run_id", "turn"]


def with_cause(steps: pl.DataFrame, positions: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Return the turns that lost something, with cause, layer, path, was and now; cause `text`: a departure.

    Args:
        steps: from `with_readable`.
        positions: what was marked, or can be found, in the requests of the steps.
        departures: where prompts depart from those before.
    """
    texts = departures.filter("is_first").select(*_PLACE, text=pl.lit(value=True))
    lost = (
        steps.with_columns(
            model_before=pl.col("model").shift(1).over("run_id"),
            effort_before=pl.col("effort").shift(1).over("run_id"),
            # What was written before lives as long as it was written for, whatever this turn writes for.
            lives_us=pl.coalesce(pl.col("ttl_us").shift(1).over("run_id"), "ttl_us"),
            before_us=pl.col("at_us").shift(1).over("run_id"),
            was_refused=(pl.col("stop_reason").shift(1).over("run_id") == "refusal").fill_null(value=False),
        )
        .filter(pl.col("tokens_lost") > 0)
        .join(texts, on=_PLACE, how="left", maintain_order="left")
        .with_columns(pl.col("text").fill_null(value=False))
    )
    ruled = [model for model in lost["model"].unique() if policy_of(model) is not None]
    # Why a cache without known rules forgets nobody can tell; what changed in a prompt is seen all the same.
    seen = pl.when("text").then(pl.lit("text"))
    cause = pl.when(pl.col("model").is_in(ruled)).then(_cause()).otherwise(seen)
    return _described(_with_breakpoints(lost, positions).with_columns(cause=cause))


def _with_breakpoints(lost: pl.DataFrame, positions: pl.DataFrame) -> pl.DataFrame:
    """Add has_breakpoint, had_breakpoint (what a turn extends) and in_reach (of its own breakpoints)."""
    breakpoints = positions.filter(pl.col("ttl_us").is_not_null())
    wanted = lost.select("req", key="extends_key").filter(pl.col("key").is_not_null())
    reach = wanted.join(positions.select("req", "key").unique(), on=["req", "key"], how="semi")
    return lost.with_columns(
        has_breakpoint=pl.col("req").is_in(breakpoints["req"].unique().implode()),
        had_breakpoint=pl.col("extends_key")
        .is_in(breakpoints["key"].unique().implode())
        .fill_null(value=False),
        in_reach=pl.col("req").is_in(reach["req"].implode()),
    )


def _cause() -> pl.Expr:
    alive = (pl.col("since_s") * 1e6 <= pl.col("lives_us")).fill_null(value=True)
    # A log says when an answer was there; when it was asked for may have been later than the line before it.
    surely_alive = (pl.col("ready_us") - pl.col("before_us") <= pl.col("lives_us")).fill_null(value=True)
    shown, uses = pl.col("is_shown"), pl.col("uses")
    much = pl.col("tokens_lost") >= NOISE_TOKENS
    logged_cause = pl.col("miss_reason").replace_strict(
        {reason: cause for reason, (cause, _) in REASONS.items()}, default=None, return_dtype=pl.String
    )
    short = pl.col("prompt_tokens") < pl.col("min_tokens")
    return (
        pl.when(short)
        .then(pl.lit("below-minimum"))
        .when(shown & ~pl.col("has_breakpoint"))
        .then(None)
        .when(pl.col("model_switched") & pl.col("was_refused"))
        # Another model took over because that one refused: nobody set it so.
        .then(None)
        .when(pl.col("model_switched"))
        .then(pl.lit("model-switched"))
        .when(~alive & uses)
        .then(pl.lit("expired"))
        .when(pl.col("text"))
        .then(pl.lit("text"))
        .when(logged_cause.is_not_null() & uses)
        .then(logged_cause)
        .when(pl.col("setting_changed") & much)
        .then(pl.lit("setting-changed"))
        .when(pl.col("is_cut") & ~shown & much)
        .then(pl.lit("compaction"))
        .when(shown & pl.col("had_breakpoint") & ~pl.col("in_reach"))
        .then(pl.lit("lookback"))
        .when(_not_yet())
        .then(pl.lit("not-yet-readable"))
        .when(uses & much & surely_alive & (~shown | pl.col("had_breakpoint")))
        .then(pl.lit(UNEXPLAINED))
    )


def _not_yet() -> pl.Expr:
    """Whether a turn read what an earlier prompt of its context had cached, and not the newest, yet."""
    read = pl.col("earlier_tokens").list.contains(pl.col("cache_read_tokens")).fill_null(value=False)
    return read & (pl.col("since_s") <= SECONDS_BEFORE).fill_null(value=True)


def _described(lost: pl.DataFrame) -> pl.DataFrame:
    cause, seconds = pl.col("cause"), pl.col("since_s").round().cast(pl.Int64).cast(pl.String) + " s"
    names = {us: name for name, us in TTLS_US.items()}
    ttl = pl.col("lives_us").replace_strict(names, default=None, return_dtype=pl.String)
    layers = {reason: layer for reason, (_, layer) in REASONS.items()}
    logged_layer = pl.col("miss_reason").replace_strict(layers, default=None, return_dtype=pl.String)
    nothing = pl.when(pl.col("cache_read_tokens") == 0).then(pl.lit("tools")).otherwise(pl.lit("messages"))
    model, setting = cause == "model-switched", cause == "setting-changed"
    return lost.with_columns(
        layer=pl.when(model).then(pl.lit("tools")).otherwise(pl.coalesce(logged_layer, nothing)),
        path=pl.when(model)
        .then(pl.lit("model"))
        .when(setting)
        .then(pl.lit("settings"))
        .otherwise(pl.lit("prompt")),
        was=pl.when(model).then("model_before").when(setting).then("effort_before").when(cause == "expired")
        .then(ttl),
        now=pl.when(model).then("model").when(setting).then("effort").when(cause == "expired").then(seconds),
    )  # fmt: skip
