"""What findings about tokens, turns and runs cost: the prices the run really paid for them."""

from collections.abc import Mapping

import polars as pl

from costscan.prices import COST_COLUMNS
from costscan.rulebook.pricing_spans import apart, once
from costscan.scenarios import PricedAnalysis
from costscan.schema.frames import PROMPT, USD


class SpendingMoney:
    """The running sums of the turns of some runs, made once for all rules; `frames` are those in memory."""

    def __init__(
        self,
        analysis: PricedAnalysis,
        runs: pl.Series,
        frames: Mapping[str, pl.LazyFrame],
    ) -> None:
        self._blocks = frames.get("blocks", analysis.blocks)
        self._costs = frames.get("block_costs", analysis.block_costs)
        self._turns = _running(analysis, runs)

    def block(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of a block over its whole stay."""
        whole = pl.col("entry_usd") + pl.col("carried_usd")
        usd = pl.when(pl.col("part") < 1).then(_usd(whole.cast(pl.Float64) * pl.col("part"))).otherwise(whole)
        joined = self._with_blocks(findings)
        stay = self._between(joined, "ride", pl.col("turn_in"), pl.col("turn_out"))
        priced = joined.with_columns(usd=pl.when(stay.is_not_null()).then(usd))
        return once(priced, ["run_id", "block"])

    def ride(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of a block from a turn on, until it left."""
        joined = self._with_blocks(findings)
        again, end = pl.col("turn_in") + 1, pl.col("turn_out")
        whole = self._between(joined, "ride", pl.min_horizontal(again, end), end)
        late = pl.max_horizontal(again, "turn")
        part = self._between(joined, "ride", pl.min_horizontal(late, end), end)
        share = pl.when(whole > 0).then(part / whole).when(whole.is_not_null()).then(0.0)
        usd = pl.col("carried_usd").cast(pl.Float64) * pl.col("part") * share
        return once(joined.with_columns(usd=_usd(usd)), ["run_id", "block"])

    def turns(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price whole turns, from turn to turn_end; where findings overlap, the later one begins later."""
        spans = apart(findings)
        usd = self._between(spans, "usd", pl.col("turn"), pl.col("turn_end") + 1)
        return spans.with_columns(usd=_usd(usd / 1e12))

    def prompt(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of every prompt from turn to turn_end, as what is re-sent is priced there.

        At most what the turns cost: a query may name more tokens than there were.
        """
        spans = apart(findings)
        turns = (pl.col("turn"), pl.col("turn_end") + 1)
        price, whole = (self._between(spans, column, *turns) for column in ("ride", "usd"))
        spent = pl.min_horizontal(pl.col("tokens").clip(0) * price, whole)
        return spans.with_columns(usd=_usd(pl.when(price.is_not_null()).then(spent) / 1e12))

    def output(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens that were written in a turn."""
        priced = findings.join(
            self._turns.select("run_id", "turn", "per_output", "output_tokens"),
            on=["run_id", "turn"],
            how="left",
            maintain_order="left",
        )
        written = pl.min_horizontal(pl.col("tokens").clip(0), "output_tokens")
        usd = _usd(written * pl.col("per_output") / 1e12)
        return once(priced.with_columns(usd=usd), ["run_id", "turn"])

    def run(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price a share of a run."""
        end = self._turns.group_by("run_id").agg(after=pl.col("turn").max())
        priced = findings.join(end, on="run_id", how="left", maintain_order="left")
        whole = self._between(priced, "usd", pl.lit(0, pl.Int64), pl.col("after"))
        usd = _usd(pl.col("share").clip(0, 1) * whole / 1e12)
        return once(priced.with_columns(usd=usd), ["run_id"])

    def _with_blocks(self, findings: pl.DataFrame) -> pl.DataFrame:
        keys = ["run_id", "block"]
        wanted = findings.lazy().select(keys).unique()
        block_costs = (
            self._blocks.select(*keys, "turn_in", "turn_out", all_tokens="tokens")
            .join(wanted, on=keys, how="semi")
            .join(self._costs.join(wanted, on=keys, how="semi"), on=keys)
            .collect()
        )
        part = (pl.col("tokens") / pl.max_horizontal("all_tokens", 1)).clip(0, 1)
        return findings.join(block_costs, on=keys, how="left", maintain_order="left").with_columns(part=part)

    def _between(self, rows: pl.DataFrame, column: str, first: pl.Expr, after: pl.Expr) -> pl.Series:
        """Return what turns from `first` up to `after` sum to; null where one of them has no price."""
        sums = self._turns.select("run_id", "turn", f"{column}_before", "unknown_before")
        low, high = (
            rows.select("run_id", turn=at).join(
                sums, on=["run_id", "turn"], how="left", maintain_order="left"
            )
            for at in (first, after)
        )
        is_priced = high["unknown_before"] == low["unknown_before"]
        spent = high[f"{column}_before"] - low[f"{column}_before"]
        return pl.select(pl.when(is_priced).then(spent)).to_series()


def _running(analysis: PricedAnalysis, runs: pl.Series) -> pl.DataFrame:
    """Return per turn, and one past the last, sums over the turns before it.

    `usd_before` and, of what a token paid that was sent before (the mean over the carried part of each
    prompt), `ride_before`, both in pico-dollars and without the `unknown_before` turns that have no price.
    """
    costs = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False).cast(pl.Float64)
    carried = analysis.growth.select("run_id", "turn", "carried_tokens")
    turns = analysis.counted_with_prices.filter(pl.col("run_id").is_in(runs.implode()))
    turns = turns.join(carried, on=["run_id", "turn"], how="left", maintain_order="left")
    unknown = pl.col("usd").is_null()
    each = turns.sort("run_id", "turn").select(
        "run_id",
        "turn",
        unknown=unknown.cast(pl.Int64),
        usd=pl.when(~unknown).then(costs).otherwise(0.0),
        ride=pl.when(~unknown).then(_ride()).otherwise(0.0),
        per_output=pl.when(~unknown).then(pl.col("pico_output").cast(pl.Float64)),
        output_tokens="output_tokens",
    )
    end = each.group_by("run_id", maintain_order=True).agg(pl.col("turn").max() + 1)
    both = pl.concat([each, end], how="diagonal").sort("run_id", "turn")
    sums = (pl.col("unknown", "usd", "ride").cum_sum() - pl.col("unknown", "usd", "ride")).over("run_id")
    ended = both.with_columns(pl.col("unknown", "usd", "ride").fill_null(0))
    return ended.with_columns(sums.name.suffix("_before"))


def _ride() -> pl.Expr:
    """Return what a token that was sent before paid in this turn: read first, then written, then plain.

    In a run's first prompt nothing is carried: a token of it pays the mean of that prompt.
    """
    carried = pl.min_horizontal("carried_tokens", PROMPT)
    left = pl.when(carried > 0).then(carried).otherwise(PROMPT)
    total = pl.lit(0.0)
    taken = pl.lit(0, pl.Int64)
    for meter in ("cache_read", "cache_write_1h", "cache_write_5m", "input"):
        here = pl.min_horizontal(pl.col(f"{meter}_tokens"), left - taken)
        total += here * pl.col(f"pico_{meter}").fill_null(0)
        taken += here
    average = total / pl.max_horizontal(left, 1)
    return pl.when(left > 0).then(average).otherwise(0.0)


def _usd(value: pl.Expr | pl.Series) -> pl.Expr:
    expr = pl.lit(value) if isinstance(value, pl.Series) else value
    return expr.fill_nan(None).round(12).cast(USD)


__all__ = ["SpendingMoney"]
