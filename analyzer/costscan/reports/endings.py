"""The endings of reports, each declared once: what help texts say of it, and the module that writes it.

Nothing here imports a writer, so that help texts and errors cost nothing: `outputs` does, to write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Ending:
    """What a file of this ending is.

    Attributes:
        name: the ending, or DIR/ of a folder.
        module: the module below this folder that writes it.
        about: what a list of endings adds in parentheses; may be empty.
        is_to_read: it is a page for people; a list with such words names it first.
        needs_logs: it tells of single findings or runs, which a comparison of reports alone does not have.
        is_of_new_side: checks and comparisons write it too, of the new logs alone.
    """

    name: str
    module: str
    about: str = ""
    is_to_read: bool = False
    needs_logs: bool = True
    is_of_new_side: bool = False


def _table(endings: Iterable[Ending]) -> Mapping[str, Ending]:
    return MappingProxyType({ending.name: ending for ending in endings})


ANALYSIS: Final = _table((
    Ending(".json", "analysis.json"),
    Ending(".parquet", "analysis.parquet", "a row per run", is_of_new_side=True),
    Ending(".csv", "analysis.csv"),
    Ending(".html", "html", "one page, opens offline", is_to_read=True),
    Ending(".md", "analysis.markdown", is_to_read=True),
    Ending(".sarif", "analysis.sarif", "findings"),
    Ending(".prom", "analysis.openmetrics", "gauges"),
))  # fmt: skip
"""What `-o` of `analyze` writes."""
FOLDER: Final = Ending("DIR/", "analysis.frames_folder")
"""What it writes into a folder."""
COMPARED: Final = _table((
    Ending(".json", "comparison.json", needs_logs=False),
    Ending(".md", "comparison.markdown", is_to_read=True, needs_logs=False),
    Ending(".html", "comparison.html", "one page, opens offline", is_to_read=True, needs_logs=False),
    Ending(".xml", "comparison.junit", "JUnit", needs_logs=False),
    Ending(".csv", "comparison.csv", needs_logs=False),
    Ending(".prom", "comparison.openmetrics", needs_logs=False),
    Ending(".sarif", "comparison.sarif"),
))  # fmt: skip
"""The reports of a comparison."""
NEW_SIDE: Final = _table(ending for ending in ANALYSIS.values() if ending.is_of_new_side)
"""The reports of its new logs alone."""
COMPARISON: Final = _table((*COMPARED.values(), *NEW_SIDE.values()))
"""What `-o` of `check` and `compare` writes."""
TREND: Final = _table((
    Ending(".json", "trend.json", needs_logs=False),
    Ending(".csv", "trend.csv", needs_logs=False),
))  # fmt: skip
"""What `-o` of `trend` writes."""


def listed(endings: Mapping[str, Ending]) -> str:
    """Return the endings in words, what is to be read first."""
    ordered = sorted(endings.values(), key=lambda ending: not ending.is_to_read)
    return ", ".join(f"{one.name} ({one.about})" if one.about else one.name for one in ordered)


__all__ = ["ANALYSIS", "COMPARED", "COMPARISON", "FOLDER", "NEW_SIDE", "TREND", "Ending", "listed"]
