"""From calls and blocks to what each block, tool and run cost: the parts that need the blocks, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from costscan import carry, tokens
from costscan.frames import BLOCKS, TOOL_CALLS, USD, check
from costscan.growth import growth, with_epochs
from costscan.ingest.merge import COPY_BITS

PICO_USD: Final = pl.lit("0.000000000001").cast(USD)
_LAYER_ORDER: Final = {"tools": 0, "system": 1, "messages": 2}
PARTS: Final = {
    "hidden": "(not in the log)", "system": "(system prompt)", "assistant": "(assistant)", "user": "(user)",
    "search": "(web search)", "unlogged": "(unlogged)",
}
"""Names of the parts of a bill that belong to no tool."""


@dataclass
class Attributed:
    """One batch: its growth and tool calls, the cost of each part of each run, and its blocks with costs."""

    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    parts: pl.DataFrame
    blocks: pl.DataFrame


def blocks_of(paths: Sequence[Path]) -> pl.DataFrame:
    """Read block tables, with copies numbered across tasks."""
    return pl.concat([
        pl.read_ipc(path).with_columns(
            pl.col("copy") + (int(path.stem.rsplit("-", 1)[1]) << COPY_BITS))
        for path in paths
    ]).sort("copy", "block")


def attribute(blocks: pl.DataFrame, calls: pl.DataFrame) -> Attributed:
    """Attribute the input and output cost of some copies of runs to their blocks.

    Args:
        blocks: the `blocks` table of the sources for these copies.
        calls: their calls, kept or not, with run_id, turn, family, is_exact and unit prices (0 where a call
            is not billed here).
    """
    blocks = tokens.weighed(blocks, calls)
    first = with_epochs(calls, calls.select("copy", "seq").clear())
    blocks = tokens.cut_unknown(blocks, first)
    calls = with_epochs(calls, _cuts(blocks))
    placed = _priced(tokens.placements(blocks, calls), blocks, calls)
    written = _written(blocks, calls)
    full = _joined(blocks, placed, written, calls)
    return Attributed(
        growth=growth(calls, _carried_over(placed, blocks, calls)),
        tool_calls=_tool_calls(full),
        parts=_parts(full, calls),
        blocks=full,
    )


def _cuts(blocks: pl.DataFrame) -> pl.DataFrame:
    left = blocks.filter((pl.col("turn_out") <= pl.col("last_seq")) & (pl.col("turn_in") < pl.col("turn_out")))
    return left.select("copy", pl.col("turn_out").alias("seq")).unique()


def _priced(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    known = blocks.select("copy", "block", "turn_in",
                          rank=pl.col("layer").replace_strict(_LAYER_ORDER, return_dtype=pl.Int64))
    joined = placed.join(known, on=["copy", "block"], how="left").with_columns(
        hidden_first=(pl.col("side") != 0), rank=pl.col("rank").fill_null(9), turn_in=pl.col("turn_in").fill_null(0),
    )
    order = ["hidden_first", "rank", "turn_in", "side", "block"]
    return carry.costs(carry.positioned(joined, order), calls)


def _written(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Split the output of each call over the blocks it wrote."""
    made = blocks.filter(pl.col("made_by").is_not_null()).select("copy", "block", "made_by", "weight")
    output = calls.select("copy", pl.col("seq").alias("made_by"), "output_tokens", "pico_output")
    shared = made.join(output, on=["copy", "made_by"]).with_columns(
        wrote_tokens=tokens.allocate("weight", "output_tokens", ["copy", "made_by"]),
    )
    return shared.select("copy", "block", "wrote_tokens",
                         output_pico_usd=pl.col("wrote_tokens") * pl.col("pico_output"))


def _joined(blocks: pl.DataFrame, placed: pl.DataFrame, written: pl.DataFrame,
            calls: pl.DataFrame) -> pl.DataFrame:
    """Give one row per block, hidden ones included, with tokens and costs, in turns of the kept calls."""
    summed = placed.filter(pl.col("block").is_not_null()).sort("copy", "block", "epoch").group_by(
        "copy", "block", maintain_order=True,
    ).agg(pl.col("tokens", "entry_pico_usd").first(), pl.col("pico_usd").sum())
    shown = blocks.join(summed, on=["copy", "block"], how="left").join(
        written, on=["copy", "block"], how="left",
    ).with_columns(
        pl.coalesce("tokens", "wrote_tokens", "weight"),
        pl.col("pico_usd", "entry_pico_usd", "output_pico_usd").fill_null(0),
    )
    return _in_turns(pl.concat([shown, _hidden(placed, calls)], how="diagonal"), calls)


def _hidden(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    ends = calls.group_by("copy", "epoch").agg(turn_out=pl.col("seq").max() + 1)
    lines = calls.select("copy", pl.col("seq").alias("start"), "line")
    found = placed.filter(pl.col("block").is_null()).join(ends, on=["copy", "epoch"]).join(
        lines, on=["copy", "start"])
    system = pl.col("side") == 0
    return found.select(
        "copy", pl.lit(None, pl.Int64).alias("block"), pl.col("start").alias("turn_in"), "turn_out", "line",
        layer=pl.when(system).then(pl.lit("system")).otherwise(pl.lit("messages")),
        role=pl.when(system).then(pl.lit("system")).otherwise(pl.lit("user")),
        kind=pl.lit("hidden"), chars=pl.lit(0, pl.Int64), weight=pl.col("weight"), tokens="tokens",
        is_error=pl.lit(False), pico_usd="pico_usd", entry_pico_usd="entry_pico_usd",
        output_pico_usd=pl.lit(0, pl.Int64), order=pl.col("start"),
    )


def _in_turns(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Turn call numbers of a copy into turns of its run, and leave out what no kept call sent or wrote."""
    places = calls.select("copy", "seq", "kept", place=pl.col("base") + pl.col("kept_before"))
    ends = calls.group_by("copy").agg(
        seq=pl.col("seq").max() + 1, place=pl.col("base").max() + pl.col("kept").sum().cast(pl.Int64))
    place = pl.concat([places.select("copy", "seq", "place"), ends.select("copy", "seq", "place")])
    runs = calls.select("copy", "run_id").unique()
    full = full.join(runs, on="copy")
    for column in ("turn_in", "turn_out"):
        full = full.join(place.rename({"seq": column, "place": f"{column}_kept"}), on=["copy", column], how="left")
    full = full.join(
        places.select("copy", pl.col("seq").alias("made_by"), pl.col("kept").alias("made_kept")),
        on=["copy", "made_by"], how="left",
    )
    sent = pl.col("turn_in_kept") < pl.col("turn_out_kept")
    full = full.filter(sent | pl.col("made_kept").fill_null(False))
    layer = pl.col("layer").replace_strict(_LAYER_ORDER, return_dtype=pl.Int64)
    sent_last = pl.col("made_by").is_null() & (pl.col("layer") == "messages")
    full = full.sort("run_id", "turn_in_kept", "copy", layer, sent_last, "block", nulls_last=True)
    return full.with_columns(
        turn_in="turn_in_kept", turn_out="turn_out_kept",
        block=pl.int_range(pl.len(), dtype=pl.Int64).over("run_id"),
    )


def blocks_frame(full: pl.DataFrame) -> pl.DataFrame:
    """Give the `blocks` frame of a batch."""
    return check("blocks", full.with_columns(used_share=pl.lit(None, pl.Float64)).select(*BLOCKS).cast(
        {"weight": pl.Int64, "tokens": pl.Int64}))


def _carried_over(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum, for each call that starts an epoch, the tokens of blocks that had been sent before."""
    starts = calls.filter(pl.col("starts") & (pl.col("seq") > 0)).select("copy", pl.col("seq").alias("start"))
    entered = blocks.select("copy", "block", pl.col("turn_in").alias("entered"))
    old = placed.drop("turn_in").join(starts, on=["copy", "start"]).join(
        entered, on=["copy", "block"], how="left")
    before = (pl.col("entered") < pl.col("start")) | pl.col("block").is_null()
    return old.filter(before).group_by("copy", pl.col("start").alias("seq")).agg(
        carried_tokens=pl.col("tokens").sum())


def _tool_calls(full: pl.DataFrame) -> pl.DataFrame:
    """Give the `tool_calls` frame: each tool_use with the result that answers it."""
    used = full.filter((pl.col("kind") == "tool_use") & pl.col("tool").is_not_null())
    results = full.filter((pl.col("kind") == "tool_result") & pl.col("call_id").is_not_null()).unique(
        ["run_id", "call_id"], keep="first", maintain_order=True,
    ).select(
        "run_id", "call_id", result_hash="content_hash", result_tokens="tokens", failed="is_error",
        carried_turns=pl.col("turn_out") - pl.col("turn_in"),
        carried_usd=(pl.col("pico_usd") - pl.col("entry_pico_usd")).cast(USD) * PICO_USD,
    )
    joined = used.join(results, on=["run_id", "call_id"], how="left", maintain_order="left")
    return joined.select(
        "run_id", turn=pl.max_horizontal(pl.col("turn_in") - 1, 0), tool="tool", server=server("tool"),
        args_hash=pl.col("args_hash").fill_null(0), result_hash="result_hash", result_tokens="result_tokens",
        is_error=pl.col("failed").fill_null(False), carried_turns=pl.col("carried_turns").fill_null(0),
        carried_usd="carried_usd",
    ).select(*TOOL_CALLS)


def server(tool: str) -> pl.Expr:
    """Give the MCP server in a tool name such as mcp__github__get_issue, null for other tools."""
    return pl.col(tool).str.extract(r"^mcp__(.+?)__", 1)


def _parts(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum the cost of each run by tool and, for what belongs to no tool, by part: run_id, part, pico_usd, …"""
    name = (
        pl.when(pl.col("kind").is_in(["tool_use", "tool_result", "tool_def"]) & pl.col("tool").is_not_null())
        .then("tool")
        .when(pl.col("kind") == "hidden").then(pl.lit(PARTS["hidden"]))
        .when(pl.col("layer") == "system").then(pl.lit(PARTS["system"]))
        .when(pl.col("role") == "assistant").then(pl.lit(PARTS["assistant"]))
        .otherwise(pl.lit(PARTS["user"]))
    )
    sums = full.group_by("run_id", name.alias("part")).agg(
        pl.col("pico_usd", "entry_pico_usd", "output_pico_usd").sum())
    return pl.concat([sums, _unwritten(full, calls)], how="diagonal").with_columns(
        pl.col("pico_usd", "entry_pico_usd", "output_pico_usd").fill_null(0))


def _unwritten(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give the output that no logged block explains, and web searches."""
    kept = calls.filter("kept")
    output = kept.group_by("run_id").agg(
        all=(pl.col("output_tokens") * pl.col("pico_output")).sum(),
        search=(pl.col("web_searches") * pl.col("pico_web_search")).sum(),
    )
    shown = full.group_by("run_id").agg(shown=pl.col("output_pico_usd").sum())
    rest = output.join(shown, on="run_id", how="left").with_columns(
        left=pl.col("all") - pl.col("shown").fill_null(0))
    return pl.concat([
        rest.filter(pl.col("left") != 0).select(
            "run_id", part=pl.lit(PARTS["assistant"]), output_pico_usd="left"),
        rest.filter(pl.col("search") != 0).select(
            "run_id", part=pl.lit(PARTS["search"]), output_pico_usd="search"),
    ])
