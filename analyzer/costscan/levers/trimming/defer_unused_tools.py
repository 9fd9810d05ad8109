"""Leave the definitions of tools that a task never calls out of its prompts, to be searched for instead."""

from typing import Final

import polars as pl

from costscan.levers.trimming.cuts import CUT_BLOCKS

SEARCH_TOKENS: Final = 500
"""The tool-search tool that stays in their place.

Source: https://www.anthropic.com/engineering/advanced-tool-use
"""
_SEARCH: Final = r"^(?:tool_search|ToolSearch$)"
_STUB_BLOCK: Final = -1


def unused_tools(blocks: pl.DataFrame, tool_calls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return the definitions of tools that no run of the task calls, as `CUT_BLOCKS`, less the search tool.

    A definition in the messages was deferred and found by a search: it is not deferred again. Nor is a search
    tool, and where a prompt has one, none is added.

    Args:
        blocks: run_id, block, turn_in, turn_out, layer, kind, tool, tokens.
        tool_calls: run_id, tool.
        runs: run_id, task.
    """
    tasks = runs.select("run_id", "task")
    called = (
        tool_calls.select("run_id", "tool").unique().join(tasks, on="run_id").select("task", "tool").unique()
    )
    is_search = pl.col("tool").str.contains(_SEARCH)
    tools = blocks.filter(pl.col("kind") == "tool_def", pl.col("layer") == "tools")
    searches = tools.filter(is_search).select("run_id").unique()
    defined = tools.filter(~is_search).join(tasks, on="run_id", how="inner", maintain_order="left")
    unused = defined.join(called, on=["task", "tool"], how="anti", maintain_order="left").with_columns(
        is_fixed=pl.lit(value=True)
    )
    stubs = (
        unused.group_by("run_id", "turn_in", "turn_out", maintain_order=True)
        .agg(whole=pl.col("tokens").sum(), n=pl.len())
        .sort("run_id", "whole", descending=[False, True])
        .unique("run_id", keep="first", maintain_order=True)
    )
    has_search = pl.col("run_id").is_in(searches["run_id"].implode())
    paying = stubs.filter(has_search | (pl.col("whole") > SEARCH_TOKENS))
    stub = paying.filter(~has_search).with_columns(
        block=pl.lit(_STUB_BLOCK, pl.Int64),
        tokens=pl.lit(-SEARCH_TOKENS, pl.Int64),
        error_tokens=pl.lit(0.0),
        is_fixed=pl.lit(value=True),
    )
    kept = unused.join(paying, on="run_id", how="semi", maintain_order="left")
    return pl.concat([kept.select(*CUT_BLOCKS), stub.select(*CUT_BLOCKS)])


def other_tools(steps: pl.DataFrame, blocks: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Name the beginnings of prompts after the tools that are gone: req, salt, behind_tokens.

    Runs that lose the same tools still begin alike, those that lose others no longer do.
    """
    names = blocks.select("run_id", "block", "tool").join(
        cuts.select("run_id", "block"), on=["run_id", "block"], how="semi"
    )
    salts = names.group_by("run_id").agg(gone=pl.col("tool").unique().sort())
    named = salts.select("run_id", salt=(pl.col("gone").list.join("\n").hash() // 2).cast(pl.Int64))
    return steps.select("req", "run_id").join(named, on="run_id", how="inner", maintain_order="left").select(
        "req", "salt", behind_tokens=pl.lit(-1, pl.Int64)
    )  # fmt: skip
