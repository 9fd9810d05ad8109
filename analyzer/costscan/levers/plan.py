"""A plan: the runs as they are to be replayed. Levers change it; the simulator and the prices do the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

import polars as pl

from costscan.cache.policies import is_marked
from costscan.cache.requests import LoggedRequests
from costscan.cache_policy import TTLS_US
from costscan.levers.asks import ASKS
from costscan.levers.uncertainty import minimums_off, prefix_errors

MARKS: Final = ("req", "key", "tokens", "ttl_us")
TTLS: Final = pl.Schema(dict.fromkeys(("req", "ttl_us", "prefix_ttl_us"), pl.Int64))
"""How long what a request caches lives: what follows tools and system prompt, and these."""
TRIED: Final = pl.Schema(
    {"run_id": pl.String, "tool": pl.String, "setting": pl.String, "saved_usd": pl.Float64}
)
"""By run, and by tool where it is set for tools, what a setting would have saved."""
EXTRA_OUTPUT: Final = "extra_output_tokens"
"""What a request that the log does not have writes: `Plan.asks`."""
SPREAD: Final = ("output_growth", "size_spread", "missed_reads")
"""How sure the cost of a turn is: output may be longer by a share, all tokens more or fewer by a share, and a
share of what is read from the cache may not be found there."""
DOUBTS: Final = ("more_tokens", "fewer_tokens", "more_output_tokens", "fewer_output_tokens")
"""So many tokens of its prompt, and of what was written, may a step have more or fewer than foreseen."""
PREFIX_ERROR: Final = "prefix_error_tokens"
"""By so many tokens the end of tools and system prompt may be off, where no bill tells it."""
OF_STEPS: Final = (
    *("req", "run_id", "turn", "domain", "at_us", "ready_us", "min_tokens", "prompt_tokens", "ttl_us"),
    *("key", "uses", "is_shown", "is_cut", "extends_key", "extends_tokens", "shared_key", "shared_tokens"),
    *("stable_key", "stable_extends_key", "stable_extends_tokens"),
    *("stable_shared_key", "stable_shared_tokens", "moved_tokens"),
)
"""What steps take of the logged ones: of requests and `replay.chains.CHAINS`, and the TTL."""
OF_TURNS: Final = (
    *("at", "provider", "model", "model_raw", "tier", "speed", "geo", "effort", "asks"),
    *("output_tokens", "thinking_tokens", "web_searches"),
)
"""What steps take of the turns: what decides their prices, and what was billed beside the prompt."""


def beside(frame: pl.DataFrame, more: pl.DataFrame, on: str = "req") -> pl.DataFrame:
    """Return a frame with the columns of another one beside it, null where that has no such row.

    A join would copy the frame, and steps are wide.
    """
    joined = frame.select(on).join(more, on=on, how="left", maintain_order="left")
    return frame.hstack(joined.drop(on))


def with_others(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with the values that another one, which has req and some columns, has instead."""
    names = [name for name in other.columns if name != "req"]
    joined = frame.select("req").join(other, on="req", how="left", maintain_order="left")
    return frame.with_columns(pl.coalesce(joined[name], frame[name]).alias(name) for name in names)


def with_context(steps: pl.DataFrame) -> pl.DataFrame:
    """Add context: which of the contexts of its run, one after another, a turn is in."""
    return steps.with_columns(context=pl.col("is_cut").cast(pl.Int64).cum_sum().over("run_id"))


def salted(name: str) -> pl.Expr:
    """Return keys other names where a row has a salt: prompts of one key and salt still begin alike."""
    other = (pl.struct(name, "salt").hash() // 2).cast(pl.Int64)
    both = pl.col("salt").is_not_null() & pl.col(name).is_not_null()
    return pl.when(both).then(other).otherwise(name).alias(name)


def groups_of(runs: pl.DataFrame) -> pl.DataFrame:
    """Return run_id and group: the runs of a task and an agent type, which a setting is made for.

    Args:
        runs: run_id, task, agent.
    """
    return runs.select("run_id", group=(pl.struct("task", "agent").hash() // 2).cast(pl.Int64))


@dataclass(frozen=True)
class Breakpoints:
    """What of the prompts is marked.

    Attributes:
        requests: as for the simulator.
        positions: req, key, tokens, ttl_us of all marked positions and, with ttl_us null, of those within
            their lookback.
    """

    requests: pl.DataFrame
    positions: pl.DataFrame


@dataclass(frozen=True)
class Plan:
    """Turns, and what of their prompts is marked.

    Attributes:
        steps: one row per turn of the log, sorted by run and turn: `OF_STEPS`, `OF_TURNS`,
            `EXTRA_OUTPUT`, `SPREAD`, `DOUBTS` and `PREFIX_ERROR`.
        breakpoints: what is marked.
        stable: the same, as it would be without values that vary.
        groups: from `groups_of`.
        ttls: as `TTLS`, of the turns whose breakpoints get another TTL.
        asks: requests that the log does not have, as `asks.ASKS`.
        choices: by part, run_id (or what else it is chosen for) and setting, where one was chosen.
        tried: by part, `TRIED`: what each setting that it was chosen from would have saved.
        is_repriced: whether a lever changed what decides prices: model, tier, or the length of prompts.
    """

    steps: pl.DataFrame
    breakpoints: Breakpoints
    stable: Breakpoints
    groups: pl.DataFrame
    ttls: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TTLS))
    asks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ASKS))
    is_repriced: bool = False
    choices: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    tried: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, requests: LoggedRequests, turns: pl.DataFrame, runs: pl.DataFrame) -> Self:
        """Return the plan of what happened.

        Args:
            requests: how the logged turns used the cache.
            turns: all turns.
            runs: run_id, task, agent.
        """
        groups = groups_of(runs)
        place = ["run_id", "turn"]
        logged_steps = requests.steps.select(OF_STEPS)
        steps = logged_steps.join(
            turns.select(*place, *OF_TURNS), on=place, how="left", maintain_order="left"
        ).with_columns(
            pl.lit(0, pl.Int64).alias(EXTRA_OUTPUT),
            *(pl.lit(0.0).alias(name) for name in (*SPREAD, *DOUBTS)),
        )
        steps = steps.with_columns(prefix_errors(steps, turns))
        breakpoints = Breakpoints(requests.requests, requests.positions)
        if requests.stable_positions.equals(requests.positions):
            return cls(steps, breakpoints, breakpoints, groups)
        stable = Breakpoints(requests.requests, requests.stable_positions)
        return cls(steps, breakpoints, stable, groups)

    @property
    def varies(self) -> bool:
        """Whether values that vary keep prompts from being shared."""
        changed = self.steps["key"] != self.steps["stable_key"]
        return self.stable is not self.breakpoints or bool(changed.any())

    def marked(self, positions: pl.DataFrame) -> Self:
        """Return this plan with other breakpoints on the logged turns; what others had cached stays found."""
        before = self.breakpoints.positions
        outside = before.filter(pl.col("req") < 0)
        cached = before.filter(pl.col("req") >= 0, pl.col("ttl_us").is_null()).join(
            outside.select("key"), on="key", how="semi"
        )
        both = pl.concat([frame.select(MARKS) for frame in (positions, outside, cached)])
        return replace(self, breakpoints=Breakpoints(self.breakpoints.requests, both))

    def changed(
        self,
        steps: pl.DataFrame,
        breakpoints: Callable[[Breakpoints, str], Breakpoints],
        *,
        is_repriced: bool = True,
    ) -> Self:
        """Return this plan with other steps, its breakpoints changed by `breakpoints`.

        Args:
            steps: the steps.
            breakpoints: returns other breakpoints, given the prefix of the columns of steps with their keys.
            is_repriced: whether prices may be others.
        """
        sent = breakpoints(self.breakpoints, "")
        stable = sent if self.stable is self.breakpoints else breakpoints(self.stable, "stable_")
        return replace(
            self, steps=steps, breakpoints=sent, stable=stable, is_repriced=self.is_repriced or is_repriced
        )

    def choosing(self, part: str, choice: pl.DataFrame, tried: pl.DataFrame) -> Self:
        """Return this plan with what a part of a lever was set to, and what it was chosen from."""
        return replace(
            self,
            choices={**self.choices, part: choice},
            tried={**self.tried, part: tried.select(*TRIED)},
        )

    def without_turns(self) -> Self:
        """Return what was chosen for this plan, and none of its turns."""
        none = Breakpoints(self.breakpoints.requests.clear(), self.breakpoints.positions.clear())
        empty = {name: getattr(self, name).clear() for name in ("steps", "ttls", "asks")}
        return replace(self, **empty, breakpoints=none, stable=none)

    def with_ttl(self, ttl: str, prefix_ttl: str | None = None) -> Self:
        """Return this plan with one TTL of all breakpoints; where requests mark none, nothing changes.

        Args:
            ttl: the TTL.
            prefix_ttl: the TTL of tools and system prompt, where that is another one.
        """
        of = {"ttl_us": ttl, "prefix_ttl_us": prefix_ttl or ttl}
        ttls = {name: pl.lit(TTLS_US[ttl], pl.Int64) for name, ttl in of.items()}
        marked = self.steps.filter(is_marked(self.steps["model"]))
        return replace(self, ttls=marked.select("req", **ttls))

    def other_minimums(self) -> list[Self]:
        """Return this plan where more, and where fewer, prompts are long enough to be cached.

        That is where a position is as near to the shortest prefix that is cached as its tokens may be off.
        """
        off = minimums_off(self.steps)
        if not (off.max_horizontal() > 0).any():
            return []
        steps = self.steps.select("req", "min_tokens", "shared_key", "stable_shared_key").hstack(off)
        ends = self.breakpoints.positions.join(steps, on="req", how="inner")
        is_prefix = pl.any_horizontal(pl.col("key") == pl.col(k) for k in ("shared_key", "stable_shared_key"))
        longer, shorter = (
            pl.when(is_prefix.fill_null(value=False)).then(f"prefix_{name}").otherwise(name)
            for name in ("longer", "shorter")
        )
        over = pl.col("tokens") - pl.col("min_tokens")
        borders = ((-longer, over.is_between(-longer, -1)), (shorter, over.is_between(0, shorter - 1)))
        near = (ends.filter(is_near).select("req", by=by) for by, is_near in borders)
        return [self._with_minimums(some) for some in near if some.height]

    def _with_minimums(self, by: pl.DataFrame) -> Self:
        most = by.sort(pl.col("by").abs(), descending=True).unique("req", keep="first", maintain_order=True)
        requests = beside(self.breakpoints.requests, most)
        least = pl.max_horizontal(pl.col("min_tokens") + pl.col("by").fill_null(0), 0)
        changed = requests.with_columns(min_tokens=least).drop("by")
        return replace(self, breakpoints=Breakpoints(changed, self.breakpoints.positions))

    def mixed(self, ways: Sequence[Self], runs: pl.DataFrame) -> Self:
        """Return this plan with the TTLs that some ways, which differ in nothing else, have in some runs.

        Args:
            ways: the ways.
            runs: run_id, and way: the number of the one that it takes.
        """
        way = self.steps.select("req", "run_id").join(runs, on="run_id", how="left", maintain_order="left")
        chosen = (
            plan.ttls.join(way.filter(way=n), on="req", how="semi", maintain_order="left")
            for n, plan in enumerate(ways)
        )
        return replace(self, ttls=pl.concat(chosen))
