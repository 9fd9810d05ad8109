"""The names under which genai-prices knows the models of OpenAI and Google."""

import re
from collections.abc import Iterator
from typing import Final

from genai_prices.types import ClauseAnd, ClauseContains, ClauseEquals, ClauseOr, ClauseStartsWith, ModelInfo

from costscan.prices.catalog import PROVIDERS, models_of, provider

# Ways in which a release is written behind a model's name; `#` stands for any digit.
_RELEASE_SHAPES: Final = {
    "-####-##-##": "-2026-06-05", "-########": "-20260605", "-###": "-001", "-##-##": "-06-05",
    "-##-####": "-06-2026", "-preview-##-##": "-preview-06-05", "-exp-##-##": "-exp-06-05",
    "-preview-####-##-##": "-preview-2026-06-05",
}  # fmt: skip
_DASHED_DATE: Final = re.compile(r"-(\d{4})-(\d{2})-(\d{2})$")


def other_names() -> list[tuple[str, str, str]]:
    """Return (name, provider, model) for every name; the digits of a release that may be any are `#`."""
    return [
        (name, provider_id, model.id)
        for provider_id in PROVIDERS
        for model in models_of(provider_id)
        for name in sorted(_names(provider_id, model))
    ]


def _names(provider_id: str, model: ModelInfo) -> set[str]:
    """The id, the names that genai-prices spells out for it, and the release shapes it takes behind them."""

    def means_it(name: str) -> bool:
        return model.is_match(name) and provider(provider_id).find_model(name) is model

    texts = {text.lower() for text in _texts(model.match) if not text.endswith("-")}
    listed = {text for text in texts if means_it(text)} | {model.id.lower()}
    compact = {_DASHED_DATE.sub(r"-\1\2\3", name) for name in listed}
    shaped = {n + shape for n in listed for shape, sample in _RELEASE_SHAPES.items() if means_it(n + sample)}
    return listed | compact | shaped


def _texts(clause: object) -> Iterator[str]:
    """Every text that the match of a model compares names with, patterns excepted."""
    match clause:
        case ClauseEquals(equals=text) | ClauseStartsWith(starts_with=text) | ClauseContains(contains=text):
            yield text
        case ClauseOr(or_=parts) | ClauseAnd(and_=parts):
            for part in parts:
                yield from _texts(part)
        case _:
            pass
