"""What `check` and `compare` write and print."""

import sys
from typing import TYPE_CHECKING

from costscan.cli.printing import print_document
from costscan.errors import CostscanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costscan.gate import Comparison
    from costscan.gate_pipeline import Read
    from costscan.reports.outputs import Target


def write(targets: "Sequence[Target]", comparison: "Comparison", read: "Read") -> None:
    """Write reports of a comparison, and of the logs that were compared.

    Raises:
        CostscanError: a report cannot be written, or is made from logs and there is none.
    """
    for target in targets:
        if target.ending.needs_logs and (read.summary is None or read.diagnosis is None):
            raise CostscanError(
                f"-o {target.path}: this is made from logs, and {read.side.name} is a report of some",
                "name the logs themselves, or write another report",
            )
        target.write_comparison(comparison, read.summary, read.diagnosis)


def show(comparison: "Comparison", *, as_json: bool, github: bool, top: int | None) -> None:
    """Print a comparison: for people, for programs, or for the log of a job."""
    if as_json:
        from costscan.reports.comparison.json import encoded  # noqa: PLC0415 - imports Polars

        print_document(encoded(comparison))
        return
    from costscan.reports.comparison.terminal import render  # noqa: PLC0415
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415

    if github:
        from costscan.reports.comparison.github import annotate  # noqa: PLC0415

        annotate(comparison)
    printed(render(comparison, width=width_of(sys.stdout), top=top))
