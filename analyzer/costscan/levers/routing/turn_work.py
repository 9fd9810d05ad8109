"""What kind of step each turn was: the evidence that routing decides on."""

from typing import Final

import polars as pl

from costscan.levers.routing.candidates import class_of
from costscan.models import model_info
from costscan.schema.frames import PROMPT
from costscan.schema.tables.levers import TURN_WORK

_PLACE: Final = ["run_id", "turn"]


def turn_work(
    turns: pl.DataFrame, runs: pl.DataFrame, tool_calls: pl.DataFrame, blocks: pl.DataFrame
) -> pl.DataFrame:
    """Return the `turn_work` frame.

    Args:
        turns: all turns.
        runs: run_id, parent_run_id, n_turns.
        tool_calls: the canonical frame.
        blocks: run_id, turn_in, layer, role, kind, tokens.
    """
    models = turns["model"].unique()
    classes = {model: class_of(model) for model in models}
    thinks = {model: bool((info := model_info(model)) and info.thinks_by_default) for model in models}
    before = pl.col("output_tokens").shift(1).over("run_id", order_by="turn").fill_null(0)
    work = turns.select(
        *_PLACE,
        "output_tokens",
        "stop_reason",
        model_class=pl.col("model").replace_strict(classes, return_dtype=pl.String),
        thinks_by_default=pl.col("model").replace_strict(thinks, return_dtype=pl.Boolean),
        before_output_tokens=before,
        prompt_tokens=PROMPT,
        thinks=pl.col("thinking_tokens").fill_null(0) > 0,
    )
    return (
        work.join(_runs(runs), on="run_id", how="inner", maintain_order="left")
        .join(_calls(tool_calls), on=_PLACE, how="left", maintain_order="left")
        .join(_texts(blocks), on=_PLACE, how="left", maintain_order="left")
        .with_columns(pl.col("calls", "writes", "errors", "repeats", "user_tokens", "thoughts").fill_null(0))
        .with_columns(
            follows_errors=pl.col("errors").shift(1).over("run_id", order_by="turn").fill_null(0),
            thought=pl.col("thinks") | (pl.col("thoughts") > 0),
        )
        .select(*TURN_WORK.columns)
    )


def _runs(runs: pl.DataFrame) -> pl.DataFrame:
    return runs.select("run_id", "n_turns", is_sub_agent=pl.col("parent_run_id").is_not_null())


def _calls(tool_calls: pl.DataFrame) -> pl.DataFrame:
    """Count the calls of each turn, those that failed, and those that an earlier turn had made."""
    first = pl.col("turn").min().over("run_id", "tool", "args_hash")
    return (
        tool_calls.with_columns(again=pl.col("turn") > first)
        .group_by(_PLACE)
        .agg(
            calls=pl.len().cast(pl.Int64),
            writes=pl.col("changes").sum().cast(pl.Int64),
            errors=pl.col("is_error").sum().cast(pl.Int64),
            repeats=pl.col("again").sum().cast(pl.Int64),
        )
    )


def _texts(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return, by turn, the tokens that a person wrote before it, and how many thoughts it wrote itself."""
    messages = blocks.filter(pl.col("layer") == "messages")
    user_texts = messages.filter((pl.col("kind") == "text") & (pl.col("role") == "user"))
    thought = messages.filter(pl.col("kind") == "thinking").with_columns(pl.col("turn_in") - 1)
    zero, one = pl.lit(0, pl.Int64), pl.lit(1, pl.Int64)
    both = pl.concat([
        user_texts.select("run_id", turn="turn_in", user_tokens="tokens", thoughts=zero),
        thought.select("run_id", turn="turn_in", user_tokens=zero, thoughts=one),
    ])  # fmt: skip
    return both.group_by(_PLACE).agg(pl.col("user_tokens", "thoughts").sum())
