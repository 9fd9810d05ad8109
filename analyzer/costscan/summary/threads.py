"""One row per agent thread: what runs are summed from, and what one growing context is shown by."""

import polars as pl

from costscan.aggregates import known_sum, share
from costscan.levers import ALL, LEVERS
from costscan.meters import TOKENS
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT, USD
from costscan.summary.findings import by_run
from costscan.summary.scenarios import no_caching_usd
from costscan.usage import PLACEHOLDER, UNPRICED, UNREPORTED


def threads_table(analysis: Diagnosis) -> pl.DataFrame:
    """Return the agent threads, most expensive first.

    Columns: those of the `runs` frame, `root_task`, and of its own turns alone: models, turns, the token
    classes, prompt_tokens, web_searches, tool_calls, unpriced_turns, placeholder_turns, unreported_turns,
    cache_hit_rate, findings, usd (the sum of what is known; null where nothing is), usd_no_caching, and per
    lever and for all of them `usd_<name>`: usd less what that saves of the turns in the log.
    """
    threads = analysis.runs
    for more in (_sums(analysis), _called(analysis), by_run(analysis)):
        threads = threads.join(more, on="run_id", how="left", maintain_order="left")
    for name in (*LEVERS, ALL):
        threads = _with_scenario(threads, analysis, name)
    return threads.with_columns(
        pl.col("tool_calls", "findings").fill_null(0),
        cache_hit_rate=share(pl.col("cache_read_tokens"), pl.col("prompt_tokens")),
    ).sort("usd", "run_id", descending=[True, False], nulls_last=True)


def _with_scenario(runs: pl.DataFrame, analysis: Diagnosis, name: str) -> pl.DataFrame:
    """Add the cost in a scenario; what has no price, or is in no turn of the log, stays as it is."""
    saved = analysis.scenarios.filter(scenario=name).select("run_id", saved="saved_usd")
    usd_after = pl.col("usd") - pl.col("saved").fill_null(0) if saved.height else pl.lit(None, USD)
    joined = runs.join(saved, on="run_id", how="left", maintain_order="left")
    return joined.with_columns(usd_after.cast(USD).alias(f"usd_{name}")).drop("saved")


def _sums(analysis: Diagnosis) -> pl.DataFrame:
    turns = analysis.turns.with_columns(no_caching=no_caching_usd(analysis))
    return turns.group_by("run_id").agg(
        *(known_sum(name).alias(name) for name in (*TOKENS, "web_searches")),
        models=pl.col("model").unique().sort(),
        turns=pl.len().cast(pl.Int64),
        usd=known_sum("usd"),
        usd_no_caching=known_sum("no_caching"),
        prompt_tokens=known_sum(PROMPT),
        unpriced_turns=UNPRICED.sum().cast(pl.Int64),
        unreported_turns=UNREPORTED.sum().cast(pl.Int64),
        placeholder_turns=PLACEHOLDER.sum().cast(pl.Int64),
    )


def _called(analysis: Diagnosis) -> pl.DataFrame:
    return analysis.tool_calls.group_by("run_id").agg(tool_calls=pl.len().cast(pl.Int64))
