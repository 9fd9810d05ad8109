"""What `costscan.analyze` returns: the frames, the summary, and ways to show them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from costscan.errors import CostscanError, near

if TYPE_CHECKING:
    import polars as pl

    from costscan.rulebook import Diagnosis
    from costscan.summary import Summary

_NOTEBOOK_WIDTH: Final = 110


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What some logs cost, why, and what each fix would have saved.

    Every canonical frame is an attribute: `runs`, `turns`, `bill`, `findings`, `scenarios`, `blocks`, ...
    (`costscan schema` describes them). Nothing of it depends on temporary files.

    Attributes:
        summary: the figures that all reports show.
        diagnosis: the analysis that they were summed from.
    """

    summary: "Summary"
    diagnosis: "Diagnosis"

    @classmethod
    def of(cls, diagnosis: "Diagnosis", summary: "Summary") -> Self:
        """Return a report that outlives the reading: its blocks are taken into memory."""
        blocks, costs = diagnosis.blocks.collect(), diagnosis.block_costs.collect()
        return cls(summary, replace(diagnosis, blocks=blocks.lazy(), block_costs=costs.lazy()))

    def __getattr__(self, name: str) -> "pl.DataFrame":
        """Return the canonical frame of that name, checked."""
        if name.startswith("_") or name not in self.frames():
            raise AttributeError(f"a report has no {name!r}: {near(name, dir(self))}")
        return self.diagnosis.frame(name)

    def __dir__(self) -> list[str]:
        """Name the frames too."""
        return [*super().__dir__(), *self.frames()]

    def __repr__(self) -> str:
        """Say what it is about in a line."""
        totals = self.summary.totals
        usd = "unknown cost" if totals.usd is None else f"${totals.usd:.4f}"
        return f"<costscan.Report: {totals.runs:,} runs, {totals.turns:,} calls, {usd}>"

    def _repr_html_(self) -> str:
        """Show the first screen in a notebook."""
        from costscan.reports.analysis.terminal import render  # noqa: PLC0415 - only where it is shown

        lines = "\n".join(line.plain.rstrip() for line in render(self.summary, width=_NOTEBOOK_WIDTH))
        return f'<pre style="line-height: 1.25">{escape(lines)}</pre>'

    def frames(self) -> list[str]:
        """Return the names of the canonical frames."""
        from costscan.schema.frames import OF_LOGS  # noqa: PLC0415 - imports Polars

        return list(OF_LOGS)

    def by(self, name: str) -> "pl.DataFrame":
        """Return the bill by one of the names that `costscan analyze --by` takes, or by rule.

        Raises:
            CostscanError: the bill is not divided by this.
        """
        tables = self._tables()
        if name not in tables:
            raise CostscanError(f"by({name!r}): the bill is not divided by this", near(name, list(tables)))
        return tables[name]

    def _tables(self) -> Mapping[str, "pl.DataFrame"]:
        from polars import DataFrame  # noqa: PLC0415 - slow to import

        summary = self.summary
        return {
            "run": summary.runs,
            "task": summary.by_task,
            "model": summary.by_model,
            "tool": summary.by_tool,
            "day": summary.by_day,
            "lever": DataFrame([vars(scenario) for scenario in summary.scenarios], infer_schema_length=None),
            **{name: frame for name, frame in summary.breakdowns.items() if name != "tool"},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what `costscan analyze --json` prints, as plain values."""
        from costscan.reports.analysis.json import document  # noqa: PLC0415 - imports Polars

        return document(self.summary)

    def write(self, path: str | Path) -> Path:
        """Write a report: .html, .md, .json, .parquet, .csv, .sarif, .prom, or into a folder every frame.

        Returns:
            The path of what was written.

        Raises:
            CostscanError: no report has this ending, or it cannot be written; nothing is left half done.
        """
        from costscan.reports.outputs import target  # noqa: PLC0415

        # A path object has no last slash to tell a folder by.
        report_file = target(str(path) if Path(path).suffix else f"{path}/")
        report_file.write(self.summary, self.diagnosis)
        return report_file.path
