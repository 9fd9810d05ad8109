"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never more expensive than the bill: where it would be, a run stays as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.levers import ALL, LEVERS
from costscan.levers.caching import TTL
from costscan.levers.catalogue import CATALOGUE, TRIMMING
from costscan.levers.plan import TRIED
from costscan.levers.replaying import Outcome
from costscan.levers.routing import evidence_rules
from costscan.levers.routing.candidates import model_named
from costscan.levers.trimming.cap_tool_results import PART as CAPPED
from costscan.native import without_panics
from costscan.scenarios.break_even import BreakEven, break_evens
from costscan.scenarios.curves import CAP_CURVE, PACK_CURVE, cap_curve, pack_curve
from costscan.scenarios.guard import Guard
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.parts import caching_parts, other_parts, told
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.savings import billed, saved
from costscan.scenarios.together import Joint, joint
from costscan.scenarios.ttl_choice import ttl_choice
from costscan.scenarios.unreplayed import unreplayed, without
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import empty
from costscan.schema.tables.levers import ROUTES
from costscan.settings.keys import Settings

SCENARIO: Final = "scenario "
"""What stands before the name of a scenario in the reasons of an analysis."""
CHOICES: Final = pl.Schema(dict.fromkeys(("scenario", "run_id", "tool", "setting"), pl.String))
"""By part of a lever, what it was set to for a run, or for a tool."""
TRIALS: Final = pl.Schema([("scenario", pl.String()), *TRIED.items()])
"""By part of a lever: `plan.TRIED`."""
FRAMES: Final = ("scenarios", "lifetimes", "turn_work", "single_shots", "routes")
"""The canonical frames that this stage adds."""


@dataclass(frozen=True, kw_only=True)
class PricedAnalysis(Analysis):
    """An analysis, and what its runs would have cost otherwise: the frames of these names, and two curves.

    Attributes:
        scenarios: a row per run and scenario; none of a scenario that has a reason.
        parts_off: the scenarios of parts that their lever does not have.
        caps: by tool and cap, what cutting its results there would save.
        packs: by items to a context, what packing would cost.
        break_evens: by scenario, from where on it would pay nothing.
        without_rules: the models of runs that no lever says anything of (see `unreplayed`).
        choices: `CHOICES`, what the parts of levers were set to.
        tried: `TRIALS`, what each setting that they were chosen from would have saved.
    """

    scenarios: pl.DataFrame
    lifetimes: pl.DataFrame
    turn_work: pl.DataFrame
    single_shots: pl.DataFrame
    routes: pl.DataFrame
    parts_off: frozenset[str]
    caps: pl.DataFrame
    packs: pl.DataFrame
    break_evens: Mapping[str, BreakEven]
    without_rules: tuple[str, ...]
    choices: pl.DataFrame
    tried: pl.DataFrame

    def _frames(self) -> dict[str, Callable[[], pl.DataFrame]]:
        return {**super()._frames(), **{name: partial(getattr, self, name) for name in FRAMES}}


@dataclass(frozen=True)
class Priced:
    """What is priced, before it stands beside its analysis; by scenario, why one could not be."""

    scenarios: pl.DataFrame = field(default_factory=lambda: empty("scenarios"))
    lifetimes: pl.DataFrame = field(default_factory=lambda: empty("lifetimes"))
    turn_work: pl.DataFrame = field(default_factory=lambda: empty("turn_work"))
    single_shots: pl.DataFrame = field(default_factory=lambda: empty("single_shots"))
    routes: pl.DataFrame = field(default_factory=lambda: empty("routes"))
    parts_off: frozenset[str] = frozenset()
    caps: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CAP_CURVE))
    packs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PACK_CURVE))
    break_evens: Mapping[str, BreakEven] = field(default_factory=dict)
    without_rules: tuple[str, ...] = ()
    choices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CHOICES))
    tried: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TRIALS))
    reasons: Mapping[str, str] = field(default_factory=dict)


def price_scenarios(analysis: Analysis, settings: Settings | None = None) -> PricedAnalysis:
    """Return an analysis with its scenarios; arguments and errors are those of `priced`."""
    return beside(analysis, priced(analysis, settings))


def priced(analysis: Analysis, settings: Settings | None = None) -> Priced:
    """Price as_billed, each lever, each of its parts and each set of levers, for every run.

    A part or a lever that raises has no rows, and its reason in `reasons`; the others are worked out.

    Args:
        analysis: the analysis.
        settings: which levers are on, and how far they go.

    Raises:
        CostscanError: `routing.force` names no model that calls can be moved to.
    """
    settings = settings or Settings()
    if settings.routing.force is not None:
        model_named(settings.routing.force)
    if analysis.logged_requests.steps.is_empty():
        reason = analysis.reasons.get("replay")
        return Priced(reasons=dict.fromkeys((*_on(settings), ALL), reason) if reason else {})
    guard = Guard()
    with without_panics():
        found = guard.of(ALL, lambda: _priced(analysis, settings, guard), Priced())
    if found.scenarios.is_empty():
        guard.reasons |= dict.fromkeys(_on(settings), guard.reasons[ALL])
    runs, models = unreplayed(analysis.counted, analysis.logged_requests.automatic.fitted_models)
    told = without(found.scenarios, runs, analysis.logged_requests.steps)
    return replace(found, scenarios=told, without_rules=models, reasons=guard.reasons)


def beside(analysis: Analysis, found: Priced) -> PricedAnalysis:
    """Return an analysis with what was priced of it."""
    others = {part: reason for part, reason in analysis.reasons.items() if not part.startswith(SCENARIO)}
    reasons = others | {SCENARIO + name: reason for name, reason in found.reasons.items()}
    analysis_fields = {f.name: getattr(analysis, f.name) for f in fields(Analysis)}
    return PricedAnalysis(**{**analysis_fields, **vars(found), "reasons": reasons})


def _on(settings: Settings) -> list[str]:
    return [lever for lever in LEVERS if getattr(settings, lever).enabled]


def _priced(analysis: Analysis, settings: Settings, guard: Guard) -> Priced:
    workspace, levers = Workspace(analysis, settings), _on(settings)
    sets = Sets(workspace, levers, Routes(workspace))
    parts, ways = _parts(sets, guard)
    ttls = ways.get(TTL, ())
    all_sets = _all_sets(sets, guard, parts)
    scenarios = pl.concat([billed(workspace.costs), *parts.values(), *all_sets.rows])
    choices = _choices(ways)
    cap = _cap(settings, choices)
    routes, nothing = empty("routes"), pl.DataFrame(schema=PACK_CURVE)
    return Priced(
        scenarios=scenarios,
        lifetimes=guard.of(
            TTL, lambda: _lifetimes(workspace, ttls), empty("lifetimes"), part="the lifetimes of each run"
        ),
        routes=guard.of(
            "routing", lambda: _routes(workspace, all_sets.moves, scenarios), routes, part="its routes"
        ),
        turn_work=guard.of(
            "routing", lambda: workspace.work, empty("turn_work"), part="the work of each turn"
        ),
        single_shots=guard.of(
            "batching", lambda: workspace.shots, empty("single_shots"), part="its requests"
        ),
        parts_off=_parts_off(settings),
        caps=guard.of(
            "trimming/cap-tool-results",
            lambda: cap_curve(analysis, cap, settings.trimming.tool_result_max_tokens),
            pl.DataFrame(schema=CAP_CURVE),
            part="its curve",
        ),
        packs=guard.of("batching/pack-items", lambda: pack_curve(workspace), nothing, part="its curve"),
        choices=choices,
        tried=_tried(ways),
        break_evens=guard.of(
            ALL,
            lambda: break_evens(workspace, sets.routes, scenarios, cap),
            {},
            part="where levers break even",
        ),
    )


def _parts(sets: Sets, guard: Guard) -> tuple[dict[str, pl.DataFrame], dict[str, Sequence[Outcome]]]:
    """Return by scenario the rows of parts, none of those that raise, and the ways that were tried."""
    workspace = sets.workspace
    caching, others = caching_parts(workspace), other_parts(sets, sets.levers)
    if "caching" not in sets.levers:
        caching = {}
    works = [
        guard.work(name, partial(told, workspace, make), ()) for name, make in (caching | others).items()
    ]
    ways = dict(zip(caching | others, workspace.done(works), strict=True))
    nothing = saved(workspace.costs, workspace.logged.runs, workspace.logged.runs, "")

    def rows(name: str, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        if not outcomes:
            return nothing.clear()
        if outcomes[-1] is workspace.logged:
            return nothing.with_columns(scenario=pl.lit(name))
        return saved(workspace.costs, workspace.logged.runs, outcomes[-1].runs, name)

    each = {name: guard.of(name, partial(rows, name, way), nothing.clear()) for name, way in ways.items()}
    return each, ways


def _cap(settings: Settings, choices: pl.DataFrame) -> pl.Expr:
    """Return what the results of a `tool` are cut to, null where they are not."""
    if settings.trimming.tool_result_max_tokens is not None:
        return pl.lit(settings.trimming.tool_result_max_tokens)
    caps = dict(choices.filter(scenario=CAPPED).select("tool", pl.col("setting").cast(pl.Int64)).rows())
    return pl.col("tool").replace_strict(caps, default=None, return_dtype=pl.Int64)


def _choices(ways: Mapping[str, Sequence[Outcome]]) -> pl.DataFrame:
    """Return `CHOICES` of the parts that were set to something."""
    made = [
        choice.select(
            scenario=pl.lit(name),
            **{c: pl.col(c) if c in choice.columns else pl.lit(None, pl.String) for c in ("run_id", "tool")},
            setting="setting",
        )
        for name, outcomes in ways.items()
        if outcomes and (choice := outcomes[-1].plan.choices.get(name)) is not None
    ]
    return pl.concat([pl.DataFrame(schema=CHOICES), *made])


def _tried(ways: Mapping[str, Sequence[Outcome]]) -> pl.DataFrame:
    told = [
        (name, some)
        for name, outcomes in ways.items()
        if outcomes and (some := outcomes[-1].plan.tried.get(name)) is not None
    ]
    each = [some.select(scenario=pl.lit(name), **{c: pl.col(c) for c in TRIED}) for name, some in told]
    return pl.concat([pl.DataFrame(schema=TRIALS), *each])


def _all_sets(sets: Sets, guard: Guard, parts: Mapping[str, pl.DataFrame]) -> Joint:
    """Replay the sets of levers without the parts that could not be worked out."""
    on, levers = sets.workspace.settings.trimming.parts, sets.levers
    trims = [f"trimming/{part}" for part in on if "trimming" in levers]
    failed = [part for part in trims if part in guard.reasons]
    gone = bool(failed) and len(failed) == len(trims)
    left = [lever for lever in levers if lever != "trimming" or not gone]
    idle = {*sets.idle, *(part.partition("/")[2] for part in failed)}
    off = _parts_off(sets.workspace.settings)
    compared = {name: rows for name, rows in parts.items() if rows.height and name not in off}
    best = joint(replace(sets, levers=left, idle=idle), guard, compared)
    for part in failed:
        for name in ("trimming", ALL):
            guard.without(name, part)
    return best


def _parts_off(settings: Settings) -> frozenset[str]:
    """Return the scenarios of parts that their lever does not have: only that of trimming is set."""
    others = (lever.parts_off() for lever in CATALOGUE if lever is not TRIMMING)
    return TRIMMING.parts_off(settings.trimming.parts).union(*others)


def _lifetimes(workspace: Workspace, ttls: Sequence[Outcome]) -> pl.DataFrame:
    if not ttls:
        return empty("lifetimes")
    return ttl_choice(workspace.costs, workspace.plan.steps, [way.runs for way in ttls[:-1]])


def _routes(workspace: Workspace, moves: pl.DataFrame, scenarios: pl.DataFrame) -> pl.DataFrame:
    """Return the `routes` frame: the calls of runs that routing alone makes cheaper, or that were forced.

    Args:
        workspace: what scenarios are made from.
        moves: those of routing alone.
        scenarios: their rows.
    """
    changed = scenarios.filter(pl.col("scenario") == "routing", pl.col("saved_usd") != 0)
    rules = [{"evidence": r.name, "confidence": r.confidence, "reason": r.reason} for r in evidence_rules()]
    return (
        workspace.plan.steps.select("req", "run_id", "turn", "model")
        .join(moves, on="req", how="inner", maintain_order="left")
        .join(changed, on="run_id", how="semi", maintain_order="left")
        .join(pl.DataFrame(rules), on="evidence", how="left", maintain_order="left")
        .select(*ROUTES.columns)
    )


__all__ = ["SCENARIO", "BreakEven", "Priced", "PricedAnalysis", "beside", "price_scenarios", "priced"]
