"""From calls and blocks to what each block, tool and run cost, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from costscan.attribution import carried_cost, token_split
from costscan.attribution.blocks import LAYER_RANK, joined, numbered
from costscan.attribution.growth import growth, with_epochs, with_shrinks
from costscan.attribution.kept_tokens import forced_tokens, kept
from costscan.attribution.parts import PARTS, parts
from costscan.attribution.tool_calls import server, tool_calls
from costscan.cache.logged_prompts import Prompts, Readable, readable
from costscan.calibration import Calibration
from costscan.ingest.merge import COPY_BITS

_HIDDEN_RANK: Final = 9


@dataclass
class Attributed:
    """One batch: growth, tool calls, costs of the parts of runs, what turns could read, blocks and calls."""

    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    parts: pl.DataFrame
    readable: Readable
    blocks: pl.DataFrame
    calls: pl.DataFrame

    def numbered_blocks(self) -> pl.DataFrame:
        """Return the columns of the `blocks` and `block_costs` frames of the batch."""
        return numbered(self.blocks, self.calls)


def blocks_of(paths: Sequence[Path]) -> pl.DataFrame:
    """Read block tables, with copies numbered across tasks."""
    return pl.concat(
        [
            pl.read_ipc(path).with_columns(pl.col("copy") + (int(path.stem.rsplit("-", 1)[1]) << COPY_BITS))
            for path in paths
        ]
    )


def attribute(
    blocks: pl.DataFrame, calls: pl.DataFrame, prompts: Prompts, calibration: Calibration | None = None
) -> Attributed:
    """Attribute the input and output cost of some copies of runs to their blocks.

    Args:
        blocks: the `blocks` table of the sources for these copies.
        calls: their calls, kept or not, sorted by copy and seq, with run_id, turn, family, is_exact and unit
            prices (0 where a call is not billed here).
        prompts: what prompts in the log say of themselves, for these copies.
        calibration: what was counted of how far estimates are off.
    """
    calls = calls.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64), forced_tokens=forced_tokens(calls))
    blocks = token_split.weighed(_in_rows(blocks, calls), calls, calibration)
    calls = with_shrinks(calls, pl.concat(_cuts(blocks)))
    blocks = token_split.cut_unknown(blocks, calls)
    calls = with_epochs(calls, *_cuts(blocks))
    placed = _priced(kept(token_split.placements(blocks, calls), blocks, calls), blocks, calls)
    full = joined(blocks, placed, calls)
    return Attributed(
        growth=growth(calls, _carried_over(placed, blocks, calls)),
        tool_calls=tool_calls(full, calls),
        parts=parts(full, calls),
        readable=readable(prompts, placed, blocks, calls),
        blocks=full,
        calls=calls,
    )


def _in_rows(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Say where blocks entered and left in rows of the calls, and number them."""
    copies = calls.group_by("copy").agg(first=pl.col("row").min(), row_end=pl.col("row").max() + 1)
    joined = blocks.join(copies, on="copy", how="left", maintain_order="left")
    return joined.with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int64),
        row_in=pl.col("first") + pl.col("turn_in"),
        row_out=pl.col("first") + pl.col("turn_out"),
        row_made=pl.col("first") + pl.col("made_by"),
        row_used=pl.col("first") + pl.col("used_last"),
    ).drop("first", "turn_in", "turn_out", "used_last")


def _cuts(blocks: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return the rows of calls before which blocks left, and those before which only thinking did."""
    left = (pl.col("row_out") < pl.col("row_end")) & (pl.col("row_in") < pl.col("row_out"))
    rows = blocks.filter(left).group_by("row_out").agg(thinking=(pl.col("kind") == "thinking").all())
    return rows.filter(~pl.col("thinking"))["row_out"], rows.filter("thinking")["row_out"]


def _priced(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    # Where one came in at the place of another, the newer one stands before it.
    shown = pl.col("position").is_not_null()
    positions = blocks.select(
        pl.col("position").fill_null(0),
        nth=pl.when(shown).then(-pl.col("row_in")).otherwise("row_in"),
        rank=LAYER_RANK.cast(pl.Int64),
    ).select(pl.all().gather(placed["id"]))
    order = placed.hstack(positions).with_columns(
        rank=pl.when(pl.col("side") == token_split.HIDDEN_FIRST)
        .then(-1)
        .otherwise(pl.col("rank").fill_null(_HIDDEN_RANK)),
    )
    ordered = carried_cost.positioned(order, ["rank", "position", "nth", "side", "id"])
    priced = carried_cost.costs(_with_tool_use_behind(ordered), calls)
    return priced.with_columns(carried_cost.sent_tokens(priced, calls).alias("sent_tokens"))


def _with_tool_use_behind(ordered: pl.DataFrame) -> pl.DataFrame:
    """Add tool_use_tokens, what tool use adds to an epoch, and tool_use_behind, that of blocks behind."""
    if not (ordered["of_tool_use"] > 0).any():
        return ordered.with_columns(tool_use_tokens=pl.lit(0.0), tool_use_behind=pl.lit(0.0))
    added = pl.col("of_tool_use")
    return ordered.with_columns(
        tool_use_tokens=added.sum().over("epoch"),
        tool_use_behind=(added.sum() - added.cum_sum()).over("epoch"),
    )


def _carried_over(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum, for each call that starts an epoch, the tokens of blocks that had been sent before."""
    later = calls.filter(pl.col("starts") & (pl.col("seq") > 0))["row"]
    old = placed.filter(pl.col("start").is_in(later.implode()))
    before = (blocks["row_in"].gather(old["id"]) < old["start"]).fill_null(True)
    return old.filter(before).group_by(row="start").agg(carried_tokens=pl.col("tokens").sum())


__all__ = ["PARTS", "Attributed", "attribute", "blocks_of", "server"]
