"""What stands over reports: which logs they are of, and whose prices they are at."""

from collections.abc import Sequence
from typing import Final

from costscan.price_basis import PriceBasis
from costscan.reports.text.numbers import plural

_MOST_PATHS: Final = 3


def named(paths: Sequence[str]) -> str:
    """Name the logs: the first and how many more, where they are many."""
    few = paths if len(paths) <= _MOST_PATHS else paths[:1]
    return ", ".join(few) + ("" if few is paths else f" and {len(paths) - 1:,} more")


def price_basis(basis: PriceBasis) -> str:
    """Say of which day the prices are, and whose."""
    what = "list" if not basis.discount else f"list -{(basis.discount * 100).normalize():f}%"
    return f"prices {basis.as_of}, {what}" + (
        f", own for {plural(len(basis.own), 'model')}" if basis.own else ""
    )
