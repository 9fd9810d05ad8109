"""Whose prices a report is at."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class PriceBasis:
    """Where prices come from; `discount` is what is taken off, `own` the models with prices of their own."""

    source: str
    as_of: str
    discount: Decimal = Decimal(0)
    own: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether everything is billed at list prices."""
        return not self.discount and not self.own
