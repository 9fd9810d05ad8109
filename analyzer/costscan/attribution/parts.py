"""The cost of each run by tool and, for what belongs to no tool, by part."""

from typing import Final

import polars as pl

from costscan.prices import BEYOND_TEXT

PARTS: Final = {
    "hidden": "(not in the log)",
    "earlier": "(earlier conversation)",
    "system": "(system prompt)",
    "assistant": "(assistant)",
    "user": "(user)",
    "search": "(web search)",
    "beyond text": "(audio and images)",
    "unlogged": "(unlogged)",
    "incomplete": "(usage incomplete)",
}
"""Names of the parts of a bill that belong to no tool."""
UNSHOWN: Final = "(output not in the log)"
OF_TOOLS: Final = ("tool_use", "tool_result", "tool_def", "image", "document")
"""Kinds of blocks that may belong to a tool; of pictures and documents, those inside its results."""
KEYS: Final = ("run_id", "part", "kind", "skill")
SUMS: Final = ("sent_tokens", "pico_usd", "entry_pico_usd", "output_pico_usd")


def parts(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Sum the cost of each run by tool or, for what belongs to no tool, part; by kind of block; by skill.

    Columns: run_id, part, kind, skill, sent_tokens (in all prompts together), pico_usd (input),
    entry_pico_usd (of it, first turns), output_pico_usd. What no block shows has its part as kind.
    """
    by_copy = full.group_by("copy", _part().alias("part"), "kind", "skill").agg(pl.col(SUMS).sum())
    both = pl.concat([by_copy, _unwritten(full, calls)], how="diagonal").with_columns(
        pl.col(SUMS).fill_null(0)
    )
    runs = calls.select("copy", "run_id").unique("copy")
    return both.join(runs, on="copy").group_by(KEYS).agg(pl.col(SUMS).sum())


def _part() -> pl.Expr:
    """Return the part a block belongs to: its tool, or what else it is."""
    kind, layer = pl.col("kind"), pl.col("layer")
    return (
        pl.when(pl.col("tool").is_not_null() & kind.is_in(OF_TOOLS))
        .then("tool")
        .when(is_earlier())
        .then(pl.lit(PARTS["earlier"]))
        .when(kind == "hidden")
        .then(pl.lit(PARTS["hidden"]))
        .when(layer == "system")
        .then(pl.lit(PARTS["system"]))
        .when(pl.col("role") == "assistant")
        .then(pl.lit(PARTS["assistant"]))
        .otherwise(pl.lit(PARTS["user"]))
    )


def is_earlier() -> pl.Expr:
    """Say of blocks whether they are a conversation before the first line of the log."""
    return (pl.col("kind") == "hidden") & (pl.col("layer") == "messages") & (pl.col("turn_in") == 0)


def _unwritten(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return the output that no logged block explains, web searches, and what audio and images cost more."""
    beyond = pl.col(BEYOND_TEXT) if BEYOND_TEXT in calls.columns else pl.lit(0, pl.Int64)
    output = (
        calls.filter("kept")
        .group_by("copy")
        .agg(
            all=(pl.col("output_tokens") * pl.col("pico_output")).sum(),
            search=(pl.col("web_searches") * pl.col("pico_web_search")).sum(),
            beyond=beyond.sum(),
        )
    )
    shown = full.group_by("copy").agg(shown=pl.col("output_pico_usd").sum())
    rest = output.join(shown, on="copy", how="left").with_columns(
        left=pl.col("all") - pl.col("shown").fill_null(0)
    )
    named = (
        ("left", PARTS["assistant"], UNSHOWN),
        ("search", PARTS["search"], PARTS["search"]),
        ("beyond", PARTS["beyond text"], PARTS["beyond text"]),
    )
    return pl.concat(
        rest.filter(pl.col(name) != 0).select(
            "copy", part=pl.lit(part), kind=pl.lit(kind), output_pico_usd=name
        )
        for name, part, kind in named
    )
