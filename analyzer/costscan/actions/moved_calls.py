"""The calls that an action of the routing lever moves to another model."""

import polars as pl

from costscan.actions.setting import Setting
from costscan.rulebook import Diagnosis


def moved_calls(diagnosis: Diagnosis, setting: Setting) -> pl.DataFrame:
    """Return the calls that go to the model of a setting: run_id, turn, task, agent, evidence, to_model.

    A few calls of the same runs may go to another model, that was there when they were made: they are not of
    it.
    """
    some = diagnosis.routes.filter(pl.col("run_id").is_in(list(setting.runs)), to_model=setting.value)
    return with_subjects(diagnosis, some)


def with_subjects(diagnosis: Diagnosis, moves: pl.DataFrame) -> pl.DataFrame:
    """Return moves with the task and the agent type of their runs.

    Args:
        diagnosis: the diagnosis.
        moves: run_id, turn, evidence, to_model.
    """
    runs = diagnosis.runs.select("run_id", "task", "agent")
    joined = moves.join(runs, on="run_id", how="inner", maintain_order="left")
    return joined.select("run_id", "turn", "task", "agent", "evidence", "to_model")


__all__ = ["moved_calls", "with_subjects"]
