"""From counts to factors: how many times its estimate a text is, how sure that is, and what it mends.

Texts were drawn in proportion to their estimates, so the mean of counted over estimated is about that of all
tokens of a kind; its interval is Student's, with the quantile by the expansion of Cornish and Fisher. What is
said of estimates after the correction is said of texts that it was not fitted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, median, quantiles, stdev
from typing import Final

from costscan.calibrating.counting import Counted
from costscan.calibrating.sample import OF_JSON
from costscan.calibration import KINDS, MOST, Interval
from costscan.reading.content.kind import KINDS as CONTENTS
from costscan.reading.content.kind import content_kind
from costscan.tokenizers import FAMILIES

MIN_SAMPLES: Final = 8
"""With fewer texts of a kind its estimates stay as they are."""
_COVERED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Off:
    """By what share estimates are off: the median of texts, whatever the sign, and the sum of all texts."""

    median: float
    total: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was found of a family and kind: `factor` is None where there were too few texts."""

    family: str
    kind: str
    samples: int
    factor: Interval | None
    before: Off
    after: Off


@dataclass(frozen=True, slots=True)
class Content:
    """What texts that look alike are: how far estimates are off in both families, and the ratio of these."""

    name: str
    samples: int
    ratio: Interval | None
    before: tuple[Off, Off]


@dataclass(frozen=True, slots=True)
class Fit:
    """All that was found.

    Attributes:
        strata: by family and kind of block.
        overall: by family, of all kinds together.
        ratios: by kind of block, how many times as long a text is in the second family.
        spreads: by kind of block, by what share a text is off that is worked out from the other family.
        contents: by what texts look like: told, and not corrected apart.
    """

    strata: Sequence[Fitted]
    overall: Sequence[Fitted]
    ratios: dict[str, Interval]
    spreads: dict[str, float]
    contents: Sequence[Content]

    def factors(self) -> dict[str, dict[str, Interval]]:
        """Return the factors by family and kind."""
        out: dict[str, dict[str, Interval]] = {}
        for fitted in self.strata:
            if fitted.factor is not None:
                out.setdefault(fitted.family, {})[fitted.kind] = fitted.factor
        return out


def fit(counted: Sequence[Counted]) -> Fit:
    """Return factors and ratios of the kinds that enough was counted of."""
    of_kind = {kind: [one for one in counted if one.sample.kind == kind] for kind in KINDS}
    strata: list[Fitted] = []
    overall: list[Fitted] = []
    for place, family in enumerate(FAMILIES):
        all_pairs = {kind: _pairs(some, place) for kind, some in of_kind.items() if some}
        strata += [_fitted(family, kind, pairs) for kind, pairs in all_pairs.items()]
        before = [pair for pairs in all_pairs.values() for pair in pairs]
        after = [pair for pairs in all_pairs.values() for pair in _crossed(pairs)]
        if before:
            overall.append(Fitted(family, "all", len(before), None, _off(before), _off(after)))
    enough = {kind: some for kind, some in of_kind.items() if len(some) >= MIN_SAMPLES}
    ratios = {kind: ratio for kind, some in enough.items() if (ratio := _sane(_ratio(some)))}
    spreads = {kind: min(_spread(enough[kind]), MOST) for kind in ratios}
    return Fit(strata, overall, ratios, spreads, _contents(counted))


def _contents(counted: Sequence[Counted]) -> list[Content]:
    """Return what texts are by what they look like; JSON that the API writes out itself is none of them."""
    alike: dict[str, list[Counted]] = {name: [] for name in CONTENTS}
    for one in counted:
        if one.sample.kind not in OF_JSON:
            alike[content_kind(one.sample.text)].append(one)
    return [
        Content(
            name,
            len(some),
            _sane(_ratio(some)) if len(some) >= MIN_SAMPLES else None,
            (_off(_pairs(some, 0)), _off(_pairs(some, 1))),
        )
        for name, some in alike.items()
        if some
    ]


def _pairs(some: Sequence[Counted], place: int) -> "Pairs":
    """Return counted and estimated tokens in the family at a place."""
    return [(one.tokens[place], max(one.sample.estimates[place], 1)) for one in some]


def _fitted(family: str, kind: str, pairs: "Pairs") -> Fitted:
    factor = _sane(_mean([c / e for c, e in pairs])) if len(pairs) >= MIN_SAMPLES else None
    return Fitted(family, kind, len(pairs), factor, _off(pairs), _off(_crossed(pairs)))


Pairs = Sequence[tuple[float, float]]
"""Tokens counted and estimated, text by text."""


def _ratio(some: Sequence[Counted]) -> Interval:
    """Return how many times as long texts are in the second family, with an interval by the delta method."""
    weights = [1 / max(one.sample.estimates[1], 1) for one in some]
    first, second = ([one.tokens[n] * w for one, w in zip(some, weights, strict=True)] for n in (0, 1))
    value = sum(second) / sum(first)
    rests = [(b - value * a) / fmean(first) for a, b in zip(first, second, strict=True)]
    return _around(value, stdev(rests), len(some))


def _sane(interval: Interval) -> Interval | None:
    """Return an interval, or None where texts differ so much that it says nothing."""
    return interval if interval.low >= 1 / MOST and interval.high <= MOST else None


def _spread(some: Sequence[Counted]) -> float:
    """Return by what share nine of ten texts are off, worked out in one family from the other.

    That is what a block takes elsewhere: its tokens, times what the corrected estimates are to one another.
    """
    first, second = (_pairs(some, n) for n in (0, 1))
    times = fmean(c / e for c, e in second) / fmean(c / e for c, e in first)
    off = [abs(e2 / e1 * times * c1 / c2 - 1) for (c1, e1), (c2, e2) in zip(first, second, strict=True)]
    return quantiles(off, n=10, method="inclusive")[-1]


def _mean(values: Sequence[float]) -> Interval:
    return _around(fmean(values), stdev(values), len(values))


def _around(value: float, deviation: float, samples: int) -> Interval:
    half = _student(samples - 1) * deviation / sqrt(samples)
    return Interval(value, value - half, value + half, samples)


def _student(freedom: int) -> float:
    """Return the quantile of Student's distribution for an interval that covers 95 %.

    >>> round(_student(7), 3), round(_student(30), 3)
    (2.364, 2.042)
    """
    z = NormalDist().inv_cdf((1 + _COVERED) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    off: float = sum(term / freedom**power for power, term in enumerate(terms, 1))
    return z + off


def _crossed(pairs: Pairs) -> Pairs:
    """Return the pairs with estimates corrected by what the other half of them gives."""
    halves = pairs[::2], pairs[1::2]
    if len(pairs) < MIN_SAMPLES:
        return pairs
    return [
        (counted, estimated * fmean(c / e for c, e in other))
        for own, other in (halves, halves[::-1])
        for counted, estimated in own
    ]


def _off(pairs: Pairs) -> Off:
    counted, estimated = (sum(pair[n] for pair in pairs) for n in (0, 1))
    return Off(median(abs(e / c - 1) for c, e in pairs), estimated / counted - 1)


__all__ = ["MIN_SAMPLES", "Fit", "Fitted", "Off", "fit"]
