"""Which cheaper models each call may go to: enough by its evidence, and able to take its request."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

import polars as pl

from costscan.levers.routing.apply import family_of
from costscan.levers.routing.candidates import candidates, cheapest_of_classes, class_of, refuses
from costscan.levers.routing.evidence import evidence_rules
from costscan.levers.routing.other_makers import between_makers
from costscan.models import model_info
from costscan.other_models import other_model

OPTIONS: Final = pl.Schema(
    {
        "req": pl.Int64,
        "evidence": pl.String,
        "to_model": pl.String,
        "to_class": pl.String,
        "is_wrong": pl.Boolean,
        "usd_ratio": pl.Float64,
    }
)
"""Calls, the models that each piece of evidence lets them go to, and what a prompt costs there to here."""
_NEEDED: Final = (
    *("req", "run_id", "turn", "at", "tier", "model", "asks"),
    *("prompt_tokens", "output_tokens"),
)
_LIMITS: Final = pl.Schema(
    {
        "model": pl.String,
        "to_model": pl.String,
        "is_other": pl.Boolean,
        "context": pl.Int64,
        "longest": pl.Int64,
    }
)
"""Pairs of models: whether they count tokens otherwise, and the longest prompt and output of the second."""


def options(
    steps: pl.DataFrame,
    evidence: pl.DataFrame,
    sizes: pl.DataFrame,
    usd_on: Callable[[pl.Series], pl.DataFrame],
) -> pl.DataFrame:
    """Return `OPTIONS`: one row for each call, evidence and model that might serve it.

    Args:
        steps: the steps of a plan.
        evidence: as `evidence.EVIDENCE`.
        sizes: as `sizes.sizes`.
        usd_on: gives day, model and usd (of a token of plain input) on some days.
    """
    enough = {rule.name: rule.to for rule in evidence_rules()}
    calls = (
        steps.select(_NEEDED)
        .join(evidence, on=["run_id", "turn"], how="inner", maintain_order="left")
        .filter(pl.col("at").is_not_null(), pl.col("tier") == "standard")
    )
    sized = calls.join(sizes, on="req", how="left", maintain_order="left").with_columns(
        day=pl.col("at").dt.date(),
        asks=pl.col("asks").fill_null(""),
        enough=pl.col("evidence").replace_strict(enough, return_dtype=pl.String),
    )
    keys = ("model", "day", "enough", "asks")
    cases = sized.select(keys).unique(maintain_order=True)
    usd = _prices(usd_on, cases["day"].unique())
    rows = [
        (*case, to, class_of(to), usd[day][to] / usd[day][model])
        for case in cases.iter_rows()
        for model, day in [case[:2]]
        for to in _targets(candidates(*case[:3]), model, case[3], usd[day])
    ]
    found = {"to_model": pl.String(), "to_class": pl.String(), "usd_ratio": pl.Float64()}
    targets = pl.DataFrame(
        rows, schema=pl.Schema({**{k: cases.schema[k] for k in keys}, **found}), orient="row"
    )
    moves = sized.join(targets, on=keys, how="inner", maintain_order="left")
    ratio = pl.col("usd_ratio") * pl.when("is_other").then("size_ratio").otherwise(1.0)
    return _within_limits(moves).with_columns(usd_ratio=ratio).select(*OPTIONS)


def fitting(moves: pl.DataFrame) -> pl.DataFrame:
    """Leave out the turns whose prompt or output is too long for the model they would move to.

    Args:
        moves: model, to_model, prompt_tokens, output_tokens, size_ratio and output_ratio.
    """
    return _within_limits(moves).drop("is_other", "context", "longest")


def _within_limits(moves: pl.DataFrame) -> pl.DataFrame:
    moves = between_makers(moves).drop("is_across")
    pairs = moves.select("model", "to_model").unique().rows()
    limits = pl.DataFrame([(*p, *_limits(*p)) for p in pairs], schema=_LIMITS, orient="row")
    ratio, longer = (pl.when("is_other").then(name).otherwise(1.0) for name in ("size_ratio", "output_ratio"))
    sent, written = pl.col("prompt_tokens") * ratio, pl.col("output_tokens") * longer
    joined = moves.join(limits, on=["model", "to_model"], how="inner", maintain_order="left")
    fits = (sent + written <= pl.col("context")) & (written <= pl.col("longest"))
    return joined.filter(fits)


def _prices(usd_on: Callable[[pl.Series], pl.DataFrame], days: pl.Series) -> dict[date, dict[str, int]]:
    out: dict[date, dict[str, int]] = {day: {} for day in days}
    for day, model, usd in usd_on(days).select("day", "model", "usd").iter_rows():
        out[day][model] = usd
    return out


def _targets(there: Iterable[str], model: str, asks: str, usd: Mapping[str, int]) -> list[str]:
    able = [m for m in there if not refuses(m, asks)]
    return [m for m in cheapest_of_classes(able, usd) if model in usd and usd[m] < usd[model]]


def _limits(model: str, target: str) -> tuple[bool, int | None, int | None]:
    info = model_info(target) or other_model(target)
    if info is None:
        return False, None, None
    return family_of(model) != info.tokenizer, info.context_tokens, info.max_output_tokens


__all__ = ["OPTIONS", "fitting", "options"]
