"""What the turns of a plan cost, at the prices of each turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import polars as pl

from costscan.levers.plan import Plan
from costscan.prices import COST_COLUMNS, UNITS_OF, cost_of
from costscan.replay.agreement import REPLAYED

if TYPE_CHECKING:
    from costscan.analysis import Analysis

CLASSES: Final = (*REPLAYED.values(), "output_tokens")
_REST: Final = ("output", "web_search")
_PLACE: Final = ["run_id", "turn"]


@dataclass(frozen=True)
class Costs:
    """The turns of the log in the order of the steps, with what they cost and their unit prices.

    Attributes:
        turns: run_id, turn, group (runs that share a prefix have one), the token columns, pico_usd as billed,
            null where a price is unknown, and rest_pico_usd, the part that no replay changes.
        unit: the unit prices.
    """

    turns: pl.DataFrame
    unit: pl.DataFrame

    @classmethod
    def of(cls, x: "Analysis") -> Self:
        """Give the turns of an analysis."""
        columns = [*_PLACE, *CLASSES, *COST_COLUMNS.values()]
        priced = x.turns.hstack(x.unit).select(*columns, *x.unit.columns)
        group = (
            pl.when(pl.col("stable_shared_tokens") > 0)
            .then(pl.struct("domain", "stable_shared_key").hash())
            .otherwise(pl.col("run_id").hash())
            .first()
            .over("run_id")
        )
        steps = x.policy.steps.select(*_PLACE, group=group)
        both = steps.join(priced, on=_PLACE, how="left", maintain_order="left")
        rest = pl.sum_horizontal(*(COST_COLUMNS[name] for name in _REST), ignore_nulls=False)
        pico = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)
        turns = both.select(*_PLACE, "group", *CLASSES, pico_usd=pico, rest_pico_usd=rest)
        return cls(turns, both.select(x.unit.columns))

    def of_plan(self, plan: Plan) -> pl.DataFrame:
        """Replay a plan: give its token classes and pico_usd, run by run."""
        return self.of_classes(plan.classes())

    def of_classes(self, replayed: pl.DataFrame) -> pl.DataFrame:
        """Give the token classes and pico_usd of each run, of turns that were replayed."""
        told = replayed.select(pl.col(name).alias(column) for name, column in REPLAYED.items())
        used = self.turns.select(*_PLACE, "group", "output_tokens", "rest_pico_usd").hstack(told)
        prompt = (cost_of(meter) for meter in UNITS_OF if meter not in _REST)
        cost = pl.sum_horizontal(*prompt, "rest_pico_usd", ignore_nulls=False)
        # A turn that has no price as it was billed has none in a scenario.
        known = self.turns["pico_usd"].is_not_null()
        priced = used.hstack(self.unit).select(pl.when(known).then(cost).alias("pico_usd"))
        return self.per_run(used.drop("rest_pico_usd").hstack(priced))

    @staticmethod
    def per_run(turns: pl.DataFrame) -> pl.DataFrame:
        """Sum turns up: run_id, group, pico_usd, known_pico_usd and the token classes.

        `pico_usd` is null where that of a turn is, `known_pico_usd` the sum of the others.
        """
        known = pl.col("pico_usd").sum()
        return turns.group_by("run_id", maintain_order=True).agg(
            pl.col("group").first(),
            pico_usd=pl.when(pl.col("pico_usd").null_count() == 0).then(known),
            known_pico_usd=known,
            **{name: pl.col(name).sum() for name in CLASSES},
        )


def cheapest(ways: list[pl.DataFrame]) -> pl.DataFrame:
    """Give, for all runs that share a prefix, the costs of the way that is cheapest for them together.

    Args:
        ways: from `Costs.of_plan`; of equal ones the first is taken.
    """
    all_ways = pl.concat(
        [runs.with_row_index("row").with_columns(way=pl.lit(n)) for n, runs in enumerate(ways)]
    )
    known = pl.col("known_pico_usd").sum()
    sums = all_ways.group_by("group", "way").agg(known).sort("known_pico_usd", "way")
    best = sums.unique("group", keep="first", maintain_order=True)
    return all_ways.join(best, on=["group", "way"], how="semi").sort("row").drop("row", "way")
