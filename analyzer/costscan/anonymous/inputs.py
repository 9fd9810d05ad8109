"""What reports say of the files that were read, without their names and without what a reason may quote."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from costscan.anonymous.names import Names
from costscan.ingest import Reading
from costscan.summary.model import Summary

_QUOTES: Final = re.compile(r"""[:'"`(\[{<].*""", re.DOTALL)
_OF_RUN: Final = re.compile(r"run .*", re.DOTALL)


def without_places(summary: Summary, names: Names) -> Summary:
    """Return a summary of a stage whose frames are hidden with hashes for its paths, too."""
    inputs = replace(
        summary.inputs,
        skipped=_lines(summary.inputs.skipped, names),
        repaired=_lines(summary.inputs.repaired, names),
        unknown=[row | {"kind": names.name("kind", row["kind"])} for row in summary.inputs.unknown],
    )
    defects = [
        replace(one, part=_part(one.part, names), reason=_reason(one.reason)) for one in summary.defects
    ]
    paths = tuple(names.name("file", path) for path in summary.paths)
    return replace(summary, inputs=inputs, defects=defects, paths=paths)


def unnamed(reading: Reading, names: Names) -> Reading:
    """Return a reading that names no file that could not be read."""
    unread = {names.name("file", path): _reason(reason) for path, reason in reading.unread.items()}
    return replace(reading, unread=unread)


def reasons(of_parts: Mapping[str, str], names: Names) -> dict[str, str]:
    """Return why parts of the work could not be done, as far as that quotes nothing."""
    return {_part(part, names): _reason(reason) for part, reason in of_parts.items()}


def _part(part: str, names: Names) -> str:
    kind, _, name = part.partition(" ")
    return f"run {names.name('run', name)}" if kind == "run" else part


def _lines(rows: Sequence[Mapping[str, Any]], names: Names) -> list[dict[str, Any]]:
    return [
        {**row, "path": names.name("file", row["path"]), "reason": _reason(row["reason"])} for row in rows
    ]


def _reason(reason: str) -> str:
    """Return a reason up to where it may quote something."""
    return "a run was not read" if _OF_RUN.fullmatch(reason) else _QUOTES.sub("", reason).strip()
