"""How the replay of what happened compares with what was billed, turn by turn."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.growth import PROMPT
from costscan.prices import UNITS_OF, turn_usd
from costscan.replay.logged import Logged
from costscan.replay.simulate import LIFETIMES_US, simulate

_PLACE: Final = ["run_id", "turn"]
_LATE_SHARE: Final = 0.8
REPLAYED: Final = {
    "read_tokens": "cache_read_tokens",
    "write_5m_tokens": "cache_write_5m_tokens",
    "write_1h_tokens": "cache_write_1h_tokens",
    "input_tokens": "input_tokens",
}
"""The token classes of the replay, as columns of `turns`."""


@dataclass(frozen=True)
class Agreement:
    """The replay of all logged turns.

    Attributes:
        turns: run_id, turn, replay_read_tokens, replay_write_tokens, replay_input_tokens, unexplained_tokens
            (read as billed less read as replayed), disagreement (its class, null where there is none).
        compared: how many turns were compared: all but those that begin with what others cached.
        exact: how many of them agree to the token.
        token_error: tokens read otherwise than replayed, as a share of the prompt tokens.
        usd_billed: what the compared turns cost.
        usd_replayed: what they would have cost as replayed.
        classes: the token classes of all steps as replayed, in their order.
    """

    turns: pl.DataFrame
    compared: int
    exact: int
    token_error: float | None
    usd_billed: Decimal | None
    usd_replayed: Decimal | None
    classes: pl.DataFrame


def agreement(turns: pl.DataFrame, unit: pl.DataFrame, policy: Logged) -> Agreement:
    """Replay what happened under the logged policy.

    Args:
        turns: all turns, with `usd`.
        unit: their unit prices.
        policy: from `logged`.
    """
    classes = policy.steps.select("req").join(
        simulate(policy.requests, policy.positions), on="req", how="left", maintain_order="left"
    )
    told = classes.rename({name: f"replay_{name}" for name in REPLAYED})
    both = (
        turns.select(*_PLACE, *UNITS_OF.values(), "gap_s", "usd")
        .hstack(unit)
        .join(policy.turns, on=_PLACE, how="inner", maintain_order="left")
        .join(told, on="req", how="left", maintain_order="left")
        .join(policy.given.with_columns(given=pl.lit(True)), on=_PLACE, how="left", maintain_order="left")
        .with_columns(pl.col("given").fill_null(False))
        .with_columns(unexplained_tokens=pl.col("cache_read_tokens") - pl.col("replay_read_tokens"))
        .sort(_PLACE)
    )
    compared = both.filter(~pl.col("given"))
    prompt = int(compared.select(PROMPT.sum()).item())
    wrong = int(compared["unexplained_tokens"].abs().sum())
    again = turn_usd(
        compared.with_columns(pl.col(f"replay_{name}").alias(column) for name, column in REPLAYED.items()),
        compared.select(unit.columns),
    )
    known = compared["usd"].is_not_null() & again["usd"].is_not_null()
    return Agreement(
        turns=_classified(both),
        compared=compared.height,
        exact=int((compared["unexplained_tokens"] == 0).sum()),
        token_error=wrong / prompt if prompt else None,
        usd_billed=Decimal(compared["usd"].filter(known).sum()) if known.any() else None,
        usd_replayed=Decimal(again["usd"].filter(known).sum()) if known.any() else None,
        classes=classes,
    )


def _classified(both: pl.DataFrame) -> pl.DataFrame:
    over, under = pl.col("unexplained_tokens") > 0, pl.col("unexplained_tokens") < 0
    gap_us = pl.col("gap_s") * 1e6
    lifetime = (
        pl.when(pl.col("cache_write_1h_tokens") > 0).then(LIFETIMES_US["1h"]).otherwise(LIFETIMES_US["5m"])
    )
    cause = (
        pl.when(over & (pl.col("replay_read_tokens") == 0) & (gap_us > lifetime))
        .then(pl.lit("survived"))
        .when(over & (pl.col("turn") == 0))
        .then(pl.lit("cached-outside-log"))
        .when(over)
        .then(pl.lit("hidden-call"))
        .when(under & (gap_us > lifetime * _LATE_SHARE))
        .then(pl.lit("expired-early"))
        .when(under & (pl.col("cache_read_tokens") == 0))
        .then(pl.lit("evicted"))
        .when(under)
        .then(pl.lit("unknown-change"))
    )
    return both.select(
        *_PLACE,
        "replay_read_tokens",
        "replay_input_tokens",
        "unexplained_tokens",
        replay_write_tokens=pl.col("replay_write_5m_tokens") + pl.col("replay_write_1h_tokens"),
        disagreement=cause,
    )
