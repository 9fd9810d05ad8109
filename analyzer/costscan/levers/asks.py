"""Requests that the log does not have: a prompt that was sent is re-sent, with a question behind it.

They have the breakpoints of that prompt, its model and its TTLs, whatever the plan makes of them, and are
billed with the turn that they repeat.
"""

from typing import Final

import polars as pl

ASKS: Final = pl.Schema(dict.fromkeys(("req", "before_req", "asked_tokens"), pl.Int64))
"""The request that is re-sent, the one just before which that is, and the tokens of the question."""
_NUMBER: Final = 1 << 40
"""What is added to the number of a request, once or more, to name those that repeat it."""


def billed_with(
    requests: pl.DataFrame, positions: pl.LazyFrame, asks: pl.DataFrame
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return requests and positions of the simulator, with those of `ASKS` beside them."""
    every = requests.lazy()
    if asks.is_empty():
        return every, positions
    follows = every.select(before_req="req", just_us=pl.col("at_us") - 1)
    numbered = asks.lazy().with_columns(nth=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("req"))
    asked = every.join(numbered, on="req", how="inner").join(follows, on="before_req", how="inner")
    resent = asked.with_columns(number=pl.col("req") + pl.col("nth") * _NUMBER)
    more = resent.with_columns(
        req="number",
        at_us="just_us",
        ready_us="just_us",
        prompt_tokens=pl.col("prompt_tokens") + pl.col("asked_tokens"),
    )
    # Who asks for a summary has the answer to the prompt before it.
    just = resent.select("req", "just_us").unique("req")
    answered = every.join(just, on="req", how="left", maintain_order="left")
    before = answered.with_columns(ready_us=pl.min_horizontal("ready_us", "just_us")).select(requests.columns)
    of_again = positions.join(resent.select("req", "number"), on="req", how="inner")
    again = of_again.with_columns(req="number").drop("number")
    return pl.concat([before, more.select(requests.columns)]), pl.concat([positions, again])


def counted(classes: pl.LazyFrame, n: int = 1) -> pl.LazyFrame:
    """Return the token classes of requests, each with those of the one that repeats it.

    Args:
        classes: req and token classes.
        n: req is `req * n + k`, of the plan `k` of so many.
    """
    own = classes.filter(pl.col("req") >= 0)
    asked = pl.col("req") // n % _NUMBER * n + pl.col("req") % n
    return own.with_columns(req=asked).group_by("req").agg(pl.all().sum())


__all__ = ["ASKS", "billed_with", "counted"]
