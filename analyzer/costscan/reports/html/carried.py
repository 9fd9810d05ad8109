"""What the prompts of a thread carried: blocks put together by what they are and the turn they came in."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from costscan.rulebook import Diagnosis

BANDS: Final = ("tools", "system", "not logged", "tool results", "assistant", "user")
"""What a band is made of; what no log tells stands apart."""
_MESSAGES: Final = 2
"""Where messages are in a prompt: behind tools and system."""


def carried(analysis: Diagnosis, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what the prompts of some threads carried, band by band.

    Columns: run_id, kind (the number in BANDS), from and to (the turns whose prompts have it, the last one
    not), tokens, message (1 where it is one, 0 for tools and system). The bands of a run are in the order in
    which they lie on one another in a prompt, the first below.
    """
    place = (
        pl.when(pl.col("layer") == "tools")
        .then(0)
        .when(pl.col("layer") == "system")
        .then(1)
        .otherwise(_MESSAGES)
    )
    is_sent = (pl.col("turn_in") < pl.col("turn_out")) & (pl.col("tokens") > 0)
    order = ("run_id", "place", "from", "kind", "to")
    return (
        analysis.blocks.filter(pl.col("run_id").is_in(list(run_ids)) & is_sent)
        .select(
            "run_id",
            "tokens",
            place=place,
            kind=_band(),
            **{"from": pl.col("turn_in"), "to": pl.col("turn_out")},
        )
        .group_by(order)
        .agg(pl.col("tokens").sum())
        .sort(order)
        .select(
            "run_id", "kind", "from", "to", "tokens", message=(pl.col("place") == _MESSAGES).cast(pl.Int64)
        )
        .collect()
    )


def _band() -> pl.Expr:
    """Return the number of the band that a block is in."""
    kind = pl.col("kind")
    return (
        pl.when(kind == "hidden")
        .then(2)
        .when(pl.col("layer") == "tools")
        .then(0)
        .when(pl.col("layer") == "system")
        .then(1)
        .when(kind == "tool_result")
        .then(3)
        .when(pl.col("role") == "assistant")
        .then(4)
        .otherwise(5)
    )
