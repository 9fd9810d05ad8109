"""Which cheaper models each turn may go to: enough for what it did, and able to take its request."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

import polars as pl

from costscan.levers.routing.apply import family_of
from costscan.levers.routing.candidates import candidates, cheapest_of_classes, refuses
from costscan.models import model_info

OPTIONS: Final = pl.Schema({"req": pl.Int64, "to_model": pl.String})
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
    """Return `OPTIONS`: one row for each turn and model that could have served it.

    Args:
        steps: the steps of a plan.
        evidence: as `evidence.EVIDENCE`.
        sizes: as `sizes.sizes`.
        usd_on: gives day, model and usd (of a token of plain input) on some days.
    """
    best = evidence.select("run_id", "turn", "to_class").unique(
        ["run_id", "turn"], keep="first", maintain_order=True
    )
    turns = (
        steps.select(_NEEDED)
        .join(best, on=["run_id", "turn"], how="inner", maintain_order="left")
        .filter(pl.col("at").is_not_null(), pl.col("tier") == "standard")
    )
    sized = turns.join(sizes, on="req", how="left", maintain_order="left").with_columns(
        day=pl.col("at").dt.date(), asks=pl.col("asks").fill_null("")
    )
    keys = ("model", "day", "to_class", "asks")
    cases = sized.select(keys).unique(maintain_order=True)
    usd = _prices(usd_on, cases["day"].unique())
    rows = [
        (*case, to)
        for case in cases.iter_rows()
        for to in _targets(candidates(*case[:3]), case[0], case[3], usd[case[1]])
    ]
    schema = pl.Schema({**{k: cases.schema[k] for k in keys}, "to_model": pl.String()})
    targets = pl.DataFrame(rows, schema=schema, orient="row")
    return fitting(sized.join(targets, on=keys, how="inner", maintain_order="left")).select(*OPTIONS)


def fitting(moves: pl.DataFrame) -> pl.DataFrame:
    """Leave out the turns whose prompt or output is too long for the model they would move to.

    Args:
        moves: model, to_model, prompt_tokens, output_tokens, size_ratio and output_ratio.
    """
    pairs = moves.select("model", "to_model").unique().rows()
    limits = pl.DataFrame([(*p, *_limits(*p)) for p in pairs], schema=_LIMITS, orient="row")
    ratio, longer = (pl.when("is_other").then(name).otherwise(1.0) for name in ("size_ratio", "output_ratio"))
    sent, written = pl.col("prompt_tokens") * ratio, pl.col("output_tokens") * longer
    joined = moves.join(limits, on=["model", "to_model"], how="inner", maintain_order="left")
    fits = (sent + written <= pl.col("context")) & (written <= pl.col("longest"))
    return joined.filter(fits).drop("is_other", "context", "longest")


def _prices(usd_on: Callable[[pl.Series], pl.DataFrame], days: pl.Series) -> dict[date, dict[str, int]]:
    out: dict[date, dict[str, int]] = {day: {} for day in days}
    for day, model, usd in usd_on(days).select("day", "model", "usd").iter_rows():
        out[day][model] = usd
    return out


def _targets(there: Iterable[str], model: str, asks: str, usd: Mapping[str, int]) -> list[str]:
    able = [m for m in there if not refuses(m, asks)]
    return [m for m in cheapest_of_classes(able, usd) if model in usd and usd[m] < usd[model]]


def _limits(model: str, target: str) -> tuple[bool, int | None, int | None]:
    info = model_info(target)
    if info is None:
        return False, None, None
    return family_of(model) != info.tokenizer, info.context_tokens, info.max_output_tokens


__all__ = ["OPTIONS", "fitting", "options"]
