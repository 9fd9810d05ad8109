"""Paths that stand for a folder of each day."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from command import Capture, said
from costscan.errors import CostscanError
from costscan.ingest.dated_paths import MAX_DAYS, Moments, is_dated, of_each_day
from costscan.ingest.discover import discover
from logs import assistant, write

NIGHT = datetime(2026, 10, 1, 23, 30, tzinfo=timezone(-timedelta(hours=4)))
"""In UTC it is the second of October."""


@pytest.mark.parametrize(("path", "days"), [
    ("{date:%Y-%m-%d}.jsonl", ["2026-10-02.jsonl", "2026-10-03.jsonl"]),
    ("{date:%Y}/{date:%m}/", ["2026/10/"]),
])  # fmt: skip
def test_the_days_of_utc(path: str, days: Sequence[str]) -> None:
    assert is_dated(path)
    assert of_each_day(path, Moments(NIGHT, datetime(2026, 10, 3, tzinfo=UTC))) == days


def test_from_when_on_must_be_said() -> None:
    last = datetime(2026, 1, 1, tzinfo=UTC)
    first = last - timedelta(days=MAX_DAYS - 1)
    assert len(of_each_day("{date:%F}", Moments(first, last))) == MAX_DAYS
    for moments in (None, Moments(None, NIGHT), Moments(first - timedelta(days=1), last)):
        with pytest.raises(CostscanError, match="days"):
            of_each_day("{date:%F}", moments)


def test_days_without_logs_are_left_out(tmp_path: Path, capsys: Capture) -> None:
    for day in ("2026-03-01", "2026-03-04"):
        (tmp_path / day).mkdir()
        write(tmp_path / day / "s.jsonl", assistant(day, timestamp=f"{day}T12:00:00Z", sessionId=day))
    (tmp_path / "2026-03-02").mkdir()
    path = f"{tmp_path}/{{date:%Y-%m-%d}}"
    shown = said(capsys, "usage", path, "--since", "2026-03-01", "--until", "2026-03-03", "--json")
    assert json.loads(shown)["totals"]["turns"] == 1
    assert "no such file or folder" in said(
        capsys, "usage", path, "--since", "2026-02-01", "--until", "2026-02-03", code=2
    )


def test_a_folder_of_several_days_is_read_once(tmp_path: Path) -> None:
    log = write(tmp_path / "2026.jsonl", assistant())
    moments = Moments(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))
    found = discover([f"{tmp_path}/{{date:%Y}}.jsonl"], tmp_path, moments)
    assert [file.path for file in found.files] == [str(log)]
