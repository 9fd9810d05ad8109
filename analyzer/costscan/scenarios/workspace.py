"""The logged runs and all that levers know of them, worked out once, when it is first asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import polars as pl

from costscan.cache_policy import LONG, SHORT, SHORT_US
from costscan.formats import with_whole_prompts
from costscan.levers import batching, caching, routing, trimming
from costscan.levers.plan import Plan
from costscan.levers.uncertainty import with_errors
from costscan.scenarios.costing import Costs, cheapest
from costscan.scenarios.uncertainty import with_other
from costscan.settings.keys import Settings

if TYPE_CHECKING:
    from costscan.analysis import Analysis

_MOST_AT_ONCE: Final = 150_000
"""Logs of more turns are replayed one plan at a time: each holds what happens to all cache entries."""


@dataclass(frozen=True)
class Outcome:
    """A plan that was replayed: its turns with token classes, unit prices and costs."""

    plan: Plan
    turns: pl.DataFrame

    @cached_property
    def runs(self) -> pl.DataFrame:
        """The sums by run."""
        return Costs.per_run(self.turns)


class Workspace:
    """What scenarios are made from."""

    def __init__(self, analysis: "Analysis", settings: Settings) -> None:
        self.analysis = analysis
        self.settings = settings
        self.costs = Costs.of(analysis)
        self.plan = Plan.of(analysis.logged_requests, analysis.counted)

    @property
    def threads(self) -> int:
        """How many plans may be replayed at a time."""
        # The steps of a replay are too small to be split; two replays at a time take both cores.
        return 2 if self.plan.steps.height <= _MOST_AT_ONCE else 1

    @cached_property
    def logged(self) -> Outcome:
        """What happened, as the replay has it."""
        return Outcome(self.plan, self.costs.of_turns(self.plan, self.analysis.agreement.classes))

    def _blocks(self, *names: str) -> pl.LazyFrame:
        """Return columns of the blocks and what they cost, to be read from disk where they are used."""
        both = pl.concat(
            [self.analysis.blocks, self.analysis.block_costs.drop("run_id", "block")], how="horizontal"
        )
        return both.select("run_id", "turn_in", "turn_out", "layer", *names)

    @cached_property
    def trimming_inputs(self) -> trimming.TrimmingInputs:
        """What trimming decides on."""
        kinds = ("tool_result", "tool_def", "image", "document")
        asked = (pl.col("kind") == "text") & (pl.col("role") == "user")
        some = pl.col("kind").is_in(kinds) | asked | (pl.col("layer") != "messages")
        names = ("block", "role", "kind", "tool", "call_id", "content_hash", "tokens")
        most = self.settings.trimming.tool_result_max_tokens
        blocks = self._blocks(*names).filter(some).collect()
        sized_blocks = trimming.without_tool_use(blocks, self.plan.steps, self.analysis.runs)
        exact = self.analysis.runs.filter(pl.col("source").is_in(with_whole_prompts()))["run_id"]
        return trimming.TrimmingInputs(
            with_errors(sized_blocks, exact), self.analysis.tool_calls, self.analysis.runs, most
        )

    def forget_trimming_inputs(self) -> None:
        """Let go of what only trimming decides on, once all has been trimmed."""
        self.__dict__.pop("trimming_inputs", None)

    @cached_property
    def work(self) -> pl.DataFrame:
        """The `turn_work` frame."""
        some = pl.col("kind").is_in(("text", "thinking"))
        blocks = self._blocks("role", "kind", "tokens").filter(some).collect()
        return routing.turn_work(self.analysis.counted, self.analysis.runs, self.analysis.tool_calls, blocks)

    @cached_property
    def sizes(self) -> pl.DataFrame:
        """What the other family of tokenizers makes of the prompts."""
        return routing.sizes(self.plan.steps, self._blocks("role", "kind", "tokens", "other_tokens"))

    @cached_property
    def thoughts(self) -> pl.DataFrame:
        """What was thought before each message of a person."""
        return routing.thoughts(self._blocks("role", "kind", "tokens", "other_tokens"))

    @cached_property
    def evidence(self) -> pl.DataFrame:
        """The turns that a smaller model could have served."""
        return routing.evidence_of({"turn_work": self.work, "tool_calls": self.analysis.tool_calls})

    @cached_property
    def routing_inputs(self) -> routing.RoutingInputs:
        """What routing decides on."""
        return routing.RoutingInputs(
            self.evidence, self.sizes, self.counts, self._usd_on, self.costs.units_of
        )

    @cached_property
    def counts(self) -> pl.DataFrame:
        """How many blocks the prompts hold."""
        return routing.block_counts(self.plan.steps, self._blocks("kind", "call_id"))

    @cached_property
    def shots(self) -> pl.DataFrame:
        """The `single_shots` frame."""
        return batching.single_shots(self.analysis.counted, self.analysis.runs, self.plan.steps)

    @cached_property
    def unwaited(self) -> pl.DataFrame:
        """The single shots that nobody waits for."""
        return self.shots.filter(pl.col("reason").is_not_null())

    def contexts(self, items: int | None = None) -> pl.DataFrame:
        """Return which runs are packed into one context."""
        cliffs = self.analysis.prices.filter(pl.col("over_prompt_tokens") > 0)
        longest = dict(cliffs.group_by("model").agg(pl.col("over_prompt_tokens").min()).iter_rows())
        return batching.contexts(self.unwaited, items or self.settings.batching.items_per_context, longest)

    @cached_property
    def ttls(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """The costs of the runs with five minutes, with an hour, and with the cheaper one."""
        five, hour, cheaper = self.with_ttls(self.plan)
        return five.runs, hour.runs, cheaper.runs

    @cached_property
    def packs(self) -> pl.DataFrame:
        """The contexts with as many items as the settings say."""
        return self.contexts()

    @cached_property
    def batch_models(self) -> pl.Series:
        """The models that have a batch price."""
        return self.analysis.prices.filter(tier="batch")["model"].unique()

    def _usd_on(self, days: pl.Series) -> pl.DataFrame:
        """Return day, model and usd: a token of plain input on some days, in pico-USD."""
        models = self.analysis.prices["model"].unique().sort()
        asked = days.to_frame("day").join(models.to_frame("model"), how="cross").with_columns(
            model_raw="model", tier=pl.lit("standard"), speed=pl.lit("standard"), geo=pl.lit(None, pl.String),
            at=pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            prompt_tokens=pl.lit(0, pl.Int64),
        )  # fmt: skip
        unit = self.costs.units_of(asked)
        return asked.select("day", "model", usd=unit["pico_input"]).drop_nulls()

    def replayed(self, plan: Plan, *, keep: bool = False) -> Outcome:
        """Replay a plan; `keep` its timeline for another replay."""
        if plan is self.plan:
            return self.logged
        turns = self.costs.of_turns(plan, plan.classes())
        if self.is_open:
            turns = with_other(turns, self.costs.of_turns(plan, plan.read_otherwise().classes()))
        for other in plan.other_minimums():
            turns = with_other(turns, self.costs.of_turns(other, other.classes()))
        if not keep:
            plan.breakpoints.forget()
        return Outcome(plan, turns)

    @cached_property
    def is_open(self) -> bool:
        """Whether what a hit refreshes may matter, and the log does not tell which reading is right.

        It matters where runs that share a prefix begin longer after one another than an entry lives.
        """
        if self.analysis.agreement.refresh.is_decided:
            return False
        begun = self.plan.steps.group_by("run_id").agg(pl.col("at_us").min()).join(
            self.costs.turns.select("run_id", "group").unique(), on="run_id"
        )  # fmt: skip
        spans = begun.group_by("group").agg(span_us=pl.col("at_us").max() - pl.col("at_us").min())
        return bool((spans["span_us"] > SHORT_US).any())

    def cached(self, plan: Plan) -> Outcome:
        """Return a plan with all parts of caching."""
        return self.with_ttls(caching.with_breakpoints(plan, stable=plan.varies))[2]

    def with_ttls(self, plan: Plan) -> tuple[Outcome, Outcome, Outcome]:
        """Return a plan with five minutes, with an hour, and with the cheaper one.

        That is the cheaper one of each run, or one for all that share a prefix: a run may be cheaper with
        five minutes and yet be the one whose hour saves the others a write.
        """
        five, hour = (self.replayed(plan.with_ttl(ttl), keep=True) for ttl in (SHORT, LONG))
        both = five.runs.join(hour.runs, on="run_id", suffix="_hour")
        runs = both.filter(pl.col("known_pico_usd_hour") < pl.col("known_pico_usd"))["run_id"]
        ways = [five]
        if len(runs) == both.height:
            ways = [hour]
        elif len(runs):
            mixed = self.replayed(plan.with_ttl(SHORT).mixed(plan.with_ttl(LONG), runs), keep=True)
            ways = [mixed, five, hour]
        plan.breakpoints.forget()
        return five, hour, Outcome(plan, cheapest([way.turns for way in ways]))
