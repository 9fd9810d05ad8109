"""What a trial found: each answer, how many agree, and what that means for the calls that would move."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costscan.actions.measured import Moved
from costscan.trial.agreement import Interval, Stratum, of_sample, of_strata
from costscan.trial.calls import Call
from costscan.trial.plan import ITSELF, TARGET, Item
from costscan.trial.recorded import Answer

COMPARED, NOT_COMPARED = "compared", "not-compared"


@dataclass(frozen=True, slots=True)
class Row:
    """An answer of a trial.

    Attributes:
        item: the call.
        role: who was asked.
        state: compared, not-compared, failed or lost.
        agrees: whether it agrees with the recorded one; None where it was not compared.
        why: what differs, or why it was not compared.
        usd: what it cost, the judge included.
        duration_s: how long it took; None in a batch.
        answer: what was answered; None where nothing was.
    """

    item: Item
    role: str
    state: str
    agrees: bool | None
    why: str | None
    usd: Decimal
    duration_s: float | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class OfStratum:
    """What was found of a task, agent type and evidence; `calls` would move, and cost `usd`."""

    moved: Moved
    calls: int
    usd: Decimal
    target: Interval
    itself: Interval


@dataclass(frozen=True, slots=True)
class Found:
    """What a trial found.

    Attributes:
        rows: the answers.
        calls: all calls that would move.
        alpha: how often the interval that is reported may miss, by its formula.
        stopped: why it ended, in words.
        usd: what it cost; what may have been billed and was not heard of is in it at its most.
        took_s: how long it took.
    """

    rows: Sequence[Row]
    calls: Sequence[Call]
    alpha: float
    stopped: str
    usd: Decimal
    took_s: float

    def of_role(self, role: str) -> Interval:
        """Return the share of answers of the target, or of the model itself, that agree."""
        sizes = _sizes(self.calls)
        return of_strata(_strata(self.rows, role, sizes).values(), self.alpha)

    @property
    def strata(self) -> list[OfStratum]:
        """What was found of each task, agent type and evidence, that with most calls first."""
        sizes, usd = _sizes(self.calls), defaultdict[Moved, Decimal](Decimal)
        for call in self.calls:
            usd[call.moved] += call.usd or Decimal(0)
        roles = {role: _strata(self.rows, role, sizes) for role in (TARGET, ITSELF)}
        none = Stratum(0, 0, 0)

        def share(role: str, moved: Moved) -> Interval:
            one = roles[role].get(moved, none)
            return of_sample(one.agrees, one.n, self.alpha)

        every = [
            OfStratum(moved, size, usd[moved], share(TARGET, moved), share(ITSELF, moved))
            for moved, size in sizes.items()
        ]
        return sorted(every, key=lambda one: -one.calls)

    @property
    def escalated_usd(self) -> Decimal | None:
        """What it costs to make the calls again that do not agree; None where nothing was compared."""
        overall = self.of_role(TARGET).share
        if overall is None:
            return None
        shares = ((one.usd, overall if one.target.share is None else one.target.share) for one in self.strata)
        return sum((usd * Decimal(1 - share) for usd, share in shares), Decimal(0))

    @property
    def recorded_usd(self) -> Decimal:
        """What all calls that would move cost."""
        return sum((call.usd or Decimal(0) for call in self.calls), Decimal(0))

    def with_rows(self, rows: Sequence[Row]) -> "Found":
        """Return this with other rows."""
        return replace(self, rows=rows)


def _sizes(calls: Iterable[Call]) -> dict[Moved, int]:
    sizes: dict[Moved, int] = defaultdict(int)
    for call in calls:
        sizes[call.moved] += 1
    return sizes


def _strata(rows: Iterable[Row], role: str, sizes: dict[Moved, int]) -> dict[Moved, Stratum]:
    found: dict[Moved, Stratum] = {}
    for row in rows:
        if row.role == role and row.agrees is not None:
            moved = row.item.call.moved
            agrees, n, _ = found.get(moved, Stratum(0, 0, 0))
            found[moved] = Stratum(agrees + row.agrees, n + 1, sizes[moved])
    return found


__all__ = ["COMPARED", "NOT_COMPARED", "Found", "OfStratum", "Row"]
