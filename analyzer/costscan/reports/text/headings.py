"""What stands over reports: which logs they are of, and whose prices they are at."""

from collections.abc import Sequence
from typing import Final

from costscan.price_basis import PriceBasis
from costscan.reports.text.numbers import plural, tokens

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


def other_writes(written_tokens: int) -> str:
    """Say how cache writes are billed of which no log tells that they live for 5 minutes or an hour."""
    return (
        f"{tokens(written_tokens)} tokens written to the cache for another time than 5 minutes or 1 hour, or "
        "one that is not logged: at the provider's price of a write"
    )
