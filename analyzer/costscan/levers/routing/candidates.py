"""Which models could serve a turn: cheaper ones that existed then, still do, and take such a request."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Final

from costscan.errors import CostscanError, near
from costscan.models import canonical_models, model_info, resolve
from costscan.other_models import OtherModel, other_model, other_models
from costscan.prices import AUDIO, identify

CLASSES: Final = ("haiku", "sonnet", "opus", "fable")
"""What models are for, from the smallest to the largest."""
_CLASS: Final = re.compile("haiku|sonnet|opus|fable|mythos")


@cache
def class_of(model: str) -> str | None:
    """Return the class of a model, that of the Claude models it stands beside; null where none is known."""
    if other := other_model(model):
        return other.model_class
    match = _CLASS.search(model) if model_info(model) else None
    return None if match is None else {"mythos": "fable"}.get(match[0], match[0])


def candidates(model: str, day: date, to_class: str) -> tuple[str, ...]:
    """Return the models of its maker that could have served a turn of `model`, of each class from `to_class`.

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
    other = other_model(model)
    there = _there(day) if other is None else _beside(other, day)
    return tuple(name for name in there if class_of(name) in enough)


def _there(day: date) -> list[str]:
    models = [(name, info) for name in canonical_models() if (info := model_info(name))]
    return [name for name, info in models if info.released <= day and info.retired is None]


def _beside(other: OtherModel, day: date) -> list[str]:
    """Return the models of the same maker that were there, the newest first."""
    own = [one for one in other_models().values() if one.provider == other.provider]
    there = [(one.released, one.model) for one in own if one.released and one.released <= day]
    return [model for _, model in sorted(there, reverse=True)]


def model_named(name: str) -> str:
    """Return the canonical id, in any spelling, of a model that calls can be moved to.

    Raises:
        CostscanError: it is none.
    """
    ref = resolve(name) or resolve(f"claude-{name}") or identify(name)
    if ref is None or class_of(ref.model) is None:
        known = [*canonical_models(), *other_models()]
        raise CostscanError(f"{name}: no model that calls can be moved to", near(name, known))
    return ref.model


def refuses(model: str, asks: str | None) -> bool:
    """Whether a model refuses a request that asks for these, or is not known to take what is in it."""
    asked = str(asks or "").split()
    info = model_info(model)
    return AUDIO in asked or (info is not None and not info.refuses.isdisjoint(asked))


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
