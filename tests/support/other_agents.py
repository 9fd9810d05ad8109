"""What costscan makes of the log of another agent: the turns, and that `analyze` and `usage` agree on them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

import costscan
from command import Capture, said
from costscan import formats
from costscan.levers import LEVERS
from costscan.report import Report
from logs import Json, write

CLASSES = (
    *("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
    "output_tokens",
)


def read_alike(capsys: Capture, path: Path) -> Report:
    """Return the analysis of a log, whose sums are those of `usage`."""
    report = costscan.analyze(path, workers=1, settings={f"{lever}.enabled": False for lever in LEVERS})
    used = json.loads(said(capsys, "usage", str(path), "--json", "--no-cache"))["totals"]
    totals = report.summary.totals
    assert used["turns"] == report.turns.height
    assert Decimal(str(used["usd"] or 0)) == (totals.usd or 0)
    for name in CLASSES:
        assert (used[name] or 0) == report.turns[name].sum()
    return report


def read_lines(capsys: Capture, folder: Path, *lines: Json) -> Report:
    """Return the analysis of a log of these lines."""
    return read_alike(capsys, write(folder / "log.jsonl", *lines))


def tokens(turns: pl.DataFrame) -> list[tuple[int | None, ...]]:
    """Return for each turn its tokens: fresh input, cache read, 5-minute and 1-hour writes, output."""
    return turns.select(CLASSES).rows()


def taken_by(*lines: Json) -> Sequence[str]:
    """Return the names of the formats that take these lines for theirs."""
    return [name for name, log_format in formats.available().items() if log_format.sniff([*lines])]


def recorded(turns: pl.DataFrame) -> list[Any]:
    """Return for each turn what its log says that it cost."""
    return turns["recorded_usd"].to_list()
