"""How the replay of what happened compares with what was billed, turn by turn."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.cache.automatic import AutomaticCaches, fitted
from costscan.cache.disagreement import LOST, by_class, class_of_turn, least_usd
from costscan.cache.loss_places import LossPlaces
from costscan.cache.policies import is_automatic, is_marked
from costscan.cache.proven_calls import from_outside, proven, with_proven
from costscan.cache.requests import LoggedRequests
from costscan.cache.simulator import simulate
from costscan.prices import UNIT_COLUMNS, UNITS_OF, turn_usd
from costscan.prices.modalities import meters_priced
from costscan.schema.frames import PROMPT, USD

_PLACE: Final = ["run_id", "turn"]
REPLAYED: Final = {
    "read_tokens": "cache_read_tokens",
    "write_5m_tokens": "cache_write_5m_tokens",
    "write_1h_tokens": "cache_write_1h_tokens",
    "input_tokens": "input_tokens",
}
"""The token classes of the replay, as columns of `turns`."""


@dataclass(frozen=True)
class Refresh:
    """How many turns only one reading of a rule that is not documented explains, to the token.

    Attributes:
        every: a hit refreshes every live entry on its way.
        longest: it refreshes the longest one, which is read, and no other.
    """

    every: int = 0
    longest: int = 0

    @property
    def longest_only(self) -> bool:
        """Whether the log says that a hit refreshes the longest entry alone."""
        return self.longest > self.every

    @property
    def is_decided(self) -> bool:
        """Whether the log tells the two apart."""
        return self.longest != self.every


@dataclass(frozen=True)
class Agreement:
    """The replay of all logged turns.

    Attributes:
        turns: run_id, turn, replay_read_tokens, replay_write_tokens, replay_input_tokens, unexplained_tokens
            (read as billed less read as replayed), disagreement (its class, null where there is none; of
            what cache reads prove, too), off_usd (as replayed less as billed, null where that is not known).
        compared: how many turns were compared: all but those that begin with what others cached, and those
            of models whose cache has no known rules.
        tested: how many of them had anything to do with a cache.
        foreseen: how many of them agree to the token without what their own reads prove.
        exact: how many agree with it.
        token_error: tokens read otherwise than replayed, as a share of the prompt tokens.
        usd_billed: what the compared turns cost.
        usd_replayed: what they would have cost as replayed.
        usd_off: the sum of the differences of the turns, whatever their sign.
        by_class: `BY_CLASS`.
        by_chance: `automatic.COMPARED`: the models whose caches miss calls by chance.
        refresh: what the log says about what a hit refreshes.
        logged_requests: how the turns used the cache, with the calls that cache reads prove.
        classes: the token classes of all steps as replayed, in their order.
    """

    turns: pl.DataFrame
    compared: int
    tested: int
    foreseen: int
    exact: int
    token_error: float | None
    usd_billed: Decimal | None
    usd_replayed: Decimal | None
    usd_off: Decimal | None
    by_class: pl.DataFrame
    by_chance: pl.DataFrame
    refresh: Refresh
    logged_requests: LoggedRequests
    classes: pl.DataFrame


def agreement(
    turns: pl.DataFrame, unit: pl.DataFrame, logged_requests: LoggedRequests, places: LossPlaces
) -> Agreement:
    """Replay what happened, from the logged requests.

    It is replayed twice: as far as it can be foreseen from what was sent before, and with the calls that
    cache reads prove, which is what scenarios are compared with.

    Args:
        turns: all turns, with `usd`.
        unit: their unit prices.
        logged_requests: from `logged`.
        places: where in their conversations they stand.
    """
    marked, others = (turns.filter(is_own(turns["model"])) for is_own in (is_marked, is_automatic))
    foreseen, refresh = _foreseen(marked, logged_requests)
    caches = _automatic(others, logged_requests, foreseen)
    logged_requests = replace(logged_requests, longest_only=refresh.longest_only, automatic=caches)
    read = [proven(logged_requests, marked, foreseen), from_outside(logged_requests, others, foreseen)]
    logged_requests = with_proven(logged_requests, pl.concat(read))
    classes = _expected(turns, logged_requests, foreseen)
    both = places.named(
        _compared(turns.hstack(unit), logged_requests, classes, foreseen), "disagreement", LOST
    )
    compared = both.filter(~pl.col("given"))
    prompt = int(compared.select(PROMPT.sum()).item())
    wrong = int(compared["unexplained_tokens"].abs().sum())
    priced = compared.filter(pl.col("off_usd").is_not_null())
    return Agreement(
        turns=_turns(both),
        compared=compared.height,
        tested=compared.filter(pl.col("input_tokens") < PROMPT).height,
        foreseen=int((compared["cache_read_tokens"] == compared["foreseen_tokens"]).sum()),
        exact=int((compared["unexplained_tokens"] == 0).sum()),
        token_error=wrong / prompt if prompt else None,
        usd_billed=_sum(priced["usd"]),
        usd_replayed=_sum(priced["usd"] + priced["off_usd"]),
        usd_off=_sum(priced["off_usd"].abs()),
        by_class=by_class(compared),
        by_chance=logged_requests.automatic.compared(both.select("model", "usd", "off_usd")),
        refresh=refresh,
        logged_requests=logged_requests,
        classes=classes,
    )


def _turns(both: pl.DataFrame) -> pl.DataFrame:
    return both.select(
        *_PLACE,
        "replay_read_tokens",
        "replay_input_tokens",
        "unexplained_tokens",
        "disagreement",
        "off_usd",
        replay_write_tokens=pl.col("replay_write_5m_tokens") + pl.col("replay_write_1h_tokens"),
    )


def _automatic(
    turns: pl.DataFrame, logged_requests: LoggedRequests, foreseen: pl.DataFrame
) -> AutomaticCaches:
    if turns.is_empty():
        return AutomaticCaches()
    written = pl.col("cache_write_5m_tokens") + pl.col("cache_write_1h_tokens")
    billed = turns.select(*_PLACE, "model", "gap_s", "cache_read_tokens", cache_write_tokens=written)
    return fitted(billed.join(logged_requests.turns, on=_PLACE, how="inner"), foreseen)


def _expected(turns: pl.DataFrame, logged_requests: LoggedRequests, foreseen: pl.DataFrame) -> pl.DataFrame:
    """Return the token classes of all steps, as billed where no rules are known."""
    replayed = _simulated(logged_requests) if logged_requests.proven.height else foreseen
    billed = {f"{name}_billed": column for name, column in REPLAYED.items()}
    sent = turns.select(*_PLACE, "model", **billed)
    steps = logged_requests.steps.select(*_PLACE, "req").join(
        sent, on=_PLACE, how="left", maintain_order="left"
    )
    classes = steps.join(replayed, on="req", how="left", maintain_order="left")
    automatic = logged_requests.automatic
    if not automatic.is_empty:
        could = classes
        if logged_requests.longest_only:
            every = _simulated(replace(logged_requests, longest_only=False))
            could = steps.join(every, on="req", how="left", maintain_order="left")
        classes = automatic.expected(classes, could, classes["model"])
    ruled = automatic.is_replayed(turns["model"])
    return classes.select(
        "req", *(pl.when(ruled).then(name).otherwise(f"{name}_billed").alias(name) for name in REPLAYED)
    )


def _simulated(logged_requests: LoggedRequests) -> pl.DataFrame:
    return simulate(
        logged_requests.requests, logged_requests.positions, longest_only=logged_requests.longest_only
    )


def _foreseen(turns: pl.DataFrame, logged_requests: LoggedRequests) -> tuple[pl.DataFrame, Refresh]:
    """Replay with both readings of what a hit refreshes; return the one that explains more turns."""
    ways = [_simulated(replace(logged_requests, longest_only=longest)) for longest in (False, True)]
    every, longest = (way.select("req", read_tokens="read_tokens") for way in ways)
    read = turns.select(*_PLACE, "cache_read_tokens").join(logged_requests.turns, on=_PLACE, how="inner")
    both = read.join(every, on="req").join(longest, on="req", suffix="_longest")
    differ = both.filter(pl.col("read_tokens") != pl.col("read_tokens_longest"))
    right = (differ["cache_read_tokens"] == differ[name] for name in ("read_tokens", "read_tokens_longest"))
    refresh = Refresh(*(int(is_right.sum()) for is_right in right))
    return ways[refresh.longest_only], refresh


def _sum(usd: pl.Series) -> Decimal | None:
    return Decimal(usd.sum()) if len(usd) else None


def _compared(
    turns: pl.DataFrame, logged_requests: LoggedRequests, classes: pl.DataFrame, foreseen: pl.DataFrame
) -> pl.DataFrame:
    """Return the logged turns beside their replay, with `disagreement`, off_usd and least_usd."""
    priced = meters_priced(turns, turns)
    unit = [*UNIT_COLUMNS.values(), *(meter.unit_column for meter in priced)]
    told = [meter.units for meter in priced]
    replayed = classes.rename({name: f"replay_{name}" for name in REPLAYED})
    columns = (*_PLACE, "model", "provider", *UNITS_OF.values(), *told, "gap_s", "usd", *unit)
    both = (
        turns.select(columns)
        .join(logged_requests.turns, on=_PLACE, how="inner", maintain_order="left")
        .join(logged_requests.steps.select("req", "is_shown"), on="req", how="left", maintain_order="left")
        .join(replayed, on="req", how="left", maintain_order="left")
        .join(
            foreseen.select("req", foreseen_tokens="read_tokens"), on="req", how="left", maintain_order="left"
        )
        .join(
            logged_requests.proven.select("req", "kind", "from_tokens"),
            on="req",
            how="left",
            maintain_order="left",
        )
        .join(
            logged_requests.given.with_columns(given=pl.lit(True)),
            on=_PLACE,
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("given").fill_null(False) | ~is_marked(turns["model"]))
        .with_columns(
            unexplained_tokens=pl.when(is_marked(turns["model"])).then(
                pl.col("cache_read_tokens") - pl.col("replay_read_tokens")
            )
        )
        .sort(_PLACE)
    )
    again = turn_usd(
        both.with_columns(pl.col(f"replay_{name}").alias(column) for name, column in REPLAYED.items()),
        both.select(unit),
    )
    return both.with_columns(
        off_usd=(again["usd"] - both["usd"]).cast(USD), disagreement=class_of_turn(), least_usd=least_usd()
    )
