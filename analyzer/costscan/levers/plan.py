"""A plan: the runs as they are to be replayed. Levers change it; the simulator and the prices do the rest."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Self

import polars as pl

from costscan.replay.logged import Logged
from costscan.replay.simulate import LIFETIMES_US, Timeline

MARKS: Final = ("req", "key", "tokens", "ttl_us")


@dataclass(frozen=True)
class Marks:
    """What of the prompts is marked.

    Attributes:
        requests: as for the simulator.
        positions: req, key, tokens, ttl_us of all marked positions and, with ttl_us null, of those within
            their lookback.
    """

    requests: pl.DataFrame
    positions: pl.DataFrame

    @cached_property
    def timeline(self) -> Timeline:
        """What happens to the cache entries, in order."""
        return Timeline.of(self.requests, self.positions)

    def forget(self) -> None:
        """Let go of the timeline: that of a large log takes more than its turns do."""
        self.__dict__.pop("timeline", None)


@dataclass(frozen=True)
class Plan:
    """Turns, and what of their prompts is marked.

    Attributes:
        steps: one row per turn of the log, sorted by run and turn: req, run_id, turn, domain, at_us,
            ready_us, min_tokens, prompt_tokens, ttl_us (the lifetime that was written with) and those of
            `replay.chains.CHAINS`.
        marks: what is marked.
        stable: the same, as it would be without values that vary.
        lifetimes: req and ttl_us of the turns whose marks all get another lifetime.
    """

    steps: pl.DataFrame
    marks: Marks
    stable: Marks
    lifetimes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"req": pl.Int64, "ttl_us": pl.Int64})
    )

    @classmethod
    def of(cls, policy: Logged) -> Self:
        """Give the plan of what happened."""
        marks = Marks(policy.requests, policy.positions)
        if policy.stable_positions.equals(policy.positions):
            return cls(policy.steps, marks, marks)
        return cls(policy.steps, marks, Marks(policy.requests, policy.stable_positions))

    @property
    def varies(self) -> bool:
        """Whether values that vary keep prompts from being shared."""
        changed = self.steps["key"] != self.steps["stable_key"]
        return self.stable is not self.marks or bool(changed.any())

    def marked(self, positions: pl.DataFrame) -> Self:
        """Give this plan with other marks on the turns of the log."""
        outside = self.marks.positions.filter(pl.col("req") < 0)
        both = pl.concat([positions.select(MARKS), outside.select(MARKS)])
        return replace(self, marks=Marks(self.marks.requests, both))

    def living(self, ttl: str) -> Self:
        """Give this plan with one lifetime of all marks; where nothing is marked, nothing changes."""
        return replace(self, lifetimes=self.steps.select("req", ttl_us=pl.lit(LIFETIMES_US[ttl], pl.Int64)))

    def mixed(self, other: Self, runs: pl.Series) -> Self:
        """Give this plan with the lifetimes of another one in some runs."""
        reqs = self.steps.filter(pl.col("run_id").is_in(runs.implode()))["req"].implode()
        chosen = pl.col("req").is_in(reqs)
        return replace(
            self, lifetimes=pl.concat([self.lifetimes.filter(~chosen), other.lifetimes.filter(chosen)])
        )

    def classes(self) -> pl.DataFrame:
        """Replay: give req, read_tokens, write_1h_tokens, write_5m_tokens, input_tokens of each step."""
        told = self.marks.timeline
        if not self.lifetimes.is_empty():
            told = told.living(self.lifetimes)
        return self.steps.select("req").join(told.billed(), on="req", how="left", maintain_order="left")
