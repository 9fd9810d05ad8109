"""Settings that are chosen on the earlier half of some runs, and applied to the later half."""

from typing import Final

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.setting import Setting
from costscan.rulebook import Diagnosis

LEAST_RUNS: Final = 4
"""Fewer runs are not divided: with two in a half, one of them decides."""
_CHOSEN: Final = frozenset({kinds.TTL, kinds.CAP, kinds.CLEAR, kinds.COMPACT, *kinds.ROUTES})


def backtest_share(diagnosis: Diagnosis, setting: Setting) -> float | None:
    """Return the share of what a setting promised on the earlier runs that came true on the later ones.

    It is chosen anew on the earlier half, by the start of the runs. What it saves there, as a share of what
    those runs cost, is what it promises of the later ones. None where runs are too few or nothing is saved.
    """
    runs = _in_order(diagnosis, setting)
    if runs.height < LEAST_RUNS:
        return None
    half = runs.height // 2
    early, late = runs.head(half), runs.tail(runs.height - half)
    saved = _saved(diagnosis, setting)
    value = _best(saved, early) if setting.part in _CHOSEN else None
    if setting.part in _CHOSEN and value is None:
        return None
    chosen = saved if value is None else saved.filter(setting=value)
    rates = [_rate(chosen, part) for part in (early, late)]
    return rates[1] / rates[0] if rates[0] > 0 else None


def _in_order(diagnosis: Diagnosis, setting: Setting) -> pl.DataFrame:
    """Return run_id and usd of the runs of a setting that have a time and a cost, the earliest first."""
    usd = diagnosis.turns.group_by("run_id").agg(usd=pl.col("usd").sum().cast(pl.Float64))
    runs = diagnosis.runs.filter(pl.col("run_id").is_in(list(setting.runs)))
    timed = runs.select("run_id", "started_at").drop_nulls().join(usd, on="run_id").filter(pl.col("usd") > 0)
    return timed.sort("started_at", "run_id").select("run_id", "usd")


def _saved(diagnosis: Diagnosis, setting: Setting) -> pl.DataFrame:
    """Return run_id, setting and saved_usd: of all that could be set, or of what the part does."""
    if setting.part in _CHOSEN:
        tried = diagnosis.tried.filter(scenario=setting.part)
        return tried.filter(tool=setting.tool) if setting.tool is not None else tried
    rows = diagnosis.scenarios.filter(scenario=setting.part)
    return rows.select("run_id", pl.col("saved_usd").cast(pl.Float64), setting=pl.lit(None, pl.String))


def _best(saved: pl.DataFrame, runs: pl.DataFrame) -> str | None:
    sums = saved.join(runs, on="run_id", how="semi").group_by("setting").agg(pl.col("saved_usd").sum())
    best = sums.filter(pl.col("saved_usd") > 0).sort("saved_usd", "setting", descending=True)
    return best["setting"][0] if best.height else None


def _rate(saved: pl.DataFrame, runs: pl.DataFrame) -> float:
    of_runs = saved.join(runs, on="run_id", how="semi")
    return float(of_runs["saved_usd"].sum() or 0) / float(runs["usd"].sum() or 1)


__all__ = ["LEAST_RUNS", "backtest_share"]
