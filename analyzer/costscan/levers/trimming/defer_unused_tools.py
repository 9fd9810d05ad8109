"""Leave the definitions of tools that a task never calls out of its prompts, to be searched for instead."""

from typing import Final

import polars as pl

from costscan.levers.trimming.cuts import CUT_BLOCKS
from costscan.reading.content.deferred_tools import SEARCH_TOOLS

SEARCH_TOKENS: Final = 500
"""The tool-search tool that stays in their place.

Source: https://www.anthropic.com/engineering/advanced-tool-use
"""
_CODE: Final = "code_execution"
_STUB_BLOCK: Final = -1


def unused_definitions(blocks: pl.LazyFrame, tool_calls: pl.LazyFrame, runs: pl.LazyFrame) -> pl.LazyFrame:
    """Return the definitions in front of prompts of tools that no run of the task calls.

    A definition in the messages was deferred and found by a search: it is not deferred again. Nor is a search
    tool.

    Args:
        blocks: run_id, block, turn_in, turn_out, layer, kind, tool, tokens.
        tool_calls: run_id, tool.
        runs: run_id, task.

    Returns:
        the blocks, with task, and has_search (whether the prompts of the run have a search tool).

    Two runs of a task define tools, and one calls one of them:

    >>> blocks = pl.LazyFrame({
    ...     "run_id": ["a", "a", "b"], "block": [0, 1, 0], "turn_in": 0, "turn_out": 9, "layer": "tools",
    ...     "kind": "tool_def", "tool": ["code_execution", "mail", "chat"], "tokens": [50, 80, 90],
    ... })
    >>> calls = pl.LazyFrame({"run_id": ["b"], "tool": ["bash_code_execution"]})
    >>> runs = pl.LazyFrame({"run_id": ["a", "b"], "task": "sort"})
    >>> unused_definitions(blocks, calls, runs).select("run_id", "tool", "tokens").collect().rows()
    [('a', 'mail', 80), ('b', 'chat', 90)]
    """
    tasks = runs.select("run_id", "task")
    # Code execution is called under the names of what it does.
    name = pl.when(pl.col("tool").str.ends_with(f"_{_CODE}")).then(pl.lit(_CODE)).otherwise("tool")
    called = tool_calls.join(tasks, on="run_id").select("task", tool=name).unique()
    is_search = pl.col("tool").str.contains(SEARCH_TOOLS)
    tools = blocks.filter(
        pl.col("kind") == "tool_def", pl.col("layer") == "tools", pl.col("tool").is_not_null()
    )
    searched = tools.with_columns(has_search=is_search.any().over("run_id")).filter(~is_search)
    defined = searched.join(tasks, on="run_id", how="inner", maintain_order="left")
    return defined.join(called, on=["task", "tool"], how="anti", maintain_order="left")


def unused_tools(blocks: pl.DataFrame, tool_calls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return what leaves prompts where `unused_definitions` are searched for instead, as `CUT_BLOCKS`.

    A search tool takes their place where a prompt has none.

    Args:
        blocks: as for `unused_definitions`, with error_tokens.
        tool_calls: run_id, tool.
        runs: run_id, task.
    """
    unused = unused_definitions(blocks.lazy(), tool_calls.lazy(), runs.lazy()).collect()
    unused = unused.with_columns(is_fixed=pl.lit(value=True))
    stubs = (
        unused.group_by("run_id", "turn_in", "turn_out", "has_search", maintain_order=True)
        .agg(whole=pl.col("tokens").sum(), n=pl.len())
        .sort("run_id", "whole", descending=[False, True])
        .unique("run_id", keep="first", maintain_order=True)
    )
    paying = stubs.filter(pl.col("has_search") | (pl.col("whole") > SEARCH_TOKENS))
    stub = paying.filter(~pl.col("has_search")).with_columns(
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
