"""Scenarios and actions that were kept are those that would be worked out, and any change is seen."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from billed import ROOT
from command import Capture, said
from costscan import actions, scenarios
from costscan.cli.app import run
from costscan.kept_stages import ADVICE, PRICED, KeptStages, contents
from costscan.rulebook import find, load_rules
from logs import OPUS, assistant, at, text, usage, user, write
from seen import analyzed

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages that were worked out, not taken from what is kept."""
    asked: list[str] = []

    def told(module: Any, name: str) -> None:
        real = getattr(module, name)

        def working(*of: Any) -> Any:
            asked.append(name)
            return real(*of)

        monkeypatch.setattr(module, name, working)

    told(scenarios, "priced")
    told(actions, "advice")
    return asked


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A session that begins again after more than five minutes, so that a longer TTL saves something."""
    lines = []
    for n in range(8):
        lines += [
            user(text(f"What about {n}?"), uuid=f"p{n}", sessionId="s", timestamp=at(600 * n)),
            assistant(
                f"msg_{n}",
                usage(5, w5m=60_000 + 100 * n, out=50),
                uuid=f"a{n}",
                sessionId="s",
                timestamp=at(600 * n + 5),
            ),
        ]
    path = write(tmp_path / "logs" / "s.jsonl", *lines)
    settled(path)
    return path


def settled(path: Path, ago_s: float = 3600) -> None:
    os.utime(path, (time.time() - ago_s,) * 2)


def report(capsys: Capture, log: Path, *options: str) -> Any:
    assert run(("analyze", str(log), "--json", *options)) == 0
    return json.loads(capsys.readouterr().out) | {"generated_at": None}


def test_a_second_look_takes_what_the_first_worked_out(
    log: Path, capsys: Capture, worked_out: list[str]
) -> None:
    plain = report(capsys, log, "--no-cache")
    assert plain["actions"]
    assert worked_out == ["priced", "advice"]
    assert [report(capsys, log) for _ in range(3)] == [plain] * 3
    assert worked_out == ["priced", "advice"] * 2
    # Other commands and outputs need the same.
    said(capsys, "explain", "worst", str(log))
    said(capsys, "analyze", str(log), "--rank", "waste", "-o", str(log.parent / "report.html"))
    assert worked_out == ["priced", "advice"] * 2


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "caching.enabled=false"),
        ("--anonymize",),
        ("--since", "2026-01-01"),
        ("--model", OPUS),
    ],
)
def test_another_question_is_another_answer(
    log: Path, capsys: Capture, worked_out: list[str], options: tuple[str, ...]
) -> None:
    report(capsys, log)
    plain = report(capsys, log, *options, "--no-cache")
    worked_out.clear()
    assert report(capsys, log, *options) == plain
    assert worked_out == ["priced", "advice"]


def test_a_rule_that_is_set_otherwise_changes_actions_alone(
    log: Path, tmp_path: Path, capsys: Capture, worked_out: list[str]
) -> None:
    own = rule(tmp_path, "error")
    report(capsys, log, "--rules", own)
    worked_out.clear()
    report(capsys, log, "--rules", own)
    assert worked_out == []
    rule(tmp_path, "info")
    report(capsys, log, "--rules", own)
    assert worked_out == ["advice"]


def rule(folder: Path, severity: str) -> str:
    """Write one of the rules that come along, with another severity; return its folder."""
    lines = (ROOT / "rules" / "volatile-prefix.toml").read_text().splitlines()
    (at_line,) = (n for n, line in enumerate(lines) if line.startswith("severity = "))
    lines[at_line] = f'severity = "{severity}"'
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "volatile-prefix.toml").write_text("\n".join(lines))
    return str(folder / "rules")


def test_logs_that_changed_are_worked_out_anew(log: Path, capsys: Capture, worked_out: list[str]) -> None:
    report(capsys, log)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:-2]))
    settled(log, ago_s=1800)
    plain = report(capsys, log, "--no-cache")
    worked_out.clear()
    assert report(capsys, log) == plain
    assert worked_out == ["priced", "advice"]


def test_what_is_as_long_ago_as_before_is_kept_while_the_same_calls_are_in_it(
    log: Path, capsys: Capture, worked_out: list[str]
) -> None:
    """Four calls are a day old, two an hour, and two of another year."""
    lines = log.read_text().splitlines(keepends=True)
    now = datetime.now(UTC)
    old, new = (f"{now - timedelta(hours=hours):%Y-%m-%dT%H}" for hours in (24, 1))
    day = at(0)[:13]
    log.write_text("".join(line.replace(day, old if n < 8 else new) for n, line in enumerate(lines)))
    settled(log)
    day_and_more, hours = ([report(capsys, log, "--since", ago) for _ in range(2)] for ago in ("2d", "9h"))
    assert day_and_more[0] == day_and_more[1]
    assert hours[0] == hours[1]
    assert (day_and_more[0]["totals"]["turns"], hours[0]["totals"]["turns"]) == (6, 2)
    assert worked_out == ["priced", "advice"] * 2


def test_a_damaged_entry_is_none(log: Path, cache: Path, capsys: Capture, worked_out: list[str]) -> None:
    plain = report(capsys, log)
    for entry in cache.rglob("reading/??/*"):
        content = bytearray(entry.read_bytes())
        content[len(content) // 2] ^= 1
        entry.write_bytes(content)
    worked_out.clear()
    assert report(capsys, log) == plain
    assert worked_out == ["priced", "advice"]


def test_what_could_not_be_worked_out_is_tried_again(
    log: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = report(capsys, log, "--no-cache")
    with monkeypatch.context() as broken:
        broken.setattr(actions, "candidates", None)
        broken.setattr("costscan.scenarios.cap_curve", None)
        assert len(report(capsys, log)["defects"]) == 2
    assert report(capsys, log) == plain


def test_all_of_a_stage_is_kept() -> None:
    with analyzed(
        *(ROOT / "sample_logs" / story for story in ("bloated-tool-result", "one-item-per-run"))
    ) as x:
        priced = scenarios.priced(x)
        again = PRICED.decode(PRICED.encode(priced))
        assert same(again, priced) >= 9
        assert again.break_evens
        advice = actions.advice(find(scenarios.beside(x, again), load_rules(cases=False)))
        assert advice.actions.height >= 2
        assert same(ADVICE.decode(ADVICE.encode(advice)), advice) == 2


def same(one: object, other: object) -> int:
    """Assert that two values of a dataclass are the same; return how many frames they have."""
    frames = 0
    for name, value in vars(other).items():
        mine = getattr(one, name)
        if isinstance(value, pl.DataFrame):
            frames += 1
            assert mine.schema == value.schema
            assert mine.equals(value)
        else:
            assert mine == value
    return frames


def test_logs_that_change_meanwhile_are_not_kept(cache: Path) -> None:
    states = iter((b"2", b"1", b"1"))
    kept = KeptStages(("logs",), lambda: next(states), b"1")
    made: list[int] = []

    def make() -> actions.Advice:
        made.append(1)
        return actions.Advice(pl.DataFrame({"n": [len(made)]}), pl.DataFrame())

    for total in (1, 2, 2):
        assert kept.of(ADVICE, make, lambda _: True).actions.item() == total
        assert len(made) == total


def test_the_content_of_files_and_folders(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"1")
    told = [contents([file]), contents([tmp_path]), contents([])]
    file.write_bytes(b"2")
    again = [contents([file]), contents([tmp_path]), contents([])]
    assert [a == b for a, b in zip(told, again, strict=True)] == [False, False, True]
