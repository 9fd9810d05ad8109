"""The frame `trial`: what is written of a trial, without any text of it."""

from pathlib import Path

import polars as pl

from costscan.schema.frames import check
from costscan.schema.tables.trials import TRIAL
from costscan.trial.outcome import COMPARED, NOT_COMPARED, Found, Row


def frame_of(trial: str, found: Found) -> pl.DataFrame:
    """Return the `trial` frame."""
    sizes = {one.moved: one.calls for one in found.strata}
    rows = [_row(trial, row, sizes[row.item.call.moved], found.alpha) for row in found.rows]
    return check("trial", pl.DataFrame(rows, schema=TRIAL.schema, orient="row"))


def write(path: Path, frame: pl.DataFrame) -> None:
    """Write a `trial` frame.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f"{path.name}.part")
    frame.write_parquet(beside)
    beside.replace(path)


def _row(trial: str, row: Row, size: int, alpha: float) -> dict[str, object]:
    call = row.item.call
    return {
        "trial": trial,
        "run_id": call.run_id,
        "turn": call.turn,
        "task": call.moved.task,
        "agent": call.moved.agent,
        "evidence": call.moved.evidence,
        "model": call.model,
        "to_model": call.moved.to_model,
        "role": row.role,
        "position": row.item.position,
        "stratum_calls": size,
        "kind": row.item.kind.name,
        "state": row.state,
        "agrees": row.agrees,
        # What the API says of a request that it refuses may quote it.
        "why": row.why if row.state in (COMPARED, NOT_COMPARED) else None,
        "usd": row.usd,
        "duration_s": row.duration_s,
        "recorded_usd": call.usd,
        "recorded_duration_s": call.duration_s,
        "alpha": alpha,
    }


__all__ = ["frame_of", "write"]
