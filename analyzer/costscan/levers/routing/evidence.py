"""Which calls a smaller model might serve: rules over what is known before a call, each in a file.

What the answer then shows is no part of the decision. It tells how often the rule would have been wrong:
those calls are made again on the model that served them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

EVIDENCE: Final = pl.Schema(
    {"run_id": pl.String, "turn": pl.Int64, "evidence": pl.String, "is_wrong": pl.Boolean}
)
"""Calls that a rule would send to a smaller model, and whether their answers show that it would be wrong."""
TURNS, RUNS = "turns", "runs"
"""What a rule decides on: each call of a run, or runs as a whole."""
_FOLDER: Final = Path(__file__).with_name("evidence")
_PLACE: Final = ["run_id", "turn"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rule.

    Attributes:
        name: its name.
        scope: `turns` or `runs`.
        to: the class of models that is enough.
        confidence: high, medium or low.
        reason: what is known before, in words.
        when: a query of `known`: run_id and turn of the calls that go to the smaller model.
        wrong: a query of `turn_work` and `tool_calls`: run_id (and turn, of `turns`) of those that it is not
            enough for.
    """

    name: str
    scope: str
    to: str
    confidence: str
    reason: str
    when: str
    wrong: str


@cache
def evidence_rules() -> tuple[Evidence, ...]:
    """Return the rules of the folder, by name."""
    return tuple(
        Evidence(**tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.toml"))
    )


def evidence_of(known: pl.DataFrame, shown: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return `EVIDENCE` of all rules.

    Args:
        known: `known.KNOWN`, all that a rule decides on.
        shown: `turn_work` and `tool_calls`, which hold the answers.
    """
    with (
        pl.SQLContext(known=known, eager=True) as before,
        pl.SQLContext(dict(shown), eager=True) as after,
    ):
        return pl.concat(
            [
                _of_rule(rule, before.execute(rule.when), after.execute(rule.wrong))
                for rule in evidence_rules()
            ]
        )


def _of_rule(rule: Evidence, sent: pl.DataFrame, wrong: pl.DataFrame) -> pl.DataFrame:
    on = _PLACE if rule.scope == TURNS else _PLACE[:1]
    told = wrong.select(on).unique().with_columns(is_wrong=pl.lit(value=True))
    joined = sent.select(_PLACE).join(told, on=on, how="left", maintain_order="left")
    return joined.select(
        *_PLACE, evidence=pl.lit(rule.name), is_wrong=pl.col("is_wrong").fill_null(value=False)
    )


__all__ = ["EVIDENCE", "RUNS", "TURNS", "Evidence", "evidence_of", "evidence_rules"]
