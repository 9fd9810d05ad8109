"""The CSV report: one row per run, for a spreadsheet."""

from pathlib import Path
from typing import Final

import polars as pl

from costscan.rulebook import Diagnosis
from costscan.summary import Summary

FORMULA: Final = r"^[=+\-@\t\r\n]"
"""How a cell begins that a spreadsheet would run; https://owasp.org/www-community/attacks/CSV_Injection."""


def table(summary: Summary) -> pl.DataFrame:
    """Return the runs as flat columns, without the list of their agents: `sub_agents` counts them."""
    return no_formulas(summary.runs.drop("agents").with_columns(pl.col("models").list.join(" ")))


def no_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a ' before each text that a spreadsheet would take for a formula."""
    texts = pl.col(pl.String)
    return frame.with_columns(
        pl.when(texts.str.contains(FORMULA)).then(pl.lit("'") + texts).otherwise(texts).name.keep()
    )


def write(summary: Summary, _: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    table(summary).write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
