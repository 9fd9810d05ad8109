"""What became of the actions of an earlier report: which are done, and how much of each saving came true."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import msgspec
import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.clients import CLAUDE_CODE
from costscan.errors import CostscanError
from costscan.rulebook import Diagnosis
from costscan.schema.frames import USD

DONE, PARTLY, OPEN, NOT_SEEN, UNKNOWN = STATES = ("done", "partly", "open", "not seen", "unknown")
"""Of what was promised at least nine tenths are no longer to be had, some, at most one tenth.

Not seen: there are no calls of its subject; unknown: its lever was not worked out.
"""
MOST, LEAST = Decimal("0.9"), Decimal("0.1")
PROMISES: Final = pl.Schema(
    [
        ("rank", pl.Int64()),
        *((name, pl.String()) for name in ("id", "title", "subject", "scenario", "setting", "risk", "state")),
        ("calls", pl.Int64()),
        *((name, USD) for name in ("promised_usd", "left_usd")),
        ("came_true_share", pl.Float64()),
        ("came_true_usd", USD),
    ]
)
"""One row per action of the report, in its order.

calls: of the subject in the new logs. promised_usd: what it promised for so many calls, alone.
left_usd: what it would still save of them, alone. came_true_share: the part of what was promised that
is no longer left; null where that is not known. came_true_usd: this part of what it promised after the
actions before it.
"""
_ALL, _SUB_AGENTS = "all sessions", "sub-agents"
_EXACT: Final = 12
"""Decimals of dollars in frames."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """An action, as the JSON report has it."""

    rank: int
    id: str
    title: str
    subject: str
    scenario: str
    setting: str | None
    risk: str
    calls: Annotated[int, msgspec.Meta(ge=1)]
    saved_usd: Decimal
    saved_alone_usd: Decimal


class _Report(msgspec.Struct):
    actions: list[Promise] | None


def read_promises(path: Path) -> list[Promise]:
    """Return the actions of a JSON report.

    Raises:
        CostscanError: it cannot be read, is none, or tells no actions.
    """
    hint = "make one with: costscan analyze LOGS -o report.json"
    try:
        report = msgspec.json.decode(path.read_bytes(), type=_Report)
    except OSError as error:
        raise CostscanError(f"{path}: cannot be read: {error.strerror or error}", hint) from None
    except msgspec.MsgspecError as error:
        raise CostscanError(f"{path}: is no JSON report of costscan: {error}", hint) from None
    if not report.actions:
        raise CostscanError(
            f"{path}: this report has no actions", "there is nothing that could have come true"
        )
    return report.actions


def kept(promises: list[Promise], diagnosis: Diagnosis) -> pl.DataFrame:
    """Return what became of promises, by what the new logs would still save: `PROMISES`."""
    rows = [_kept(promise, diagnosis) for promise in promises]
    return pl.DataFrame(rows, schema=PROMISES, orient="row")


def _kept(promise: Promise, diagnosis: Diagnosis) -> tuple[object, ...]:
    own = _runs(promise, diagnosis)
    calls = diagnosis.turns.filter(pl.col("run_id").is_in(own.implode())).height
    left = _left(promise, diagnosis, own) if calls else None
    promised = promise.saved_alone_usd * calls / promise.calls
    share = _share(promised, left)
    came_true = None if share is None else share * promise.saved_usd * calls / promise.calls
    state = _state(share) if calls else NOT_SEEN
    told = (promise.rank, promise.id, promise.title, promise.subject, promise.scenario, promise.setting)
    money = (None if usd is None else round(usd, _EXACT) for usd in (promised, left))
    true_usd = None if came_true is None else round(came_true, _EXACT)
    return *told, promise.risk, state, calls, *money, None if share is None else float(share), true_usd


def _share(promised: Decimal, left: Decimal | None) -> Decimal | None:
    return None if left is None or promised <= 0 else min(Decimal(1), max(Decimal(0), 1 - left / promised))


def _state(share: Decimal | None) -> str:
    if share is None:
        return UNKNOWN
    return DONE if share >= MOST else OPEN if share <= LEAST else PARTLY


def _runs(promise: Promise, diagnosis: Diagnosis) -> pl.Series:
    """Return the runs that a setting is about."""
    if promise.scenario == kinds.CAP:
        return diagnosis.tool_calls.filter(tool=promise.subject)["run_id"].unique()
    of_client = pl.col("source").is_in(CLAUDE_CODE)
    task_and_agent = pl.concat_str("task", pl.lit(" / "), "agent")
    is_own = {
        _ALL: of_client & (pl.col("parent_run_id").is_null() | (promise.scenario == kinds.COMPACT)),
        _SUB_AGENTS: of_client & pl.col("parent_run_id").is_not_null(),
    }.get(promise.subject, pl.coalesce(task_and_agent, "task") == promise.subject)
    return diagnosis.runs.filter(is_own)["run_id"]


def _left(promise: Promise, diagnosis: Diagnosis, runs: pl.Series) -> Decimal | None:
    """Return what a setting would still save of some runs; None where that was not worked out."""
    if promise.scenario == kinds.CAP:
        curve = diagnosis.caps.filter(tool=promise.subject, cap_tokens=int(promise.setting or 0))
        return None if kinds.CAP in diagnosis.parts_off else Decimal(curve["saved_usd"].sum() or 0)
    own = diagnosis.scenarios.filter(pl.col("run_id").is_in(runs.implode()))
    if promise.scenario in kinds.ROUTES:
        moved = diagnosis.routes.filter(to_model=promise.setting)["run_id"].unique()
        told = own.filter(scenario="routing")
        saved = told.filter(pl.col("run_id").is_in(moved.implode()))["saved_usd"]
    else:
        told = own.filter(scenario=promise.scenario)
        saved = told["saved_usd"]
    return None if told.is_empty() else max(Decimal(0), Decimal(saved.sum() or 0))


__all__ = ["PROMISES", "STATES", "Promise", "kept", "read_promises"]
