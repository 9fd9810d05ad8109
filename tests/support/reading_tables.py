"""All that is read of logs, to hold one reading against another."""

import os
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from costscan import ingest
from costscan.ingest import worker
from logs import assistant, usage, write
from readings import counts_of


def age(*paths: Path, by_s: int = 3600) -> None:
    for path in paths:
        for file in [path] if path.is_file() else path.rglob("*"):
            os.utime(file, (time.time() - by_s,) * 2)


def names_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the names of the files that are read, not taken from what is kept."""
    names: list[str] = []
    real = worker.detect

    def detect(file: Any, sources: Any) -> Any:
        names.append(Path(file.path).name)
        return real(file, sources)

    monkeypatch.setattr(worker, "detect", detect)
    return names


Tables = dict[str, pl.DataFrame]


def tables(logs: Path, *, keep: bool = True, bill_only: bool = False) -> tuple[Tables, dict[str, Any]]:
    """Return all that is read of logs."""
    with ingest.read([str(logs)], workers=1, keep=keep, bill_only=bill_only) as reading:
        frames = {path.stem: pl.read_ipc(path) for path in sorted(reading.folder.glob("*.arrow"))}
        return frames, counts_of(reading)


def assert_same(one: tuple[Tables, dict[str, Any]], other: tuple[Tables, dict[str, Any]]) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    for name, frame in one[0].items():
        assert_frame_equal(frame, other[0][name])


def session(path: Path, calls: int) -> Path:
    lines = [
        assistant(f"msg_{n}", usage(100 + n, out=5), sessionId=path.stem, uuid=f"u{n}") for n in range(calls)
    ]
    write(path, *lines)
    age(path)
    return path
