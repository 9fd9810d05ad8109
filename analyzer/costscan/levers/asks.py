"""Requests that the log does not have: a prompt that was sent is re-sent, with a question behind it.

They have the breakpoints of that prompt, its model and its TTLs, whatever the plan makes of them, and are
billed with the turn that they repeat.
"""

from typing import Final

import polars as pl

ASKS: Final = pl.Schema(dict.fromkeys(("req", "before_req", "asked_tokens"), pl.Int64))
"""The request that is re-sent, the one just before which that is, and the tokens of the question."""
_NUMBER: Final = 1 << 40
"""What is added to the number of a request to name the one that repeats it."""


def billed_with(
    requests: pl.DataFrame, positions: pl.DataFrame, asks: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return requests and positions of the simulator, with those of `ASKS` beside them."""
    if asks.is_empty():
        return requests, positions
    follows = requests.select(before_req="req", just_us=pl.col("at_us") - 1)
    resent = requests.join(asks, on="req", how="inner").join(follows, on="before_req", how="inner")
    more = resent.with_columns(
        req=pl.col("req") + _NUMBER,
        at_us="just_us",
        ready_us="just_us",
        prompt_tokens=pl.col("prompt_tokens") + pl.col("asked_tokens"),
    )
    # Who asks for a summary has the answer to the prompt before it.
    answered = requests.join(resent.select("req", "just_us"), on="req", how="left", maintain_order="left")
    before = answered.with_columns(ready_us=pl.min_horizontal("ready_us", "just_us")).select(requests.columns)
    again = positions.join(resent.select("req"), on="req", how="semi").with_columns(pl.col("req") + _NUMBER)
    return pl.concat([before, more.select(requests.columns)]), pl.concat([positions, again])


def lasting(ttls: pl.DataFrame, asks: pl.DataFrame) -> pl.DataFrame:
    """Return the TTLs (req, ttl_us) of requests with those of the ones that repeat them."""
    again = ttls.join(asks.select("req"), on="req", how="semi")
    return pl.concat([ttls, again.with_columns(pl.col("req") + _NUMBER)])


def counted(classes: pl.DataFrame, asks: pl.DataFrame) -> pl.DataFrame:
    """Return the token classes of requests, each with those of the one that repeats it."""
    if asks.is_empty():
        return classes
    own = classes.filter(pl.col("req") >= 0).with_columns(pl.col("req") % _NUMBER)
    return own.group_by("req").agg(pl.all().sum())


__all__ = ["ASKS", "billed_with", "counted", "lasting"]
