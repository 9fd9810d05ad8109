"""What written trials say of the calls that actions move, for `analyze --trial`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from costscan.actions.measured import Measured, Measurements, Moved
from costscan.errors import CostscanError
from costscan.schema.tables.trials import TRIAL
from costscan.trial.agreement import of_sample
from costscan.trial.plan import ITSELF, TARGET

_MOVED = ["task", "agent", "evidence", "to_model"]


def measurements(paths: Sequence[Path]) -> Measurements:
    """Return what trials measured, by the calls that it holds for; of several of the same the first.

    Raises:
        CostscanError: a file is no trial.
    """
    found: dict[Moved, Measured] = {}
    for path in paths:
        for moved, measured in _of_file(path).items():
            found.setdefault(moved, measured)
    return found


def _of_file(path: Path) -> dict[Moved, Measured]:
    found = {}
    for row in _read(path).filter(pl.col("agrees").is_not_null()).group_by(_MOVED, maintain_order=True).agg(
        pl.col("alpha").first(),
        *(_sum(name, role) for role in (TARGET, ITSELF) for name in ("agrees", "n")),
    ).iter_rows(named=True):  # fmt: skip
        measured = _measured(row)
        if measured is not None:
            found[Moved(*(row[name] for name in _MOVED))] = measured
    return found


def _sum(name: str, role: str) -> pl.Expr:
    own = pl.col("agrees").filter(pl.col("role") == role)
    return (own.sum() if name == "agrees" else own.len()).alias(f"{role}_{name}")


def _measured(row: dict[str, Any]) -> Measured | None:
    share, low, high, n = of_sample(row[f"{TARGET}_agrees"], row[f"{TARGET}_n"], row["alpha"])
    if share is None or low is None or high is None:
        return None
    own = of_sample(row[f"{ITSELF}_agrees"], row[f"{ITSELF}_n"], row["alpha"])
    return Measured(share, low, high, own.share, n)


def _read(path: Path) -> pl.DataFrame:
    try:
        with path.open("rb") as file:
            frame = pl.read_parquet(file)
    except OSError as error:
        raise CostscanError(f"{path}: {error.strerror}", "costscan trial writes it") from None
    except pl.exceptions.PolarsError:
        raise CostscanError(f"{path}: no Parquet file", "give one that costscan trial wrote") from None
    if frame.schema != TRIAL.schema:
        raise CostscanError(f"{path}: no trial", "give a file that costscan trial wrote")
    return frame


__all__ = ["measurements"]
