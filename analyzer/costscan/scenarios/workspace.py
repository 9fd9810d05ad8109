"""The logged runs and all that levers know of them, worked out once, when it is first asked for."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from costscan.cache.agreement import REPLAYED
from costscan.cache.automatic import MAY_READ
from costscan.cache.policies import is_marked
from costscan.cache_policy import SHORT_US
from costscan.formats import with_whole_prompts
from costscan.levers import batching, caching, routing, trimming
from costscan.levers.caching import TTL, TTL_WAYS
from costscan.levers.plan import Plan
from costscan.levers.replaying import SEVERAL_TURNS, Outcome, Replaying, replay, tried, tried_ways, winners
from costscan.levers.stack import Stack
from costscan.levers.trimming.cap_tool_results import FETCH_OUTPUT_TOKENS
from costscan.levers.uncertainty import with_errors
from costscan.meters import CACHED_TOKENS, PROMPT_TOKENS
from costscan.scenarios.costing import Costs
from costscan.scenarios.rounds import done
from costscan.scenarios.uncertainty import with_other
from costscan.settings.keys import Settings

if TYPE_CHECKING:
    from costscan.analysis import Analysis

_OF_RESULTS: Final = ("used_to", "entry_usd", "carried_usd")
T = TypeVar("T")


class Workspace:
    """What scenarios are made from."""

    def __init__(self, analysis: "Analysis", settings: Settings) -> None:
        self.analysis = analysis
        self.settings = settings
        self.costs = Costs.of(analysis)
        self.plan = Plan.of(analysis.logged_requests, analysis.counted, analysis.runs)

    @cached_property
    def at_once(self) -> int:
        """How many plans may be replayed at a time."""
        return max(1, SEVERAL_TURNS // max(1, self.plan.steps.height))

    @cached_property
    def logged(self) -> Outcome:
        """What happened, as the replay has it."""
        return self._outcomes([self.plan], self.costs.of_plans([self.plan], self._logged_classes))[0]

    @property
    def _logged_classes(self) -> pl.DataFrame:
        return self.analysis.agreement.classes.rename(REPLAYED)

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
        names = ("block", "role", "kind", "tool", "call_id", "content_hash", "tokens", *_OF_RESULTS)
        most = self.settings.trimming.tool_result_max_tokens
        blocks = self._blocks(*names).filter(some).collect()
        sized_blocks = trimming.without_tool_use(blocks, self.plan.steps, self.analysis.runs)
        exact = self.analysis.runs.filter(pl.col("source").is_in(with_whole_prompts()))["run_id"]
        return trimming.TrimmingInputs(
            with_errors(sized_blocks, exact),
            self.analysis.tool_calls,
            self.analysis.runs,
            most,
            self._fetch_usd,
            self.settings.trimming.clear_at_tokens,
            self.settings.trimming.compact_at_tokens,
            self.settings.trimming.summary_tokens,
        )

    @property
    def _fetch_usd(self) -> pl.DataFrame:
        """What a call costs that reads the prompt of a turn once more and asks for a part of a result."""
        caches = pl.sum_horizontal(CACHED_TOKENS) > 0
        again = pl.when(caches).then("pico_cache_read").otherwise("pico_input")
        pico = pl.sum_horizontal(PROMPT_TOKENS) * again + FETCH_OUTPUT_TOKENS * pl.col("pico_output")
        priced = self.costs.turns.hstack(self.costs.unit)
        return priced.select("run_id", turn_in="turn", fetch_usd=pico.cast(pl.Float64) / 10**12)

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
        blocks = self._blocks("role", "kind", "tokens", "other_tokens")
        return routing.sizes(self.plan.steps, blocks, self.analysis.calibration)

    @cached_property
    def thoughts(self) -> pl.DataFrame:
        """What was thought before each message of a person."""
        return routing.thoughts(self._blocks("role", "kind", "tokens", "other_tokens"))

    @cached_property
    def evidence(self) -> pl.DataFrame:
        """What each rule of routing says of the logged calls, as `routing.EVIDENCE`."""
        shown = {"turn_work": self.work, "tool_calls": self.analysis.tool_calls}
        return routing.evidence_of(routing.known_before(self.work, self.analysis.tool_calls), shown)

    @cached_property
    def ways(self) -> list[routing.Way]:
        """The ways to route the logged calls."""
        evidence = self.evidence
        steps, logged = self.plan.steps, self.logged.turns
        turns = steps.select("req", "run_id", "turn", "model").hstack(logged.select("group", "pico_usd"))
        able = routing.options(steps, evidence, self.sizes, self._usd_on)
        callers = self.analysis.runs.filter(pl.col("source").is_in(with_whole_prompts()))["run_id"]
        return list(routing.ways(turns, evidence, able, callers))

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

    def done(self, tasks: Sequence[Replaying[T]]) -> list[T]:
        """Do work that waits for replays; return what it gives, in its order."""
        return done(tasks, self.replayed, at_once=self.at_once)

    def replayed(self, plans: Sequence[Plan]) -> list[Outcome]:
        """Replay plans, as many in one pass as memory allows."""
        new = list({id(plan): plan for plan in plans if plan is not self.plan}.values())
        outcomes = {id(self.plan): self.logged}
        for first in range(0, len(new), self.at_once):
            some = new[first : first + self.at_once]
            outcomes |= zip(map(id, some), self._replayed(some), strict=True)
        return [outcomes[id(plan)] for plan in plans]

    def _replayed(self, plans: Sequence[Plan]) -> list[Outcome]:
        """Replay plans in one pass, and the other ways in which each of them may turn out."""
        others = [(k, other) for k, plan in enumerate(plans) for other in plan.other_minimums()]
        every = [*plans, *(other for _, other in others)]
        stack, longest_only = Stack.of(every), self.analysis.logged_requests.longest_only
        turns = self._of_stack(stack, longest_only=longest_only)
        height = self.plan.steps.height
        own, *rest = turns.head(len(plans) * height), *turns.slice(len(plans) * height).iter_slices(height)
        if self.is_open:
            own = with_other(
                own, self._of_stack(stack, longest_only=not longest_only).head(own.height)["pico_usd"]
            )
        if others:
            each = list(own.iter_slices(height))
            for (k, _), other in zip(others, rest, strict=True):
                each[k] = with_other(each[k], other["pico_usd"])
            own = pl.concat(each)
        return self._outcomes(plans, own)

    def _of_stack(self, stack: Stack, *, longest_only: bool) -> pl.DataFrame:
        return self.costs.of_plans(
            stack.plans, self._classes(stack, longest_only=longest_only).rename(REPLAYED)
        )

    def _classes(self, stack: Stack, *, longest_only: bool) -> pl.DataFrame:
        """Return token classes: what is to be expected, or where nobody can tell what was billed."""
        automatic, classes = self.analysis.logged_requests.automatic, stack.classes(longest_only=longest_only)
        if not automatic.is_empty or any(plan.is_repriced for plan in stack.plans):
            models = pl.concat([plan.steps["model"] for plan in stack.plans])
            # A hit in a cache without breakpoints has no other entries on its way.
            every = stack.classes() if longest_only else classes
            classes = automatic.expected(classes, every, models)
        if not self.is_billed_only:
            return classes
        as_it_was, is_replayed = (
            pl.concat([one] * len(stack.plans))
            for one in (self.analysis.agreement.classes.select(*REPLAYED), self._is_replayed.to_frame())
        )
        ruled = is_replayed["is_replayed"]
        may_read = [name for name in (MAY_READ,) if name in classes.columns]
        return classes.with_columns(
            *(pl.when(ruled).then(name).otherwise(as_it_was[name]).alias(name) for name in REPLAYED),
            *(pl.when(ruled).then(name).otherwise(0).alias(name) for name in may_read),
        )

    @property
    def is_billed_only(self) -> bool:
        """Whether there are steps of models whose cache has no known rules."""
        return not self._is_replayed.all()

    @cached_property
    def _is_replayed(self) -> pl.Series:
        """Say of each step whether the rules of the cache of its model are known."""
        steps, automatic = self.plan.steps, self.analysis.logged_requests.automatic
        return steps.select(is_replayed=automatic.is_replayed(steps["model"])).to_series()

    def _outcomes(self, plans: Sequence[Plan], turns: pl.DataFrame) -> list[Outcome]:
        """Return the outcomes of plans from their turns, one plan after another."""
        runs = Costs.per_run(turns).iter_slices(max(1, self.costs.n_runs))
        own = turns.with_columns(pl.col("run") % max(1, self.costs.n_runs))
        turns_of = own.iter_slices(max(1, self.plan.steps.height))
        return [Outcome(*each) for each in zip(plans, turns_of, runs, strict=True)]

    def repriced(self, plan: Plan, before: Outcome) -> Outcome:
        """Return the outcome of a plan that changes nothing but prices of one that was replayed."""
        return self._outcomes([plan], self.costs.of_plans([plan], before.turns))[0]

    @cached_property
    def is_open(self) -> bool:
        """Whether what a hit refreshes may matter, and the log does not tell which reading is right.

        It matters where runs that share a prefix begin longer after one another than an entry lives.
        """
        if self.analysis.agreement.refresh.is_decided:
            return False
        shares = (pl.col("stable_shared_tokens") > 0) & is_marked(self.plan.steps["model"])
        begun = self.plan.steps.filter(shares).group_by("domain", "stable_shared_key", "run_id").agg(
            pl.col("at_us").min()
        )  # fmt: skip
        spans = begun.group_by("domain", "stable_shared_key").agg(
            span_us=pl.col("at_us").max() - pl.col("at_us").min()
        )
        return bool((spans["span_us"] > SHORT_US).any())

    def cached(self, plan: Plan) -> Replaying[Outcome]:
        """Return a plan with all parts of caching."""
        marked = caching.with_breakpoints(plan, stable=plan.varies)
        return (yield from self.with_ttls(marked))[-1]

    def with_ttls(self, plan: Plan) -> Replaying[list[Outcome]]:
        """Return a plan as it is, with each of `TTL_WAYS`, and with the one that is cheapest for each group.

        The last one is replayed anew, as groups may share what is cached.
        """
        ways = [plan, *(plan.with_ttl(behind, prefix) for prefix, behind in TTL_WAYS.values())]
        outcomes = yield from tried_ways(ways)
        costs = [outcome.runs for outcome in outcomes]
        runs = costs[0].select("run_id", way=winners(costs))
        names = runs["way"].replace_strict(dict(enumerate(TTL_WAYS, 1)), default=None, return_dtype=pl.String)
        settings = runs.select("run_id", setting=names).drop_nulls()
        chosen = plan.mixed(ways, runs).choosing(TTL, settings, tried(costs, list(TTL_WAYS)))
        taken = runs["way"].unique().to_list()
        best = outcomes[max(taken, default=0)]
        if len(taken) > 1 or best.turns.is_empty():
            return [*outcomes, (yield from replay(chosen))]
        return [*outcomes, replace(best, plan=chosen)]
