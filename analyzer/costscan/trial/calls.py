"""The calls that a trial is about: those that an action moves, or that one evidence would move to a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.actions import Advised, id_of
from costscan.actions.candidates import candidates
from costscan.actions.measured import Moved
from costscan.actions.moved_calls import moved_calls, with_subjects
from costscan.actions.setting import ROUTES, Setting
from costscan.errors import CostscanError, near
from costscan.formats import messages_api
from costscan.levers import routing
from costscan.levers.routing.candidates import model_named
from costscan.models import model_info
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings

FORMAT: Final = messages_api.FORMAT.name
"""The format of which requests can be read again whole, and sent to Anthropic's API."""
_CAPTURE: Final = "log whole requests, like with costscan capture: docs/capture.md"
_OF_TURN: Final = (
    *("run_id", "turn", "model", "file", "line", "message_id", "output_tokens", "usd", "duration_s"),
    "usage_from",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded call that would go to another model.

    Attributes:
        run_id: its run.
        turn: its turn.
        moved: what it moves with.
        model: the model that served it.
        file: the log that it is in.
        line: its line there, from 1.
        message_id: the id of its answer, where that is logged.
        prompt_tokens: its whole prompt, as billed.
        size_ratio: how long that is in the other family of tokenizers.
        output_tokens: what it wrote.
        usd: what it cost; None where its price is unknown.
        duration_s: how long it took.
    """

    run_id: str
    turn: int
    moved: Moved
    model: str
    file: str
    line: int
    message_id: str | None
    prompt_tokens: int
    size_ratio: float
    output_tokens: int
    usd: Decimal | None
    duration_s: float | None

    @property
    def key(self) -> str:
        """What names it within its log."""
        return f"{self.run_id}:{self.turn}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The calls of a trial.

    Attributes:
        about: what moves them, in words.
        subject: the id of the action, or the evidence and the model.
        calls: the calls, in the order of the log.
        without_requests: how many more would move whose log does not hold whole requests.
    """

    about: str
    subject: str
    calls: Sequence[Call]
    without_requests: int


def of_action(diagnosis: Advised, rank: int, settings: Settings) -> Chosen:
    """Return the calls that an action moves.

    Args:
        diagnosis: the diagnosis, its reading still open.
        rank: the action by its number in `analyze`.
        settings: those that the diagnosis was made with.

    Raises:
        CostscanError: there is no such action, it moves no call to another model, or no request is logged
            whole.
    """
    setting, title = _routing(diagnosis, rank)
    moves = moved_calls(diagnosis, setting)
    return _chosen(diagnosis, settings, moves, title, id_of(setting))


def of_evidence(diagnosis: Advised, evidence: str, model: str, settings: Settings) -> Chosen:
    """Return the calls that an evidence would move, and that fit into a model.

    Args:
        diagnosis: the diagnosis, its reading still open.
        evidence: one of `levers/routing/evidence`.
        model: a model, in any spelling.
        settings: those that the diagnosis was made with.

    Raises:
        CostscanError: there is no such evidence or model, it would move no call, or no request is logged
            whole.
    """
    names = [rule.name for rule in routing.evidence_rules()]
    if evidence not in names:
        raise CostscanError(f"--rule {evidence}: no evidence that routing goes by", near(evidence, names))
    to_model = model_named(model)
    workspace = Workspace(diagnosis, settings)
    told = workspace.evidence.filter(evidence=evidence).select("run_id", "turn", "evidence")
    steps = workspace.plan.steps.select("req", "run_id", "turn")
    moves = routing.forced(workspace.plan, to_model, workspace.sizes).drop("evidence")
    both = moves.join(steps, on="req").join(told, on=["run_id", "turn"]).sort("req")
    return _chosen(
        diagnosis,
        settings,
        with_subjects(diagnosis, both),
        f"{evidence}: {to_model}",
        f"{evidence} {to_model}",
    )


def _routing(diagnosis: Advised, rank: int) -> tuple[Setting, str]:
    """Return the setting of an action, and its title."""
    row = next((row for row in diagnosis.actions.to_dicts() if row["rank"] == rank), None)
    routes = [str(row["rank"]) for row in diagnosis.actions.to_dicts() if row["scenario"] in ROUTES]
    which = f"these do: --action {', '.join(routes)}" if routes else "no action of this log does"
    if row is None:
        raise CostscanError(
            f"--action {rank}: there is no such action", f"costscan analyze -v lists them; {which}"
        )
    found = next((one for one in candidates(diagnosis) if id_of(one) == row["id"]), None)
    if found is None or found.part not in ROUTES:
        raise CostscanError(f"--action {rank} moves no call to another model", which)
    return found, str(row["title"])


def _chosen(diagnosis: Advised, settings: Settings, moves: pl.DataFrame, about: str, subject: str) -> Chosen:
    if moves.is_empty():
        raise CostscanError(
            f"{about}: no call of this log would move", "costscan analyze -v lists the actions"
        )
    sources = diagnosis.runs.select("run_id", "source")
    placed = moves.join(sources, on="run_id", how="left", maintain_order="left")
    whole = placed.filter(source=FORMAT)
    calls = _calls(diagnosis, settings, whole)
    if not calls:
        names = ", ".join(placed["source"].unique().drop_nulls().sort())
        raise CostscanError(
            f"{about}: logs of the format {names} do not hold the whole requests of these calls", _CAPTURE
        )
    return Chosen(about, subject, calls, moves.height - len(calls))


def _calls(diagnosis: Advised, settings: Settings, moves: pl.DataFrame) -> list[Call]:
    place = ["run_id", "turn"]
    workspace = Workspace(diagnosis, settings)
    sizes = workspace.plan.steps.select("req", *place, "prompt_tokens").join(
        workspace.sizes.select("req", "size_ratio"), on="req", how="left"
    )
    turns = diagnosis.turns.select(_OF_TURN).filter(usage_from="reported")
    both = moves.join(turns, on=place, how="inner", maintain_order="left").join(
        sizes, on=place, how="inner", maintain_order="left"
    )
    # One answer may be several turns, of several models: which of them a request stands for is not known.
    alone = both.filter(pl.struct("file", "line").is_unique())
    return [_call(row) for row in alone.iter_rows(named=True) if model_info(row["model"]) is not None]


def _call(row: dict[str, object]) -> Call:
    moved = Moved(*(row[name] for name in ("task", "agent", "evidence", "to_model")))  # type: ignore[arg-type]
    names = ("run_id", "turn", "model", "file", "line", "message_id", "prompt_tokens", "output_tokens", "usd")
    told = {name: row[name] for name in (*names, "duration_s")}
    return Call(moved=moved, size_ratio=row["size_ratio"] or 1.0, **told)  # type: ignore[arg-type]


__all__ = ["FORMAT", "Call", "Chosen", "of_action", "of_evidence"]
