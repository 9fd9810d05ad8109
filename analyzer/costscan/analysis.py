"""The whole analysis of some logs: the canonical frames and the sums that reports show."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from costscan import ingest
from costscan.attribution import PARTS, Attributed, attribute, blocks_frame, blocks_of
from costscan.frames import GROWTH, RUNS, TOOL_CALLS, TURNS, check, empty
from costscan.growth import PROMPT
from costscan.ingest import Reading, merge
from costscan.models import model_info
from costscan.prices import (
    COST_COLUMNS,
    UNIT_COLUMNS,
    Overrides,
    bill,
    canonicalise,
    price_table,
    turn_usd,
    unit_prices,
)
from costscan.recorded import Recorded, recorded
from costscan.tokens import EXACT_SOURCES
from costscan.unlogged import SUFFIX, missing

DEFAULT_FAMILY: Final = "v4.7"
BATCHES_AT_A_TIME: Final = 2
"""One leaves a core idle: most of the work on a batch is too small to be split."""


@dataclass(frozen=True)
class Pricing:
    """Prices other than list: `discount` is the share of the list price that is paid."""

    discount: Decimal = Decimal(1)
    overrides: Overrides | None = None


@dataclass
class Selection:
    """What to analyze: turns from `since` up to `until`, of runs of `tasks`, on `models`."""

    since: datetime | None = None
    until: datetime | None = None
    tasks: Sequence[str] = ()
    models: Sequence[str] = ()


@dataclass
class Analysis:
    """The frames of DESIGN and what reports sum from them.

    `turns` has, beside the canonical columns, the task and root run of its run and `usd` with its parts;
    `unfinished` the visible characters and tokenizer family of the turns whose output count is a placeholder.
    `frame(name)` gives the canonical frames alone.
    """

    reading: Reading
    runs: pl.DataFrame
    turns: pl.DataFrame
    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    parts: pl.DataFrame
    prices: pl.DataFrame
    unit: pl.DataFrame
    unfinished: pl.DataFrame
    recorded: list[Recorded] = field(default_factory=list)
    duplicate_turns: int = 0
    write_blocks: Callable[[Path], None] = lambda _: None

    def frame(self, name: str) -> pl.DataFrame:
        """Give a canonical frame (all but blocks), checked."""
        frames: dict[str, Callable[[], pl.DataFrame]] = {
            "runs": lambda: self.runs.select(*RUNS),
            "turns": lambda: self.turns.select(*TURNS),
            "growth": lambda: self.growth,
            "tool_calls": lambda: self.tool_calls,
            "prices": lambda: self.prices,
            "bill": lambda: bill(self.turns, self._billed_unit()),
        }
        return check(name, frames[name]())

    def _billed_unit(self) -> pl.DataFrame:
        """Give the unit prices, null throughout where one that is needed is unknown, as in the total."""
        known = self.turns["usd"].is_not_null()
        return self.unit.select(pl.when(known).then(pl.col(name)).alias(name) for name in self.unit.columns)


def analyze(
    reading: Reading, *, pricing: Pricing | None = None, selection: Selection | None = None
) -> Analysis:
    """Analyze what was read.

    Raises:
        CostscanError: the overrides or the discount are wrong.
    """
    pricing = pricing or Pricing()
    table = price_table(pricing.overrides)
    calls, copies = merge.calls_and_copies(reading.folder)
    duplicates = calls.height - int(calls["kept"].sum())
    calls = _priced(_modelled(calls, copies), table, pricing)
    runs = _runs(copies)
    totals = recorded(merge.table(reading.folder, "recorded").collect(), calls)
    extra = _unlogged(totals, _at_list(calls, pricing), runs)
    calls = merge.numbered(_selected(calls, selection)).drop("request_id", "rank")
    turns, runs = _turns_and_runs(calls, runs, _selected(extra, selection))
    done, blocks_to = _batches(reading, calls)
    unit = unit_prices(turns, table, discount=pricing.discount)
    turns = turns.hstack(turn_usd(turns, unit))
    return Analysis(
        reading=reading,
        runs=runs,
        turns=turns,
        prices=table,
        unit=unit,
        unfinished=_unfinished(calls),
        recorded=totals,
        growth=_growth(done, turns),
        tool_calls=_concat([d.tool_calls for d in done], TOOL_CALLS).sort(
            "run_id", "turn", maintain_order=True
        ),
        parts=_parts(done, turns),
        duplicate_turns=duplicates,
        write_blocks=blocks_to,
    )


def _modelled(calls: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Add what model and source decide: canonical model, tokenizer family, whether prompts are known."""
    calls = canonicalise(
        calls.with_columns(
            provider=pl.lit(None, pl.String),
            model=pl.lit(None, pl.String),
        )
    ).join(
        copies.select("copy", "source", "task", "root_run_id", "path"),
        on="copy",
        how="left",
        maintain_order="left",
    )
    models = calls["model"].unique().to_list()
    families = {m: info.tokenizer if (info := model_info(m)) else DEFAULT_FAMILY for m in models}
    return calls.with_columns(
        family=pl.col("model").replace_strict(families, return_dtype=pl.String),
        is_exact=pl.col("source").is_in(EXACT_SOURCES),
    )


def _priced(calls: pl.DataFrame, table: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
    """Add the unit prices, 0 where one that is needed is unknown or the call is billed in another copy."""
    unit = unit_prices(calls, table, discount=pricing.discount)
    costs = turn_usd(calls, unit)
    pico = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)
    billed = calls["kept"] & costs["usd"].is_not_null()
    known = unit.with_columns(billed=billed).select(
        pl.when(pl.col("billed")).then(pl.col(name)).fill_null(0).alias(name)
        for name in UNIT_COLUMNS.values()
    )
    return calls.hstack(known).with_columns(pico_usd=costs.select(pico).to_series())


def _selected(calls: pl.DataFrame, selection: Selection | None) -> pl.DataFrame:
    """Keep only the selected calls; the others still say what was in the prompt before."""
    if selection is None:
        return calls
    chosen = pl.lit(True)
    if selection.since is not None:
        chosen &= (pl.col("at") >= selection.since).fill_null(False)
    if selection.until is not None:
        chosen &= (pl.col("at") < selection.until).fill_null(False)
    if selection.tasks:
        chosen &= pl.col("task").is_in(list(selection.tasks))
    if selection.models:
        chosen &= pl.col("model").is_in(list(selection.models))
    unbilled = [
        pl.when("kept").then(pl.col(n)).otherwise(0).alias(n) for n in UNIT_COLUMNS.values() if n in calls
    ]
    return calls.with_columns(kept=pl.col("kept") & chosen).with_columns(unbilled)


def _runs(copies: pl.DataFrame) -> pl.DataFrame:
    return copies.sort("rank").unique("run_id", keep="first", maintain_order=True).drop("copy", "rank")


def _at_list(calls: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
    """Give the calls at list prices: those are what a client records."""
    if pricing == Pricing():
        return calls
    costs = turn_usd(calls, unit_prices(calls, price_table()))
    return calls.with_columns(
        pico_usd=costs.select(pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)).to_series()
    )


def _unlogged(totals: list[Recorded], calls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    extra = missing(totals, calls.filter("kept"), price_table())
    session = pl.col("run_id").str.strip_suffix(SUFFIX)
    paths = pl.DataFrame(
        [(total.session, total.path) for total in totals],
        schema={"session": pl.String, "recorded_path": pl.String},
        orient="row",
    )
    return (
        extra.with_columns(session=session)
        .join(paths, on="session", how="left", maintain_order="left")
        .join(
            runs.select(pl.col("run_id").alias("session"), "task"),
            on="session",
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("task").fill_null("unnamed"), kept=pl.lit(True))
    )


def _turns_and_runs(
    calls: pl.DataFrame, runs: pl.DataFrame, extra: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the turns, logged and unlogged, and the runs they belong to."""
    logged = (
        calls.filter("kept")
        .sort("run_id", "turn")
        .with_columns(
            duration_s=_seconds(pl.col("end_at") - pl.col("at")),
            gap_s=_seconds(pl.col("at") - pl.col("at").shift(1).over("run_id")),
            recorded_usd=pl.col("recorded_usd").cast(TURNS["recorded_usd"], strict=False),
        )
    )
    turns = pl.concat([logged.select(*TURNS), extra.filter("kept").select(*TURNS)])
    runs = pl.concat([runs, _unlogged_runs(extra, runs)], how="vertical")
    spans = turns.group_by("run_id").agg(
        started_at=pl.col("at").min(), ended_at=pl.col("at").max(), n_turns=pl.len().cast(pl.Int64)
    )
    runs = runs.join(spans, on="run_id", how="inner", maintain_order="left").select(*RUNS)
    return turns.join(
        runs.select("run_id", "task", "root_run_id"), on="run_id", how="left", maintain_order="left"
    ), runs


def _unfinished(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.filter(pl.col("kept") & (pl.col("usage_from") == "placeholder")).select(
        "run_id", "turn", "visible_chars", "family"
    )


def _unlogged_runs(extra: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    sessions = extra.filter("kept").select("session", "run_id", "recorded_path").unique(maintain_order=True)
    known = runs.drop("parent_run_id", "agent", "interactive", "root_run_id").rename({"run_id": "session"})
    return (
        sessions.join(known, on="session", how="left", maintain_order="left")
        .with_columns(
            root_run_id="session",
            parent_run_id="session",
            agent=pl.lit("unlogged"),
            interactive=pl.lit(False),
            source=pl.col("source").fill_null("claude_stream"),
            task=pl.col("task").fill_null("unnamed"),
            path=pl.coalesce("path", "recorded_path"),
        )
        .select(runs.columns)
    )


def _seconds(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / 1e6


def _batches(reading: Reading, calls: pl.DataFrame) -> tuple[list[Attributed], Callable[[Path], None]]:
    """Attribute batch by batch; blocks are dropped after each, and made again when they are to be written."""
    groups = list(ingest.batches(reading))

    def one(paths: list[Path]) -> Attributed:
        found = _one_batch(paths, calls)
        return replace(found, blocks=found.blocks.clear(), calls=found.calls.clear())

    with ThreadPoolExecutor(BATCHES_AT_A_TIME) as threads:
        done = list(threads.map(one, groups))

    def write(target: Path) -> None:
        parts = [blocks_frame(_one_batch(paths, calls)) for paths in groups]
        _joined_blocks(parts).write_parquet(target)

    return done, write


def _joined_blocks(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Put the blocks of all batches together; a run told by files of several batches is numbered anew."""
    if not parts:
        return empty("blocks")
    ordered = pl.concat(parts).sort("run_id", "turn_in", "block", "line")
    return ordered.with_columns(block=pl.int_range(pl.len(), dtype=pl.Int64).over("run_id"))


def _one_batch(paths: list[Path], calls: pl.DataFrame) -> Attributed:
    tasks = [int(path.stem.rsplit("-", 1)[1]) for path in paths]
    own = calls.filter((pl.col("copy") // (1 << merge.COPY_BITS)).is_in(tasks)).sort("copy", "seq")
    return attribute(blocks_of(paths), own)


def _growth(done: list[Attributed], turns: pl.DataFrame) -> pl.DataFrame:
    """Put the growth of all runs together; an unlogged turn stands alone."""
    logged = _concat([d.growth for d in done], GROWTH)
    rest = turns.filter(pl.col("run_id").str.ends_with(SUFFIX)).select(
        "run_id",
        "turn",
        prompt_tokens=PROMPT,
        carried_tokens=pl.lit(0, pl.Int64),
        added_tokens=PROMPT,
        dropped_tokens=pl.lit(0, pl.Int64),
    )
    return pl.concat([logged, rest.select(*GROWTH)]).sort("run_id", "turn")


def _parts(done: list[Attributed], turns: pl.DataFrame) -> pl.DataFrame:
    rest = (
        turns.filter(pl.col("run_id").str.ends_with(SUFFIX))
        .group_by("run_id")
        .agg(
            output_pico_usd=pl.sum_horizontal(*(pl.col(c).fill_null(0) for c in COST_COLUMNS.values())).sum(),
        )
        .with_columns(
            part=pl.lit(PARTS["unlogged"]), pico_usd=pl.lit(0, pl.Int64), entry_pico_usd=pl.lit(0, pl.Int64)
        )
    )
    frames = [d.parts.select("run_id", "part", "pico_usd", "entry_pico_usd", "output_pico_usd") for d in done]
    return pl.concat(
        [*frames, rest.select("run_id", "part", "pico_usd", "entry_pico_usd", "output_pico_usd")]
    )


def _concat(frames: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
