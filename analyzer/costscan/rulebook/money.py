"""What findings cost: their tokens at the prices the run really paid, and no dollar twice inside a rule."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.frames import USD
from costscan.growth import PROMPT
from costscan.prices import COST_COLUMNS


class Money:
    """The running sums of the turns of some runs, made once for all rules."""

    def __init__(self, x: Analysis, runs: pl.Series) -> None:
        self._blocks, self._costs = x.blocks, x.block_costs
        self._turns = _running(x, runs)

    def price(self, found: pl.DataFrame, how: str) -> pl.DataFrame:
        """Add `usd` to findings (null where a price is unknown), and leave out what counts a dollar twice."""
        return _WAYS[how](self, found)

    def block(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of a block over its whole stay."""
        whole = pl.col("entry_usd") + pl.col("carried_usd")
        usd = pl.when(pl.col("part") < 1).then(whole.cast(pl.Float64) * pl.col("part")).otherwise(None)
        priced = self._with_blocks(found).with_columns(usd=pl.coalesce(_usd(usd), whole))
        return _once(priced, ["run_id", "block"]).select(*found.columns, "usd")

    def ride(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of a block from a turn on, until it left."""
        asked = self._with_blocks(found)
        whole = self._between(asked, pl.col("turn_in") + 1, pl.col("turn_out"))
        part = self._between(asked, pl.max_horizontal(pl.col("turn_in") + 1, "turn"), pl.col("turn_out"))
        late = pl.when(whole > 0).then(part / whole).otherwise(0.0)
        usd = pl.col("carried_usd").cast(pl.Float64) * pl.col("part") * late
        return _once(asked.with_columns(usd=_usd(usd)), ["run_id", "block"]).select(*found.columns, "usd")

    def turns(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price whole turns, from turn to turn_end; where findings overlap, the later one begins later."""
        asked = _apart(found)
        usd = self._between(asked, pl.col("turn"), pl.col("turn_end") + 1, "usd_before")
        return asked.with_columns(usd=_usd(usd / 1e12))

    def prompt(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of every prompt from turn to turn_end, as what is sent again is priced there.

        No more than those turns cost, whatever number of tokens a query gives.
        """
        asked = _apart(found)
        price = self._between(asked, pl.col("turn"), pl.col("turn_end") + 1)
        most = self._between(asked, pl.col("turn"), pl.col("turn_end") + 1, "usd_before")
        usd = pl.min_horizontal(pl.col("tokens") * price.fill_nan(None), most)
        known = pl.lit(price).is_finite()
        return asked.with_columns(usd=_usd(pl.when(known).then(usd) / 1e12))

    def output(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price tokens that were written in a turn."""
        priced = found.join(
            self._turns.select("run_id", "turn", "per_output", "written"),
            on=["run_id", "turn"],
            how="left",
            maintain_order="left",
        )
        usd = _usd(pl.min_horizontal("tokens", "written") * pl.col("per_output") / 1e12)
        return _once(priced.with_columns(usd=usd), ["run_id", "turn"]).select(*found.columns, "usd")

    def run(self, found: pl.DataFrame) -> pl.DataFrame:
        """Price a share of a run."""
        last = self._turns.group_by("run_id").agg(pl.col("turn").max() + 1, pl.col("usd_before").last())
        priced = found.join(
            last.select("run_id", "usd_before"), on="run_id", how="left", maintain_order="left"
        )
        usd = _usd(pl.col("share").clip(0, 1) * pl.col("usd_before") / 1e12)
        return _once(priced.with_columns(usd=usd), ["run_id"]).select(*found.columns, "usd")

    def _with_blocks(self, found: pl.DataFrame) -> pl.DataFrame:
        keys = ["run_id", "block"]
        wanted = found.lazy().select(keys).unique()
        known = (
            self._blocks.select(*keys, "turn_in", "turn_out", all_tokens="tokens")
            .join(wanted, on=keys, how="semi")
            .join(self._costs.join(wanted, on=keys, how="semi"), on=keys)
            .collect()
        )
        part = (pl.col("tokens") / pl.max_horizontal("all_tokens", 1)).clip(0, 1)
        mine = found.select(pl.all().exclude("turn_in", "turn_out"))
        return mine.join(known, on=keys, how="left", maintain_order="left").with_columns(part=part)

    def _between(
        self, asked: pl.DataFrame, first: pl.Expr, after: pl.Expr, column: str = "ride_before"
    ) -> pl.Series:
        sums = self._turns.select("run_id", "turn", column)
        low, high = (
            asked.select("run_id", turn=at).join(
                sums, on=["run_id", "turn"], how="left", maintain_order="left"
            )[column]
            for at in (first, after)
        )
        return high - low


_WAYS: Final[Mapping[str, Callable[[Money, pl.DataFrame], pl.DataFrame]]] = {
    "block": Money.block,
    "ride": Money.ride,
    "turns": Money.turns,
    "prompt": Money.prompt,
    "output": Money.output,
    "run": Money.run,
}


def _running(x: Analysis, runs: pl.Series) -> pl.DataFrame:
    """Give per turn, and one past the last: `usd_before` and `ride_before`, sums over the turns before it.

    Both in pico-dollars; of `ride_before`, those a token pays that was sent before: the mean over the carried
    part of each prompt, over all of it where nothing is carried. An unknown price makes the sums from there
    on NaN, which becomes null.
    """
    costs = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False).cast(pl.Float64).fill_null(math.nan)
    carried = x.growth.select("run_id", "turn", "carried_tokens")
    turns = x.turns.hstack(x.unit).filter(pl.col("run_id").is_in(runs.implode()))
    each = turns.join(carried, on=["run_id", "turn"], how="left").select(
        "run_id",
        "turn",
        usd=costs,
        ride=_ride().fill_null(math.nan),
        per_output=pl.col("pico_output").cast(pl.Float64),
        written=pl.col("output_tokens"),
    )
    end = each.group_by("run_id").agg(
        pl.col("turn").max() + 1,
        usd=pl.lit(0.0),
        ride=pl.lit(0.0),
        per_output=pl.lit(None, pl.Float64),
        written=pl.lit(0, pl.Int64),
    )
    both = pl.concat([each, end]).sort("run_id", "turn")
    return both.with_columns(
        usd_before=(pl.col("usd").cum_sum() - pl.col("usd")).over("run_id"),
        ride_before=(pl.col("ride").cum_sum() - pl.col("ride")).over("run_id"),
    )


def _ride() -> pl.Expr:
    """Give what a token that was sent before paid in this turn: read first, then written, then plain.

    In a run's first prompt nothing is carried: a token of it pays the mean of that prompt.
    """
    carried = pl.min_horizontal("carried_tokens", PROMPT)
    left = pl.when(carried > 0).then(carried).otherwise(PROMPT)
    total = pl.lit(0.0)
    taken = pl.lit(0, pl.Int64)
    for meter in ("cache_read", "cache_write_1h", "cache_write_5m", "input"):
        here = pl.min_horizontal(pl.col(f"{meter}_tokens"), left - taken)
        total += here * pl.col(f"pico_{meter}")
        taken += here
    average = total / pl.max_horizontal(left, 1)
    return pl.when(left > 0).then(average).otherwise(0.0)


def _usd(value: pl.Expr | pl.Series) -> pl.Expr:
    known = pl.lit(value) if isinstance(value, pl.Series) else value
    return known.fill_nan(None).round(12).cast(USD)


def _once(priced: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Keep, of several findings on the same thing, the dearest."""
    return priced.sort("usd", descending=True, nulls_last=True, maintain_order=True).unique(
        keys, keep="first", maintain_order=True
    )


def _apart(found: pl.DataFrame) -> pl.DataFrame:
    """Cut findings of a run so that no two share a turn; what is left with no turn goes."""
    ordered = found.sort("run_id", "turn", pl.col("turn_end"), descending=[False, False, True])
    before = (pl.col("turn_end").cum_max().shift(1) + 1).over("run_id").fill_null(0)
    cut = ordered.with_columns(turn=pl.max_horizontal("turn", before))
    return cut.filter(pl.col("turn") <= pl.col("turn_end"))


__all__ = ["Money"]
