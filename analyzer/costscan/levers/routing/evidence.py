"""Which turns a smaller model could have served: rules over what the log shows, each in a file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from costscan.levers.routing.candidates import CLASSES

EVIDENCE: Final = pl.Schema(
    dict.fromkeys(("run_id",), pl.String)
    | {"turn": pl.Int64}
    | dict.fromkeys(("evidence", "scope", "to_class", "confidence", "reason"), pl.String)
)
"""Turns that a model of a smaller class could have served, and why."""
_FOLDER: Final = Path(__file__).with_name("evidence")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rule: the turns that its query gives could have gone to a model of the class `to`."""

    name: str
    scope: str
    to: str
    confidence: str
    reason: str
    sql: str


@cache
def evidence_rules() -> tuple[Evidence, ...]:
    """Return the rules of the folder, by name."""
    return tuple(
        Evidence(**tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.toml"))
    )


def evidence_of(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Run the rules: give `EVIDENCE`, at most one row a turn and scope, that of the smallest class.

    Args:
        frames: `turn_work` and `tool_calls`.
    """
    with pl.SQLContext(frames, eager=True) as context:
        matches = [
            context.execute(rule.sql).select(
                "run_id",
                "turn",
                evidence=pl.lit(rule.name),
                scope=pl.lit(rule.scope),
                to_class=pl.lit(rule.to),
                confidence=pl.lit(rule.confidence),
                reason=pl.lit(rule.reason),
            )
            for rule in evidence_rules()
        ]
    ranks = {name: nth for nth, name in enumerate(CLASSES)}
    rank = pl.col("to_class").replace_strict(ranks, return_dtype=pl.Int64)
    return (
        pl.concat(matches)
        .sort(rank, "evidence", maintain_order=True)
        .unique(["run_id", "turn", "scope"], keep="first", maintain_order=True)
        .select(*EVIDENCE)
    )
