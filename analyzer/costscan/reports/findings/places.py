"""Where findings are: the log file and the line of their turn."""

from pathlib import Path
from typing import Final

import polars as pl

from costscan.rulebook import Diagnosis

STANDARD_INPUT: Final = "-"


def located(findings: pl.DataFrame, analysis: Diagnosis) -> pl.DataFrame:
    """Add `file` and `line`: those of the turn, else the file of its run and no line."""
    runs = analysis.runs.select("run_id", run_file="path")
    lines = analysis.turns.select("run_id", "turn", "line", "file")
    return (
        findings.join(runs, on="run_id", how="left", maintain_order="left")
        .join(lines, on=["run_id", "turn"], how="left", maintain_order="left")
        .with_columns(
            line=pl.when(pl.col("file").is_not_null()).then("line"), file=pl.coalesce("file", "run_file")
        )
        .drop("run_file")
    )


def below_here(path: str) -> Path:
    """Return a path as a repository has it: relative to the current folder where it is in it."""
    file = Path(path)
    if file.is_absolute() and file.is_relative_to(Path.cwd()):
        return file.relative_to(Path.cwd())
    return file
