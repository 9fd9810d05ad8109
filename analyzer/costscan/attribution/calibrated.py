"""Estimates corrected by what was counted: the text of a block is so many times as long as was estimated."""

import polars as pl

from costscan.calibration import Calibration
from costscan.models import canonical_models, model_info
from costscan.tokenizers import FAMILIES, FIRST, SECOND, TokenizerFamily


def calibrated(blocks: pl.DataFrame, models: pl.Series, calibration: Calibration) -> pl.DataFrame:
    """Return blocks with `weight_first` and `weight_second` corrected.

    Those that go to a model of another maker stay as they are: its tokenizer was not counted.

    Args:
        blocks: kind, weight_first, weight_second.
        models: the canonical model of the turn that each enters with, null where it is not known.
        calibration: what was counted.
    """
    infos = filter(None, map(model_info, canonical_models()))
    counted = [info.model for info in infos if info.tokenizer in FAMILIES]
    is_counted = models.is_in(counted).fill_null(value=False)
    columns = {"weight_first": FIRST, "weight_second": SECOND}
    return blocks.with_columns(
        pl.when(is_counted)
        .then((pl.col(name) * _factor(calibration, family)).round().cast(pl.Int64))
        .otherwise(name)
        .alias(name)
        for name, family in columns.items()
    )


def _factor(calibration: Calibration, family: TokenizerFamily) -> pl.Expr:
    factors = calibration.factors_of(family.name)
    return pl.col("kind").replace_strict(factors, default=1.0, return_dtype=pl.Float64)


__all__ = ["calibrated"]
