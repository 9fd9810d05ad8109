"""Tokens of each content block: the log's usage split over the blocks so that every sum is exact.

What the log says is the truth for a turn; the text only splits it. In a stretch in which the context only
grew (an epoch), the blocks that enter with a turn share the tokens the prompt grew by, what the model wrote
taking the logged output of the call before. At the start of an epoch all blocks in the context share the
prompt. What no block explains is a `hidden` block: transcripts show neither the system prompt nor the tool
definitions, nor most reminders.

Blocks and calls meet by row number: `row_in` and `row_out` of a block are rows of the calls, so every look-up
is a gather and not a join.
"""

from typing import Final

import polars as pl

from costscan.attribution.calibrated import calibrated
from costscan.calibration import Calibration
from costscan.tokenizers import FAMILIES, FIRST, SECOND, UNKNOWN, TokenizerFamily

UNEXPLAINED_FACTOR: Final = 2
UNEXPLAINED_TOKENS: Final = 100
"""New blocks take at most this many times their estimate and this many tokens more; the rest is hidden."""

HIDDEN_FIRST: Final = 0
WRITTEN: Final = 1
SENT: Final = 2
HIDDEN_LAST: Final = 3
"""Sides of a prompt's news: hidden before the rest, written by the model, sent, hidden after the rest."""


def weighed(
    blocks: pl.DataFrame, calls: pl.DataFrame, calibration: Calibration | None = None
) -> pl.DataFrame:
    """Add `weight` and `other_weight`: offline estimates of a block's tokens, as far as counted corrected.

    The first is for the tokenizer of the turn it enters with, the other one for the other family.
    """
    at = blocks.select(pl.min_horizontal("row_in", pl.col("row_end") - 1)).to_series()
    is_first = (
        calls["family"]
        .replace_strict(
            {name: family is FIRST for name, family in FAMILIES.items()},
            default=UNKNOWN is FIRST,
            return_dtype=pl.Boolean,
        )
        .gather(at)
    )
    if calibration is not None:
        blocks = calibrated(blocks, calls["model"].gather(at), calibration)
    around = pl.when(is_first).then(_around(FIRST)).otherwise(_around(SECOND))
    first, second = (pl.col(name) + around for name in ("weight_first", "weight_second"))
    return blocks.with_columns(
        weight=pl.max_horizontal(pl.when(is_first).then(first).otherwise(second), 1),
        other_weight=pl.max_horizontal(pl.when(is_first).then(second).otherwise(first), 1),
    ).drop("weight_first", "weight_second")


def _around(family: TokenizerFamily) -> pl.Expr:
    """Return the tokens that a block takes beside its text."""
    return (
        pl.when(pl.col("kind") == "tool_result")
        .then(family.result_tokens)
        .when(pl.col("kind") == "tool_use")
        .then(family.call_tokens)
        .otherwise(0)
        .cast(pl.Int64)
    )


def cut_unknown(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Close the message blocks of transcripts before a prompt that shrank for no logged reason.

    Which blocks left is not known there, so what is left of them becomes one hidden block.
    """
    cuts = calls.filter(pl.col("shrank") & ~pl.col("is_exact")).select(cut="row", after=pl.col("row") - 1)
    if cuts.is_empty():
        return blocks
    numbered = blocks.with_row_index("_nr").sort("row_in")
    joined = numbered.join_asof(cuts, left_on="row_in", right_on="after", strategy="forward")
    left = (pl.col("layer") == "messages") & (pl.col("cut") < pl.col("row_end"))
    return (
        joined.with_columns(
            row_out=pl.when(left).then(pl.min_horizontal("row_out", "cut")).otherwise("row_out"),
        )
        .sort("_nr")
        .drop("cut", "after", "_nr")
    )


def placements(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return one row per block and epoch in which it was in the context, with its exact tokens there.

    Args:
        blocks: numbered by `id`, from `weighed` and `cut_unknown`.
        calls: from `growth.with_epochs`, with is_exact.

    Returns:
        id (null for hidden blocks), epoch, start (the row of the first call of the epoch that sent it), side,
        weight, tokens. The placements of an epoch up to a call sum to that call's prompt.
    """
    live = _live(blocks, calls)
    budgets = _budgets(live, calls)
    shown = live.with_columns(
        budgets.select("starts", "all_shown", "written", "sent").select(pl.all().gather(live["start"])),
    ).select(
        "id",
        "epoch",
        "start",
        "side",
        "weight",
        "is_sized",
        group=pl.col("start") * 4 + pl.when("starts").then(0).otherwise("side"),
        budget=pl.when("starts")
        .then("all_shown")
        .when(pl.col("side") == WRITTEN)
        .then("written")
        .otherwise("sent"),
    )
    shown = _with_sized(shown)
    hidden = budgets.filter(pl.col("hidden") > 0).select(
        "epoch",
        start="row",
        weight="hidden",
        tokens="hidden",
        id=pl.lit(None, pl.Int64),
        side=pl.when("starts").then(pl.lit(HIDDEN_FIRST, pl.Int64)).otherwise(HIDDEN_LAST),
    )
    columns = ["id", "epoch", "start", "side", "weight", "tokens"]
    return pl.concat([allocated(shown, "weight", "budget", "group").select(columns), hidden.select(columns)])


def _with_sized(shown: pl.DataFrame) -> pl.DataFrame:
    """Split the budgets of groups in which some sizes are known better than others.

    Pictures whose size is known take what follows from it, and the other blocks what is left. A picture or
    document that is not in the log takes what the estimates of all else leave. Where there is less than that,
    or nothing else came in, all share alike.
    """
    is_open = pl.col("is_sized").is_null()
    sure = pl.when(is_open.any().over("group")).then(~is_open).otherwise("is_sized")
    with_sure = shown.with_columns(sure=sure)
    sized_weight = pl.when("sure").then("weight").otherwise(0).sum().over("group")
    apart = (sized_weight > 0) & (sized_weight < pl.col("budget")) & ~pl.col("sure").all().over("group")
    own = pl.col("group") * 2 + (apart & pl.col("sure")).cast(pl.Int64)
    left = (
        pl.when(~apart)
        .then("budget")
        .when("sure")
        .then(sized_weight)
        .otherwise(pl.col("budget") - sized_weight)
    )
    return with_sure.with_columns(group=own, budget=left).drop("sure")


def _live(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    carried = blocks.filter(pl.col("row_in") < pl.col("row_out"))
    epoch_of = calls["epoch"]
    first_of = calls.filter("starts")["row"]
    first, last = epoch_of.gather(carried["row_in"]), epoch_of.gather(carried["row_out"] - 1)
    ranged = carried.select(
        "id",
        "row_in",
        "weight",
        "is_sized",
        side=pl.when(pl.col("made_by").is_not_null()).then(pl.lit(WRITTEN, pl.Int64)).otherwise(SENT),
    ).with_columns(epoch=first)
    if not (first == last).all():
        ranged = ranged.with_columns(epoch=pl.select(pl.int_ranges(first, last + 1)).to_series()).explode(
            "epoch"
        )
    return ranged.with_columns(start=pl.max_horizontal("row_in", first_of.gather(ranged["epoch"])))


def _budgets(live: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Split what each turn added into what the model wrote, what was sent, and what is hidden."""
    written = pl.col("side") == WRITTEN
    sums = live.group_by("start").agg(
        w_written=pl.col("weight").filter(written).sum(), w_all=pl.col("weight").sum()
    )
    output = pl.when(pl.col("usage_from") == "reported").then("output_tokens").shift(1)
    turns = (
        calls.select(
            "row",
            "epoch",
            "starts",
            "is_exact",
            "prompt_tokens",
            wrote=output,
            grew=pl.col("prompt_tokens") - pl.col("before_tokens").fill_null(0),
        )
        .join(sums, left_on="row", right_on="start", how="left", maintain_order="left")
        .with_columns(
            pl.col("w_written", "w_all").fill_null(0),
        )
        .with_columns(w_sent=pl.col("w_all") - pl.col("w_written"))
    )
    turns = turns.with_columns(all_shown=_all_shown(), written=_written()).with_columns(sent=_sent())
    return turns.with_columns(
        hidden=pl.when("starts")
        .then(pl.col("prompt_tokens") - pl.col("all_shown"))
        .otherwise(pl.col("grew") - pl.col("written") - pl.col("sent")),
    )


def _all_shown() -> pl.Expr:
    return (
        pl.when(pl.col("w_all") == 0)
        .then(0)
        .when("is_exact")
        .then("prompt_tokens")
        .otherwise(pl.min_horizontal("w_all", "prompt_tokens"))
    )


def _written() -> pl.Expr:
    """What the model wrote: its logged output, or its share by weight where that is not known or too much."""
    written = pl.col("wrote").fill_null(pl.col("w_written"))
    fits = pl.col("wrote").is_not_null() & (written <= pl.col("grew"))
    shared = (pl.col("grew") * written) // pl.max_horizontal(written + pl.col("w_sent"), 1)
    return (
        pl.when(pl.col("w_written") == 0)
        .then(0)
        .when(fits)
        .then(written)
        .when(pl.col("w_sent") == 0)
        .then(pl.min_horizontal(written, "grew"))
        .otherwise(shared)
    )


def _sent() -> pl.Expr:
    rest = pl.col("grew") - pl.col("written")
    most = (
        pl.when("is_exact")
        .then(rest)
        .otherwise(pl.min_horizontal(rest, pl.col("w_sent") * UNEXPLAINED_FACTOR + UNEXPLAINED_TOKENS))
    )
    return pl.when(pl.col("w_sent") > 0).then(most).otherwise(0)


def allocated(frame: pl.DataFrame, weight: str, budget: str, group: str) -> pl.DataFrame:
    """Add `tokens`: `budget` split over the rows of each group by `weight`, in whole tokens that sum to it.

    Each row gets its share rounded down; what is left goes, one each, to the largest remainders, of equal
    ones to the largest weights. Rows come back in another order. (A rank per group would take fifty times as
    long as this sort.)

    Ten tokens over weights 1, 1 and 4 are 1 2/3, 1 2/3 and 6 2/3; two of them are rounded up:

    >>> parts = pl.DataFrame({"part": ["a", "b", "c"], "weight": [1, 1, 4], "budget": 10, "turn": 0})
    >>> allocated(parts, "weight", "budget", "turn").select("part", "tokens").sort("part").rows()
    [('a', 2), ('b', 1), ('c', 7)]
    """
    total = pl.col(weight).sum().over(group)
    product = pl.col(budget) * pl.col(weight)
    shared = frame.with_columns(_floor=product // total, _rest=product % total).with_columns(
        _left=pl.col(budget) - pl.col("_floor").sum().over(group)
    )
    ordered = shared.sort(group, "_rest", weight, descending=[False, True, True], maintain_order=True)
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    begins = (pl.col(group) != pl.col(group).shift(1)).fill_null(True)
    place = row - pl.when(begins).then(row).forward_fill()
    return ordered.with_columns(tokens=pl.col("_floor") + (place < pl.col("_left")).cast(pl.Int64)).drop(
        "_floor", "_rest", "_left"
    )
