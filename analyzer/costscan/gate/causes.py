"""Why the cost moved: the change of the bill split by cause, so that the parts add up to it exactly.

What the runs of a task cost is a sum of products: runs x turns per run x tokens per turn x share of a model x
share of a lane in it (tier, speed, region, size limit) x share of a meter (what the cache read, wrote and did
not know) x price. Going from before to after along the straight line, each factor has its part in the change
of each product. These parts do not depend on an order of the factors (they are their Shapley values, as a
product is linear in each factor), and add up to the change. The integral along the line is exact: four nodes
of Gauss and Legendre integrate polynomials up to degree seven, and these have six.

A factor that a side cannot know (the price of a model it never used) is taken from the other side.

Of a mean run the same holds without the number of runs: each side is then divided by its own.
"""

from decimal import Decimal
from math import sqrt
from typing import Final

import polars as pl

from costscan.aggregates import known_sum, total
from costscan.gate.side import ComparisonSide
from costscan.meters import PROMPT_METERS, UNITS_OF
from costscan.schema.frames import USD
from costscan.summary.run_report import CELL

CAUSES: Final = {
    "new_tasks": "tasks that are new",
    "gone_tasks": "tasks that are gone",
    "runs": "number of runs",
    "turns": "turns per run",
    "prompt_tokens": "tokens sent per call",
    "output_tokens": "output per call",
    "web_searches": "web searches per call",
    "model": "mix of models",
    "lane": "mix of tiers, speeds, regions and size limits",
    "cache": "cache behaviour",
    "price": "price table",
    "other": "not explained by what the reports hold",
}
"""The causes, and what they are called."""
SPLIT: Final = pl.Schema([*((name, pl.String()) for name in ("task", "cause", "part", "kind")), ("usd", USD)])
"""The columns of the split: `part` and `kind` of content where tokens sent per call are the cause."""
REST: Final = "(rest)"
_VOLUME: Final = {
    **UNITS_OF,
    **dict.fromkeys(PROMPT_METERS, "prompt_tokens"),
}
_FACTORS: Final = ("runs", "turns", "volume", "model", "lane", "cache", "price")
_DECIMALS: Final = 9
"""As many as JSON has: there too the parts add up."""
_ROUNDING: Final = Decimal("1e-9")
"""So much of a dollar a row may lose to rounding."""


def _nodes() -> tuple[tuple[float, float], ...]:
    """Return the four places on the line from 0 to 1, and their weights."""
    near, far = sqrt(3 / 7 - 2 / 7 * sqrt(6 / 5)), sqrt(3 / 7 + 2 / 7 * sqrt(6 / 5))
    inner, outer = (18 + sqrt(30)) / 72, (18 - sqrt(30)) / 72
    return tuple(
        ((1 + sign * place) / 2, weight)
        for place, weight in ((near, inner), (far, outer))
        for sign in (-1, 1)
    )


NODES: Final = _nodes()


def split(before: ComparisonSide, after: ComparisonSide, *, per_run: bool = False) -> pl.DataFrame:
    """Return the change of the known cost by task, cause, part and kind; it adds up to the change exactly.

    Args:
        before: one side.
        after: the other.
        per_run: split the change of what a mean run costs; both sides hold runs of one task, and the same.

    Gives:
        A row per task and cause that moved the cost, the largest first; tokens sent per call have one per
        part and kind of content. Columns: see `SPLIT`.
    """
    terms = _terms(before, after, per_run=per_run)
    every = pl.concat([_whole_tasks(before, after), _by_cause(terms), _by_part(terms, before, after)])
    names = [name for name in SPLIT if name != "usd"]
    rounded = (
        every.with_columns(pl.col("usd").round(_DECIMALS).cast(USD))
        .filter(pl.col("usd") != 0)
        .sort(pl.col("usd").abs(), *names, descending=[True, *(False for _ in names)])
    )
    old, new = (side.usd / side.units.height if per_run else side.usd for side in (before, after))
    return _exact(rounded, (new - old) - total(rounded["usd"]))


def _exact(parts: pl.DataFrame, rest: Decimal) -> pl.DataFrame:
    """Add what rounding left to the largest part; more than that no row of the reports explains."""
    if abs(rest) > _ROUNDING * max(parts.height, 1):
        other = {"task": "", "cause": "other", "part": "", "kind": "", "usd": rest}
        return pl.concat([parts, pl.DataFrame([other], schema=SPLIT)])
    is_largest = pl.int_range(pl.len()) == 0
    return parts.with_columns(pl.when(is_largest).then(pl.col("usd") + rest).otherwise("usd").cast(USD))


def _whole_tasks(before: ComparisonSide, after: ComparisonSide) -> pl.DataFrame:
    """Return what tasks cost that stand on one side alone."""
    sums = [
        side.units.group_by("task", maintain_order=True).agg(usd=known_sum("known_usd").cast(pl.Float64))
        for side in (before, after)
    ]
    gone = (
        sums[0].join(sums[1], on="task", how="anti").with_columns(-pl.col("usd"), cause=pl.lit("gone_tasks"))
    )
    new = sums[1].join(sums[0], on="task", how="anti").with_columns(cause=pl.lit("new_tasks"))
    return _split(pl.concat([gone, new]).with_columns(pl.col("usd").fill_null(0.0)))


def _split(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows the columns of the split that they lack."""
    lacking = [pl.lit("").alias(name) for name in ("part", "kind") if name not in rows.columns]
    return rows.with_columns(lacking).select(*SPLIT)


def _terms(before: ComparisonSide, after: ComparisonSide, *, per_run: bool) -> pl.DataFrame:
    """Return a row per task, cell and meter of the tasks on both sides, every factor before and after."""
    key = ["task", *CELL, "meter"]
    sides = [
        _spent(side).rename({"units": f"units_{n}", "usd": f"usd_{n}"})
        for n, side in enumerate((before, after))
    ]
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True, nulls_equal=True)
    for n, side in enumerate((before, after)):
        runs = side.units.group_by("task").agg(pl.len().alias(f"runs_{n}"))
        turns = _turned(side).rename({"n_turns": f"n_turns_{n}"})
        both = both.join(runs, on="task").join(turns, on="task", how="left")
    amounts = pl.col("^(units|usd|runs|n_turns)_[01]$").fill_null(0).cast(pl.Float64)
    family = pl.col("meter").replace_strict(_VOLUME)
    factors = [_factor(n, per_run=per_run) for n in (0, 1)]
    return _complete(both.with_columns(amounts, family=family).with_columns(factors))


def _spent(side: ComparisonSide) -> pl.DataFrame:
    """Return units and dollars per task, cell and meter."""
    key = ["task", *CELL]
    sums = (
        side.nested("spend")
        .group_by(key)
        .agg(pl.col(*UNITS_OF.values()).sum(), pl.col(*(f"{meter}_usd" for meter in UNITS_OF)).sum())
    )
    meters = [
        sums.select(*key, meter=pl.lit(meter), units=units, usd=f"{meter}_usd")
        for meter, units in UNITS_OF.items()
    ]
    return pl.concat(meters).filter(pl.col("units") > 0)


def _factor(n: int, *, per_run: bool) -> pl.Expr:
    """Return the factors of a side as a struct; null where the side cannot know one."""
    units, turns, runs = (pl.col(f"{name}_{n}") for name in ("units", "n_turns", "runs"))
    volume = units.sum().over("task", "family")
    of_model = units.sum().over("task", "family", "provider", "model")
    of_cell = units.sum().over("task", "family", *CELL)
    return pl.struct(
        runs=pl.lit(1.0) if per_run else runs,
        turns=turns / runs,
        volume=_ratio(volume, turns),
        model=_ratio(of_model, volume),
        lane=_ratio(of_cell, of_model),
        cache=_ratio(units, of_cell),
        price=_ratio(pl.col(f"usd_{n}"), units),
    ).alias(f"side_{n}")


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


def _complete(terms: pl.DataFrame) -> pl.DataFrame:
    """Return `from_<factor>` and `by_<factor>` (how much more it is after)."""
    columns = []
    for name in _FACTORS:
        old, new = (pl.col(f"side_{n}").struct.field(name) for n in (0, 1))
        first, last = pl.coalesce(old, new, 0.0), pl.coalesce(new, old, 0.0)
        columns += [first.alias(f"from_{name}"), (last - first).alias(f"by_{name}")]
    return terms.select("task", "family", *columns)


def _line(factor: str) -> pl.Expr:
    """Return the mean, along the line from before to after, of the product of all other factors."""
    others = [name for name in _FACTORS if name != factor]
    products = []
    for place, weight in NODES:
        product = pl.lit(weight)
        for name in others:
            product *= pl.col(f"from_{name}") + pl.col(f"by_{name}") * place
        products.append(product)
    return pl.sum_horizontal(products)


def _by_cause(terms: pl.DataFrame) -> pl.DataFrame:
    """Return what each factor moved, but for the tokens of prompts."""
    by_factor = []
    for factor in _FACTORS:
        cause = pl.col("family") if factor == "volume" else pl.lit(factor)
        moved = terms.select("task", cause=cause, usd=pl.col(f"by_{factor}") * _line(factor))
        by_factor.append(moved.filter(pl.col("cause") != "prompt_tokens"))
    return _split(
        pl.concat(by_factor).group_by("task", "cause", maintain_order=True).agg(pl.col("usd").sum())
    )


def _by_part(terms: pl.DataFrame, before: ComparisonSide, after: ComparisonSide) -> pl.DataFrame:
    """Return what the tokens of prompts moved, by part and kind of content; the rest no block tells."""
    per_task = (
        terms.filter(pl.col("family") == "prompt_tokens")
        .group_by("task", maintain_order=True)
        .agg(_line("volume").sum().alias("usd_per_token"), pl.col("by_volume").first())
    )
    key = ["task", "part", "kind"]
    both = _sent(before).join(_sent(after), on=key, how="full", coalesce=True, suffix="_after").fill_null(0.0)
    # A side without a turn that has a price tells nothing of what its turns sent.
    both = both.join(_turned(before), on="task", how="semi").join(_turned(after), on="task", how="semi")
    more = pl.col("tokens_after") - pl.col("tokens")
    with_blocks = per_task.join(both.group_by("task").agg(block_tokens=more.sum()), on="task", how="left")
    rest = with_blocks.select(
        "task",
        "usd_per_token",
        part=pl.lit(REST),
        kind=pl.lit(""),
        more=pl.col("by_volume") - pl.col("block_tokens").fill_null(0.0),
    )
    in_blocks = both.join(per_task, on="task").select("task", "usd_per_token", "part", "kind", more=more)
    moved = pl.col("more") * pl.col("usd_per_token")
    return _split(pl.concat([in_blocks, rest]).with_columns(cause=pl.lit("prompt_tokens"), usd=moved))


def _turned(side: ComparisonSide) -> pl.DataFrame:
    """Return the tasks that have turns with a price, and how many."""
    return side.nested("spend").group_by("task").agg(n_turns=pl.col("turns").sum())


def _sent(side: ComparisonSide) -> pl.DataFrame:
    """Return the tokens that a turn sends, by part and kind of content."""
    sent = side.nested("parts").group_by("task", "part", "kind").agg(pl.col("sent_tokens").sum())
    return sent.join(_turned(side), on="task").select(
        "task", "part", "kind", tokens=pl.col("sent_tokens") / pl.col("n_turns")
    )
