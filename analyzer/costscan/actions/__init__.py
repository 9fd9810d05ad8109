"""What to change on Monday: one list of settings, each worth what it saves after those before it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.actions.backtest import backtest_share
from costscan.actions.candidates import candidates
from costscan.actions.clients import is_settable
from costscan.actions.evidence import evidence_of
from costscan.actions.fixes import how
from costscan.actions.measured import Measurements
from costscan.actions.ranked import Ranked, ranked
from costscan.actions.setting import Setting
from costscan.actions.words import KINDS, title
from costscan.defects import described
from costscan.native import CAUGHT, without_panics
from costscan.prices import usd_of
from costscan.rulebook import Diagnosis
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import USD, check, empty, of_rows
from costscan.settings.keys import Settings

REASON: Final = "actions"
"""Under this name an analysis says why there are no actions."""
SURE, UNSURE = 0.8, 0.5
"""From such a share on, of what was promised, an action is sure, and below the other one it is not."""
OF_RUNS: Final = pl.Schema([("run_id", pl.String()), ("rank", pl.Int64()), ("saved_usd", USD)])
_PICO: Final = 10**12
_ID: Final = 12


@dataclass(frozen=True, kw_only=True)
class Advised(Diagnosis):
    """A diagnosis, and what to do about it.

    Attributes:
        actions: the canonical frame, what to do first first.
        of_runs: `OF_RUNS`: what each action saves of each run.
        originals: the ids of runs by the hashes that stand for them; none where they have their own names.
    """

    actions: pl.DataFrame
    of_runs: pl.DataFrame
    originals: Mapping[str, str] = field(default_factory=dict)

    def _frames(self) -> dict[str, Callable[[], pl.DataFrame]]:
        return {**super()._frames(), "actions": lambda: self.actions}


@dataclass(frozen=True)
class Advice:
    """What to do, before it stands beside its diagnosis; where that could not be worked out, why."""

    actions: pl.DataFrame
    of_runs: pl.DataFrame
    reason: str | None = None


def advise(
    diagnosis: Diagnosis,
    settings: Settings | None = None,
    name: Callable[[str], str] = str,
    measurements: Measurements | None = None,
) -> Advised:
    """Return a diagnosis with its actions; arguments are those of `advice`."""
    return beside(diagnosis, advice(diagnosis, settings, name, measurements))


def advice(
    diagnosis: Diagnosis,
    settings: Settings | None = None,
    name: Callable[[str], str] = str,
    measurements: Measurements | None = None,
) -> Advice:
    """Return what to do; nothing, and the reason, where it cannot be worked out.

    Args:
        diagnosis: the diagnosis, its reading still open.
        settings: those that it was made with.
        name: what stands in texts for a name in the log.
        measurements: what trials measured.
    """
    try:
        with without_panics():
            actions, of_runs = _actions(diagnosis, settings or Settings(), name, measurements)
            return Advice(check("actions", actions), of_runs)
    except CAUGHT as error:
        return Advice(empty("actions"), pl.DataFrame(schema=OF_RUNS), described(error))


def beside(diagnosis: Diagnosis, found: Advice) -> Advised:
    """Return a diagnosis with what to do about it."""
    reasons = {**diagnosis.reasons, **({REASON: found.reason} if found.reason else {})}
    own = {f.name: getattr(diagnosis, f.name) for f in fields(Diagnosis)}
    return Advised(**{**own, "actions": found.actions, "of_runs": found.of_runs, "reasons": reasons})


def _actions(
    diagnosis: Diagnosis,
    settings: Settings,
    name: Callable[[str], str],
    measurements: Measurements | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    could = candidates(diagnosis, measurements)
    if not could:
        return empty("actions"), pl.DataFrame(schema=OF_RUNS)
    left = Decimal(diagnosis.turns["usd"].sum())
    rows, of_runs = [], [pl.DataFrame(schema=OF_RUNS)]
    for rank, one in enumerate(ranked(Workspace(diagnosis, settings), could, diagnosis.routes), 1):
        left -= Decimal(one.saved_pico) / _PICO
        rows.append(_row(diagnosis, one, name) | {"rank": rank, "usd_after": left})
        saved_usd = usd_of(pl.col("saved_pico"))
        of_runs.append(one.of_runs.select("run_id", rank=pl.lit(rank, pl.Int64), saved_usd=saved_usd))
    return of_rows("actions", rows), pl.concat(of_runs)


def _row(diagnosis: Diagnosis, one: Ranked, name: Callable[[str], str]) -> dict[str, Any]:
    setting, told = one.setting, _told(one.setting, name)
    runs = diagnosis.runs.filter(pl.col("run_id").is_in(list(setting.runs)))
    found = _findings(diagnosis, setting)
    top = found.row(0, named=True) if found.height else {}
    explains = KINDS[setting.part].rules[0]
    rule = next((rule for rule in diagnosis.rules if rule.name == explains), None)
    share = backtest_share(diagnosis, setting)
    calls = diagnosis.turns.filter(pl.col("run_id").is_in(list(setting.runs))).height
    return {
        "id": id_of(setting),
        "lever": setting.part.partition("/")[0],
        "scenario": setting.part,
        "rule": top.get("rule") or (rule.id if rule else None),
        "title": title(told),
        "subject": told.subject,
        "setting": setting.value,
        "how": how(rule, setting, setting.client, top.get("fix"), told),
        "client": setting.client,
        "is_settable": is_settable(setting, setting.client),
        "runs": runs["root_run_id"].n_unique(),
        "calls": calls,
        "saved_alone_usd": Decimal(round(setting.saved_usd * _PICO)) / _PICO,
        "saved_usd": Decimal(one.saved_pico) / _PICO,
        "saved_low_usd": Decimal(one.low_pico) / _PICO,
        "saved_high_usd": Decimal(one.high_pico) / _PICO,
        "risk": setting.risk,
        "confidence": _confidence(share),
        "backtest_share": share,
        "evidence": evidence_of(diagnosis, setting, found),
        "findings": " ".join(found["fingerprint"].unique(maintain_order=True)),
        "path": top.get("path"),
        "char_offset": top.get("char_offset"),
    }


def _told(setting: Setting, name: Callable[[str], str]) -> Setting:
    """Return a setting as texts tell of it."""
    task, agent, tool = (own and name(own) for own in (setting.task, setting.agent, setting.tool))
    return replace(setting, task=task, agent=agent, tool=tool)


def _confidence(share: float | None) -> str:
    """Return how sure it is, by the share of what it promised that came true."""
    if share is None:
        return "medium"
    return "high" if share >= SURE else "medium" if share >= UNSURE else "low"


def _findings(diagnosis: Diagnosis, setting: Setting) -> pl.DataFrame:
    """Return the findings that a setting mends, the most expensive first."""
    of_rules = diagnosis.findings.filter(pl.col("name").is_in(KINDS[setting.part].rules))
    if setting.tool is not None:
        return of_rules.filter(tool=setting.tool)
    return of_rules.filter(pl.col("run_id").is_in(list(setting.runs)))


def id_of(setting: Setting) -> str:
    """Return the id of an action: the same for the same setting of the same subject."""
    name = "\n".join((setting.part, setting.task or "", setting.agent or "", setting.tool or ""))
    return hashlib.sha256(name.encode()).hexdigest()[:_ID]


__all__ = ["REASON", "Advice", "Advised", "advice", "advise", "beside", "id_of"]
