"""Files to write: which report a name asks for, and how a file appears whole or not at all."""

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from costscan import cleanup
from costscan.errors import CostscanError
from costscan.reports.endings import ANALYSIS, COMPARED, COMPARISON, FOLDER, TREND, Ending

if TYPE_CHECKING:
    from costscan.gate import Comparison
    from costscan.rulebook import Diagnosis
    from costscan.summary import Summary
    from costscan.trend import Trend


class Writer(Protocol):
    """One kind of report; the module itself is the object."""

    def write(self, summary: "Summary", analysis: "Diagnosis", path: Path) -> None:
        """Write the report to a new file (or into a folder)."""


class ComparisonWriter(Protocol):
    """One kind of report of a comparison."""

    def write(
        self, comparison: "Comparison", summary: "Summary | None", x: "Diagnosis | None", path: Path
    ) -> None:
        """Write the report to a new file; the new side's summary and analysis are there if it is logs."""


class TrendWriter(Protocol):
    """One kind of report of a trend."""

    def write(self, trend: "Trend", path: Path) -> None:
        """Write the report to a new file."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file or folder to write, and what of."""

    path: Path
    ending: Ending

    def write(self, summary: "Summary", analysis: "Diagnosis") -> None:
        """Write the report.

        Raises:
            CostscanError: it cannot be written; what was there before is still there.
        """
        writer = cast("Writer", self._module())
        if self.ending is FOLDER:
            writer.write(summary, analysis, self.path)
        else:
            whole(self.path, lambda unfinished: writer.write(summary, analysis, unfinished))

    def write_comparison(
        self, comparison: "Comparison", summary: "Summary | None", x: "Diagnosis | None"
    ) -> None:
        """Write a report of a comparison, or of its new side.

        Raises:
            CostscanError: it cannot be written; what was there before is still there.
        """
        if summary is not None and x is not None and self.ending not in COMPARED.values():
            self.write(summary, x)
            return
        writer = cast("ComparisonWriter", self._module())
        whole(self.path, lambda unfinished: writer.write(comparison, summary, x, unfinished))

    def write_trend(self, trend: "Trend") -> None:
        """Write a report of a trend.

        Raises:
            CostscanError: it cannot be written; what was there before is still there.
        """
        writer = cast("TrendWriter", self._module())
        whole(self.path, lambda unfinished: writer.write(trend, unfinished))

    def _module(self) -> ModuleType:
        return import_module(f"costscan.reports.{self.ending.module}")


def target(name: str) -> Target:
    """Return what `-o NAME` of `analyze` asks for.

    Raises:
        CostscanError: no report has this ending, or the file cannot be written where it is to be.
    """
    path = Path(name).expanduser()
    if name.endswith(("/", os.sep)) or path.is_dir():
        found = Target(path, FOLDER)
    else:
        found = Target(path, _ending(name, path, ANALYSIS, f" or {FOLDER.name}"))
    _refuse_unwritable(name, found)
    return found


def comparison_target(name: str) -> Target:
    """Return what `-o NAME` of `check` and `compare` asks for; errors as for `target`."""
    path = Path(name).expanduser()
    found = Target(path, _ending(name, path, COMPARISON))
    _refuse_unwritable(name, found)
    return found


def trend_target(name: str) -> Target:
    """Return what `-o NAME` of `trend` asks for; errors as for `target`."""
    path = Path(name).expanduser()
    found = Target(path, _ending(name, path, TREND))
    _refuse_unwritable(name, found)
    return found


def _ending(name: str, path: Path, endings: Mapping[str, Ending], more: str = "") -> Ending:
    found = endings.get(path.suffix.lower())
    if found is None:
        raise CostscanError(f"-o {name}: no report has this ending", f"use one of {' '.join(endings)}{more}")
    return found


def _refuse_unwritable(name: str, found: Target) -> None:
    """Find out before the logs are read, not after."""
    is_folder = found.ending is FOLDER
    folder = found.path if is_folder and found.path.exists() else found.path.parent
    if is_folder and found.path.exists() and not found.path.is_dir():
        raise CostscanError(f"-o {name}: there is a file of this name", "name a folder")
    while is_folder and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise CostscanError(f"-o {name}: no folder {folder}", "make it first, or write elsewhere")
    if not os.access(folder, os.W_OK):
        raise CostscanError(f"-o {name}: no permission to write in {folder}", "write elsewhere")


def whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Have `write` make a file beside `path`, and put it in its place only when it is finished.

    Raises:
        CostscanError: it could not be written.
    """
    real = Path(os.path.realpath(path))
    unfinished = real.with_name(f".{real.name}.{os.getpid()}.tmp")
    cleanup.files.add(unfinished)
    try:
        write(unfinished)
        with suppress(OSError):
            shutil.copymode(real, unfinished)
        unfinished.replace(real)
    except CostscanError:
        raise
    except Exception as error:
        if not _is_of_writing(error):
            raise
        why = getattr(error, "strerror", None) or os.strerror(errno.ENOSPC) + ", it seems"
        raise CostscanError(f"{path}: cannot be written: {why}", "check space and permissions") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        cleanup.files.discard(unfinished)


def _is_of_writing(error: Exception) -> bool:
    """Polars tells of a full disk with errors of its own."""
    return (
        isinstance(error, OSError)
        or type(error).__module__.startswith("polars")
        or (type(error).__name__ == "PanicException")
    )
