"""What the front door leaves behind: nothing."""

import tempfile
from pathlib import Path

import polars as pl
import pytest

import costscan
from logs import assistant, user, write


def test_a_report_outlives_its_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    log = write(tmp_path / "a.jsonl", user("hello"), assistant("msg_1"))
    found, analysis = costscan.analyze(log, workers=1), costscan.read(log, workers=1)
    assert [*(tmp_path / "own").iterdir()] == []
    log.unlink()
    assert found.blocks.height == analysis.frame("blocks").height > 0
    assert found.write(tmp_path / "frames") == tmp_path / "frames"
    assert pl.read_parquet(tmp_path / "frames" / "block_costs.parquet").height == found.block_costs.height
