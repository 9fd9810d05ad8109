"""What every report is made from: counts and sums, and tables with a row per run, model, tool, task or day.

Fields and columns carry the names and the order of the JSON report. Money is Decimal USD, a share a float
from 0 to 1, and None always means "unknown".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

import polars as pl

from costscan import __version__
from costscan.prices.basis import PriceBasis
from costscan.rulebook import Rule
from costscan.zones import DEFAULT

SCHEMA_VERSION: Final = 2


@dataclass(frozen=True)
class Inputs:
    """What was read; `skipped` and `repaired` name at most a hundred lines or files.

    `unknown_lines` could be decoded and are of no kind that is read; `unknown` counts them by kind, the most
    frequent first, `other` those that look like a format that is not read yet.
    `tz` is the time zone of the days of the report; times in it are UTC.
    """

    files: int
    bytes: int
    lines: int
    skipped_lines: int
    duplicate_turns: int
    formats: Mapping[str, int]
    skipped: list[dict[str, Any]]
    repaired_lines: int
    repaired: list[dict[str, Any]]
    unusable_files: int
    unknown_lines: int = 0
    unknown: list[dict[str, Any]] = field(default_factory=list)
    tz: str = DEFAULT


@dataclass(frozen=True)
class Totals:
    """The bill and its tokens.

    `runs` counts agent threads, sub-agents included; `root_runs` counts runs as everything else does.

    `usd` is the sum of what is known of all turns. It is exact when no turn is unpriced, none has an output
    count that the log left unfinished (`placeholder`) or a counter that it does not tell (`unreported`) with
    no recorded total to fill the gap, and the log proves what was recorded. `open_turns` counts the gaps,
    `unreported_usd` is about what the unreported ones of them lack, and `usd_estimated` adds what the visible
    text of all of them is worth. `recorded_billed_usd` is what the calls that recorded totals cover cost
    here, at list prices as clients record; `unproven_recorded_usd` is what was recorded beyond that and is in
    no sum, `unproven_sessions` how many sessions have totals that their tokens and list prices do not give.
    `cache_write_other_tokens` are those of `cache_write_5m_tokens` whose lifetime is another or not logged.
    `estimated_turns` are those whose cache tokens follow from recorded dollars alone.
    """

    runs: int
    root_runs: int
    turns: int
    tool_calls: int
    usd: Decimal | None
    usd_exact: bool
    unpriced_turns: int
    unpriced_models: list[str]
    placeholder_turns: int
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    output_tokens: int | None
    prompt_tokens: int | None
    carried_tokens: int
    carried_share: float | None
    cache_hit_rate: float | None
    recorded_usd: Decimal | None
    recorded_sessions: int
    recorded_billed_usd: Decimal | None
    unproven_recorded_usd: Decimal | None
    unproven_sessions: int
    estimated_turns: int
    unlogged_usd: Decimal | None
    open_turns: int
    usd_estimated: Decimal | None
    carried_usd: Decimal | None
    undated_turns: int
    first_at: datetime | None
    last_at: datetime | None
    sub_agents: int
    unreported_turns: int
    unreported_usd: Decimal | None
    open_unreported_turns: int
    cache_write_other_tokens: int


@dataclass(frozen=True)
class Distribution:
    """How the bill spreads over runs with a known cost, each with its sub-agents.

    Percentiles are nearest-rank. A top share is that of so many percent of the runs, at least one.
    `priced_runs` counts the runs with a known cost.
    """

    usd_per_run: Mapping[str, Decimal | None]
    top_1pct_share: float | None
    top_10pct_share: float | None
    priced_runs: int


@dataclass(frozen=True)
class SideCalls:
    """Calls that no line tells and cache reads prove: how many, and what they cost at least."""

    calls: int = 0
    least_usd: Decimal | None = None


@dataclass(frozen=True)
class Replay:
    """How well the simulator repeats what was billed.

    `tested_turns` are those that had to do with a cache; `exact_share` of the turns agree to the token with
    the calls that their own reads prove, `foreseen_share` without these. `usd_off` is the sum of what the
    turns are off, whatever the sign, `off_share` its share of what was billed. `classes` has a row per
    provider and class of disagreement. `refresh` says which reading of what a hit refreshes the log bears
    out: `every` entry on its way, the `longest`, or null where it tells nothing of it. `policies` has a row
    for each model whose cache takes every prompt and misses calls by chance: what was fitted of it.
    """

    turns: int | None = None
    exact_share: float | None = None
    token_error: float | None = None
    usd_billed: Decimal | None = None
    usd_replayed: Decimal | None = None
    tested_turns: int | None = None
    foreseen_share: float | None = None
    usd_off: Decimal | None = None
    off_share: float | None = None
    side_calls: SideCalls | None = None
    refresh: str | None = None
    classes: Sequence[Mapping[str, Any]] | None = None
    policies: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Scenario:
    """What the logged runs would have cost; `runs` is how many of them, with their sub-agents, it changes.

    `saved_joint_usd` is the share of a lever in what all save together, `saved_low_usd` and `saved_high_usd`
    what the scenario saves where what it assumes turns out badly or well. `is_on` tells a part that its lever
    has from one that was only priced. `reason` says why figures are unknown, or what they are without.
    At `break_even` it would pay nothing; `break_even_of` says what that counts (docs/levers.md).
    """

    scenario: str
    lever: str | None
    usd: Decimal | None
    saved_usd: Decimal | None
    saved_joint_usd: Decimal | None
    runs: int
    risk: str | None
    saved_low_usd: Decimal | None = None
    saved_high_usd: Decimal | None = None
    is_on: bool = True
    reason: str | None = None
    break_even: float | None = None
    break_even_of: str | None = None


@dataclass(frozen=True)
class Step:
    """The lever to take next: what it saves beside those before it, and what all of them save then."""

    lever: str
    saved_usd: Decimal
    saved_together_usd: Decimal


@dataclass(frozen=True)
class Assumption:
    """What a lever takes for granted, and who says so."""

    lever: str
    assumption: str
    source: str


@dataclass(frozen=True)
class Defect:
    """What could not be worked out, and why.

    The part is `scenario NAME`, `rule NAME`, `run RUN_ID` (what it sent is in no block) or `replay`.
    """

    part: str
    reason: str


class RunAfter(NamedTuple):
    """What all actions save of a run, with its sub-agents, and the rank of the one that saves most of it."""

    saved_usd: Decimal
    top_action: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything a report shows.

    `runs` has a row per root run, which stands for its whole tree, `threads` one per agent thread;
    `saved_of_runs` one per root run and action that changes it.
    `breakdowns` are by server, skill, kind, agent, project, branch, user, session, hour, week, month, rule,
    lifetime, cap, pack and route; `rules` are those that were asked, with their prose.
    """

    schema_version: int = SCHEMA_VERSION
    costscan_version: str = __version__
    generated_at: datetime
    prices: PriceBasis
    inputs: Inputs
    totals: Totals
    meters: Mapping[str, Decimal | None]
    distribution: Distribution
    replay: Replay
    scenarios: list[Scenario]
    by_model: pl.DataFrame
    by_tool: pl.DataFrame
    by_task: pl.DataFrame
    by_day: pl.DataFrame
    actions: list[dict[str, Any]]
    saved_of_runs: pl.DataFrame = field(metadata={"json": False})
    findings: pl.DataFrame
    runs: pl.DataFrame
    threads: pl.DataFrame = field(metadata={"json": False})
    breakdowns: Mapping[str, pl.DataFrame]
    plan: list[Step]
    assumptions: list[Assumption]
    defects: list[Defect] = field(default_factory=list)
    paths: tuple[str, ...] = field(default=(), metadata={"json": False})
    rules: tuple[Rule, ...] = field(default=(), metadata={"json": False})

    @cached_property
    def after_actions(self) -> Mapping[str, RunAfter]:
        """By root run, what all actions save of it, and which one saves most; none where nothing does."""
        runs = self.saved_of_runs.group_by("root_run_id", maintain_order=True).agg(
            pl.col("saved_usd").sum(), pl.col("rank").first(), most=pl.col("saved_usd").first()
        )
        saving = runs.filter(pl.col("most") > 0).select("root_run_id", "saved_usd", "rank")
        return {run: RunAfter(saved, rank) for run, saved, rank in saving.iter_rows()}

    def division(self, name: str) -> pl.DataFrame:
        """Return the bill by tool, server, skill, kind or agent."""
        return self.by_tool if name == "tool" else self.breakdowns[name]

    def scenario(self, name: str) -> Scenario | None:
        """Return one scenario by its name."""
        return next((s for s in self.scenarios if s.scenario == name), None)
