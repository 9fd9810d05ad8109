"""What went wrong with mutants: what is lost, what is gone and not said, which defects were caught."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from costscan.analysis import Analysis
from costscan.defects import DEFECT
from costscan.ingest import merge
from costscan.summary import Summary
from seen import told_by

if TYPE_CHECKING:
    from decimal import Decimal

    from mutants import Made

Dollars: TypeAlias = "dict[str, Decimal | None]"
_salt = re.compile(r"Z[wm]\d+Z")


def by_file(x: Analysis) -> dict[str, Dollars]:
    """Return what the calls of each file cost, by their ids without salt."""
    sums = (
        x.turns.filter(pl.col("file").is_not_null() & pl.col("message_id").is_not_null())
        .group_by("file", "message_id")
        .agg(pl.col("usd").sum(), unknown=pl.col("usd").null_count())
    )
    told: dict[str, Dollars] = {}
    for path, name, usd, unknown in sums.iter_rows():
        told.setdefault(Path(path).stem, {})[_salt.sub("", name)] = None if unknown else usd
    return told


def lost(x: Analysis, made: "Sequence[Made]", known: Mapping[int, Dollars]) -> Iterator[str]:
    """Yield the healthy calls that are gone or cost something else; `known` is what those of each window cost."""
    told = by_file(x)
    for n, dollars in known.items():
        if told.get(f"w{n}", {}) != dollars:
            yield f"a log in which nothing was changed costs something else beside {list(map(str, made))}"
    for m in made:
        before, now = known[m.window], told.get(m.file, {})
        healthy = before.keys() & m.of.healthy(m.mutant.touched)
        if gone := [call for call in sorted(healthy) if now.get(call, "gone") != before[call]]:
            yield f"{m}: lost or changed {gone}"


def vanished(x: Analysis, made: "Sequence[Made]") -> Iterator[str]:
    """The mutants that have fewer calls than the log they were made of, and of which nothing is said.

    A call without an id that two of them tell in the same words is one call: it is counted where it is told.
    """
    name = pl.col("message_id")
    told = told_by(x.reading.folder)
    each = told.group_by("path").agg(n=name.drop_nulls().n_unique() + name.null_count())
    calls = {Path(path).stem: n for path, n in each.iter_rows() if path is not None}
    said = _said(x)
    for m in made:
        if calls.get(m.file, 0) < calls.get(f"w{m.window}", 0) and not said[m.file]:
            yield f"{m}: a call vanished unsaid"


def _said(x: Analysis) -> Counter[str]:
    """Count by file what is said of lines that were not read as they stand, or of the whole file."""
    paths = [*_skipped(x), *(path for path, _ in x.reading.unusable), *x.reading.unread]
    return Counter(Path(path).stem for path in paths)


def _skipped(x: Analysis) -> list[str]:
    tables = (merge.table(x.reading.folder, name).select("path") for name in ("skipped", "unknown"))
    rows: list[str] = pl.concat(tables).collect()["path"].to_list()
    return rows


def defects(x: Analysis, summary: Summary, made: "Sequence[Made]") -> Iterator[str]:
    """Yield the defects that were caught: each costs a line, a file, a lever or a rule, and is one all the same."""
    names = {m.file: str(m) for m in made}
    rows = merge.table(x.reading.folder, "skipped").select("path", "reason").collect().iter_rows()
    for path, reason in (*rows, *x.reading.unread.items()):
        if DEFECT in reason:
            yield f"{names.get(Path(path).stem, path)}: {reason}"
    for one in summary.defects:
        yield f"{one.part} beside {list(names.values())[:3]}: {one.reason}"
