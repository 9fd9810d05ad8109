"""Each content block with its tokens, its costs and the turns of the run it was in."""

from typing import Final

import polars as pl

from costscan.attribution import token_split
from costscan.attribution.parts import SUMS
from costscan.prices import usd_of
from costscan.schema.tables.context import BLOCKS

LAYER_RANK: Final = (
    pl.when(pl.col("layer") == "messages").then(2).when(pl.col("layer") == "system").then(1).otherwise(0)
)
"""The order of a prompt: tools, system, messages."""


def joined(blocks: pl.DataFrame, placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return a row per block that a kept call sent or wrote, hidden ones included, with tokens and costs."""
    shown = placed.filter(pl.col("id").is_not_null())
    sums = shown.select("id", "tokens", "entry_pico_usd", "pico_usd", "sent_tokens")
    if shown["id"].n_unique() < shown.height:
        # A block has other tokens in each epoch: those of the first that was billed here are shown.
        billed = pl.col("epoch").is_in(calls.filter("kept")["epoch"].unique().implode())
        sums = (
            shown.with_columns(billed=billed)
            .sort("epoch")
            .group_by("id")
            .agg(
                pl.coalesce(pl.col("tokens").filter("billed").first(), pl.col("tokens").first()),
                pl.col("entry_pico_usd").first(),
                pl.col("pico_usd", "sent_tokens").sum(),
            )
        )
    full = (
        blocks.join(sums, on="id", how="left")
        .join(_written(blocks, calls), on="id", how="left")
        .with_columns(
            tokens=pl.coalesce("tokens", "wrote_tokens", "weight"),
        )
    )
    full = pl.concat([full, _hidden(placed, calls)], how="diagonal").with_columns(pl.col(SUMS).fill_null(0))
    return _of_kept_calls(full, calls)


def _written(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Split the output of each call over the blocks it wrote."""
    made = blocks.filter(pl.col("row_made").is_not_null()).select("id", "row_made", "weight")
    output = calls.select("output_tokens", "pico_output").select(pl.all().gather(made["row_made"]))
    shared = token_split.allocated(made.hstack(output), "weight", "output_tokens", "row_made")
    return shared.select(
        "id", wrote_tokens="tokens", output_pico_usd=pl.col("tokens") * pl.col("pico_output")
    )


def _hidden(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    ends = calls.group_by("epoch").agg(row_out=pl.col("row").max() + 1)
    hidden = placed.filter(pl.col("id").is_null()).join(ends, on="epoch", how="left", maintain_order="left")
    # What stands before a conversation that the log joined late is most of all that conversation.
    system = (pl.col("side") == token_split.HIDDEN_FIRST) & ~(pl.col("is_clipped") & (pl.col("seq") == 0))
    begun = calls.select("copy", "line", "seq", "is_clipped").select(pl.all().gather(hidden["start"]))
    return hidden.hstack(begun).select(
        "copy",
        "row_out",
        "line",
        "weight",
        "tokens",
        "pico_usd",
        "entry_pico_usd",
        "sent_tokens",
        row_in="start",
        layer=pl.when(system).then(pl.lit("system")).otherwise(pl.lit("messages")),
        role=pl.when(system).then(pl.lit("system")).otherwise(pl.lit("user")),
        kind=pl.lit("hidden"),
        chars=pl.lit(0, pl.Int64),
        is_error=pl.lit(False),
    )


def _of_kept_calls(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Say in which turns of the run a block was, and leave out what no kept call sent or wrote."""
    turn_of = pl.concat([calls["base"] + calls["kept_before"], pl.Series([0], dtype=pl.Int64)])
    kept = calls["kept"].cast(pl.Int64)
    # A block that leaves with the end of its copy leaves after the copy's last kept turn.
    last = full["row_out"] - 1
    turn_in = _turn_at(turn_of, kept, full["row_in"], calls["copy"], full["copy"])
    turn_out = turn_of.gather(last) + kept.gather(last)
    made = calls["kept"].gather(full["row_made"]).fill_null(False)
    used = turn_of.gather(full["row_used"])
    full = full.with_columns(
        turn_in=turn_in,
        # What no call sent ends where it begins: the row before its end is of another copy.
        turn_out=pl.when(pl.col("row_in") < pl.col("row_out"))
        .then(pl.max_horizontal(turn_in, turn_out))
        .otherwise(turn_in),
        made=made,
        last_used_turn=used,
    )
    return full.filter((pl.col("turn_in") < pl.col("turn_out")) | pl.col("made")).drop("made")


def _turn_at(
    turn_of: pl.Series, kept: pl.Series, rows: pl.Series, copies: pl.Series, own: pl.Series
) -> pl.Series:
    """Return the turn of each row; a row past the end of its copy is the turn after the last.

    Copy 0 tells three calls, of which another copy tells the second (it is not kept); copy 1 tells one more:

    >>> turn_of, kept = pl.Series([0, 1, 1, 2, 0]), pl.Series([1, 0, 1, 1])
    >>> copies, rows = pl.Series([0, 0, 0, 1]), pl.Series([0, 2, 3, 4])
    >>> _turn_at(turn_of, kept, rows, copies, pl.Series([0, 0, 0, 1])).to_list()
    [0, 1, 2, 3]
    """
    inside = (rows < copies.len()) & (copies.gather(rows.clip(upper_bound=copies.len() - 1)) == own)
    here = turn_of.gather(rows)
    after = turn_of.gather(rows - 1) + kept.gather(rows - 1)
    return pl.select(pl.when(inside).then(here).otherwise(after)).to_series()


def numbered(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Number the blocks of each run in the order of its prompts.

    Args:
        blocks: from `joined`.
        calls: their calls, with copy, run_id and base.

    Returns:
        the columns of the `blocks` and `block_costs` frames.
    """
    runs = calls.select("copy", "run_id", "base").unique("copy")
    sent_last = pl.col("row_made").is_null() & (pl.col("layer") == "messages")
    full = blocks.join(runs, on="copy", how="left", maintain_order="left").sort(
        "run_id", "turn_in", "base", LAYER_RANK, sent_last, "id", nulls_last=True
    )
    return full.select(
        "run_id",
        pl.int_range(pl.len(), dtype=pl.Int64).over("run_id").alias("block"),
        *(name for name in BLOCKS.columns if name not in {"run_id", "block"}),
        entry_usd=usd_of(pl.col("entry_pico_usd")),
        carried_usd=usd_of(pl.col("pico_usd") - pl.col("entry_pico_usd")),
        output_usd=usd_of(pl.col("output_pico_usd")),
        skill="skill",
        content="content",
        last_used_turn="last_used_turn",
        used_to="used_to",
        other_tokens=_other_tokens(),
    )


def _other_tokens() -> pl.Expr:
    """Return the tokens of a block in the other tokenizer family, as many times as its estimate says."""
    times = pl.col("other_weight") / pl.col("weight")
    return (pl.col("tokens") * times).round().cast(pl.Int64)
