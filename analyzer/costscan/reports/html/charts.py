"""What the charts of the page draw: spend by day, how it spreads over runs, how prompts grew."""

from decimal import Decimal
from math import floor, log10
from typing import Any, Final

import polars as pl

from costscan.days import UNKNOWN_DAY, day
from costscan.reports.analysis.levers import biggest, spread, worth_a_line
from costscan.reports.analysis.tables import run_names
from costscan.reports.html.columns import money, plain, text
from costscan.reports.text.numbers import is_fine
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from costscan.summary.findings import why
from costscan.summary.runs import IS_UNLOGGED
from costscan.summary.story import KINDS, prompts

MODELS: Final = 6
"""More colours cannot be told apart: the models that cost less are one."""
OTHERS: Final = "other models"
WORST: Final = 8
POINTS: Final = 160
"""Turns of a curve; of more, only every second, third, ... is drawn."""
BINS_A_DECADE: Final = 5
_MOST_MARKS: Final = 40


def spend(summary: Summary, analysis: Diagnosis) -> dict[str, Any]:
    """Return what each model cost on each day: the most expensive models first."""
    priced = analysis.turns.filter(pl.col("usd").is_not_null())
    most_expensive = summary.by_model.filter(pl.col("usd").is_not_null())["model"].head(MODELS).to_list()
    name = pl.when(pl.col("model").is_in(most_expensive)).then(pl.col("model")).otherwise(pl.lit(OTHERS))
    own_day = day("at", summary.inputs.tz)
    sums = priced.group_by(day=own_day, name=name).agg(pl.col("usd").sum()).sort("day", "name")
    undated = sums.filter(pl.col("day").is_null())["usd"].sum()
    days = [d for d in summary.by_day["day"] if d != UNKNOWN_DAY]
    cells = {(d, m): usd for d, m, usd in sums.iter_rows()}
    names = [m for m in (*most_expensive, OTHERS) if any((d, m) in cells for d in days)]
    return {
        "days": days,
        "zone": summary.inputs.tz,
        "models": [text(m) for m in names],
        "usd": [[money(cells.get((d, m), Decimal(0))) for d in days] for m in names],
        "undatedUsd": money(Decimal(undated or 0)),
    }


def distribution(summary: Summary) -> dict[str, Any]:
    """Return how many runs cost so much, each with its sub-agents, and what they cost together."""
    costs = summary.runs["usd"]
    bins: dict[int, tuple[int, Decimal]] = {}
    for usd in costs.drop_nulls():
        if usd > 0:
            step = floor(round(log10(usd) * BINS_A_DECADE, 9))
            runs, spent = bins.get(step, (0, Decimal(0)))
            bins[step] = (runs + 1, spent + usd)
    steps = range(min(bins), max(bins) + 1) if bins else range(0)
    bars = [(step, *bins.get(step, (0, Decimal(0)))) for step in steps]
    ranks = summary.distribution.usd_per_run
    return {
        "bins": [
            [10 ** (n / BINS_A_DECADE), 10 ** ((n + 1) / BINS_A_DECADE), r, money(u)] for n, r, u in bars
        ],
        "ranks": {name: money(ranks[name]) for name in ("p50", "p90", "p99")},
        "free": int((costs == 0).sum()),
        "unpriced": costs.null_count(),
    }


def growth(summary: Summary, analysis: Diagnosis) -> dict[str, Any]:
    """Return the prompts of the most expensive threads of more than one turn: tokens by kind, turn by turn.

    A prompt is that of one thread: a run with sub-agents has several, and the cost is that of the thread.
    """
    logged = ~IS_UNLOGGED & (pl.col("prompt_tokens") > 0)
    worst = summary.threads.filter(logged & (pl.col("turns") > 1)).head(WORST)
    prompts_of = prompts(analysis, worst["run_id"].to_list())
    names = _thread_names(summary, worst)
    whys = dict(summary.findings.unique("run_id", keep="first").select("run_id", why()).iter_rows())
    fine = is_fine(worst["usd"])
    curves = [
        {
            "run": name,
            "task": text(row["root_task"]),
            "usd": money(row["usd"]),
            "why": text(whys.get(row["run_id"], "")),
            **_curve(prompts_of[row["run_id"]]),
        }
        for name, row in zip(names, worst.to_dicts(), strict=True)
    ]
    return {"kinds": list(KINDS), "curves": curves, "fine": fine}


def _thread_names(summary: Summary, threads: pl.DataFrame) -> list[str]:
    """Return the short name of each thread; of a run with sub-agents it is told from the run itself."""
    with_agents = set(summary.runs.filter(pl.col("sub_agents") > 0)["run_id"])
    rows = threads.to_dicts()
    names = run_names(rows, summary.threads["run_id"].to_list())
    return [
        f"{name} (main thread)" if row["run_id"] in with_agents else name
        for name, row in zip(names, rows, strict=True)
    ]


def _curve(turns: pl.DataFrame) -> dict[str, Any]:
    size = -(-turns.height // POINTS)
    shown = turns.filter((pl.col("turn") % size == size - 1) | (pl.col("turn") == pl.col("turn").max()))
    missed = turns.filter(pl.col("missed_tokens") > 0).sort("missed_tokens", descending=True)
    marks = missed.head(_MOST_MARKS).sort("turn")
    return {
        "turns": turns.height,
        "mostTokens": turns["prompt_tokens"].max(),
        "turn": shown["turn"].to_list(),
        "tokens": [shown[kind].to_list() for kind in KINDS],
        "missed": [
            [turn, prompt, lost, text(why or "")]
            for turn, prompt, lost, why in marks.select(
                "turn", "prompt_tokens", "missed_tokens", "why"
            ).iter_rows()
        ],
    }


def levers(summary: Summary) -> dict[str, Any]:
    """Return what the levers save: in the order of the waterfall, with shares that sum to what all save."""
    rows, every, billed = worth_a_line(summary), summary.scenario("all"), summary.totals.usd
    fine = is_fine(lever.saved_usd for lever in rows)
    joint = [s for s in summary.scenarios if s.saved_joint_usd]
    if not rows or every is None or every.usd is None or not billed:
        return {"rows": [], "billedUsd": money(billed)}
    return {
        "billedUsd": money(billed),
        "leftUsd": money(every.usd),
        "falls": [[s.scenario, money(s.saved_joint_usd)] for s in joint],
        "rows": [
            {
                "lever": s.scenario,
                "alone": spread(s, fine=fine),
                "share": plain(float((s.saved_usd or 0) / billed)),
                "jointUsd": money(s.saved_joint_usd),
                "runs": s.runs,
                "risk": (s.risk or "").replace("-", " "),
                "biggest": text(biggest(summary, s.scenario)),
            }
            for s in rows
        ],
        "fine": fine,
    }
