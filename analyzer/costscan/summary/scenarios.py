"""What the logged runs would have cost otherwise."""

from decimal import Decimal
from typing import Final

import polars as pl

from costscan.aggregates import total
from costscan.levers.catalogue import ALL, risk_of
from costscan.meters import CACHED_TOKENS
from costscan.prices import COST_COLUMNS, usd_of
from costscan.prices.modalities import uncached_beyond_text
from costscan.rulebook import Diagnosis
from costscan.scenarios import SCENARIO
from costscan.schema.frames import PROMPT
from costscan.summary.model import Scenario, Step

LEAST_SHARE: Final = Decimal("0.005")
"""A lever that would save less than this share of the bill is not worth a step, nor a line."""
_MOST_MODELS: Final = 3
"""Models without known cache rules that a sentence names."""


def no_caching_usd(analysis: Diagnosis) -> pl.Series:
    """Return, turn by turn, the cost with every prompt token at the plain input price; null where unpriced.

    A turn whose prompt is not known stays as it was billed. What audio and images of the prompt cost beyond
    text, they cost from the cache, too.
    """
    beyond = uncached_beyond_text(analysis.turns, analysis.unit)
    rest = pl.sum_horizontal(COST_COLUMNS["output"], COST_COLUMNS["web_search"], *beyond, ignore_nulls=False)
    prompt = (
        analysis.turns.hstack(beyond)
        .select(prompt=PROMPT, usd="usd", rest=rest)
        .hstack(analysis.unit.select("pico_input"))
    )
    cost = usd_of(pl.col("prompt")) * pl.col("pico_input") + usd_of(pl.col("rest"))
    plain = (
        pl.when(pl.col("prompt").is_null())
        .then("usd")
        .when(pl.col("prompt") == 0)
        .then(usd_of(pl.col("rest")))
        .otherwise(cost)
    )
    return prompt.select(pl.when(pl.col("usd").is_not_null()).then(plain)).to_series()


def scenarios(analysis: Diagnosis) -> list[Scenario]:
    """Return what the logs would have cost: with nothing cached, each lever, all, each part."""
    turns = analysis.turns.with_columns(no_caching=no_caching_usd(analysis))
    priced = turns.filter(pl.col("usd").is_not_null())
    billed = total(priced["usd"]) if priced.height or not turns.height else None
    unknown = [part.removeprefix(SCENARIO) for part in analysis.reasons if part.startswith(SCENARIO)]
    part_names = dict.fromkeys([*analysis.scenarios["scenario"].unique(maintain_order=True), *unknown])
    names = [name for name in part_names if name != "as_billed" and "+" not in name]
    every = analysis.runs["root_run_id"].n_unique()
    return [
        Scenario("as_billed", None, billed, None if billed is None else Decimal(0), None, every, None),
        _no_caching(priced, billed),
        *(_replayed(analysis, name, billed) for name in sorted(names, key=lambda name: "/" in name)),
    ]


def steps(analysis: Diagnosis) -> list[Step]:
    """Say which lever to take first, second and so on: the one that saves most beside those before it."""
    sums = analysis.scenarios.group_by("scenario").agg(pl.col("saved_usd").sum())
    saved = {frozenset(name.split("+")): usd for name, usd in sums.iter_rows() if name != ALL}
    levers = sorted({lever for some in saved if len(some) > 1 for lever in some})
    taken: frozenset[str] = frozenset()
    least = total(analysis.scenarios.filter(scenario="as_billed")["usd"].fill_null(0)) * LEAST_SHARE
    out: list[Step] = []
    so_far = Decimal(0)
    while left := [lever for lever in levers if lever not in taken]:
        best = max(left, key=lambda lever: (saved[taken | {lever}], lever))
        taken |= {best}
        out.append(Step(best, saved[taken] - so_far, saved[taken]))
        so_far = saved[taken]
    while out and out[-1].saved_usd <= least:
        out.pop()
    return out


def _without_rules(analysis: Diagnosis, runs: pl.DataFrame) -> str | None:
    """Return why some runs have no figures, None where all have."""
    if not analysis.without_rules:
        return None
    unknown = runs.filter(pl.col("saved_usd").is_null()).height
    if not unknown:
        return None
    halves = analysis.scenarios.filter(pl.col("saved_usd").is_not_null(), scenario="batching/async").height
    what = "only batching is worked out for" if halves else "not worked out for"
    of = "the run" if runs.height == 1 else f"{unknown:,} of {runs.height:,} runs and sub-agents"
    models = analysis.without_rules
    more = f" and {len(models) - _MOST_MODELS:,} more" if len(models) > _MOST_MODELS else ""
    return f"{what} {of}: no known cache rules for {', '.join(models[:_MOST_MODELS])}{more}"


def _no_caching(priced: pl.DataFrame, billed: Decimal | None) -> Scenario:
    whole = billed is not None and not priced["no_caching"].null_count()
    plain = total(priced["no_caching"]) if whole else None
    cached = priced.filter(pl.sum_horizontal(CACHED_TOKENS) > 0)["root_run_id"].n_unique()
    saved = None if billed is None or plain is None else billed - plain
    return Scenario("no_caching", None, plain, saved, None, cached, None)


def _replayed(analysis: Diagnosis, name: str, billed: Decimal | None) -> Scenario:
    """Sum a scenario up; runs with a turn that has no price stay as they were."""
    lever = name.partition("/")[0]
    runs = analysis.scenarios.filter(scenario=name)
    of = None if name == ALL else lever
    is_on = name not in analysis.parts_off
    reason = analysis.reasons.get(SCENARIO + name) or _without_rules(analysis, runs)
    if billed is None or runs["saved_usd"].null_count() == runs.height:
        return Scenario(name, of, None, None, None, 0, None, is_on=is_on, reason=reason)
    saved = total(runs["saved_usd"].fill_null(0))
    joint = runs["saved_joint_usd"]
    even, even_of = analysis.break_evens.get(name, (None, None))
    return Scenario(
        name,
        of,
        billed - saved,
        saved,
        None if joint.null_count() == runs.height else total(joint.fill_null(0)),
        analysis.rooted(runs.filter(pl.col("saved_usd") != 0))["root_run_id"].n_unique(),
        risk_of(name),
        total(runs["saved_low_usd"].fill_null(0)),
        total(runs["saved_high_usd"].fill_null(0)),
        is_on=is_on,
        reason=reason,
        break_even=even,
        break_even_of=even_of,
    )
