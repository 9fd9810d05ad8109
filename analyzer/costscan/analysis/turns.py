"""From the calls of all copies to the turns and runs that are billed."""

from typing import Final

import polars as pl

from costscan.analysis.choice import Pricing
from costscan.frames import RUNS, TURNS
from costscan.models import model_info
from costscan.prices import (
    COST_COLUMNS,
    UNIT_COLUMNS,
    canonicalise,
    price_table,
    turn_usd,
    unit_prices,
    with_unbilled,
)
from costscan.recorded import Recorded
from costscan.tokens import EXACT_SOURCES
from costscan.unlogged import SUFFIX, missing

DEFAULT_FAMILY: Final = "v4.7"


def modelled(calls: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Add what model and source decide: canonical model, free refusals, tokenizer family, known prompts."""
    named = canonicalise(
        calls.with_columns(
            provider=pl.lit(None, pl.String),
            model=pl.lit(None, pl.String),
        )
    )
    calls = with_unbilled(named).join(
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


def priced(calls: pl.DataFrame, table: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
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


def runs_of(copies: pl.DataFrame) -> pl.DataFrame:
    """Give what is known of each run: what its first copy says."""
    return copies.sort("rank").unique("run_id", keep="first", maintain_order=True).drop("copy", "rank")


def unlogged_calls(totals: list[Recorded], calls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Give the calls that recorded costs show and the log does not, as turns of runs of their own."""
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


def at_list(calls: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
    """Give the calls at list prices: those are what a client records."""
    if pricing == Pricing():
        return calls
    costs = turn_usd(calls, unit_prices(calls, price_table()))
    return calls.with_columns(
        pico_usd=costs.select(pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)).to_series()
    )


def turns_and_runs(
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
    turns = pl.concat([
        logged.select(*TURNS, "asks", file="path"),
        extra.filter("kept").select(*TURNS, asks=pl.lit(None, pl.String), file=pl.lit(None, pl.String)),
    ])  # fmt: skip
    runs = pl.concat([runs, _unlogged_runs(extra, runs)], how="vertical")
    spans = turns.group_by("run_id").agg(
        started_at=pl.col("at").min(), ended_at=pl.col("at").max(), n_turns=pl.len().cast(pl.Int64)
    )
    runs = runs.join(spans, on="run_id", how="inner", maintain_order="left").select(*RUNS)
    return turns.join(
        runs.select("run_id", "task", "root_run_id"), on="run_id", how="left", maintain_order="left"
    ), runs


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


def unfinished(calls: pl.DataFrame) -> pl.DataFrame:
    """Give the visible characters and the tokenizer family of the turns with a placeholder output."""
    return calls.filter(pl.col("kept") & (pl.col("usage_from") == "placeholder")).select(
        "run_id", "turn", "visible_chars", "family"
    )
