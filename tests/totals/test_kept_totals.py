"""Totals that were kept are those that would be worked out, and any change is seen."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from command import Capture, said
from costscan import cache_folder, pipeline
from costscan.totals import KEYS
from logs import HAIKU, assistant, at, text, usage, user, write

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What totals were worked out by, not taken from what is kept."""
    asked: list[str] = []
    real = pipeline._totals

    def totals(request: Any, by: str, reading: Any) -> Any:
        asked.append(by)
        return real(request, by, reading)

    monkeypatch.setattr(pipeline, "_totals", totals)
    return asked


def session(folder: Path, name: str, calls: int = 3, **more: Any) -> Path:
    lines = [
        assistant(
            f"msg_{name}{n}",
            usage(1_000 + n, read=7, out=5),
            **{"sessionId": name, "uuid": f"u{n}", "cwd": f"/srv/{name}", "timestamp": at(n + 0.25 * n)}
            | more,
        )
        for n in range(calls)
    ]
    path = write(folder / f"{name}.jsonl", *lines)
    os.utime(path, (time.time() - 3600,) * 2)
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    session(tmp_path / "logs", "a")
    session(tmp_path / "logs", "b", model=HAIKU)
    return tmp_path / "logs"


def shown(capsys: Capture, logs: Path, *options: str) -> Any:
    found = json.loads(said(capsys, "usage", str(logs), "--json", *options))
    return found | {"generated_at": None}


@pytest.mark.parametrize("by", KEYS)
def test_the_same_question_has_the_same_answer(
    logs: Path, capsys: Capture, worked_out: list[str], by: str
) -> None:
    options = ("--by", by, "--breakdown")
    plain = shown(capsys, logs, *options, "--no-cache")
    screen = said(capsys, "usage", str(logs), *options, "--tz", "UTC", "--no-cache")
    worked_out.clear()
    assert [shown(capsys, logs, *options) for _ in range(3)] == [plain] * 3
    assert said(capsys, "usage", str(logs), *options, "--tz", "UTC") == screen
    assert shown(capsys, logs, "--by", by)["rows"] == [
        {name: value for name, value in row.items() if name != "breakdown"} for row in plain["rows"]
    ]
    assert worked_out == [by]


@pytest.mark.parametrize(
    "options",
    [
        ("--by", "month"),
        ("--tz", "Asia/Tokyo"),
        ("--since", "2026-07-01T00:00:01Z"),
        ("--until", "2026-07-01T00:00:01Z"),
        ("--model", HAIKU),
        ("--set", "prices.discount=0.5"),
        ("--set", "prices.models.claude-opus-4-8.input=99"),
    ],
)
def test_another_question_has_its_own_answer(
    logs: Path, capsys: Capture, worked_out: list[str], options: tuple[str, ...]
) -> None:
    first = shown(capsys, logs)
    assert shown(capsys, logs, *options) == shown(capsys, logs, *options, "--no-cache") != first
    assert len(worked_out) == 3


def test_whatever_changes_is_seen(logs: Path, capsys: Capture, worked_out: list[str]) -> None:
    def turns() -> int:
        worked_out.clear()
        found = shown(capsys, logs)
        assert found == shown(capsys, logs, "--no-cache")
        assert len(worked_out) == 2
        return int(found["totals"]["turns"])

    assert turns() == 6
    session(logs, "a", calls=4)
    assert turns() == 7
    session(logs, "c")
    assert turns() == 10
    (logs / "b.jsonl").unlink()
    assert turns() == 7


def test_a_log_that_may_still_be_written_to(logs: Path, capsys: Capture, worked_out: list[str]) -> None:
    os.utime(logs / "a.jsonl")
    for _ in range(2):
        shown(capsys, logs)
    assert len(worked_out) == 2


def test_one_answer_is_kept_of_a_question(logs: Path, cache: Path, capsys: Capture) -> None:
    """Logs change all day, and moments that are counted from now never come again."""
    for calls in (3, 4, 5):
        session(logs, "a", calls=calls)
        shown(capsys, logs)
    before = [path for path, _ in cache_folder.entries(cache)]
    for _ in range(2):
        shown(capsys, logs, "--since", "900w")
    assert [path for path, _ in cache_folder.entries(cache)] == before


def test_prices_of_today_are_not_kept(tmp_path: Path, capsys: Capture, worked_out: list[str]) -> None:
    session(tmp_path / "logs", "a", timestamp=None)
    for _ in range(2):
        shown(capsys, tmp_path / "logs")
    assert len(worked_out) == 2


@pytest.mark.parametrize("damage", [b"", b"other", None])
def test_what_is_damaged_is_worked_out_again(
    logs: Path, cache: Path, capsys: Capture, worked_out: list[str], damage: bytes | None
) -> None:
    plain = shown(capsys, logs)
    for path, _ in cache_folder.entries(cache):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert shown(capsys, logs) == plain
    assert len(worked_out) == 2
    assert shown(capsys, logs) == plain
    assert len(worked_out) == 2


def test_no_text_is_kept(tmp_path: Path, cache: Path, capsys: Capture) -> None:
    words = "The launch is on the ninth of May. "
    log = session(tmp_path / "logs", "a", content=[text(words * 9)])
    log.write_bytes(log.read_bytes() + json.dumps(user(words * 9)).encode() + b"\n")
    os.utime(log, (time.time() - 3600,) * 2)
    shown(capsys, tmp_path / "logs")
    contents = [path.read_bytes() for path, _ in cache_folder.entries(cache)]
    assert len(contents) >= 2  # the calls and the sums
    assert not any(b"ninth of May" in content for content in contents)


def test_an_answer_that_is_kept_needs_no_polars(logs: Path, capsys: Capture) -> None:
    shown(capsys, logs)
    code = (
        "import sys; from costscan.cli.app import run; run(sys.argv[1:]); assert 'polars' not in sys.modules"
    )
    for more in ([], ["--json"]):
        command = [sys.executable, "-c", code, "usage", str(logs), "--tz", "UTC", *more]
        subprocess.run(command, check=True, capture_output=True)


def test_a_task_is_told_by_texts(tmp_path: Path, capsys: Capture) -> None:
    for name in ("a", "b"):
        log = session(tmp_path / "logs", name, isSidechain=False)
        asked = json.dumps(user(f"Review the {name} module", sessionId=name, uuid="q")).encode()
        log.write_bytes(asked + b"\n" + log.read_bytes())
    found = shown(capsys, tmp_path / "logs", "--task", "Review the a module", "--by", "session")
    assert [row["session"] for row in found["rows"]] == ["a"]
