"""The Parquet report: one row per run, also the baseline that later runs are compared with."""

from pathlib import Path
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.levers import ALL, LEVERS
from costscan.summary import Summary
from costscan.summary.runs import CONTRACT

PRICED: Final = ("usd_no_caching", *(f"usd_{name}" for name in (*LEVERS, ALL)))


def table(summary: Summary) -> pl.DataFrame:
    """Give the runs with a cost per scenario (null where it is not known)."""
    others = [name for name in summary.runs.columns if name not in {*CONTRACT, *PRICED}]
    return summary.runs.select(
        *CONTRACT,
        *others,
        pl.col("usd").alias("usd_as_billed"),
        *PRICED,
    )


def metadata(summary: Summary) -> dict[str, str]:
    """Give what the file says about itself."""
    return {
        "schema_version": str(summary.schema_version),
        "costscan_version": summary.costscan_version,
        "prices_as_of": summary.prices.as_of,
        "prices_source": summary.prices.source,
        "prices_discount": str(summary.prices.discount),
        "prices_own": " ".join(summary.prices.own),
        "generated_at": summary.generated_at.isoformat(),
    }


def write(summary: Summary, _: Analysis, path: Path) -> None:
    """Write the report to a file."""
    table(summary).write_parquet(path, metadata=metadata(summary))
