"""What routed turns find in the cache: the last prompt that they extend and that the same model was sent."""

from typing import Final

import polars as pl

from costscan.levers.plan import Marks, Plan, beside

LOOKBACK: Final = 20
"""A mark looks back over so many positions, itself included.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""


def block_counts(steps: pl.DataFrame, blocks: pl.LazyFrame) -> pl.DataFrame:
    """Give req and block_end: how many blocks of messages the prompts of its run held by then.

    Args:
        steps: req, run_id, turn.
        blocks: run_id, turn_in, layer.
    """
    came = (
        blocks.filter(pl.col("layer") == "messages")
        .group_by("run_id", turn="turn_in")
        .agg(n=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    joined = steps.select("req", "run_id", "turn").join(
        came, on=["run_id", "turn"], how="left", maintain_order="left"
    )
    return joined.select("req", block_end=pl.col("n").fill_null(0).cum_sum().over("run_id"))


def relinked(plan: Plan, logged: pl.Series, runs: pl.Series, counts: pl.DataFrame) -> Plan:
    """Let the turns of some runs extend the last prompt that their model was sent, and look back for it.

    Args:
        plan: the plan, with other models in these runs.
        logged: the domain of each step before.
        runs: their ids.
        counts: from `block_counts`.
    """
    steps = beside(plan.steps, counts).with_columns(
        logged=logged, moved=pl.col("run_id").is_in(runs.implode())
    )
    steps = _extending(_extending(steps, "stable_"), "")
    found = steps.filter("moved", ~pl.col("is_shown"), pl.col("far") < LOOKBACK)
    links = found.select("req", "last_req")
    told = steps.select(plan.steps.columns)
    return plan.changed(told, lambda marks, prefix: _linked(marks, steps, links, f"{prefix}key"))


def _extending(steps: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Let turns extend the last prompt that their model was sent in an unbroken chain of prompts.

    Where there is none, they extend the one that they did, if that went to their model. Adds last_req, the
    request with that last prompt, and far, how many blocks came since.
    """
    key, extends, tokens = f"{prefix}key", f"{prefix}extends_key", f"{prefix}extends_tokens"
    chain = _breaks(key, extends).cast(pl.Int64).cum_sum().over("run_id")
    known = steps.with_columns(chain=chain, is_there=_is_there(steps, key, extends))

    def last(name: str) -> pl.Expr:
        return pl.col(name).shift(1).over("run_id", "chain", "domain")

    taken = pl.col("moved_tokens") if prefix else 0
    told = known.with_columns(end=pl.max_horizontal(pl.col("prompt_tokens") - taken, 0)).with_columns(
        pl.when("moved")
        .then(pl.coalesce(last(of), pl.when("is_there").then(name)))
        .otherwise(name)
        .alias(name)
        for name, of in ((extends, key), (tokens, "end"))
    )
    return told.with_columns(last_req=last("req"), far=pl.col("block_end") - last("block_end"))


def _breaks(key: str, extends: str) -> pl.Expr:
    """Say where a prompt does not extend the one before it.

    A prompt that a transcript does not show extends, in its context, all before it; of a model that begins
    there nothing is told.
    """
    goes_on = (pl.col(extends) == pl.col(key).shift(1).over("run_id")).fill_null(value=False)
    begins = pl.col("logged") != pl.col("logged").shift(1).over("run_id")
    inferred = ~pl.col("is_cut") & (pl.col(extends).is_not_null() | begins)
    return ~(goes_on | (~pl.col("is_shown") & inferred.fill_null(value=False)))


def _is_there(steps: pl.DataFrame, key: str, extends: str) -> pl.Series:
    """Say whether the prompt that each turn extends was sent to its model."""
    sent = steps.select("domain", pl.col(key).alias(extends), there=pl.lit(value=True)).unique()
    found = steps.select("domain", extends).join(
        sent, on=["domain", extends], how="left", maintain_order="left"
    )
    return found["there"].fill_null(value=False)


def _linked(marks: Marks, steps: pl.DataFrame, links: pl.DataFrame, key: str) -> Marks:
    """Add the ends of the prompts that transcripts do not show to be looked back for."""
    ends = steps.select(last_req="req", key=key).join(
        marks.positions.select("key", "tokens", last_req="req"), on=["last_req", "key"], how="inner"
    )
    positions = links.join(ends, on="last_req", how="inner").with_columns(ttl_us=pl.lit(None, pl.Int64))
    known = marks.positions
    new = positions.select(known.columns).join(known.select("req", "key"), on=["req", "key"], how="anti")
    return Marks(marks.requests, pl.concat([known, new]))
