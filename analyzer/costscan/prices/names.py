"""From the model names in a log to the names in the price table."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Final

import polars as pl

from costscan.models import ModelRef, family_alias, resolve
from costscan.prices.cache import kept
from costscan.prices.overlay import OVERLAY_PATH, overlay

UNKNOWN: Final = "unknown"

_RELEASE: Final = re.compile(r"-(?:preview-|exp-)?(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|\d{2}-\d{2}|\d{2}-\d{4})$")
_CLIENT: Final = re.compile(
    r"^(?:openai(?:-chat|-responses|_chat|_responses)?|azure(?:_openai|_ai)?"
    r"|google(?:-gla|-vertex|_genai|_vertexai)?|gemini|vertexai|vertex_ai|openrouter|litellm|gateway):"
)
"""The maker or gateway before a name, as libraries write it: `openai:gpt-5.5`."""
_ROUTE: Final = re.compile(r":(?:nitro|floor|exacto)$")
"""How OpenRouter chooses who serves a call; a model of OpenAI or Google costs the same everywhere."""
_LATEST: Final = re.compile(r"@(?:default|latest)$")
_VERSION: Final = re.compile(r"@(\d[\d-]*)$")
_FINE_TUNED: Final = re.compile(r"^(ft:[^:]+):")
"""`ft:gpt-4o-2024-08-06:organisation:name:id`."""
_NAMES: Final = pl.Schema({"name": pl.String, "provider": pl.String, "model": pl.String})


@lru_cache(maxsize=8192)
def identify(spelling: str, day: date | None = None) -> ModelRef | None:
    """Return the model a spelling means: a Claude model in any form, or an OpenAI or Google id or alias.

    None for every other name; a dated release counts as known only where genai-prices takes it so. The name
    of a family (`opus`) means its newest model on `day`; without a day, the newest known.
    """
    if ref := resolve(spelling, day):
        return ref
    for name in _plain_names(spelling):
        if found := _others().get(name) or _others().get(_mask_release(name)):
            return ModelRef(model=found[1], provider=found[0])
    return None


def _plain_names(spelling: str) -> Iterator[str]:
    """What a spelling may call the model itself: as it stands, then without what gateways write around it."""
    name = spelling.strip().lower().rpartition("/")[2]
    yield name
    name = _VERSION.sub(r"-\1", _LATEST.sub("", _ROUTE.sub("", _CLIENT.sub("", name))))
    yield name
    if tuned := _FINE_TUNED.match(name):
        yield _RELEASE.sub("", tuned[1])


def canonicalise(turns: pl.DataFrame) -> pl.DataFrame:
    """Return the turns with `provider` and `model` filled from `model_raw`, all else as it was.

    An unknown model keeps its name as `model`, with provider "unknown"; so does the name of a family
    (`opus`) without a time, or before its first model. A name that ends in `-fast` sets `speed` where the log
    has no speed or "standard": a speed that was logged is what was billed.
    """
    aliases = [name for name in turns["model_raw"].drop_nulls().unique() if family_alias(name)]
    is_alias = pl.col("model_raw").is_in(aliases)
    dated = turns.with_columns(_alias_day=pl.when(is_alias).then(pl.col("at").dt.date()))
    keys = ["model_raw", "_alias_day"]
    names = dated.select(keys).unique()
    refs = [meant(name, day) for name, day in names.iter_rows()]
    identified = names.with_columns(
        provider=pl.Series([ref.provider if ref else UNKNOWN for ref in refs], dtype=pl.String),
        model=pl.Series([ref.model if ref else None for ref in refs], dtype=pl.String)
        .fill_null(names["model_raw"])
        .fill_null(UNKNOWN),
        hint=pl.Series([ref.speed if ref else None for ref in refs], dtype=pl.String),
    )
    unset = pl.col("speed").is_null() | (pl.col("speed") == "standard")
    return (
        dated.drop("provider", "model", strict=False)
        .join(identified, on=keys, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(speed=pl.when(unset & pl.col("hint").is_not_null()).then("hint").otherwise("speed"))
        .select(turns.columns)
    )


def meant(name: str | None, at: date | None) -> ModelRef | None:
    """Return the model a name means in a log of that day or moment (UTC), None where that is not known.

    Which model the name of a family meant at an unknown time is not known.
    """
    day = at.date() if isinstance(at, datetime) else at
    if name is None or (day is None and family_alias(name)):
        return None
    return identify(name, day)


@cache
def _others() -> dict[str, tuple[str, str]]:
    frame = kept("names", _NAMES, (OVERLAY_PATH,), _make_names)
    return {name: (provider, model) for name, provider, model in frame.iter_rows()}


def _make_names() -> pl.DataFrame:
    from costscan.prices.aliases import other_names  # noqa: PLC0415 - imports genai-prices, which is slow

    own = [
        (name, entry["provider"], entry["model"])
        for entry in (*overlay()["model"], *overlay()["spelling"])
        for name in (entry["model"], *entry.get("names", ()))
    ]
    return pl.DataFrame([*other_names(), *own], schema=_NAMES, orient="row")


def _mask_release(name: str) -> str:
    """The name with the digits of a release at its end as `#`: gpt-6-sol-2026-09-01, gpt-6-sol-####-##-##."""
    return _RELEASE.sub(lambda match: re.sub(r"\d", "#", match[0]), name)
