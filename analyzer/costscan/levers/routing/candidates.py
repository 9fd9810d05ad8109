"""Which models could serve a turn: cheaper ones that existed then, still do, and take such a request."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Final

from costscan.errors import CostscanError, near
from costscan.models import canonical_models, model_info, resolve

CLASSES: Final = ("haiku", "sonnet", "opus", "fable")
"""What models are for, from the smallest to the largest."""
_CLASS: Final = re.compile("haiku|sonnet|opus|fable|mythos")


@cache
def class_of(model: str) -> str | None:
    """Return the class of a Claude model, null for any other."""
    match = _CLASS.search(model) if model_info(model) else None
    return None if match is None else {"mythos": "fable"}.get(match[0], match[0])


def candidates(model: str, day: date, to_class: str) -> tuple[str, ...]:
    """Return the models that could have served a turn of `model`, of each class from `to_class` up.

    Args:
        model: that served it.
        day: of the turn: what was not yet released could not. What is retired, or will be on a day that is
            known, is no advice.
        to_class: the smallest class that is enough.
    """
    own = class_of(model)
    if own is None:
        return ()
    enough = CLASSES[CLASSES.index(to_class) : CLASSES.index(own)]
    models = [(name, info) for name in canonical_models() if (info := model_info(name))]
    there = [name for name, info in models if info.released <= day and info.retired is None]
    return tuple(name for name in there if class_of(name) in enough)


def model_named(name: str) -> str:
    """Return the canonical id of a Claude model in any spelling.

    Raises:
        CostscanError: it is none.
    """
    ref = resolve(name) or resolve(f"claude-{name}")
    if ref is None:
        raise CostscanError(f"{name}: no such Claude model", near(name, list(canonical_models())))
    return ref.model


def refuses(model: str, asks: str | None) -> bool:
    """Whether a model refuses a request that asks for these."""
    info = model_info(model)
    return info is not None and bool(asks) and not info.refuses.isdisjoint(str(asks).split())


def cheapest_of_classes(models: Sequence[str], usd: Mapping[str, int]) -> tuple[str, ...]:
    """Return the cheapest model of each class, of equal ones the newest.

    Args:
        models: newest first.
        usd: what a token of plain input costs, by model.
    """
    best: dict[str, str] = {}
    for model in models:
        name = class_of(model)
        if name is None or model not in usd:
            continue
        if name not in best or usd[model] < usd[best[name]]:
            best[name] = model
    return tuple(best.values())
