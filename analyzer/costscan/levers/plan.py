"""A plan: the runs as they are to be replayed. Levers change it; the simulator and the prices do the rest."""

from dataclasses import dataclass, replace
from typing import Final, Self

import polars as pl

from costscan.replay.logged import Logged
from costscan.replay.simulate import simulate

MARKS: Final = ("req", "key", "tokens", "ttl_us")


@dataclass(frozen=True)
class Plan:
    """Turns, and what of their prompts is marked.

    Attributes:
        steps: one row per turn of the log, sorted by run and turn: req, run_id, turn, domain, at_us,
            ready_us, min_tokens, prompt_tokens, ttl_us (the lifetime that was written with) and those of
            `replay.chains.CHAINS`.
        marks: req, key, tokens, ttl_us of all marked positions and, with ttl_us null, of those within their
            lookback.
        stable_marks: the same, as they would be without values that vary.
        outside: requests of others that had cached something before the log began.
    """

    steps: pl.DataFrame
    marks: pl.DataFrame
    stable_marks: pl.DataFrame
    outside: pl.DataFrame

    @classmethod
    def of(cls, policy: Logged) -> Self:
        """Give the plan of what happened."""
        outside = policy.requests.filter(pl.col("req") < 0)
        return cls(policy.steps, policy.positions, policy.stable_positions, outside)

    def marked(self, marks: pl.DataFrame) -> Self:
        """Give this plan with other marks."""
        return replace(self, marks=marks.select(MARKS))

    def classes(self) -> pl.DataFrame:
        """Replay: give req, read_tokens, write_1h_tokens, write_5m_tokens, input_tokens of each step."""
        requests = pl.concat([self.steps.select(self.outside.columns), self.outside])
        told = simulate(requests, self.marks)
        return self.steps.select("req").join(told, on="req", how="left", maintain_order="left")
