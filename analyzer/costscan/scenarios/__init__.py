"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never dearer than the bill: where the replay says so, the run stays as it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from costscan.frames import ROUTES, empty
from costscan.levers import ALL, LEVERS
from costscan.levers.trimming import PARTS
from costscan.prices import usd_of
from costscan.scenarios.bench import Bench
from costscan.scenarios.curves import CAP_CURVE, PACK_CURVE, cap_curve, pack_curve
from costscan.scenarios.lifetimes import lifetimes
from costscan.scenarios.parts import caching_parts, other_parts
from costscan.scenarios.saved import billed, saved
from costscan.scenarios.sets import Sets, all_sets
from costscan.scenarios.shapley import shares
from costscan.settings import Settings

if TYPE_CHECKING:
    from costscan.analysis import Analysis


@dataclass(frozen=True)
class Priced:
    """What was priced: the frames of these names, and two curves.

    Attributes:
        parts_off: the scenarios of parts that their lever does not have.
        caps: by tool and cap, what cutting its results there would save.
        packs: by items to a context, what packing would cost.
    """

    scenarios: pl.DataFrame = field(default_factory=lambda: empty("scenarios"))
    lifetimes: pl.DataFrame = field(default_factory=lambda: empty("lifetimes"))
    turn_work: pl.DataFrame = field(default_factory=lambda: empty("turn_work"))
    single_shots: pl.DataFrame = field(default_factory=lambda: empty("single_shots"))
    routes: pl.DataFrame = field(default_factory=lambda: empty("routes"))
    parts_off: frozenset[str] = frozenset()
    caps: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CAP_CURVE))
    packs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PACK_CURVE))


def price_scenarios(x: "Analysis", settings: Settings | None = None) -> Priced:
    """Give as_billed, what each lever, each of its parts and each set of levers would have saved.

    Args:
        x: the analysis.
        settings: which levers are on, and how far they go.

    Raises:
        CostscanError: `routing.force` names no Claude model.
    """
    settings = settings or Settings()
    if x.policy.steps.is_empty():
        return Priced()
    bench = Bench(x, settings)
    levers = [lever for lever in LEVERS if getattr(settings, lever).enabled]
    sets = Sets(bench, levers)
    told = [billed(bench.costs)]
    living = empty("lifetimes")
    if "caching" in levers:
        parts, five, hour = caching_parts(bench)
        told += _rows(bench, parts)
        living = lifetimes(bench.costs, bench.plan.steps, five, hour)
    told += _rows(bench, other_parts(sets, levers))
    told += _together(sets, levers)
    scenarios = pl.concat(told)
    return Priced(
        scenarios=scenarios,
        lifetimes=living,
        routes=_routes(sets, scenarios) if "routing" in levers else empty("routes"),
        turn_work=bench.work,
        single_shots=bench.shots,
        parts_off=frozenset(
            {f"trimming/{part}" for part in PARTS if part not in settings.trimming.parts} | {"routing/effort"}
        ),
        caps=cap_curve(x, settings.trimming.tool_result_max_tokens),
        packs=pack_curve(bench),
    )


def _rows(bench: Bench, found: Mapping[str, pl.DataFrame]) -> Iterator[pl.DataFrame]:
    nothing = saved(bench.costs, bench.logged.runs, bench.logged.runs, "")
    for name, runs in found.items():
        if runs is bench.logged.runs:
            yield nothing.with_columns(scenario=pl.lit(name))
        else:
            yield saved(bench.costs, bench.logged.runs, runs, name)


def _together(sets: Sets, levers: list[str]) -> Iterator[pl.DataFrame]:
    """Give each set of levers; those with one lever also tell its share in what all save together."""
    if not levers:
        return
    bench = sets.bench
    sets.replay()
    forced = bench.settings.routing.force is not None
    told: dict[int, pl.DataFrame] = {}
    done = {}
    for some in all_sets(levers):
        runs = sets.best(some)
        if id(runs) not in told:
            any_price = forced and "routing" in some
            told[id(runs)] = saved(bench.costs, bench.logged.runs, runs, _name(some), may_be_dearer=any_price)
        done[some] = told[id(runs)].with_columns(scenario=pl.lit(_name(some)))
    pico = {some: _pico(rows) for some, rows in done.items()}
    joint = shares(pico, levers)
    every = frozenset(levers)
    for some, rows in done.items():
        (lever, *others) = some
        known = pl.col("usd").is_not_null()
        share = pl.when(known).then(usd_of(pl.lit(joint[lever])))
        yield rows.with_columns(saved_joint_usd=share) if not others else rows
        if some == every:
            yield rows.with_columns(scenario=pl.lit(ALL))


def _routes(sets: Sets, scenarios: pl.DataFrame) -> pl.DataFrame:
    """Give the `routes` frame: the turns of runs that routing alone makes cheaper, or that were forced."""
    bench = sets.bench
    changed = scenarios.filter(pl.col("scenario") == "routing", pl.col("saved_usd") != 0)
    moved = bench.logged.turns.select("run_id", "turn", "model").with_columns(to_model=sets.routed_models)
    forced = bench.settings.routing.force is not None
    known = bench.evidence.clear() if forced else bench.evidence
    why = known.unique(["run_id", "turn"], keep="first", maintain_order=True)
    return (
        moved.filter(pl.col("model") != pl.col("to_model"))
        .join(changed, on="run_id", how="semi", maintain_order="left")
        .join(why, on=["run_id", "turn"], how="left", maintain_order="left")
        .select(*ROUTES)
    )


def attach(x: "Analysis", priced: Priced) -> None:
    """Give an analysis the frames that were priced."""
    for name in ("scenarios", "lifetimes", "turn_work", "single_shots", "routes"):
        setattr(x, name, getattr(priced, name))
    x.parts_off = priced.parts_off
    x.curves = {"cap": priced.caps, "pack": priced.packs}


def _name(levers: frozenset[str]) -> str:
    return "+".join(lever for lever in LEVERS if lever in levers)


def _pico(rows: pl.DataFrame) -> pl.Series:
    """Give what is saved in whole pico-USD, 0 where it is not known."""
    return rows.select((pl.col("saved_usd") * 10**12).cast(pl.Int64).fill_null(0)).to_series()


__all__ = ["Priced", "attach", "price_scenarios"]
