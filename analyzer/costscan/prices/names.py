"""From the model names in a log to the names in the price table."""

import re
from functools import cache, lru_cache
from typing import Final

import polars as pl

from costscan.models import ModelRef, resolve
from costscan.prices.cache import kept

UNKNOWN: Final = "unknown"

_RELEASE: Final = re.compile(r"-(?:preview-|exp-)?(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|\d{2}-\d{2}|\d{2}-\d{4})$")
_NAMES: Final = pl.Schema({"name": pl.String, "provider": pl.String, "model": pl.String})


@lru_cache(maxsize=8192)
def identify(spelling: str) -> ModelRef | None:
    """Give the model a spelling means: a Claude model in any form, or an OpenAI or Google id or alias.

    None for every other name; a dated release counts as known only where genai-prices takes it so.
    """
    if ref := resolve(spelling):
        return ref
    name = spelling.strip().lower().rpartition("/")[2]
    found = _others().get(name) or _others().get(_mask_release(name))
    return ModelRef(model=found[1], provider=found[0]) if found else None


def canonicalise(turns: pl.DataFrame) -> pl.DataFrame:
    """Give the turns with `provider` and `model` filled from `model_raw`, all else as it was.

    An unknown model keeps its name as `model`, with provider "unknown". A name that ends in `-fast` sets
    `speed` where the log has no speed or "standard": a speed that was logged is what was billed.
    """
    names = turns["model_raw"].unique().to_list()
    refs = [identify(name) if name is not None else None for name in names]
    known = pl.DataFrame(
        {
            "model_raw": names,
            "provider": [ref.provider if ref else UNKNOWN for ref in refs],
            "model": [ref.model if ref else name or UNKNOWN for ref, name in zip(refs, names, strict=True)],
            "hint": [ref.speed if ref else None for ref in refs],
        },
        schema={"model_raw": pl.String, "provider": pl.String, "model": pl.String, "hint": pl.String},
    )
    unset = pl.col("speed").is_null() | (pl.col("speed") == "standard")
    return (
        turns.drop("provider", "model", strict=False)
        .join(known, on="model_raw", how="left", nulls_equal=True, maintain_order="left")
        .with_columns(speed=pl.when(unset & pl.col("hint").is_not_null()).then("hint").otherwise("speed"))
        .select(turns.columns)
    )


@cache
def _others() -> dict[str, tuple[str, str]]:
    frame = kept("names", _NAMES, (), _make_names)
    return {name: (provider, model) for name, provider, model in frame.iter_rows()}


def _make_names() -> pl.DataFrame:
    from costscan.prices.aliases import other_names  # noqa: PLC0415 - imports genai-prices, which is slow

    return pl.DataFrame(other_names(), schema=_NAMES, orient="row")


def _mask_release(name: str) -> str:
    """The name with the digits of a release at its end as `#`: gpt-6-sol-2026-09-01, gpt-6-sol-####-##-##."""
    return _RELEASE.sub(lambda match: re.sub(r"\d", "#", match[0]), name)
