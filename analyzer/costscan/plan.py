"""A plan: the runs as they are to be replayed. Levers change it; the simulator and the prices do the rest."""

from dataclasses import dataclass, replace
from typing import Final, Self

import polars as pl

from costscan.analysis import Analysis
from costscan.frames import USD
from costscan.prices import turn_usd
from costscan.replay.agreement import REPLAYED
from costscan.replay.simulate import simulate

PLACE: Final = ["run_id", "turn"]


@dataclass(frozen=True)
class Plan:
    """Turns, and what of their prompts is marked.

    Attributes:
        steps: one row per turn of the log, sorted by run and turn: req, domain, at_us, ready_us, min_tokens,
            prompt_tokens, output_tokens, web_searches, the unit prices `pico_*`, `usd` as billed, and the
            columns of `replay.chains.CHAINS`, ttl_us (the lifetime that was written with).
        marks: req, key, tokens, ttl_us of all marked positions and of those within their lookback.
        outside: requests of others that had cached something before the log began.
    """

    steps: pl.DataFrame
    marks: pl.DataFrame
    outside: pl.DataFrame

    @classmethod
    def of(cls, x: Analysis) -> Self:
        """Give the plan of what happened."""
        policy = x.policy
        priced = x.turns.hstack(x.unit).select(
            *PLACE, "usd", "output_tokens", "web_searches", *x.unit.columns
        )
        steps = policy.steps.join(priced, on=PLACE, how="left", maintain_order="left")
        outside = policy.requests.filter(pl.col("req") < 0)
        return cls(steps, policy.positions, outside)

    def marked(self, marks: pl.DataFrame) -> Self:
        """Give this plan with other marks."""
        return replace(self, marks=marks)

    def classes(self) -> pl.DataFrame:
        """Replay: give the token classes of each step, in their order."""
        requests = pl.concat([self.steps.select(self.outside.columns), self.outside])
        told = simulate(requests, self.marks).rename(REPLAYED)
        return self.steps.select("req").join(told, on="req", how="left", maintain_order="left")

    def usd(self) -> pl.Series:
        """Replay: give what each step costs, null where a price is unknown."""
        used = self.classes().hstack(self.steps.select("output_tokens", "web_searches"))
        prices = self.steps.select(name for name in self.steps.columns if name.startswith("pico_"))
        return turn_usd(used, prices)["usd"].cast(USD)
