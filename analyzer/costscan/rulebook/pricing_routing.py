"""What findings about the choice of a model cost: fast mode, thinking, and switches of the model."""

from functools import cached_property
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.prices import UNBILLED, turn_usd, unit_prices
from costscan.rulebook.pricing_spans import apart, once
from costscan.schema.frames import USD

_ROW: Final = "row"
_PLACE: Final = ["run_id", "turn"]
_IS_PRICED: Final = pl.col("usd").null_count() == 0


class RoutingMoney:
    """What the turns of some runs were billed for, and what they would have cost on other terms."""

    def __init__(self, analysis: Analysis, runs: pl.Series) -> None:
        self._analysis = analysis
        self._unit = analysis.unit.columns
        self._runs = runs

    @cached_property
    def _turns(self) -> pl.DataFrame:
        both = self._analysis.counted_with_prices
        return both.filter(pl.col("run_id").is_in(self._runs.implode())).drop("usd")

    def fast(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price what fast turns from turn to turn_end cost more than at standard speed.

        Fast requests are sold in the standard tier alone, so that is what they are compared with.
        """
        spans = apart(findings)
        fast = self._within(spans).filter(pl.col("speed") == "fast").drop("tokens")
        tier = pl.when(pl.col("tier") == UNBILLED).then("tier").otherwise(pl.lit("standard"))
        plain = fast.with_columns(speed=pl.lit("standard"), tier=tier)
        unit = unit_prices(plain, self._analysis.prices, discount=self._analysis.share_paid)
        more = turn_usd(fast, fast.select(self._unit))["usd"] - turn_usd(plain, unit)["usd"]
        parts = fast.select(_ROW, usd=more.cast(USD).clip(0)).group_by(_ROW)
        return _priced(spans, parts.agg(usd=pl.when(_IS_PRICED).then(pl.col("usd").sum())))

    def thinking(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens that were thought from turn to turn_end, at the mean price of all thinking there."""
        spans = apart(findings)
        thought = pl.min_horizontal(pl.col("thinking_tokens").fill_null(0), "output_tokens")
        turns = self._within(spans).with_columns(thought=thought).filter(pl.col("thought") > 0)
        is_priced = pl.col("pico_output").null_count() == 0
        whole = (pl.col("thought") * pl.col("pico_output")).sum().cast(pl.Float64)
        part = (pl.col("tokens").first().clip(0) / pl.col("thought").sum()).clip(0, 1)
        usd = pl.when(is_priced).then((whole * part / 1e12).round(12)).cast(USD)
        return _priced(spans, turns.group_by(_ROW).agg(usd=usd))

    def switched(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price a switch to a cheaper model: what it lost, there and back, more than the model saved.

        A switch to a more expensive model saves nothing and is none of these.
        """
        lost = pl.col("usd_lost") + pl.col("usd_lost_back") - pl.col("usd_saved")
        net = pl.when(pl.col("usd_saved") <= 0).then(pl.lit(0).cast(USD)).otherwise(lost.clip(0).cast(USD))
        rows = once(findings.with_columns(usd=pl.lit(None, USD)), _PLACE).drop("usd")
        switches = self._analysis.frame("model_switches").select(*_PLACE, usd=net)
        parts = rows.select(_ROW, *_PLACE).join(switches, on=_PLACE, how="inner")
        return _priced(rows, parts.select(_ROW, "usd"))

    def _within(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Return the turns of each row with its `row` and `tokens`."""
        turns = pl.int_ranges("turn", pl.col("turn_end") + 1).alias("turn")
        exploded = spans.select(_ROW, "run_id", turns, "tokens").explode("turn")
        return exploded.join(self._turns, on=_PLACE, how="inner", maintain_order="left")


def _priced(rows: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """Add the `usd` of each row; 0 where there is nothing to pay for."""
    with_some = sums.with_columns(some=pl.lit(value=True))
    joined = rows.join(with_some, on=_ROW, how="left", maintain_order="left")
    none = pl.col("some").is_null()
    return joined.with_columns(usd=pl.when(none).then(pl.lit(0).cast(USD)).otherwise("usd")).drop("some")


__all__ = ["RoutingMoney"]
