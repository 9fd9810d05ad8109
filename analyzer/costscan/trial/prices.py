"""What requests of a trial cost, and what they cost at most before that is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.errors import CostscanError
from costscan.meters import UNITS_OF
from costscan.models import model_info
from costscan.prices import PriceBook, turn_usd

STANDARD, BATCH = "standard", "batch"
OTHER_FAMILY: Final = 1.5
"""A text is at most so much longer in another family of tokenizers than it is estimated to be.

Nine of ten are within 14 % (docs/token-weights.md), and single ones are further off.
"""
_TOOL_USE: Final = 1000
"""What tool use adds to a prompt differs by no more from model to model (models.toml: 264 to 804 tokens)."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What tokens cost now.

    Attributes:
        book: the price table.
        share_paid: the share of the list price that is paid.
        tier: standard or batch.
        now: the moment.
    """

    book: PriceBook
    share_paid: Decimal
    tier: str
    now: datetime
    _known: dict[tuple[object, ...], Decimal] = field(default_factory=dict, compare=False)

    def most_usd(self, model: str, prompt_tokens: int, output_tokens: int, geo: object = None) -> Decimal:
        """Return what a request without cache breakpoints costs at most.

        Args:
            model: whom it is sent to.
            prompt_tokens: its prompt at most.
            output_tokens: the answer at most.
            geo: where it has to be answered, as it asks.

        Raises:
            CostscanError: the model has no price.
        """
        return self._usd(model, {"input_tokens": prompt_tokens, "output_tokens": output_tokens}, geo)

    def usd_of(self, model: str, usage: Mapping[str, Any]) -> Decimal:
        """Return what an answer cost, by the usage it came with.

        Raises:
            CostscanError: the model has no price.
        """
        written = usage.get("cache_creation") or {}
        hour = _count(written.get("ephemeral_1h_input_tokens"))
        tokens = {
            "input_tokens": _count(usage.get("input_tokens")),
            "cache_read_tokens": _count(usage.get("cache_read_input_tokens")),
            "cache_write_1h_tokens": hour,
            "cache_write_5m_tokens": max(_count(usage.get("cache_creation_input_tokens")) - hour, 0),
            "output_tokens": _count(usage.get("output_tokens")),
        }
        return self._usd(model, tokens, usage.get("inference_geo"))

    def _usd(self, model: str, tokens: Mapping[str, int], geo: object) -> Decimal:
        place = geo if isinstance(geo, str) else None
        key = (model, place, *sorted(tokens.items()))
        if key not in self._known:
            self._known[key] = self._looked_up(model, tokens, place)
        return self._known[key]

    def _looked_up(self, model: str, tokens: Mapping[str, int], geo: str | None) -> Decimal:
        keys = {"model": model, "model_raw": model, "tier": self.tier, "speed": "standard", "geo": geo,
                "at": self.now}  # fmt: skip
        row = {**keys, **dict.fromkeys(UNITS_OF.values(), 0), **tokens}
        schema = dict.fromkeys(("model", "model_raw", "tier", "speed", "geo"), pl.String)
        turn = pl.DataFrame([row], schema_overrides={**schema, "at": pl.Datetime("us", "UTC")})
        usd = turn_usd(turn, self.book.unit_prices(turn, discount=self.share_paid))["usd"][0]
        if usd is None:
            raise CostscanError(
                f"{model}: no {self.tier} price is known of it", "set prices.models, or take another"
            )
        return Decimal(usd)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def expected_tokens(prompt_tokens: int, model: str, other: str, size_ratio: float) -> int:
    """Return how long a prompt of one model probably is for another one."""
    return round(prompt_tokens * (1.0 if _same_family(model, other) else size_ratio))


def most_tokens(prompt_tokens: int, model: str, other: str, size_ratio: float) -> int:
    """Return how long a prompt of one model is for another one at most.

    Args:
        prompt_tokens: its tokens, as the model was billed for them.
        model: that model.
        other: the other one.
        size_ratio: how much longer its text is estimated to be in the other family of tokenizers.
    """
    if model == other:
        return prompt_tokens
    times = 1.0 if _same_family(model, other) else max(size_ratio, 1.0) * OTHER_FAMILY
    return round(prompt_tokens * times) + _TOOL_USE


def _same_family(model: str, other: str) -> bool:
    own, its = model_info(model), model_info(other)
    return own is not None and its is not None and own.tokenizer == its.tokenizer


__all__ = ["BATCH", "STANDARD", "Prices", "expected_tokens", "most_tokens"]
