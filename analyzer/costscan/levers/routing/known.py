"""What a router knows of a call before it is made: all that evidence may decide on."""

from typing import Final

import polars as pl

KNOWN: Final = pl.Schema(
    {
        "run_id": pl.String,
        "turn": pl.Int64,
        "is_sub_agent": pl.Boolean,
        "prompt_tokens": pl.Int64,
        "user_tokens": pl.Int64,
        "result_tokens": pl.Int64,
        "failed_results": pl.Int64,
        "before_calls": pl.Int64,
        "before_changes": pl.Int64,
        "before_output_tokens": pl.Int64,
        "has_thought": pl.Boolean,
    }
)
"""By call: its prompt, what a person wrote and what tools returned just before it, what the call before it
did (before_*), and whether the model thought in any call before it."""


def known_before(work: pl.DataFrame, tool_calls: pl.DataFrame) -> pl.DataFrame:
    """Return `KNOWN`.

    Args:
        work: the `turn_work` frame.
        tool_calls: the canonical frame.

    The second call knows of the first one, and nothing of itself:

    >>> work = pl.DataFrame({
    ...     "run_id": "run", "turn": [0, 1], "is_sub_agent": False, "prompt_tokens": [10, 40],
    ...     "user_tokens": [5, 0], "calls": [1, 2], "writes": [0, 1], "errors": [1, 0],
    ...     "output_tokens": [20, 30], "thought": [True, False],
    ... })
    >>> results = pl.DataFrame({"run_id": "run", "turn": [0, 1, 1], "result_tokens": [7, 8, None]})
    >>> known_before(work, results).drop("run_id", "is_sub_agent").rows()
    [(0, 10, 5, 0, 0, 0, 0, 0, False), (1, 40, 0, 7, 1, 1, 0, 20, True)]
    """
    returned = tool_calls.group_by("run_id", turn=pl.col("turn") + 1).agg(
        result_tokens=pl.col("result_tokens").sum()
    )

    def before(name: str) -> pl.Expr:
        return pl.col(name).shift(1).over("run_id", order_by="turn").fill_null(0)

    thought = pl.col("thought").cast(pl.Int64).cum_max()
    joined = work.join(returned, on=["run_id", "turn"], how="left", maintain_order="left")
    return joined.select(
        *("run_id", "turn", "is_sub_agent", "prompt_tokens", "user_tokens"),
        result_tokens=pl.col("result_tokens").fill_null(0),
        failed_results=before("errors"),
        before_calls=before("calls"),
        before_changes=before("writes"),
        before_output_tokens=before("output_tokens"),
        has_thought=thought.shift(1).over("run_id", order_by="turn").fill_null(0).cast(pl.Boolean),
    ).select(pl.col(name).cast(dtype) for name, dtype in KNOWN.items())


__all__ = ["KNOWN", "known_before"]
