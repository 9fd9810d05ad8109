"""Attribution run by run, for the batch in which it fails: a defect costs the run that it is in."""

from collections.abc import Sequence
from dataclasses import fields

import polars as pl

from costscan.attribution import Attributed, attribute
from costscan.cache.logged_prompts import Prompts, Readable
from costscan.calibration import Calibration
from costscan.defects import described
from costscan.native import CAUGHT


def attribute_apart(
    blocks: pl.DataFrame,
    calls: pl.DataFrame,
    prompts: Prompts,
    reasons: dict[str, str],
    calibration: Calibration | None = None,
) -> Attributed:
    """Return what `attribute` gives, with all that a run sent in no block where its blocks raise.

    Args:
        blocks: as for `attribute`.
        calls: as for `attribute`.
        prompts: as for `attribute`.
        reasons: is told why, by run.
        calibration: as for `attribute`.
    """
    attributed = []
    for run_id, own in calls.partition_by("run_id", as_dict=True, maintain_order=True).items():
        some, own_prompts = _of_copies(blocks, own), _prompts_of_copies(prompts, own)
        try:
            attributed.append(attribute(some, own, own_prompts, calibration))
        except CAUGHT as error:
            reasons[str(run_id[0])] = described(error)
            attributed.append(attribute(some.clear(), own, _prompts_of_copies(prompts, own.clear())))
    return _together(attributed)


def _of_copies(frame: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    return frame.join(calls.select("copy").unique(), on="copy", how="semi", maintain_order="left")


def _prompts_of_copies(prompts: Prompts, calls: pl.DataFrame) -> Prompts:
    return Prompts(*(_of_copies(getattr(prompts, table.name), calls) for table in fields(prompts)))


def _together(parts: Sequence[Attributed]) -> Attributed:
    readable = {
        f.name: pl.concat([getattr(part.readable, f.name) for part in parts]) for f in fields(Readable)
    }
    rest = {
        f.name: pl.concat([getattr(part, f.name) for part in parts], how="diagonal_relaxed")
        for f in fields(Attributed)
        if f.name != "readable"
    }
    return Attributed(**rest, readable=Readable(**readable))


__all__ = ["attribute_apart"]
