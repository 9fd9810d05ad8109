"""Ways to route: an evidence and a class of models, made for the groups of runs where it may pay."""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import polars as pl

from costscan.levers.routing.candidates import CLASSES, class_of
from costscan.levers.routing.evidence import RUNS, TURNS, evidence_rules

MOVES: Final = pl.Schema(
    {"req": pl.Int64, "to_model": pl.String, "evidence": pl.String, "is_wrong": pl.Boolean}
)
"""Calls that go to another model, by which evidence (null where it was asked for), and whether they have to
be made again on the model that served them."""
FEWEST: Final = 3
"""A rule is made for a group with so many cases: fewer of them say little of the next one."""
LEAST_SHARE: Final = 0.1
"""Another model has to be tried out first: a group that would cost less by a smaller share stays as it is."""


class Way(NamedTuple):
    """A way to route.

    Attributes:
        name: its evidence and class of models.
        scope: of its evidence.
        moves: as `MOVES`.
    """

    name: str
    scope: str
    moves: pl.DataFrame


def ways(
    turns: pl.DataFrame, evidence: pl.DataFrame, options: pl.DataFrame, callers: Collection[str]
) -> Iterator[Way]:
    """Yield the ways that may pay for some group.

    Args:
        turns: req, run_id, turn, model, group and pico_usd of all turns.
        evidence: as `evidence.EVIDENCE`.
        options: as `eligible.OPTIONS`.
        callers: the runs whose client chooses a model for each call.
    """
    for rule in evidence_rules():
        sent = evidence.filter(evidence=rule.name)
        if rule.scope == TURNS:
            sent = sent.filter(pl.col("run_id").is_in(list(callers)))
        calls = turns.join(sent, on=["run_id", "turn"], how="inner", maintain_order="left")
        for to in CLASSES:
            able = options.filter(evidence=rule.name, to_class=to).drop("is_wrong", "evidence")
            if able.is_empty():
                continue
            moves = _worthwhile(_moved(calls, able, to, rule.scope), turns, rule.scope)
            if moves.height:
                yield Way(f"{rule.name}: {to}", rule.scope, moves.select(*MOVES))


def _moved(calls: pl.DataFrame, able: pl.DataFrame, to: str, scope: str) -> pl.DataFrame:
    """Return the calls that go to a model of a class; of runs as a whole those of which all can."""
    joined = calls.join(able, on="req", how="left", maintain_order="left")
    if scope == RUNS:
        larger = [m for m in calls["model"].unique().drop_nulls() if _is_larger(m, to)]
        stays = pl.col("model").is_in(larger) & pl.col("to_model").is_null()
        joined = joined.filter(~stays.any().over("run_id"))
    return joined.filter(pl.col("to_model").is_not_null())


def _is_larger(model: str, to: str) -> bool:
    own = class_of(model)
    return own is not None and CLASSES.index(own) > CLASSES.index(to)


def _worthwhile(moves: pl.DataFrame, turns: pl.DataFrame, scope: str) -> pl.DataFrame:
    """Leave out groups with few cases, and those that cannot save enough whatever the caches do.

    A call that goes there saves at most the difference of the prices, one that is made again costs the
    cheaper price more.
    """
    cost = pl.col("pico_usd").cast(pl.Float64).fill_null(0)
    worth = pl.when("is_wrong").then(-cost * pl.col("usd_ratio")).otherwise(cost * (1 - pl.col("usd_ratio")))
    cases = pl.len() if scope == TURNS else pl.col("run_id").n_unique()
    of_groups = moves.group_by("group").agg(worth=worth.sum(), cases=cases)
    spent = turns.group_by("group").agg(spent=cost.sum())
    pays = (pl.col("worth") >= LEAST_SHARE * pl.col("spent")) & (pl.col("worth") > 0)
    some = of_groups.join(spent, on="group").filter(pays, pl.col("cases") >= FEWEST)
    return moves.join(some, on="group", how="semi", maintain_order="left").sort("req")


__all__ = ["FEWEST", "LEAST_SHARE", "MOVES", "Way", "ways"]
