"""An analysis and its summary of some logs, for the tests of reports."""

from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from costscan import ingest
from costscan.actions import Advised
from costscan.analysis import analyze
from costscan.billing import Pricing, Selection
from costscan.reports.outputs import target
from costscan.summary import Summary, summarize
from diagnosed import diagnosed

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Billed:
    """What was made of the logs."""

    x: Advised
    summary: Summary


def billed(
    paths: Sequence[str | Path], *, pricing: Pricing | None = None, selection: Selection | None = None,
    outputs: Sequence[str | Path] = (),
) -> Billed:  # fmt: skip
    """Analyze logs and write reports of them."""
    names = [str(path) for path in paths]
    with ingest.read(names) as reading:
        x = diagnosed(analyze(reading, pricing=pricing, selection=selection))
        summary = summarize(x, pricing=pricing, selection=selection, paths=names, now=NOW)
        for name in outputs:
            target(str(name)).write(summary, x)
    return Billed(x, summary)


def rows(table: Any) -> list[dict[str, Any]]:
    """Return a frame as plain rows."""
    found: list[dict[str, Any]] = table.to_dicts()
    return found


def sample_logs(
    part: str = "", *, pricing: Pricing | None = None, selection: Selection | None = None,
    outputs: Sequence[str | Path] = (),
) -> Billed:  # fmt: skip
    """Analyze the sample logs, or one folder of them, named from the repository: shown paths are the same everywhere."""
    with chdir(ROOT):
        return billed([Path("sample_logs") / part], pricing=pricing, selection=selection, outputs=outputs)
