"""What else differs between two sides: prices, versions, models. It is said before any number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from costscan.gate.side import ComparisonSide

_BASIS: Final = {
    "prices_as_of": "prices of",
    "prices_source": "source of prices",
    "prices_discount": "discount",
    "prices_own": "models with own prices",
    "costscan_version": "costscan",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, on both sides."""

    what: str
    before: str
    after: str


def differences(before: ComparisonSide, after: ComparisonSide) -> list[Difference]:
    """Return what differs in prices, versions and models, and what hides costs."""
    return [*_basis(before, after), *_sets(before, after), *_unpriced(before, after), *_shared(before, after)]


def _basis(before: ComparisonSide, after: ComparisonSide) -> Iterator[Difference]:
    for name, what in _BASIS.items():
        old, new = (side.basis.get(name) or "none" for side in (before, after))
        if old != new:
            yield Difference(what, old, new)


def _sets(before: ComparisonSide, after: ComparisonSide) -> Iterator[Difference]:
    for column, what in (("model", "models"), ("tier", "tiers"), ("speed", "speeds")):
        old, new = (set(side.nested("spend")[column].drop_nulls()) for side in (before, after))
        if old != new and old and new:
            gone, added = " ".join(sorted(old - new)), " ".join(sorted(new - old))
            yield Difference(what, gone and f"only before: {gone}", added and f"only after: {added}")


def _unpriced(before: ComparisonSide, after: ComparisonSide) -> Iterator[Difference]:
    old, new = (int(side.runs["unpriced_turns"].sum()) for side in (before, after))
    if old or new:
        yield Difference("calls without a price", f"{old:,}", f"{new:,}")


def _shared(before: ComparisonSide, after: ComparisonSide) -> Iterator[Difference]:
    """Logs that both sides hold compare with themselves, and hide a change of the others."""
    same = set(before.units["run_id"]) & set(after.units["run_id"])
    if same and len(same) < after.units.height:
        yield Difference(
            "runs on both sides",
            f"{len(same):,} of {before.units.height:,}",
            f"{len(same):,} of {after.units.height:,}",
        )
