"""From the calls of all copies to the turns and runs that are billed."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from costscan import formats
from costscan.billing.clipped import with_clipped
from costscan.billing.selection import Pricing
from costscan.models import model_info
from costscan.prices import (
    BEYOND_TEXT,
    COST_COLUMNS,
    UNIT_COLUMNS,
    asks_for_audio,
    canonicalise,
    identify,
    lower_bounds,
    price_table,
    turn_usd,
    unit_prices,
    with_unbilled,
)
from costscan.recorded_cost import Recorded
from costscan.recorded_cost.unlogged import SUFFIX, missing
from costscan.schema.tables.runs import OWNERS, RUNS, TURNS
from costscan.usage import within_limits

UNNAMED: Final = "unnamed"
TOTALS_ONLY: Final = "totals only"
"""The task of what a provider's bill tells in sums: there are no runs in it, and no turns."""
_RESULTS: Final = "claude_stream"
"""The format of totals whose event no format has for its own."""
_TOLD: Final = (
    *("session", "recorded_path", "recorded_source", "recorded_task", "recorded_project", "recorded_user"),
)


def modelled(calls: pl.DataFrame, copies: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Add what model and source decide: canonical model, free refusals, tokenizer family, known prompts.

    `task` is that of the root run: a task owns the sub-agents of its runs.
    """
    tasks = runs.select("run_id", task="root_task")
    named = canonicalise(
        calls.with_columns(
            provider=pl.lit(None, pl.String),
            model=pl.lit(None, pl.String),
        )
    )
    calls = with_unbilled(named).join(
        copies.select("copy", "source", "root_run_id", "path", "begins_late"),
        on="copy",
        how="left",
        maintain_order="left",
    )
    calls = calls.join(tasks, on="run_id", how="left", maintain_order="left")
    models = calls["model"].unique().to_list()
    families = {m: info.tokenizer for m in models if (info := model_info(m)) is not None}
    usual = {name: log_format.tokenizer for name, log_format in formats.available().items()}
    modelled_calls = within_limits(calls).with_columns(
        family=pl.coalesce(_looked_up("model", families), _looked_up("source", usual)),
        is_exact=pl.col("source").is_in(formats.with_whole_prompts()),
    )
    return with_clipped(modelled_calls)


def _looked_up(column: str, values: Mapping[str, str]) -> pl.Expr:
    """Return what stands for each value of a column, null where nothing does."""
    return pl.col(column).replace_strict(values, default=None, return_dtype=pl.String)


def priced(calls: pl.DataFrame, table: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
    """Add the unit prices, 0 where one that is needed is unknown or the call is billed in another copy.

    So is what audio and images cost beyond text, where there are any. Where they have no known price, what
    is known is a lower bound.
    """
    unit = unit_prices(calls, table, discount=pricing.discount)
    costs = turn_usd(calls, unit)
    pico = pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)
    billed = calls["kept"] & costs["usd"].is_not_null()
    beyond = [costs[name] for name in (BEYOND_TEXT,) if name in costs.columns]
    unit_or_zero = (
        unit.hstack(beyond)
        .with_columns(billed=billed)
        .select(
            pl.when(pl.col("billed")).then(pl.col(name)).fill_null(0).alias(name)
            for name in (*UNIT_COLUMNS.values(), *(series.name for series in beyond))
        )
    )
    is_least = lower_bounds(calls, unit, table) & (pl.col("usage_from") == "reported")
    return (
        calls.with_columns(
            asks_for_audio(),
            usage_from=pl.when(is_least).then(pl.lit("placeholder")).otherwise("usage_from"),
        )
        .hstack(unit_or_zero)
        .with_columns(pico_usd=costs.select(pico).to_series())
    )


def runs_of(copies: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of each run: what its first copy says, and `root_task`, the task of its root run.

    Where the log of the root run is not there, its task is that of the first run below it. Whose a run is
    says its root run, the first copy that tells it; where none does, its own.
    """
    ordered = copies.sort("rank")
    fullest = ordered.unique("run_id", keep="first", maintain_order=True)
    owned = ordered.group_by("run_id").agg(pl.col(OWNERS).drop_nulls().first())
    runs = fullest.drop("copy", "rank", "begins_late", *OWNERS).join(
        owned, on="run_id", how="left", maintain_order="left"
    )
    of_root = {f"root_{name}": name for name in OWNERS}
    roots = runs.select(root_run_id="run_id", root_task="task", **of_root)
    first = pl.col("task").first().over("root_run_id")
    return (
        runs.join(roots, on="root_run_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("root_task").fill_null(first),
            **{name: pl.coalesce(root, name) for root, name in of_root.items()},
        )
        .drop(of_root)
    )


def list_prices(pricing: Pricing) -> pl.DataFrame:
    """Return the list prices, and the user's own of models that have none."""
    listed = set(price_table()["model"].unique())
    own = {
        name: prices
        for name, prices in (pricing.overrides or {}).items()
        if (ref.model if (ref := identify(name)) else name) not in listed
    }
    return price_table(own)


def unlogged_calls(
    totals: list[Recorded], calls: pl.DataFrame, runs: pl.DataFrame, pricing: Pricing
) -> pl.DataFrame:
    """Return the calls that recorded costs show and the log does not, as turns of runs of their own."""
    extra = missing(totals, at_list(calls, pricing).filter("kept"), list_prices(pricing))
    session = pl.col("run_id").str.strip_suffix(SUFFIX)
    sources = {event: f.name for f in formats.available().values() for event in f.totals}
    told = [(t.session, t.path, sources.get(t.event), _task_of(t), t.project, t.user) for t in totals]
    paths = pl.DataFrame(told, schema=dict.fromkeys(_TOLD, pl.String), orient="row")
    return (
        extra.with_columns(session=session)
        .join(paths, on="session", how="left", maintain_order="left")
        .join(_trees(runs), on="session", how="left", maintain_order="left")
        .with_columns(
            root_task=pl.coalesce("root_task", "recorded_task"),
            task=pl.coalesce("root_task", "recorded_task", pl.lit(UNNAMED)),
            kept=pl.lit(True),
        )
    )


def _task_of(total: Recorded) -> str | None:
    """Return what a total is called where no call of it is logged."""
    return None if total.billed is None else TOTALS_ONLY


def _trees(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the root run and its task for each id of a run, and of a root that is no run here."""
    own, above = (runs.select("root_run_id", "root_task", session=n) for n in ("run_id", "root_run_id"))
    return pl.concat([own, above]).unique("session", keep="first", maintain_order=True)


def at_list(calls: pl.DataFrame, pricing: Pricing) -> pl.DataFrame:
    """Return the calls at list prices: those are what a client records."""
    if pricing == Pricing():
        return calls
    costs = turn_usd(calls, unit_prices(calls, list_prices(pricing)))
    return calls.with_columns(
        pico_usd=costs.select(pl.sum_horizontal(*COST_COLUMNS.values(), ignore_nulls=False)).to_series()
    )


def turns_and_runs(
    calls: pl.DataFrame, runs: pl.DataFrame, extra: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the turns, logged and unlogged, and the runs they belong to, with the task of the root run."""
    logged = (
        calls.filter("kept")
        .sort("run_id", "turn")
        .with_columns(
            duration_s=_seconds(pl.col("end_at") - pl.col("at")),
            gap_s=_seconds(pl.col("at") - pl.col("at").shift(1).over("run_id")),
            recorded_usd=pl.col("recorded_usd").cast(TURNS.schema["recorded_usd"], strict=False),
        )
    )
    unknown = pl.lit(None, pl.String)
    turns = pl.concat([
        logged.select(*TURNS.columns, "asks", file="path"),
        extra.filter("kept").select(*TURNS.columns, asks=unknown, file=unknown),
    ])  # fmt: skip
    runs = pl.concat([runs, _unlogged_runs(extra, runs)], how="vertical")
    spans = turns.group_by("run_id").agg(
        started_at=pl.col("at").min(), ended_at=pl.col("at").max(), n_turns=pl.len().cast(pl.Int64)
    )
    runs = runs.join(spans, on="run_id", how="inner", maintain_order="left").select(
        *RUNS.columns, "root_task"
    )
    return turns.join(
        runs.select("run_id", "root_run_id", task="root_task"), on="run_id", how="left", maintain_order="left"
    ), runs


def _unlogged_runs(extra: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    of_session = (*_TOLD, "run_id", "root_run_id", "root_task")
    sessions = extra.filter("kept").select(of_session).unique(maintain_order=True)
    logged_runs = runs.select("source", "path", "task", *OWNERS, session="run_id")
    return (
        sessions.join(logged_runs, on="session", how="left", maintain_order="left")
        .with_columns(
            root_run_id=pl.coalesce("root_run_id", "session"),
            parent_run_id="session",
            agent=pl.lit("unlogged"),
            interactive=pl.lit(False),
            source=pl.coalesce("source", "recorded_source", pl.lit(_RESULTS)),
            project=pl.coalesce("project", "recorded_project"),
            user=pl.coalesce("user", "recorded_user"),
            task=pl.coalesce("task", "root_task", pl.lit(UNNAMED)),
            root_task=pl.coalesce("root_task", pl.lit(UNNAMED)),
            path=pl.coalesce("path", "recorded_path"),
        )
        .select(runs.columns)
    )


def _seconds(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / 1e6


def unfinished(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the characters and the tokenizer family of the turns whose usage is not known in full.

    Columns: run_id, turn, visible_chars (that it wrote), shown_chars (of its prompt), family.
    """
    return calls.filter(pl.col("kept") & (pl.col("usage_from") != "reported")).select(
        "run_id", "turn", "visible_chars", "shown_chars", "family"
    )
