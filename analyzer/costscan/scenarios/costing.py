"""What the turns of a plan cost, at the prices of each turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

import polars as pl

from costscan.cache.agreement import REPLAYED
from costscan.cache.automatic import MAY_READ
from costscan.levers.plan import EXTRA_OUTPUT, Plan, groups_of
from costscan.levers.replaying import winners
from costscan.prices import BEYOND_TEXT, COST_COLUMNS, UNIT_COLUMNS, UNITS_OF, PriceBook, cost_of
from costscan.scenarios.uncertainty import SPREADS, UNSURE, spread

if TYPE_CHECKING:
    from costscan.analysis import Analysis

CLASSES: Final = (*REPLAYED.values(), "output_tokens")
_PLACE: Final = ["run_id", "turn"]
_OF_STEPS: Final = (
    "model",
    pl.col("output_tokens") + pl.col(EXTRA_OUTPUT),
    "web_searches",
    *UNSURE,
)
"""What decides the cost of a step, beside its prompt and its prices."""
_UNIT_KEYS: Final = ("model", "model_raw", "tier", "speed", "geo", "at", "prompt_tokens")
"""What decides its prices."""


@dataclass(frozen=True)
class Costs:
    """The turns of the log in the order of the steps, with what they cost and their unit prices.

    Attributes:
        turns: run_id, turn, run (its number), group (the runs of a task and an agent type: what a setting is
            made for), the token columns, and pico_usd as billed, null where a price is unknown; where any
            are told, what audio and images cost beyond text, which no plan changes.
        unit: the unit prices.
        book: the `prices` frame, to look up.
        share_paid: the share of the list price that is paid.
        off: run_id, off_share: how much of the bill of each run the replay of what happened is off.
    """

    turns: pl.DataFrame
    unit: pl.DataFrame
    book: PriceBook
    share_paid: Decimal
    off: pl.DataFrame

    @classmethod
    def of(cls, analysis: "Analysis") -> Self:
        """Return the turns of an analysis."""
        units = list(UNIT_COLUMNS.values())
        counted = analysis.counted_with_prices
        beyond = [name for name in (BEYOND_TEXT,) if name in counted.columns]
        priced = counted.select(*_PLACE, *CLASSES, *COST_COLUMNS.values(), *beyond, *units)
        groups = groups_of(analysis.runs)
        steps = analysis.logged_requests.steps.select(*_PLACE).join(
            groups, on="run_id", how="left", maintain_order="left"
        )
        both = steps.join(priced, on=_PLACE, how="left", maintain_order="left")
        pico = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)
        run = pl.col("run_id").rle_id().cast(pl.Int64)
        turns = both.select(*_PLACE, "group", *CLASSES, *beyond, run=run, pico_usd=pico)
        return cls(
            turns,
            both.select(units),
            PriceBook.of(analysis.prices),
            analysis.share_paid,
            _off(analysis),
        )

    @cached_property
    def n_runs(self) -> int:
        """How many runs there are."""
        return self.turns["run_id"].n_unique()

    def of_plans(self, plans: Sequence[Plan], classes: pl.DataFrame) -> pl.DataFrame:
        """Return the turns of plans, one plan after another; `run` goes on counting from plan to plan.

        Args:
            plans: the plans.
            classes: the token classes of the prompts of their steps, named as in `turns`; `MAY_READ` where a
                cache promises nothing.

        Returns:
            run_id, turn, run, group, model, token classes, unit prices, pico_usd, `SPREADS` and `MAY_READ`.
        """
        own = pl.concat([self._logged(pl.col("run") + k * self.n_runs) for k in range(len(plans))])
        planned = pl.concat([plan.steps.lazy().select(_OF_STEPS) for plan in plans])
        logged, steps = pl.collect_all([own, planned])
        may_read = [name for name in (MAY_READ,) if name in classes.columns]
        sent = classes.select(*REPLAYED.values(), *may_read)
        used = logged.hstack(sent).hstack(steps).hstack(self._units(plans))
        beyond = self._beyond_text
        cost = pl.sum_horizontal(*(cost_of(meter) for meter in UNITS_OF), *beyond, ignore_nulls=False)
        # A turn that has no price as it was billed has none in a scenario.
        priced = used.lazy().with_columns(pico_usd=pl.when("is_priced").then(cost))
        columns = (*_PLACE, "run", "group", "model", *CLASSES, *may_read, *self.unit.columns, "pico_usd")
        return spread(priced, steps, may_read=bool(may_read)).select(*columns, *SPREADS).collect()

    def _logged(self, run: pl.Expr) -> pl.LazyFrame:
        """Return of the logged turns what a plan leaves as it is."""
        is_priced = pl.col("pico_usd").is_not_null()
        return self.turns.lazy().select(*_PLACE, "group", *self._beyond_text, run=run, is_priced=is_priced)

    @property
    def _beyond_text(self) -> list[str]:
        """The column of what audio and images cost beyond text, where any are told."""
        return [name for name in (BEYOND_TEXT,) if name in self.turns.columns]

    def _units(self, plans: Sequence[Plan]) -> pl.DataFrame:
        """Return the unit prices of the turns of plans: those that were paid, where nothing changes them."""
        repriced = [plan.steps.select(_UNIT_KEYS) for plan in plans if plan.is_repriced]
        if not repriced:
            return pl.concat([self.unit] * len(plans))
        units = self.units_of(pl.concat(repriced)).iter_slices(self.unit.height)
        return pl.concat([next(units) if plan.is_repriced else self.unit for plan in plans])

    def units_of(self, steps: pl.DataFrame) -> pl.DataFrame:
        """Return the unit prices of steps."""
        zero = (pl.lit(0, pl.Int64).alias(name) for name in REPLAYED.values() if name != "input_tokens")
        sent = steps.with_columns(*zero, input_tokens="prompt_tokens")
        return self.book.unit_prices(sent, discount=self.share_paid)

    @staticmethod
    def per_run(turns: pl.DataFrame) -> pl.DataFrame:
        """Sum turns up: run_id, group, pico_usd, known_pico_usd and the token classes.

        `pico_usd` is null where that of a turn is, `known_pico_usd` the sum of the others, and the `SPREADS`
        are those of the turns together.
        """
        known_pico_usd = pl.col("pico_usd").sum()
        unsure = [name for name in SPREADS if name in turns.columns]
        sums = turns.lazy().group_by("run", maintain_order=True).agg(
            pl.col("run_id", "group").first(),
            pico_usd=pl.when(pl.col("pico_usd").null_count() == 0).then(known_pico_usd),
            known_pico_usd=known_pico_usd,
            **{name: pl.col(name).sum() for name in (*CLASSES, *unsure)},
        )  # fmt: skip
        return sums.drop("run").collect()


def taken(ways: Sequence[pl.DataFrame], way: pl.Series) -> pl.DataFrame:
    """Return of each row that of the way that is named; all ways have the same rows in the same order."""
    rows = pl.int_range(len(way), dtype=pl.Int64, eager=True)
    return pl.concat(ways).select(pl.all().gather(way * len(way) + rows))


def _off(analysis: "Analysis") -> pl.DataFrame:
    """Return run_id and off_share: what the replay is off turn by turn, or where that is chance, in sum."""
    billed = analysis.turns.select(*_PLACE, "model", "usd")
    both = analysis.agreement.turns.join(billed, on=_PLACE, how="inner").join(
        _may_read(analysis.logged_requests.steps), on="run_id", how="left", maintain_order="left"
    )
    automatic = analysis.logged_requests.automatic
    by_chance = pl.col("model").is_in(automatic.fitted_models).fill_null(value=False)
    usd, off = (pl.col(name).cast(pl.Float64) for name in ("usd", "off_usd"))
    expected = {model: automatic.off_share(model) for model in automatic.fitted_models}
    least = pl.col("model").replace_strict(expected, default=0.0, return_dtype=pl.Float64)
    net = pl.max_horizontal(off.sum().over("model").abs(), usd.sum().over("model") * least)
    of_model = pl.when("may_read").then(net / usd.sum().over("model") * usd).otherwise(0.0)
    each = both.select("run_id", usd=usd, off=pl.when(by_chance).then(of_model).otherwise(off.abs()))
    share = pl.when(pl.col("usd").sum() > 0).then(
        pl.min_horizontal(pl.col("off").sum() / pl.col("usd").sum(), 1.0)
    )
    return each.group_by("run_id").agg(off_share=share.otherwise(0.0))


def _may_read(steps: pl.DataFrame) -> pl.DataFrame:
    """Return run_id and may_read: whether any prompt of a run begins like another one."""
    begins = pl.col("stable_extends_key").is_not_null() | (pl.col("stable_shared_tokens") > 0)
    return steps.group_by("run_id").agg(may_read=begins.any())


def cheapest(ways: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return, group by group, the way that is cheapest; arguments as for `winners`."""
    return ways[0] if len(ways) == 1 else taken(ways, winners(ways))
