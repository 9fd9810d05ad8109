"""What could be set: by part of a lever, the tasks, agent types and tools for which that saves anything."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.clients import CLAUDE_CODE, LEAST_WINDOW
from costscan.actions.measured import Measurements, Moved
from costscan.actions.setting import Setting
from costscan.levers.catalogue import LOW, NEEDS_EVAL
from costscan.levers.routing import TURNS, evidence_rules
from costscan.rulebook import Diagnosis

MOST_USED: Final = 0.1
"""Where more of what a cap cuts was used, answers may be others."""
PARTS: Final = (
    *(kinds.FIX_PREFIX, kinds.BREAKPOINTS, kinds.TTL, kinds.CLEAR, kinds.COMPACT, kinds.ASYNC, kinds.PACK),
    *(kinds.DEFER, "trimming/drop-repeated-results", "trimming/resize-images"),
    "trimming/prune-at-task-boundary",
)
"""The parts that are set for a task and agent type."""
LEAST_SHARE, LEAST_OF_ALL, LEAST_USD = 0.02, 0.0025, 1.0
"""What saves less of the runs that it changes, or of all, and less than a dollar, is no action."""


def candidates(diagnosis: Diagnosis, measurements: Measurements | None = None) -> list[Setting]:
    """Return the settings that would save something alone, those that save most first.

    Args:
        diagnosis: the diagnosis.
        measurements: what trials measured.
    """
    routes = _of_routes(diagnosis, measurements or {})
    groups = list(_of_groups(diagnosis))
    own = [one for one in groups if not _is_common(one)]
    every = (*own, *_common(diagnosis, groups), *_of_tools(diagnosis), *routes)
    spent = {run: float(usd) for run, usd in _spent(diagnosis).iter_rows()}
    found = [one for one in every if _is_worth_it(one, spent, sum(spent.values()))]
    return sorted(found, key=lambda one: (-one.saved_usd, one.part, one.subject))


def _spent(diagnosis: Diagnosis) -> pl.DataFrame:
    return diagnosis.turns.group_by("run_id").agg(pl.col("usd").sum())


def _is_worth_it(setting: Setting, spent: Mapping[str, float], total: float) -> bool:
    cost = sum(spent.get(run, 0.0) for run in setting.runs)
    least = max(LEAST_SHARE * cost, LEAST_OF_ALL * total)
    return setting.saved_usd >= LEAST_USD or setting.saved_usd > least


def _of_groups(diagnosis: Diagnosis) -> Iterator[Setting]:
    runs = diagnosis.runs.select("run_id", "task", "agent", "source")
    rows = diagnosis.scenarios.filter(pl.col("scenario").is_in(PARTS)).join(runs, on="run_id")
    sums = rows.group_by("scenario", "task", "agent", maintain_order=True).agg(
        "run_id", pl.col("source").mode().sort().first(), saved_usd=pl.col("saved_usd").sum()
    )
    values = _values(diagnosis)
    for part, task, agent, ids, client, saved in sums.filter(pl.col("saved_usd") > 0).iter_rows():
        told = [value for run in ids if (value := values.get((part, run)))]
        if part in {kinds.TTL, kinds.CLEAR, kinds.COMPACT} and not told:
            continue
        value = Counter(told).most_common(1)[0][0] if told else None
        yield Setting(part, frozenset(ids), task, agent, client, value=value, saved_usd=float(saved))


def _is_common(setting: Setting) -> bool:
    """Whether its client sets it for all sessions, or for all sub-agents, and not for one task."""
    return setting.client in CLAUDE_CODE and setting.part in {kinds.TTL, kinds.COMPACT}


def _common(diagnosis: Diagnosis, groups: list[Setting]) -> Iterator[Setting]:
    """Yield the settings that a client has for all sessions, or for all sub-agents."""
    own = diagnosis.runs.filter(pl.col("source").is_in(CLAUDE_CODE))
    if own.is_empty():
        return
    client = str(own["source"].mode().sort().first())
    sub = pl.col("parent_run_id").is_not_null()
    for agent, side in ((None, own.filter(~sub)), ("sub-agent", own.filter(sub))):
        if (best := _best_ttl(diagnosis, side)) is not None:
            value, saved = best
            ids = frozenset(side["run_id"])
            yield Setting(kinds.TTL, ids, None, agent, client, value=value, saved_usd=saved)
    worth: dict[int, float] = defaultdict(float)
    for one in groups:
        if one.part == kinds.COMPACT and one.client in CLAUDE_CODE:
            worth[max(int(one.value or 0), LEAST_WINDOW)] += one.saved_usd
    if worth:
        value = str(max(worth, key=lambda tokens: worth[tokens]))
        saved = sum(worth.values())
        yield Setting(kinds.COMPACT, frozenset(own["run_id"]), client=client, value=value, saved_usd=saved)


def _best_ttl(diagnosis: Diagnosis, runs: pl.DataFrame) -> tuple[str, float] | None:
    """Return the TTL that is cheapest for some runs together, and what it saves; none where none saves."""
    billed = diagnosis.scenarios.filter(scenario="as_billed").select("run_id", "usd")
    of_runs = diagnosis.lifetimes.join(runs, on="run_id", how="semi").join(billed, on="run_id")
    known = of_runs.drop_nulls(("usd", "usd_5m", "usd_1h"))
    now, five, hour = (float(known[name].sum() or 0) for name in ("usd", "usd_5m", "usd_1h"))
    usd, value = min((five, "5m"), (hour, "1h"))
    return (value, now - usd) if usd < now else None


def _values(diagnosis: Diagnosis) -> dict[tuple[str, str], str]:
    """Return by part and run what it is set to."""
    chosen = diagnosis.choices.drop_nulls("run_id").select("scenario", "run_id", "setting")
    return {(part, run): value for part, run, value in chosen.iter_rows()}


def _of_routes(diagnosis: Diagnosis, measurements: Measurements) -> Iterator[Setting]:
    """Yield the models that calls of a task and agent type could go to, each by one evidence."""
    saved = diagnosis.scenarios.filter(scenario="routing").select("run_id", "saved_usd")
    runs = diagnosis.runs.select("run_id", "task", "agent", "source")
    calls = diagnosis.routes.group_by("run_id").agg(
        pl.col("evidence").first(), model=pl.col("to_model").mode().sort().first()
    )
    sums = calls.join(runs, on="run_id").join(saved, on="run_id").group_by("task", "agent").agg(
        "run_id", pl.col("source", "model").mode().sort().first(), pl.col("evidence").first(),
        saved_usd=pl.col("saved_usd").sum(),
    )  # fmt: skip
    scopes = {rule.name: rule.scope for rule in evidence_rules()}
    columns = ("task", "agent", "run_id", "source", "model", "evidence", "saved_usd")
    for task, agent, ids, client, model, evidence, usd in sums.select(columns).sort("task").iter_rows():
        part = kinds.ROUTE_TURNS if scopes.get(evidence) == TURNS else kinds.ROUTE
        if usd > 0:
            measured = measurements.get(Moved(task, agent, evidence, model))
            yield Setting(part, frozenset(ids), task, agent, client, value=model, saved_usd=float(usd),
                          measured=measured)  # fmt: skip


def _of_tools(diagnosis: Diagnosis) -> Iterator[Setting]:
    """Yield the caps of tools; what each saves is its part of what all caps save together."""
    caps = diagnosis.choices.filter(scenario=kinds.CAP).drop_nulls("tool")
    saved = float(diagnosis.scenarios.filter(scenario=kinds.CAP)["saved_usd"].sum() or 0)
    if caps.is_empty() or saved <= 0:
        return
    curve = diagnosis.caps.filter("is_chosen")
    gross = dict(curve.select("tool", pl.col("saved_usd").cast(pl.Float64)).rows())
    used = dict(curve.select("tool", "used_again_share").rows())
    total = sum(gross.get(tool, 0.0) for tool in caps["tool"]) or 1.0
    of_tool = diagnosis.tool_calls.join(diagnosis.runs.select("run_id", "source"), on="run_id")
    for tool, value in caps.select("tool", "setting").iter_rows():
        calls = of_tool.filter(tool=tool)
        client = str(calls["source"].mode().sort().first() or "")
        worth = saved * gross.get(tool, 0.0) / total
        runs = frozenset(calls["run_id"].unique().to_list())
        risk = NEEDS_EVAL if (used.get(tool) or 0.0) > MOST_USED else LOW
        yield Setting(kinds.CAP, runs, client=client, tool=tool, value=value, saved_usd=worth, own_risk=risk)


__all__ = ["PARTS", "candidates"]
