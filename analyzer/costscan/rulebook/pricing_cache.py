"""What findings about the cache cost: what was lost, what a scenario saves, and tokens at other meters."""

from typing import Final

import polars as pl

from costscan.cache.breaks.cost import usd_lost
from costscan.cache_policy import LONG, SHORT, TTLS_US
from costscan.prices import turn_usd
from costscan.rulebook.pricing_spans import apart, once
from costscan.scenarios import PricedAnalysis
from costscan.schema.frames import USD

_ROW: Final = "row"
_PLACE: Final = ["run_id", "turn"]


class CacheMoney:
    """What the turns of some runs were billed for, and what is known of their cache."""

    def __init__(self, analysis: PricedAnalysis, runs: pl.Series) -> None:
        self._breaks, self._scenarios = analysis.prefix_breaks, analysis.scenarios
        self._lifetimes = analysis.lifetimes
        self._unit = analysis.unit.columns
        self._turns = analysis.counted_with_prices.filter(pl.col("run_id").is_in(runs.implode())).drop("usd")

    def lost(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Sum what prefix breaks of one cause lost from turn to turn_end."""
        return self._lost_of(findings, ["run_id", "cause"])

    def lost_at(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Sum what prefix breaks of one cause at one path lost from turn to turn_end."""
        return self._lost_of(findings, ["run_id", "cause", "path"])

    def _lost_of(self, findings: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
        spans = apart(findings, keys)
        breaks = self._breaks.select(*keys, "usd_lost", at="turn")
        inside = spans.join(breaks, on=keys, how="inner").filter(pl.col("at").is_between("turn", "turn_end"))
        return _with_sums(spans, inside.select(_ROW, usd="usd_lost"))

    def lost_in_run(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Sum all that runs lost for one cause."""
        keys = ["run_id", "cause"]
        spans = apart(findings, keys)
        all_of_them = spans.join(self._breaks.select(*keys, usd="usd_lost"), on=keys, how="inner")
        return _with_sums(spans, all_of_them.select(_ROW, "usd"))

    def unread(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens of every prompt from turn to turn_end: what they cost there more than read."""
        spans = apart(findings)
        prompts = spans.select(
            _ROW, "run_id", pl.int_ranges("turn", pl.col("turn_end") + 1).alias("turn"), "tokens"
        )
        billed = self._billed(prompts.explode("turn"))
        lost = billed.with_columns(tokens_lost=pl.col("tokens").clip(0))
        return _with_sums(spans, lost.select(_ROW, usd=usd_lost(lost, self._unit)))

    def written(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price tokens that were written to the cache in a turn: what that cost more than sending them."""
        billed = self._billed(findings.select(_ROW, *_PLACE, "tokens"))
        left = pl.col("tokens").clip(0)
        hour = pl.min_horizontal(left, "cache_write_1h_tokens")
        five = pl.min_horizontal(left - hour, "cache_write_5m_tokens")
        plain = billed.with_columns(
            cache_write_1h_tokens=pl.col("cache_write_1h_tokens") - hour,
            cache_write_5m_tokens=pl.col("cache_write_5m_tokens") - five,
            input_tokens=pl.col("input_tokens") + hour + five,
        )
        unit = billed.select(self._unit)
        more = turn_usd(billed, unit)["usd"] - turn_usd(plain, unit)["usd"]
        return once(_with_sums(findings, billed.select(_ROW, usd=more.cast(USD).clip(0))), _PLACE)

    def saved(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price a run at what a scenario saves of it."""
        saved = self._scenarios.select("run_id", "scenario", usd="saved_usd")
        priced = findings.join(saved, on=["run_id", "scenario"], how="left", maintain_order="left")
        return once(priced, ["run_id"])

    def lifetime(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Price a run at what it saves (less than 0: loses) with the lifetime `cheaper` throughout.

        The run as it was is replayed too: what was lost for other reasons is in neither. Where it wrote for
        both, or `cheaper` is none for a whole run, what the scenario saves counts, if it chose the same.
        """
        saved = self._scenarios.filter(scenario="caching/ttl").select("run_id", "saved_usd")
        own = self._lifetimes.select("run_id", "ttl", "usd_5m", "usd_1h", best="cheaper")
        priced = findings.join(own, on="run_id", how="left", maintain_order="left").join(
            saved, on="run_id", how="left", maintain_order="left"
        )
        more = pl.col("usd_1h") - pl.col("usd_5m")
        usd = (
            pl.when(pl.col("ttl") == pl.col("cheaper"))
            .then(0)
            .when(pl.col("ttl").is_in(list(TTLS_US)) & (pl.col("cheaper") == SHORT))
            .then(more)
            .when(pl.col("ttl").is_in(list(TTLS_US)) & (pl.col("cheaper") == LONG))
            .then(-more)
            .when(pl.col("best") == pl.col("cheaper"))
            .then("saved_usd")
            .otherwise(0)
        )
        return once(priced.with_columns(usd=usd.cast(USD)), ["run_id"])

    def _billed(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self._turns, on=_PLACE, how="inner", maintain_order="left")


def _with_sums(rows: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Add `usd`: the sum of the parts of each row; null where one is unknown, 0 where there is none."""
    whole = pl.when(pl.col("usd").null_count() == 0).then(pl.col("usd").sum())
    sums = parts.group_by(_ROW).agg(whole.cast(USD).alias("usd"), some=pl.lit(value=True))
    joined = rows.join(sums, on=_ROW, how="left", maintain_order="left")
    none = pl.col("some").is_null()
    return joined.with_columns(usd=pl.when(none).then(pl.lit(0).cast(USD)).otherwise("usd")).drop("some")


__all__ = ["CacheMoney"]
