"""What the logged runs would have cost otherwise."""

from decimal import Decimal
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.growth import PROMPT
from costscan.prices import COST_COLUMNS, usd_of
from costscan.summary.model import Scenario
from costscan.summary.money import total

RISKS: Final = {"caching": "none", "trimming": "low", "routing": "needs-eval", "batching": "latency"}
"""What a lever may change beside the cost."""
_CACHED: Final = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def no_caching_usd(x: Analysis) -> pl.Series:
    """Give, turn by turn, the cost with every prompt token at the plain input price; null where unpriced."""
    rest = pl.sum_horizontal(COST_COLUMNS["output"], COST_COLUMNS["web_search"], ignore_nulls=False)
    prompt = x.turns.select(prompt=PROMPT, usd="usd", rest=rest).hstack(x.unit.select("pico_input"))
    cost = usd_of(pl.col("prompt")) * pl.col("pico_input") + usd_of(pl.col("rest"))
    plain = pl.when(pl.col("prompt") == 0).then(usd_of(pl.col("rest"))).otherwise(cost)
    return prompt.select(pl.when(pl.col("usd").is_not_null()).then(plain)).to_series()


def scenarios(x: Analysis) -> list[Scenario]:
    """Give what the logs would have cost otherwise: with nothing cached, with each lever and its parts."""
    turns = x.turns.with_columns(no_caching=no_caching_usd(x))
    known = turns.filter(pl.col("usd").is_not_null())
    billed = total(known["usd"]) if known.height or not turns.height else None
    return [
        Scenario(
            "as_billed", None, billed, None if billed is None else Decimal(0), None, x.runs.height, None
        ),
        _no_caching(known, billed),
        *(_replayed(x, name, billed) for name in x.scenarios["scenario"].unique(maintain_order=True)[1:]),
    ]


def _no_caching(known: pl.DataFrame, billed: Decimal | None) -> Scenario:
    whole = billed is not None and not known["no_caching"].null_count()
    plain = total(known["no_caching"]) if whole else None
    cached = known.filter(pl.sum_horizontal(_CACHED) > 0)["run_id"].n_unique()
    saved = None if billed is None or plain is None else billed - plain
    return Scenario("no_caching", None, plain, saved, None, cached, None)


def _replayed(x: Analysis, name: str, billed: Decimal | None) -> Scenario:
    """Sum a scenario up; runs with a turn that has no price stay as they were."""
    lever = name.partition("/")[0]
    runs = x.scenarios.filter(scenario=name)
    if billed is None or runs["saved_usd"].null_count() == runs.height:
        return Scenario(name, lever, None, None, None, 0, RISKS[lever])
    saved = total(runs["saved_usd"].fill_null(0))
    changed = runs.filter(pl.col("saved_usd") > 0).height
    return Scenario(name, lever, billed - saved, saved, None, changed, RISKS[lever])
