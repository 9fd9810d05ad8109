"""The analysis of some logs: what was called, what it cost, and what each part of it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from costscan.attribution.batches import Batches, attribute_all
from costscan.billing import Pricing, Selection, billed
from costscan.cache.agreement import Agreement, agreement
from costscan.cache.breaks import prefix_breaks
from costscan.cache.breaks.model_switches import model_switches
from costscan.cache.cache_use import cache_use
from costscan.cache.loss_places import LossPlaces
from costscan.cache.requests import TURN_COLUMNS, LoggedRequests, logged
from costscan.calibration import Calibration
from costscan.defects import described
from costscan.ingest import Reading
from costscan.native import CAUGHT
from costscan.prices import bill as bill_frame
from costscan.recorded_cost import Recorded
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.schema.frames import check
from costscan.schema.tables.cache import GROWTH
from costscan.schema.tables.runs import RUNS, TURNS
from costscan.usage import KNOWS_PROMPT, counted

if TYPE_CHECKING:
    from collections.abc import Callable

Replayed: TypeAlias = tuple[LoggedRequests, Agreement, pl.DataFrame]
_IS_LOGGED: Final = ~pl.col("run_id").str.ends_with(SUFFIX)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The frames of DESIGN and what reports sum from them.

    `share_paid` is the share of the list price that is paid. `logged_requests` is how the logged turns used
    the cache, `agreement` how well the replay repeats what was billed. `runs` has, beside the canonical
    columns, `root_task`: the task that owns the run, which is that of its root. `turns` has it as `task`,
    with the root run of its run, `file` (the one that its line is in), `asks` (what its request asks for
    that some models refuse) and `usd` with its parts; `unfinished` the visible characters and
    tokenizer family of the turns whose usage is not complete, `undated_turns` how many tell no time of
    their own. `blocks` and `block_costs` are read from disk where they are used, and gone with the reading.
    `reasons` says why something could not be worked out: `scenario NAME`, `rule NAME`, `run RUN_ID`,
    `replay`. `calibration` is what estimates were corrected by. `frame(name)` gives the canonical frames
    alone. `counted` are the turns whose prompt is known, which can be replayed.
    """

    reading: Reading
    runs: pl.DataFrame
    turns: pl.DataFrame
    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    blocks: pl.LazyFrame
    block_costs: pl.LazyFrame
    parts: pl.DataFrame
    prices: pl.DataFrame
    unit: pl.DataFrame
    unfinished: pl.DataFrame
    logged_requests: LoggedRequests
    agreement: Agreement
    prefix_breaks: pl.DataFrame
    share_paid: Decimal = Decimal(1)
    recorded: list[Recorded] = field(default_factory=list)
    duplicate_turns: int = 0
    undated_turns: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None

    @property
    def counted(self) -> pl.DataFrame:
        """The turns whose prompt is known; what they wrote and is not known is 0."""
        return counted(self.turns)

    @property
    def counted_with_prices(self) -> pl.DataFrame:
        """The `counted` turns beside their unit prices."""
        return counted(self.turns.hstack(self.unit))

    def rooted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the `root_run_id` of their `run_id`: the run whose tree they count in."""
        roots = self.runs.select("run_id", "root_run_id")
        return frame.join(roots, on="run_id", how="left", maintain_order="left")

    def lazy(self, name: str) -> pl.LazyFrame:
        """Return a frame without holding it where it is large."""
        if name in {"blocks", "block_costs"}:
            return self.blocks if name == "blocks" else self.block_costs
        return self.frame(name).lazy()

    def frame(self, name: str) -> pl.DataFrame:
        """Return a canonical frame, checked.

        Raises:
            KeyError: this stage has no such frame.
        """
        return check(name, self._frames()[name]())

    def _frames(self) -> "dict[str, Callable[[], pl.DataFrame]]":
        """Return what makes each frame, by its name."""
        return {
            "runs": lambda: self.runs.select(*RUNS.columns),
            "turns": lambda: self.turns.select(*TURNS.columns),
            "growth": lambda: self.growth,
            "prefix_breaks": lambda: self.prefix_breaks,
            "model_switches": self._model_switches,
            "cache_use": lambda: cache_use(self.turns, self.logged_requests),
            "tool_calls": lambda: self.tool_calls,
            "prices": lambda: self.prices,
            "bill": lambda: bill_frame(self.turns, self._billed_unit()),
            "blocks": self.blocks.collect,
            "block_costs": self.block_costs.collect,
        }

    def _model_switches(self) -> pl.DataFrame:
        logged = self.counted.filter(_IS_LOGGED).drop("usd")
        use = cache_use(self.turns, self.logged_requests).select("run_id", "turn", "ttl")
        return model_switches(logged, self.prefix_breaks, use, self.prices, self.share_paid)

    def _billed_unit(self) -> pl.DataFrame:
        """Return the unit prices, null throughout where one that is needed is unknown, as in the total."""
        is_priced = self.turns["usd"].is_not_null()
        return self.unit.select(
            pl.when(is_priced).then(pl.col(name)).alias(name) for name in self.unit.columns
        )


def analyze(
    reading: Reading,
    *,
    pricing: Pricing | None = None,
    selection: Selection | None = None,
    calibration: Calibration | None = None,
) -> Analysis:
    """Analyze what was read.

    Args:
        reading: what was read.
        pricing: the prices; list prices by default.
        selection: the turns to look at; all by default.
        calibration: what was counted of how far estimates of tokens are off.

    Raises:
        CostscanError: the overrides or the discount are wrong.
    """
    pricing = pricing or Pricing()
    calls, bill = billed(reading, pricing, selection)
    batches = attribute_all(reading, calls, calibration)
    del calls  # the largest frame: what follows takes as much again
    turns, unit = bill.turns, bill.unit
    grown = batches.growth(turns)
    reasons = {f"run {run}": reason for run, reason in batches.reasons.items()}
    logged_requests, replayed, breaks = _replayed(turns, unit, batches, grown, reasons)
    return Analysis(
        reading=reading,
        reasons=reasons,
        runs=bill.runs,
        turns=turns,
        prices=bill.prices,
        unit=unit,
        unfinished=bill.unfinished,
        recorded=bill.recorded,
        growth=_with_replay(grown, logged_requests, replayed),
        logged_requests=logged_requests,
        agreement=replayed,
        prefix_breaks=breaks,
        share_paid=pricing.discount,
        tool_calls=batches.tool_calls(),
        blocks=batches.blocks("blocks"),
        block_costs=batches.blocks("block_costs"),
        parts=batches.parts(turns),
        duplicate_turns=bill.duplicate_turns,
        undated_turns=bill.undated_turns,
        calibration=calibration,
    )


def _replayed(
    turns: pl.DataFrame, unit: pl.DataFrame, batches: Batches, grown: pl.DataFrame, reasons: dict[str, str]
) -> Replayed:
    """Replay what happened; where that raises, nothing is known of the cache, and `reasons` are told why."""

    def of(turns: pl.DataFrame, unit: pl.DataFrame) -> Replayed:
        departures = batches.departures()
        logged_requests = logged(_logged_turns(turns), batches.chains(), batches.windows(), departures)
        places = LossPlaces(turns, batches.blocks("blocks"))
        breaks = prefix_breaks(places, unit, logged_requests, departures, grown)
        replayed = agreement(turns, unit, logged_requests, places)
        return replayed.logged_requests, replayed, breaks

    try:
        return of(turns, unit)
    except CAUGHT as error:
        reasons["replay"] = described(error)
        return of(turns.clear(), unit.clear())


def _logged_turns(turns: pl.DataFrame) -> pl.DataFrame:
    return (
        turns.lazy().filter(_IS_LOGGED & KNOWS_PROMPT).select(TURN_COLUMNS).sort("run_id", "turn").collect()
    )


def _with_replay(growth: pl.DataFrame, logged_requests: LoggedRequests, replayed: Agreement) -> pl.DataFrame:
    """Return the `growth` frame: what the replay says stands beside how the prompt came about."""
    place = ["run_id", "turn"]
    shared = logged_requests.shared.select(*place, "shared_tokens")
    joined = growth.join(replayed.turns, on=place, how="left", maintain_order="left").join(
        shared, on=place, how="left", maintain_order="left"
    )
    ideal = pl.max_horizontal("carried_tokens", pl.col("shared_tokens").fill_null(0))
    return joined.with_columns(prefix_tokens=pl.min_horizontal(ideal, "prompt_tokens")).select(
        *GROWTH.columns
    )


__all__ = ["Analysis", "analyze"]
