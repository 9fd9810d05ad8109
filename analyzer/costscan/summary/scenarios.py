"""What the logged runs would have cost otherwise."""

from decimal import Decimal

import polars as pl

from costscan.analysis import Analysis
from costscan.growth import PROMPT
from costscan.prices import COST_COLUMNS
from costscan.summary.model import Scenario
from costscan.summary.money import total, usd_of


def no_caching_usd(x: Analysis) -> pl.Series:
    """Give, turn by turn, the cost with every prompt token at the plain input price; null where unpriced."""
    rest = pl.sum_horizontal(COST_COLUMNS["output"], COST_COLUMNS["web_search"], ignore_nulls=False)
    prompt = x.turns.select(prompt=PROMPT, usd="usd", rest=rest).hstack(x.unit.select("pico_input"))
    cost = usd_of(pl.col("prompt")) * pl.col("pico_input") + usd_of(pl.col("rest"))
    plain = pl.when(pl.col("prompt") == 0).then(usd_of(pl.col("rest"))).otherwise(cost)
    return prompt.select(pl.when(pl.col("usd").is_not_null()).then(plain)).to_series()


def scenarios(x: Analysis) -> list[Scenario]:
    """Give the scenarios that need no replay."""
    turns = x.turns.with_columns(no_caching=no_caching_usd(x))
    known = turns.filter(pl.col("usd").is_not_null())
    runs = x.runs.height
    billed = total(known["usd"]) if known.height or not turns.height else None
    plain = (
        total(known["no_caching"]) if billed is not None and not known["no_caching"].null_count() else None
    )
    cached = turns.filter(
        pl.sum_horizontal("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens") > 0
    )
    saved = None if billed is None or plain is None else billed - plain
    return [
        Scenario("as_billed", None, billed, None if billed is None else Decimal(0), None, runs, None),
        Scenario("no_caching", None, plain, saved, None, cached["run_id"].n_unique(), None),
    ]
