"""Models of other makers that calls can be moved to: `other_models.toml`, checked and typed."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).with_name("other_models.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherModel:
    """What a request has to fit into; the figures are explained in `other_models.toml`."""

    model: str
    provider: str
    tokenizer: str
    relative_length: float
    model_class: str
    context_tokens: int
    max_output_tokens: int
    released: date | None = None


@cache
def other_models() -> dict[str, OtherModel]:
    """Return all of them by their canonical names, in the order of the file."""
    makers = tomllib.loads(_DATA.read_text("utf-8")).values()
    return {
        name: OtherModel(
            model=name,
            provider=maker["provider"],
            tokenizer=maker["tokenizer"],
            relative_length=maker["relative_length"],
            **told,
        )
        for maker in makers
        for name, told in maker["models"].items()
    }


def other_model(model: str | None) -> OtherModel | None:
    """Return one by its canonical name, None for Claude models and those that calls are not moved to."""
    return other_models().get(model or "")
