"""Tokens of each content block: the log's usage split over the blocks so that every sum is exact.

What the log says is the truth for a turn; the text only splits it. In a stretch in which the context only
grew (an epoch), the blocks that enter with a turn share the tokens the prompt grew by, what the model wrote
taking the logged output of the call before. At the start of an epoch all blocks in the context share the
prompt. What no block explains is a `hidden` block: transcripts show neither the system prompt nor the tool
definitions, nor most reminders.
"""

from typing import Final

import polars as pl

CHARS_PER_TOKEN: Final = {"v3": 3.35, "v4.7": 2.45}
"""Characters a token, by tokenizer family: medians over tool results of real logs."""
BLOCK_TOKENS: Final = {"tool_result": 16, "tool_use": 40}
"""Tokens around the text of a block, by kind."""
UNEXPLAINED_FACTOR: Final = 2
UNEXPLAINED_TOKENS: Final = 100
"""New blocks take at most this many times their estimate and this many tokens more; the rest is hidden."""
EXACT_SOURCES: Final = ("messages_api",)
"""Formats that log whole prompts: nothing in them is hidden."""

AT: Final = ["copy", "start"]


def weighed(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Add `weight`: the offline estimate of a block's tokens, for the tokenizer of the turn it enters with."""
    last = calls.group_by("copy").agg(pl.col("seq").max().alias("last_seq"))
    family = calls.select("copy", pl.col("seq").alias("at_seq"), "family")
    placed = blocks.join(last, on="copy", how="left", maintain_order="left").with_columns(
        at_seq=pl.min_horizontal("turn_in", "last_seq"),
    ).join(family, on=["copy", "at_seq"], how="left", maintain_order="left")
    rate = pl.col("family").replace_strict(CHARS_PER_TOKEN, default=CHARS_PER_TOKEN["v4.7"],
                                           return_dtype=pl.Float64)
    around = pl.col("kind").replace_strict(BLOCK_TOKENS, default=0, return_dtype=pl.Int64)
    weight = (pl.col("chars") / rate).ceil().cast(pl.Int64) + around + pl.col("fixed_tokens")
    return placed.with_columns(weight=pl.max_horizontal(weight, 1)).drop("at_seq", "family")


def cut_unknown(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Close the message blocks of transcripts before a prompt that shrank for no logged reason.

    Which blocks left is not known there, so what is left of them becomes one hidden block.
    """
    cuts = calls.filter(pl.col("shrank") & ~pl.col("is_exact")).select(
        "copy", pl.col("seq").alias("cut"), (pl.col("seq") - 1).alias("after"),
    )
    if cuts.is_empty():
        return blocks
    ordered = blocks.sort("turn_in", maintain_order=True)
    joined = ordered.join_asof(
        cuts.sort("after"), left_on="turn_in", right_on="after", by="copy", strategy="forward",
        check_sortedness=False,
    )
    shown = pl.col("layer") == "messages"
    return joined.with_columns(
        turn_out=pl.when(shown & pl.col("cut").is_not_null())
        .then(pl.min_horizontal("turn_out", "cut")).otherwise("turn_out"),
    ).drop("cut", "after").sort("copy", "block")


def placements(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give one row per block and epoch in which it was in the context, with its exact tokens there.

    Args:
        blocks: from `weighed` and `cut_unknown`.
        calls: from `growth.with_epochs`, with is_exact.

    Returns:
        copy, epoch, block (null for hidden ones), start (the first turn of the epoch that sent it), side
        (0 hidden before the rest, 1 written by the model, 2 sent, 3 hidden after), weight, tokens. The tokens
        of an epoch's placements that are in a turn's prompt sum to that prompt.
    """
    live = _live(blocks, calls)
    budgets = _budgets(live, calls)
    shown = live.join(budgets, on=AT, how="left").with_columns(
        budget=pl.when(pl.col("starts")).then("all_shown").when(pl.col("side") == 1).then("written")
        .otherwise("sent"),
        group=pl.when(pl.col("starts")).then(0).otherwise("side"),
    )
    shown = shown.with_columns(tokens=allocate("weight", "budget", ["copy", "start", "group"]))
    columns = ["copy", "epoch", "block", "start", "side", "weight", "tokens"]
    hidden = budgets.filter(pl.col("hidden") > 0).select(
        "copy", "epoch", pl.lit(None, pl.Int64).alias("block"), "start",
        pl.when("starts").then(0).otherwise(3).cast(pl.Int64).alias("side"),
        pl.col("hidden").alias("weight"), pl.col("hidden").alias("tokens"),
    )
    return pl.concat([shown.select(columns), hidden.select(columns)])


def _live(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    at = calls.select("copy", "seq", "epoch")
    first = calls.group_by("copy", "epoch").agg(pl.col("seq").min().alias("first"))
    carried = blocks.filter(pl.col("turn_in") < pl.col("turn_out"))
    ranged = carried.join(at.rename({"seq": "turn_in", "epoch": "epoch_in"}), on=["copy", "turn_in"]).join(
        at.rename({"epoch": "epoch_out"}).with_columns(turn_out=pl.col("seq") + 1).drop("seq"),
        on=["copy", "turn_out"],
    )
    each = ranged.with_columns(epoch=pl.int_ranges("epoch_in", pl.col("epoch_out") + 1)).explode("epoch")
    return each.join(first, on=["copy", "epoch"]).with_columns(
        start=pl.max_horizontal("turn_in", "first"),
        side=pl.when(pl.col("made_by").is_not_null()).then(1).otherwise(2).cast(pl.Int64),
    )


def _budgets(live: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Split what each turn added into what the model wrote, what was sent, and what is hidden."""
    written, sent = pl.col("side") == 1, pl.col("side") == 2  # noqa: PLR2004 - see `placements`
    sums = live.group_by(AT).agg(
        w_written=pl.col("weight").filter(written).sum(), w_sent=pl.col("weight").filter(sent).sum(),
        any_written=written.any(), any_sent=sent.any(), w_all=pl.col("weight").sum(),
    )
    turns = calls.select(
        "copy", "epoch", pl.col("seq").alias("start"), "starts", "is_exact", "prompt_tokens",
        grew=pl.col("prompt_tokens") - pl.col("before_tokens").fill_null(0),
        wrote=pl.when(pl.col("usage_from") == "reported").then("output_tokens").shift(1).over("copy"),
    ).join(sums, on=AT, how="left").with_columns(
        pl.col("w_written", "w_sent", "w_all").fill_null(0), pl.col("any_written", "any_sent").fill_null(False),
    )
    return turns.with_columns(all_shown=_all_shown(), written=_written()).with_columns(sent=_sent()).with_columns(
        hidden=pl.when("starts").then(pl.col("prompt_tokens") - pl.col("all_shown"))
        .otherwise(pl.col("grew") - pl.col("written") - pl.col("sent")),
    ).select("copy", "epoch", "start", "starts", "all_shown", "written", "sent", "hidden")


def _all_shown() -> pl.Expr:
    some = pl.col("w_all") > 0
    return pl.when(~some).then(0).when("is_exact").then("prompt_tokens").otherwise(
        pl.min_horizontal("w_all", "prompt_tokens"))


def _written() -> pl.Expr:
    known = pl.col("wrote").fill_null(pl.col("w_written"))
    fits = known <= pl.col("grew")
    whole = pl.max_horizontal(known + pl.col("w_sent"), 1)
    shared = (pl.col("grew") * known) // whole
    plain = pl.when(fits & pl.col("wrote").is_not_null()).then(known)
    alone = pl.min_horizontal(known, "grew")
    return pl.when(~pl.col("any_written")).then(0).otherwise(
        pl.coalesce(plain, pl.when(~pl.col("any_sent")).then(alone), shared))


def _sent() -> pl.Expr:
    rest = pl.col("grew") - pl.col("written")
    most = pl.when("is_exact").then(rest).otherwise(
        pl.min_horizontal(rest, pl.col("w_sent") * UNEXPLAINED_FACTOR + UNEXPLAINED_TOKENS))
    return pl.when("any_sent").then(most).otherwise(0)


def allocate(weight: str, budget: str, group: list[str]) -> pl.Expr:
    """Split `budget` over the rows of `group` by `weight`, in whole tokens whose sum is the budget.

    Each row gets its share rounded down; what is left goes, one each, to the largest remainders.
    """
    total = pl.max_horizontal(pl.col(weight).sum().over(group), 1)
    product = pl.col(budget) * pl.col(weight)
    floor = product // total
    left = pl.col(budget) - floor.sum().over(group)
    place = (product % total).rank("ordinal", descending=True).over(group).cast(pl.Int64)
    return floor + (place <= left).cast(pl.Int64)
