"""From an analysis to the one structure that all reports show."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from costscan.actions import Advised
from costscan.aggregates import known_sum, ratio, total
from costscan.billing import Pricing, Selection
from costscan.ingest import MAX_NAMED_SKIPS, Reading, merge
from costscan.meters import MODALITY_METERS, TOKENS
from costscan.prices import COST_COLUMNS, usd_of
from costscan.prices.basis import PriceBasis
from costscan.recorded_cost import Recorded
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.rulebook import Diagnosis, Rule
from costscan.schema.frames import PROMPT
from costscan.summary.actions import actions, saved_of_runs
from costscan.summary.assumptions import assumptions
from costscan.summary.breakdowns import DIVISIONS, by_route, by_ttl
from costscan.summary.cache_model import replay
from costscan.summary.coverage import filled_turns, open_turns, recorded_totals, unproven
from costscan.summary.findings import by_rule, findings
from costscan.summary.model import (
    SCHEMA_VERSION,
    Defect,
    Distribution,
    Inputs,
    Scenario,
    Step,
    Summary,
    Totals,
)
from costscan.summary.runs import IS_SUB_AGENT, runs_table
from costscan.summary.scenarios import scenarios, steps
from costscan.summary.tables import (
    MORE_PERIODS,
    OF_OWNERS,
    by_day,
    by_model,
    by_owner,
    by_period,
    by_task,
    by_tool,
    carried_usd,
)
from costscan.summary.threads import threads_table
from costscan.usage import OTHER_WRITES, PLACEHOLDER, UNPRICED, UNREPORTED
from costscan.zones import DEFAULT


def summarize(
    analysis: Advised,
    *,
    pricing: Pricing | None = None,
    selection: Selection | None = None,
    paths: Iterable[str] = (),
    now: datetime | None = None,
    rank: str = "cost",
    rules: Iterable[Rule] = (),
    tz: str = DEFAULT,
) -> Summary:
    """Sum up an analysis while its reading is still open.

    Args:
        analysis: the analysis.
        pricing: the prices it was made with.
        selection: what it was limited to. Recorded totals are of whole sessions: with one they are left out.
        paths: what the user asked to read, for headings.
        now: the time of the report.
        rank: what runs are ranked by: cost, waste (what all levers save) or a lever.
        rules: those that found the findings.
        tz: the time zone of days.
    """
    recorded, threads, runs = _runs(analysis, selection, rank)
    return Summary(
        generated_at=now or datetime.now(UTC),
        prices=(pricing or Pricing()).basis,
        inputs=_inputs(analysis, tz),
        totals=_totals(analysis, selection, recorded),
        meters=_meters(analysis.turns),
        distribution=_distribution(runs),
        replay=replay(analysis.agreement),
        scenarios=(estimates := scenarios(analysis)),
        plan=steps(analysis),
        assumptions=assumptions(estimates, analysis.calibration),
        by_model=by_model(analysis.turns),
        by_tool=by_tool(analysis),
        by_task=by_task(analysis.turns),
        by_day=by_day(analysis.turns, tz),
        actions=actions(analysis),
        saved_of_runs=saved_of_runs(analysis),
        findings=findings(analysis),
        runs=runs,
        threads=threads,
        breakdowns=_breakdowns(analysis, tz),
        defects=[Defect(*reason) for reason in analysis.reasons.items()],
        paths=tuple(paths),
        rules=tuple(rules),
    )


def _runs(
    analysis: Diagnosis, selection: Selection | None, rank: str
) -> tuple[dict[str, Recorded], pl.DataFrame, pl.DataFrame]:
    """Return what clients recorded of whole sessions, the agent threads, and the runs."""
    is_whole = selection is None or selection == Selection()
    recorded = recorded_totals(analysis) if is_whole else {}
    threads = threads_table(analysis)
    amounts = {name: one.amount for name, one in recorded.items()}
    return recorded, threads, runs_table(analysis, threads, amounts, rank)


def _breakdowns(analysis: Diagnosis, tz: str) -> dict[str, pl.DataFrame]:
    return {
        **{name: of(analysis) for name, of in DIVISIONS.items()},
        **{name: by_owner(analysis, name) for name in OF_OWNERS},
        **{name: by_period(analysis, name, tz) for name in MORE_PERIODS},
        "rule": by_rule(analysis),
        "lifetime": by_ttl(analysis),
        "cap": analysis.caps,
        "pack": analysis.packs,
        "route": by_route(analysis),
    }


def _inputs(analysis: Diagnosis, tz: str) -> Inputs:
    reading = analysis.reading
    named = merge.table(reading.folder, "skipped").collect().sort("path", "line", nulls_last=True)
    unknown = _unknown(reading)
    lost, mended = (named.filter(lost=state).drop("lost").to_dicts() for state in (True, False))
    unread = [
        {"path": path, "line": None, "reason": f"not read: {reason}"}
        for path, reason in reading.unread.items()
    ]
    return Inputs(
        files=reading.files,
        bytes=reading.bytes,
        lines=reading.lines,
        skipped_lines=reading.skipped_lines,
        duplicate_turns=analysis.duplicate_turns,
        formats=dict(sorted(reading.formats.items())),
        skipped=[*unread, *lost, *reading.skipped][:MAX_NAMED_SKIPS],
        repaired_lines=reading.repaired_lines,
        repaired=mended[:MAX_NAMED_SKIPS],
        unusable_files=len(reading.unusable) + len(reading.unread),
        unknown_lines=int(unknown["lines"].sum()),
        unknown=unknown.to_dicts(),
        tz=tz,
    )


def _unknown(reading: Reading) -> pl.DataFrame:
    """Count the lines of no known kind: kind, other, lines, files."""
    rows = merge.table(reading.folder, "unknown").collect()
    sums = rows.group_by("kind", "other").agg(
        pl.col("lines").sum(), files=pl.col("path").n_unique().cast(pl.Int64)
    )
    return sums.sort("other", "lines", "kind", descending=[True, True, False])


def _totals(analysis: Diagnosis, selection: Selection | None, recorded: dict[str, Recorded]) -> Totals:
    turns = analysis.turns
    gaps = open_turns(analysis, filled_turns(analysis, selection))
    doubtful = unproven(analysis, selection)
    unpriced = turns.filter(UNPRICED)
    unreported = gaps.filter(UNREPORTED)
    sums = turns.select(
        *(known_sum(name).alias(name) for name in TOKENS),
        cache_write_other_tokens=OTHER_WRITES.sum(),
        prompt_tokens=known_sum(PROMPT),
    ).row(0, named=True)
    usd = turns.select(known_sum("usd")).item()
    carried = int(analysis.growth["carried_tokens"].sum())
    return Totals(
        runs=analysis.runs.height,
        root_runs=analysis.runs["root_run_id"].n_unique(),
        turns=turns.height,
        tool_calls=analysis.tool_calls.height,
        usd=usd,
        usd_exact=not unpriced.height and not gaps.height and not doubtful,
        unpriced_turns=unpriced.height,
        unpriced_models=sorted(unpriced["model"].unique()),
        placeholder_turns=turns.filter(PLACEHOLDER).height,
        unreported_turns=turns.filter(UNREPORTED).height,
        unreported_usd=unreported.select(known_sum("missing_usd")).item(),
        **sums,
        carried_tokens=carried,
        carried_share=ratio(carried, sums["prompt_tokens"]),
        cache_hit_rate=ratio(sums["cache_read_tokens"], sums["prompt_tokens"]),
        recorded_usd=_sum(t.amount for t in recorded.values()) if recorded else None,
        recorded_sessions=len(recorded),
        recorded_billed_usd=_sum(t.usd_here for t in recorded.values()) if recorded else None,
        unproven_recorded_usd=_sum(t.unproven_usd for t in recorded.values()) if recorded else None,
        unproven_sessions=len(doubtful),
        estimated_turns=turns.filter(pl.col("usage_from") == "estimated").height,
        unlogged_usd=turns.filter(pl.col("run_id").str.ends_with(SUFFIX)).select(known_sum("usd")).item(),
        open_turns=gaps.height,
        open_unreported_turns=unreported.height,
        usd_estimated=None if usd is None else usd + total(gaps["missing_usd"]),
        carried_usd=None if usd is None else carried_usd(analysis),
        undated_turns=analysis.undated_turns,
        first_at=_moment(turns["at"].min()),
        last_at=_moment(turns["at"].max()),
        sub_agents=analysis.runs.filter(IS_SUB_AGENT).height,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _meters(turns: pl.DataFrame) -> dict[str, Decimal | None]:
    """Return the bill by meter; audio and images have their own where they cost anything."""
    priced = turns.filter(pl.col("usd").is_not_null())
    if turns.height and not priced.height:
        return dict.fromkeys(COST_COLUMNS)
    apart = [meter for meter in MODALITY_METERS if meter.cost_column in turns.columns]
    columns = COST_COLUMNS | {meter.name: meter.cost_column for meter in apart}
    sums = priced.select(usd_of(pl.col(c)).sum().alias(meter) for meter, c in columns.items())
    spent: dict[str, Decimal | None] = sums.row(0, named=True)
    for meter in apart:
        spent[str(meter.within)] = (spent[str(meter.within)] or 0) - (spent[meter.name] or Decimal(0))
    return {name: usd for name, usd in spent.items() if name in COST_COLUMNS or usd}


def _distribution(runs: pl.DataFrame) -> Distribution:
    costs = sorted(runs["usd"].drop_nulls(), reverse=True)
    return Distribution(_ranks(costs), _top(costs, 1), _top(costs, 10), len(costs))


def _ranks(costs: list[Decimal]) -> dict[str, Decimal | None]:
    """Return nearest-rank percentiles, the largest and the mean of costs in falling order."""
    if not costs:
        return dict.fromkeys(("p50", "p90", "p99", "max", "mean"))
    n = len(costs)
    ranks = {f"p{p}": costs[n - -(-n * p // 100)] for p in (50, 90, 99)}
    return {**ranks, "max": costs[0], "mean": sum(costs, Decimal(0)) / n}


def _top(costs: list[Decimal], percent: int) -> float | None:
    most = costs[: -(-len(costs) * percent // 100)]
    return ratio(sum(most, Decimal(0)), sum(costs, Decimal(0)))


__all__ = [
    "SCHEMA_VERSION",
    "Distribution",
    "Inputs",
    "PriceBasis",
    "Replay",
    "Scenario",
    "Step",
    "Summary",
    "Totals",
    "summarize",
]
