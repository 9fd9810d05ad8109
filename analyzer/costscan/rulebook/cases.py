"""The cases of a rule: small frames, and the findings they must give."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.errors import CostscanError, near
from costscan.native import without_panics
from costscan.prices import UNITS_OF
from costscan.rulebook.per_task import told_once, with_fingerprints
from costscan.rulebook.rule import Case, Rule
from costscan.rulebook.sql import FRAMES, MAY_BE_UNKNOWN, REFUSALS, lazy, why_not

_TYPICAL_FILE: Final = Path(__file__).with_name("typical_row.toml")
_TYPICAL: Final[Mapping[str, Any]] = tomllib.loads(_TYPICAL_FILE.read_text("utf-8"))
_ZERO: Final[Mapping[Any, Any]] = {pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False, pl.String: ""}
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
REPEAT: Final = "repeat"


def frames_of(rule: Rule, case: Case) -> dict[str, pl.DataFrame]:
    """Return the frames of a case; columns a row does not name are typical or, where they may be, unknown.

    A row with `repeat = N` stands for N rows whose `turn` (and `block`) count on.

    Raises:
        CostscanError: it names a frame or a column that there is not.
    """
    for name in case.frames:
        if name not in FRAMES:
            raise CostscanError(f"{rule.path}: {case.name}: no frame {name}", near(name, list(FRAMES)))
    return {name: _frame(rule, case, name) for name in FRAMES}


def _frame(rule: Rule, case: Case, name: str) -> pl.DataFrame:
    schema = FRAMES[name]
    rows = []
    for case_row in case.frames.get(name, []):
        if unknown := [column for column in case_row if column not in schema and column != REPEAT]:
            raise CostscanError(
                f"{rule.path}: {case.name}: {name} has no column {unknown[0]}", near(unknown[0], list(schema))
            )
        row = {column: _default(name, column, kind) for column, kind in schema.items()} | case_row
        for step in range(row.pop(REPEAT, 1)):
            rows.append(row | {c: row[c] + step for c in ("turn", "block") if c in schema})  # noqa: PERF401
    return pl.DataFrame(rows, schema=schema)


def _default(frame: str, column: str, kind: Any) -> Any:
    if frame == "turns" and column in UNITS_OF.values():
        return 0
    if column in MAY_BE_UNKNOWN[frame]:
        return None
    if column in _TYPICAL:
        return _TYPICAL[column]
    if isinstance(kind, pl.Datetime):
        return _AT
    return _ZERO.get(kind, 0)


def set_for(rule: Rule, case: Case) -> Rule:
    """Return a rule with the parameters of a case.

    Raises:
        CostscanError: the case sets one that there is not.
    """
    for name in case.params:
        if name not in rule.params:
            raise CostscanError(
                f"{rule.path}: {case.name}: no parameter {name}", near(name, list(rule.params))
            )
    return replace(rule, values={**rule.values, **case.params})


def failures(rule: Rule) -> list[str]:
    """Return what is wrong with the cases of a rule, a line each; none where all hold.

    Raises:
        CostscanError: a case names a frame or a column that there is not.
    """
    wrong = []
    if not any(case.expect for case in rule.cases):
        wrong.append("no case in which it fires")
    if all(case.expect for case in rule.cases):
        wrong.append("no case in which it stays quiet")
    for case in rule.cases:
        frames = {name: frame.lazy() for name, frame in frames_of(rule, case).items()}
        try:
            with without_panics():
                findings = _found(set_for(rule, case), frames)
        except REFUSALS as error:
            wrong.append(f"{case.name}: {why_not(rule, error)}")
            continue
        left = [row for row in findings if not any(_matches(row, wanted) for wanted in case.expect)]
        missing = [wanted for wanted in case.expect if not any(_matches(row, wanted) for row in findings)]
        wrong += [f"{case.name}: not found: {wanted}" for wanted in missing]
        wrong += [f"{case.name}: found too: {row}" for row in left]
        if not left and not missing and len(findings) != len(case.expect):
            wrong.append(f"{case.name}: {len(findings)} findings instead of {len(case.expect)}")
    return wrong


def _found(rule: Rule, frames: Mapping[str, pl.LazyFrame]) -> list[dict[str, Any]]:
    """Return what a rule finds; of findings that are told once, that with the most tokens stands for all."""
    runs = frames["runs"].select("run_id", "task", "agent").collect()
    names = {run: (task, agent) for run, task, agent in runs.iter_rows()}
    return told_once(rule, with_fingerprints(rule, lazy(rule, frames).collect(), names)).to_dicts()


def _matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in row and row[name] == value for name, value in wanted.items())
