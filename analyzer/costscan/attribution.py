"""From calls and blocks to what each block, tool and run cost, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from costscan import carry, tokens
from costscan.frames import BLOCKS, TOOL_CALLS, USD, check
from costscan.growth import growth, with_epochs, with_shrinks
from costscan.ingest.merge import COPY_BITS

PICO_USD: Final = pl.lit("0.000000000001").cast(USD)
PARTS: Final = {
    "hidden": "(not in the log)",
    "system": "(system prompt)",
    "assistant": "(assistant)",
    "user": "(user)",
    "search": "(web search)",
    "unlogged": "(unlogged)",
}
"""Names of the parts of a bill that belong to no tool."""
_COSTS: Final = ("pico_usd", "entry_pico_usd", "output_pico_usd")
_HIDDEN_RANK: Final = 9


@dataclass
class Attributed:
    """One batch: its growth and tool calls, the cost of each part of each run, its blocks and its calls."""

    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    parts: pl.DataFrame
    blocks: pl.DataFrame
    calls: pl.DataFrame


def blocks_of(paths: Sequence[Path]) -> pl.DataFrame:
    """Read block tables, with copies numbered across tasks."""
    return pl.concat(
        [
            pl.read_ipc(path).with_columns(pl.col("copy") + (int(path.stem.rsplit("-", 1)[1]) << COPY_BITS))
            for path in paths
        ]
    )


def attribute(blocks: pl.DataFrame, calls: pl.DataFrame) -> Attributed:
    """Attribute the input and output cost of some copies of runs to their blocks.

    Args:
        blocks: the `blocks` table of the sources for these copies.
        calls: their calls, kept or not, sorted by copy and seq, with run_id, turn, family, is_exact and unit
            prices (0 where a call is not billed here).
    """
    calls = calls.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    blocks = tokens.weighed(_in_rows(blocks, calls), calls)
    calls = with_shrinks(calls, _cuts(blocks))
    blocks = tokens.cut_unknown(blocks, calls)
    calls = with_epochs(calls, _cuts(blocks))
    placed = _priced(tokens.placements(blocks, calls), blocks, calls)
    full = _joined(blocks, placed, calls)
    return Attributed(
        growth=growth(calls, _carried_over(placed, blocks, calls)),
        tool_calls=_tool_calls(full, calls),
        parts=_parts(full, calls),
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


def _cuts(blocks: pl.DataFrame) -> pl.Series:
    left = (pl.col("row_out") < pl.col("row_end")) & (pl.col("row_in") < pl.col("row_out"))
    return blocks.filter(left)["row_out"].unique()


def _priced(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    rank = (
        pl.when(pl.col("layer") == "messages").then(2).when(pl.col("layer") == "system").then(1).otherwise(0)
    )
    known = blocks.select("row_in", rank=rank.cast(pl.Int64)).select(pl.all().gather(placed["id"]))
    order = placed.hstack(known).with_columns(
        rank=pl.when(pl.col("side") == tokens.HIDDEN_FIRST)
        .then(-1)
        .otherwise(pl.col("rank").fill_null(_HIDDEN_RANK)),
    )
    return carry.costs(carry.positioned(order, ["rank", "row_in", "side", "id"]), calls)


def _written(blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Split the output of each call over the blocks it wrote."""
    made = blocks.filter(pl.col("row_made").is_not_null()).select("id", "row_made", "weight")
    output = calls.select("output_tokens", "pico_output").select(pl.all().gather(made["row_made"]))
    shared = tokens.allocated(made.hstack(output), "weight", "output_tokens", "row_made")
    return shared.select(
        "id", wrote_tokens="tokens", output_pico_usd=pl.col("tokens") * pl.col("pico_output")
    )


def _joined(blocks: pl.DataFrame, placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give one row per block that a kept call sent or wrote, hidden ones included, with tokens and costs."""
    shown = placed.filter(pl.col("id").is_not_null())
    sums = shown.select("id", "tokens", "entry_pico_usd", "pico_usd")
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
                pl.col("pico_usd").sum(),
            )
        )
    full = (
        blocks.join(sums, on="id", how="left")
        .join(_written(blocks, calls), on="id", how="left")
        .with_columns(
            tokens=pl.coalesce("tokens", "wrote_tokens", "weight"),
        )
    )
    full = pl.concat([full, _hidden(placed, calls)], how="diagonal").with_columns(pl.col(_COSTS).fill_null(0))
    return _of_kept_calls(full, calls)


def _hidden(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    ends = calls.group_by("epoch").agg(row_out=pl.col("row").max() + 1)
    found = placed.filter(pl.col("id").is_null()).join(ends, on="epoch", how="left", maintain_order="left")
    system = pl.col("side") == tokens.HIDDEN_FIRST
    return found.hstack(calls.select("copy", "line").select(pl.all().gather(found["start"]))).select(
        "copy",
        "row_out",
        "line",
        "weight",
        "tokens",
        "pico_usd",
        "entry_pico_usd",
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
        turn_in=turn_in, turn_out=pl.max_horizontal(turn_in, turn_out), made=made, used_last=used
    )
    return full.filter((pl.col("turn_in") < pl.col("turn_out")) | pl.col("made")).drop("made")


def _turn_at(
    turn_of: pl.Series, kept: pl.Series, rows: pl.Series, copies: pl.Series, own: pl.Series
) -> pl.Series:
    """Give the turn of each row; a row past the end of its copy is the turn after the last."""
    inside = (rows < copies.len()) & (copies.gather(rows.clip(upper_bound=copies.len() - 1)) == own)
    here = turn_of.gather(rows)
    after = turn_of.gather(rows - 1) + kept.gather(rows - 1)
    return pl.select(pl.when(inside).then(here).otherwise(after)).to_series()


def blocks_frame(done: Attributed) -> pl.DataFrame:
    """Give the `blocks` frame of a batch, the blocks of a run numbered in the order of its prompts."""
    runs = done.calls.select("copy", "run_id", "base").unique("copy")
    layer = (
        pl.when(pl.col("layer") == "messages").then(2).when(pl.col("layer") == "system").then(1).otherwise(0)
    )
    sent_last = pl.col("row_made").is_null() & (pl.col("layer") == "messages")
    full = done.blocks.join(runs, on="copy", how="left", maintain_order="left").sort(
        "run_id", "turn_in", "base", layer, sent_last, "id", nulls_last=True
    )
    return check(
        "blocks",
        full.with_columns(
            block=pl.int_range(pl.len(), dtype=pl.Int64).over("run_id"),
        ).select(*BLOCKS),
    )


def _carried_over(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum, for each call that starts an epoch, the tokens of blocks that had been sent before."""
    later = calls.filter(pl.col("starts") & (pl.col("seq") > 0))["row"]
    old = placed.filter(pl.col("start").is_in(later.implode()))
    before = (blocks["row_in"].gather(old["id"]) < old["start"]).fill_null(True)
    return old.filter(before).group_by(row="start").agg(carried_tokens=pl.col("tokens").sum())


def _tool_calls(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give the `tool_calls` frame: each tool_use, in the copy whose kept call made it, with its result."""
    kind = pl.col("kind")
    here = calls["kept"].gather(full["row_made"]).fill_null(True)
    used = full.filter((kind == "tool_use") & pl.col("tool").is_not_null() & here)
    results = (
        full.filter((kind == "tool_result") & pl.col("call_id").is_not_null())
        .unique(
            ["copy", "call_id"],
            keep="first",
            maintain_order=True,
        )
        .select(
            "copy",
            "call_id",
            result_hash="content_hash",
            result_tokens="tokens",
            failed="is_error",
            carried_turns=pl.col("turn_out") - pl.col("turn_in"),
            carried_usd=(pl.col("pico_usd") - pl.col("entry_pico_usd")).cast(USD) * PICO_USD,
        )
    )
    joined = used.join(results, on=["copy", "call_id"], how="left", maintain_order="left")
    runs = calls.select("copy", "run_id").unique("copy")
    return (
        joined.join(runs, on="copy", how="left", maintain_order="left")
        .select(
            "run_id",
            turn=pl.max_horizontal(pl.col("turn_in") - 1, 0),
            tool="tool",
            server=server("tool"),
            args_hash=pl.col("args_hash").fill_null(0),
            result_hash="result_hash",
            result_tokens="result_tokens",
            is_error=pl.col("failed").fill_null(False),
            carried_turns=pl.col("carried_turns").fill_null(0),
            carried_usd="carried_usd",
        )
        .select(*TOOL_CALLS)
    )


def server(tool: str) -> pl.Expr:
    """Give the MCP server in a tool name such as mcp__github__get_issue, null for other tools."""
    return pl.col(tool).str.extract(r"^mcp__(.+?)__", 1)


def _parts(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum the cost of each run by tool and, for what belongs to no tool, by part.

    Columns: run_id, part, pico_usd (input), entry_pico_usd (of it, first turns), output_pico_usd.
    """
    kind, layer = pl.col("kind"), pl.col("layer")
    part = (
        pl.when(pl.col("tool").is_not_null() & kind.is_in(["tool_use", "tool_result", "tool_def"]))
        .then("tool")
        .when(kind == "hidden")
        .then(pl.lit(PARTS["hidden"]))
        .when(layer == "system")
        .then(pl.lit(PARTS["system"]))
        .when(pl.col("role") == "assistant")
        .then(pl.lit(PARTS["assistant"]))
        .otherwise(pl.lit(PARTS["user"]))
    )
    by_copy = full.group_by("copy", part.alias("part")).agg(pl.col(_COSTS).sum())
    both = pl.concat([by_copy, _unwritten(full, calls)], how="diagonal").with_columns(
        pl.col(_COSTS).fill_null(0)
    )
    runs = calls.select("copy", "run_id").unique("copy")
    return both.join(runs, on="copy").group_by("run_id", "part").agg(pl.col(_COSTS).sum())


def _unwritten(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give the output that no logged block explains, and web searches."""
    output = (
        calls.filter("kept")
        .group_by("copy")
        .agg(
            all=(pl.col("output_tokens") * pl.col("pico_output")).sum(),
            search=(pl.col("web_searches") * pl.col("pico_web_search")).sum(),
        )
    )
    shown = full.group_by("copy").agg(shown=pl.col("output_pico_usd").sum())
    rest = output.join(shown, on="copy", how="left").with_columns(
        left=pl.col("all") - pl.col("shown").fill_null(0)
    )
    return pl.concat(
        [
            rest.filter(pl.col("left") != 0).select(
                "copy", part=pl.lit(PARTS["assistant"]), output_pico_usd="left"
            ),
            rest.filter(pl.col("search") != 0).select(
                "copy", part=pl.lit(PARTS["search"]), output_pico_usd="search"
            ),
        ]
    )
