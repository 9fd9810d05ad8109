"""What several rules find in one run: the same block or loop is told once, and no dollar of the bill twice.

In each run the rule that finds most comes first and has its whole price, one of low confidence after the
others. Those after it are priced at most at what is left of the turns they are about; where nothing is left,
they are silent. Rules on the cache share what turns paid beyond having read their whole prompt. Rules that
price a share of a run come last: they restate what the others explain.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, groupby
from typing import Final, NamedTuple

import polars as pl

from costscan.cache.breaks.cost import usd_lost
from costscan.rulebook.per_task import FINGERPRINT
from costscan.rulebook.rule import CONFIDENCES, Rule
from costscan.scenarios import PricedAnalysis
from costscan.schema.frames import PROMPT, USD

Found = tuple[Rule, pl.DataFrame]
_BLOCK: Final = frozenset({"block", "ride"})
_CACHE: Final = frozenset({"lost", "lost-in-run", "lost-at", "unread", "written", "lifetime"})
_SAVED: Final = "saved"
_WHOLE_RUN: Final = "run"
_TURNS: Final = "turns"
_CACHING: Final = "caching"
_ROUNDING: Final = 1e-6
_LEAST_LEFT: Final = 0.25
"""What a replay or a comparison of runs says is not told where others leave less than this share of it."""


class _Claim(NamedTuple):
    """A finding: where it is, the first and last of its turns, and what it costs."""

    rule: int
    row: int
    turn: int
    turn_end: int
    block: int | None
    usd: float
    is_cache: bool


class _Left:
    """What is left of the turns of a run, in segments between the ends of findings."""

    def __init__(self, costs: Sequence[float], claims: Sequence[_Claim]) -> None:
        sums = [0.0, *accumulate(costs)]
        ends = {0, len(costs), *(c.turn for c in claims), *(c.turn_end + 1 for c in claims)}
        self._starts = sorted(at for at in ends if 0 <= at <= len(costs))
        self._left = [sums[b] - sums[a] for a, b in zip(self._starts, self._starts[1:], strict=False)]

    def of(self, claim: _Claim) -> float:
        """Return what is left of the turns of a finding."""
        return sum(self._left[self._span(claim)])

    def all(self) -> float:
        """Return what is left of the run."""
        return sum(self._left)

    def take(self, claim: _Claim, usd: float) -> None:
        """Take dollars from the turns of a finding, and what they do not have from the others."""
        here = min(usd, self.of(claim))
        self._take(self._span(claim), here)
        self._take(slice(None), usd - here)

    def _take(self, span: slice, usd: float) -> None:
        whole = sum(self._left[span])
        share = max(1 - usd / whole, 0.0) if whole > 0 else 1.0
        self._left[span] = [one * share for one in self._left[span]]

    def _span(self, claim: _Claim) -> slice:
        return slice(bisect_left(self._starts, claim.turn), bisect_left(self._starts, claim.turn_end + 1))


def apart_from_others(analysis: PricedAnalysis, found: Sequence[Found]) -> list[Found]:
    """Return what rules found, priced, so that no two count the same dollar.

    Args:
        analysis: the priced analysis.
        found: each rule with its rows, which have turn, turn_end and `usd`.
    """
    claims = _claims(_silenced(found))
    paid, premium = _costs(analysis, [run for run, some in claims.items() if len(some) > 1])
    prices: dict[tuple[int, int], float] = {}
    for run, some in claims.items():
        if len(some) > 1:
            prices |= _shared_out(some, paid.get(run, []), premium.get(run, []))
    return [
        (rule, _left_of(rule, rows, {row: usd for (rule_at, row), usd in prices.items() if rule_at == at}))
        for at, (rule, rows) in enumerate(_silenced(found))
    ]


def _silenced(found: Sequence[Found]) -> list[Found]:
    """Leave out what stands in the turns that a rule found which this one leaves to it.

    Of findings that are about their turns, it is enough that half of these are.
    """
    by_name = {rule.name: rows for rule, rows in found}
    silenced = []
    for rule, rows in found:
        others = [by_name[n] for n in rule.leaves_to if n in by_name]
        silenced.append((rule, _outside(rows, others, half=rule.price == _TURNS) if others else rows))
    return silenced


def _outside(rows: pl.DataFrame, others: Sequence[pl.DataFrame], *, half: bool) -> pl.DataFrame:
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for run, first, last in pl.concat([o.select("run_id", "turn", "turn_end") for o in others]).iter_rows():
        spans[run].append((first, last + 1))
    keep = []
    for run, turn, turn_end in rows.select("run_id", "turn", "turn_end").iter_rows():
        end = turn_end + 1 if half else turn + 1
        inside = sum(max(min(end, last) - max(turn, first), 0) for first, last in spans.get(run, ()))
        starts = any(first <= turn <= last for first, last in spans.get(run, ()))
        keep.append(not starts and 2 * inside < end - turn)
    return rows.filter(pl.Series(keep, dtype=pl.Boolean))


def _claims(found: Sequence[Found]) -> dict[str, list[_Claim]]:
    """Return by run its findings of a known price, those that come first first."""
    claims: dict[str, list[_Claim]] = defaultdict(list)
    for at, (rule, rows) in enumerate(found):
        block = pl.col("block") if rule.price in _BLOCK else pl.lit(None, pl.Int64)
        is_cache = pl.lit(value=rule.price in _CACHE)
        if rule.price == _SAVED:
            is_cache = pl.col("scenario").str.starts_with(_CACHING)
        table = rows.select(
            *("run_id", "turn", "turn_end", block.alias("block")),
            pl.col("usd").cast(pl.Float64),
            is_cache.alias("is_cache"),
        )
        for row, (run, turn, end, number, usd, cached) in enumerate(table.iter_rows()):
            if usd is not None and usd >= 0:
                claims[run].append(_Claim(at, row, turn, end, number, usd, cached))
    for some in claims.values():
        sums: dict[int, float] = defaultdict(float)
        for claim in some:
            sums[claim.rule] += claim.usd
        last = {c.rule: _comes_last(found[c.rule][0]) for c in some}
        some.sort(key=lambda c: (*last[c.rule], -sums[c.rule], c.rule, -c.usd))
    return claims


def _comes_last(rule: Rule) -> tuple[bool, bool]:
    """Whether a rule restates what others explain, and whether it only guesses."""
    return rule.price == _WHOLE_RUN, rule.confidence == CONFIDENCES[-1]


def _shared_out(
    claims: Sequence[_Claim], paid: Sequence[float], premium: Sequence[float]
) -> dict[tuple[int, int], float]:
    """Return the dollars of the findings of a run that cannot have their price; 0 where nothing is left."""
    turns, cache = _Left(paid, claims), _Left(premium, claims)
    blocks: set[int | None] = set()
    prices: dict[tuple[int, int], float] = {}
    for nth, (_, group) in enumerate(groupby(claims, key=lambda claim: claim.rule)):
        own = list(group)
        new = [c for c in own if c.block is None or c.block not in blocks]
        prices |= {(c.rule, c.row): 0.0 for c in own if c.block is not None and c.block in blocks}
        blocks |= {c.block for c in own}
        pools = (turns, cache) if own[0].is_cache else (turns,)
        # What the first one costs may lie behind its turns: the way back of a switch.
        can = [c.usd if nth == 0 else min(c.usd, *(pool.of(c) for pool in pools)) for c in new]
        share = min(1.0, *(pool.all() / sum(can) for pool in pools)) if sum(can) > 0 else 1.0
        for claim, most in zip(new, can, strict=True):
            usd = most * share
            if claim.usd - usd > _ROUNDING:
                prices[claim.rule, claim.row] = usd if usd > _ROUNDING else 0.0
            for pool in pools:
                pool.take(claim, usd)
    return prices


def _repriced(rows: pl.DataFrame, prices: Mapping[int, float]) -> pl.DataFrame:
    if not prices:
        return rows
    usd = [
        None if price == 0 else Decimal(f"{price:.12f}")
        for price in (prices.get(row, -1.0) for row in range(rows.height))
    ]
    silent = pl.Series([price is None for price in usd])
    new = pl.Series("usd", [None if price is None or price < 0 else price for price in usd], USD)
    return rows.with_columns(usd=pl.coalesce(new, "usd")).filter(~silent)


def _left_of(rule: Rule, rows: pl.DataFrame, prices: Mapping[int, float]) -> pl.DataFrame:
    """Return rows with their new prices, without what is hardly left of a rule that restates the others."""
    after = _repriced(rows, prices)
    if rule.price not in {_SAVED, _WHOLE_RUN} or not prices:
        return after
    known = pl.col("usd").cast(pl.Float64).clip(0)
    whole = rows.group_by(FINGERPRINT).agg(was=known.sum())
    left = after.group_by(FINGERPRINT).agg(now=known.sum()).join(whole, on=FINGERPRINT)
    little = left.filter(pl.col("now") < _LEAST_LEFT * pl.col("was"))
    return after.filter(~pl.col(FINGERPRINT).is_in(little[FINGERPRINT].implode()))


def _costs(
    analysis: PricedAnalysis, runs: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return by run what each turn cost, and what of it it paid more than had it read its whole prompt."""
    turns = analysis.counted_with_prices.filter(
        pl.col("run_id").is_in(pl.Series(runs, dtype=pl.String).implode())
    )
    turns = turns.sort("run_id", "turn").with_columns(tokens_lost=PROMPT.fill_null(0))
    premium = usd_lost(turns.drop("usd"), analysis.unit.columns)
    both = turns.select("run_id", usd=pl.col("usd").cast(pl.Float64).fill_null(0)).with_columns(
        premium=premium.cast(pl.Float64).fill_null(0).clip(0)
    )
    sums = both.group_by("run_id").agg("usd", "premium")
    return dict(sums.select("run_id", "usd").iter_rows()), dict(sums.select("run_id", "premium").iter_rows())


__all__ = ["apart_from_others"]
