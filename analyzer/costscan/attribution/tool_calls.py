"""The `tool_calls` frame: each call a model made, with what its result cost."""

from typing import Final

import polars as pl

from costscan.prices import usd_of
from costscan.reading.content.shell import LOOKS, SHELLS
from costscan.schema.tables.context import TOOL_CALLS

_CHANGING: Final = (
    r"(?i)edit|write|create|insert|update|replace|patch|apply|delete|remove|rename|move|send|reply|post|publish"
    r"|submit|commit|push|merge|deploy|execute|pay|refund|book|cancel|approve|task$|^agent$"
)
"""Names of tools that change or send something, or give work to another agent."""


def tool_calls(full: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return the `tool_calls` frame: each tool_use, in the copy whose kept call made it, with its result."""
    kind = pl.col("kind")
    here = calls["kept"].gather(full["row_made"]).fill_null(True)
    used = full.filter((kind == "tool_use") & pl.col("tool").is_not_null() & here)
    results = _results(full)
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
            changes=_changes(),
            result_hash="result_hash",
            result_tokens="result_tokens",
            is_error=pl.col("failed").fill_null(False),
            carried_turns=pl.col("carried_turns").fill_null(0),
            carried_usd="carried_usd",
        )
        .select(*TOOL_CALLS.columns)
    )


def _changes() -> pl.Expr:
    of_shell = pl.col("content").ne_missing(LOOKS)
    return (
        pl.when(pl.col("tool").is_in(SHELLS)).then(of_shell).otherwise(pl.col("tool").str.contains(_CHANGING))
    )


def _results(full: pl.DataFrame) -> pl.DataFrame:
    """Return each result with the pictures and documents inside it."""
    same = ["copy", "call_id", "row_in", "row_out"]
    inside = (
        full.filter(pl.col("kind").is_in(["image", "document"]) & pl.col("call_id").is_not_null())
        .group_by(same)
        .agg(pl.col("tokens", "pico_usd", "entry_pico_usd").sum().name.suffix("_inside"))
    )
    first = full.filter((pl.col("kind") == "tool_result") & pl.col("call_id").is_not_null()).unique(
        ["copy", "call_id"], keep="first", maintain_order=True
    )
    whole = first.join(inside, on=same, how="left", maintain_order="left").with_columns(
        pl.col(n) + pl.col(f"{n}_inside").fill_null(0) for n in ("tokens", "pico_usd", "entry_pico_usd")
    )
    return whole.select(
        "copy",
        "call_id",
        result_hash="content_hash",
        result_tokens="tokens",
        failed="is_error",
        carried_turns=pl.col("turn_out") - pl.col("turn_in"),
        carried_usd=usd_of(pl.col("pico_usd") - pl.col("entry_pico_usd")),
    )


def server(tool: str) -> pl.Expr:
    """Return the MCP server in a tool name such as mcp__github__get_issue, null for other tools."""
    return pl.col(tool).str.extract(r"^mcp__(.+?)__", 1)
