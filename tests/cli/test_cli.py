"""What a user sees: goldens of the reports and of every kind of failure."""

import json
import re
import sys
from ast import literal_eval
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from billed import ROOT
from command import NO_LEVERS, said
from costscan import __version__
from costscan.cli.analyze import By
from costscan.cli.app import app, run
from costscan.prices import as_of
from costscan.reports.analysis.tables import TABLES
from costscan.schema.frames import SCHEMAS
from costscan.times import moment
from logs import assistant, message, pair, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

Golden = Callable[[str, str], None]
Capture = pytest.CaptureFixture[str]


def seen(capsys: Capture, *arguments: str, code: int = 0) -> str:
    """Return what a command prints, the day of the prices left out."""
    assert run(arguments) == code
    captured = capsys.readouterr()
    return (captured.out + captured.err).replace(as_of()["as_of"], "2026-00-00")


@pytest.mark.parametrize("width", [80, 140])
def test_the_report_on_a_terminal_of_that_width(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, in_repository: Path, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    golden(f"analyze-{width}", seen(capsys, "analyze", "sample_logs"))


def test_the_report_in_a_pipe(capsys: Capture, golden: Golden, in_repository: Path) -> None:
    golden("analyze-piped", seen(capsys, "analyze", "sample_logs"))


@pytest.mark.parametrize(
    "by", ["run", "task", "model", "tool", "day", "kind", "agent", "project", "branch", "week"]
)
def test_the_report_by(capsys: Capture, golden: Golden, in_repository: Path, by: str) -> None:
    golden(f"analyze-by-{by}", seen(capsys, "analyze", "sample_logs", "--by", by, "--top", "6"))


def test_every_table_can_be_asked_for() -> None:
    assert set(By) == set(TABLES)


def test_one_run_alone(capsys: Capture, golden: Golden, in_repository: Path) -> None:
    golden("analyze-one-run", seen(capsys, "analyze", "sample_logs/headless-stream"))


def test_schema(capsys: Capture, golden: Golden) -> None:
    golden("schema", seen(capsys, "schema"))
    found = json.loads(seen(capsys, "schema", "--json"))
    assert {name: [c["name"] for c in frame["columns"]] for name, frame in found.items()} == {
        name: list(schema) for name, schema in SCHEMAS.items()
    }


needs_typer = pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 29), reason="older versions say it otherwise"
)
USAGE = [
    "whatif",
    "analyse log.jsonl",
    "analyze log.jsonl --wat",
    "analyze log.jsonl --by nothing",
    "analyze log.jsonl --top 0",
    "prices --top 3",
]
ERRORS = [
    "analyze nope.jsonl",
    "analyze empty.jsonl",
    "analyze empty",
    "analyze log.jsonl --format csv",
    "analyze log.jsonl --set trimming.tool_result_max_tokns=3",
    "analyze log.jsonl --set x",
    "analyze log.jsonl --set prices.discount=90",
    "analyze log.jsonl --config none.toml",
    "analyze log.jsonl --since yesterday",
    "analyze log.jsonl --task nightli",
    "analyze log.jsonl --model claude-opus-9",
    "analyze log.jsonl -o report.doc",
    "analyze log.jsonl -o none/report.json",
    "prices claude-opus-9",
    "prices no-such-thing",
    "schema turn",
]


@needs_typer
def test_what_is_said_of_wrong_usage(capsys: Capture, golden: Golden) -> None:
    golden("errors-usage", "\n".join(f"$ costscan {c}\n{seen(capsys, *c.split(), code=2)}" for c in USAGE))


@pytest.mark.parametrize("command", USAGE)
def test_wrong_usage_ends_in_two_lines(capsys: Capture, command: str) -> None:
    error, hint = seen(capsys, *command.split(), code=2).splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: costscan ")
    assert hint.endswith(" --help")


def test_what_is_said_of_failures(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, tmp_path: Path
) -> None:
    write(tmp_path / "log.jsonl", pair(run_id="r1", task="nightly"))
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    text = ""
    for command in ERRORS:
        said = seen(capsys, *command.split(), code=2)
        assert len(said.splitlines()) == 2, said
        text += f"$ costscan {command}\n{said}\n"
    golden("errors", text)


def test_an_error_names_the_line_of_a_settings_file(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "log.jsonl", pair())
    (tmp_path / "costscan.toml").write_text("[caching]\nenable = true\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = seen(capsys, "analyze", "log.jsonl", code=2)
    assert "costscan.toml:2: unknown setting caching.enable\nhint: did you mean caching.enabled or " in said


def test_settings_reach_the_bill(capsys: Capture, in_repository: Path) -> None:
    def usd(*settings: str) -> float:
        told = [word for setting in settings for word in ("--set", setting)]
        found: float = json.loads(
            seen(capsys, "analyze", "sample_logs/idle-hour", "--json", *NO_LEVERS, *told)
        )["totals"]["usd"]
        return found

    whole = usd()
    assert usd("prices.discount=0.1") == pytest.approx(whole * 0.9)
    assert usd("prices.models.claude-opus-5-5.cache_write_1h=0") < whole / 2


def test_json_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes], in_repository: Path) -> None:
    assert run(["analyze", "sample_logs/idle-hour", "--json", "--top", "1"]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert found["totals"]["turns"] == 23


def test_files_are_written_and_named(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_repository: Path
) -> None:
    names = ["r.json", "r.parquet", "r.csv", "frames/"]
    outputs = [word for name in names for word in ("-o", f"{tmp_path}/{name}")]
    assert run(["analyze", "sample_logs/idle-hour", *outputs]) == 0
    captured = capsys.readouterr()
    assert captured.err == "".join(f"wrote {tmp_path / name}\n" for name in names)
    assert captured.out.startswith("costscan  sample_logs/idle-hour")
    assert {path.name for path in tmp_path.iterdir()} == {name.rstrip("/") for name in names}


def test_nothing_is_read_where_a_file_cannot_be_written(capsys: Capture, tmp_path: Path) -> None:
    said = seen(
        capsys, "analyze", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "no" / "r.json"), code=2
    )
    assert "no folder" in said


def test_a_part_of_the_logs(capsys: Capture, in_repository: Path) -> None:
    def turns(*options: str) -> int:
        found: int = json.loads(seen(capsys, "analyze", "sample_logs", "--json", *NO_LEVERS, *options))[
            "totals"
        ]["turns"]
        return found

    assert turns("--task", "copperline") == 23
    assert turns("--task", "copperline", "--task", "tidewater") == 36
    assert turns("--model", "claude-haiku-5-5") == turns("--model", "anthropic/claude-haiku-5.5") == 1
    assert turns("--since", "2026-11-05", "--until", "2026-11-05") == 26
    assert turns("--since", "2026-11-05T11:00") + turns("--until", "2026-11-05T11:00") == 249
    for nothing in (("--since", "3000-01-01"), ("--task", "copperline", "--since", "2026-11-17")):
        said(capsys, "analyze", "sample_logs", *nothing, code=2)


def test_times() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moment("--since", None, now) is None
    assert moment("--since", "7d", now) == now - timedelta(days=7)
    assert moment("--since", "90m", now) == now - timedelta(minutes=90)
    assert moment("--since", "2026-11-01", now) == datetime(2026, 11, 1, tzinfo=UTC)
    assert moment("--until", "2026-11-01", now, whole_day=True) == datetime(2026, 11, 2, tzinfo=UTC)
    assert moment("--until", "2026-11-01T09:30", now, whole_day=True) == datetime(
        2026, 11, 1, 9, 30, tzinfo=UTC
    )
    assert moment("--since", "2026-11-01T09:30+02:00", now) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_prices_of_one_model(capsys: Capture) -> None:
    text = seen(capsys, "prices", "us.anthropic.claude-opus-4-8")
    assert re.search(r"standard +5\.00 +0\.50 +6\.25 +10\.00 +25\.00", text)
    assert "genai-prices" in text
    found = json.loads(seen(capsys, "prices", "claude-opus-4-8", "--json"))
    assert {row["tier"] for row in found} == {"standard", "batch"}
    assert found[0]["input"] == 5
    assert all(row["source"] for row in found)


def test_prices_of_all_models(capsys: Capture) -> None:
    text = seen(capsys, "prices", "--set", "prices.models.claude-opus-4-8.input=4.5")
    assert re.search(r"claude-opus-4-8 +4\.50 +0\.50", text)
    assert re.search(r"gpt-5 +1\.25", text)
    assert max(map(len, text.splitlines())) < 130


def test_help(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    text = seen(capsys, "--help")
    assert "Exit codes: 0 fine, 1 a check failed, 2 cannot run" in text
    assert seen(capsys, code=2) == text


def documented() -> list[tuple[str, ...]]:
    """Return the commands whose help stands in the documents."""
    told = (ROOT / "docs" / "generate.py").read_text(encoding="utf-8")
    found = re.search(r"^COMMANDS = (\(.*?^\))$", told, re.DOTALL | re.MULTILINE)
    assert found is not None
    return list(literal_eval(found[1]))


def test_every_command_is_documented() -> None:
    top = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    groups = {
        (str(group.name), *([str(command.name)] if command else []))
        for group in app.registered_groups
        if group.typer_instance is not None
        for command in (None, *group.typer_instance.registered_commands)
    }
    assert set(documented()) == {(), *((name,) for name in top), *groups}


@needs_typer
def test_help_as_it_looks(capsys: Capture, golden: Golden) -> None:
    golden("help", "\n".join(seen(capsys, *command, "--help") for command in documented()))


@pytest.mark.parametrize("command", ["analyze", "explain", "rules", "prices", "schema", "trend"])
def test_help_of_a_command(capsys: Capture, command: str) -> None:
    text = seen(capsys, command, "--help")
    assert "Examples:\n    costscan " in text
    assert max(map(len, text.splitlines())) <= 80


def test_version(capsys: Capture) -> None:
    assert seen(capsys, "--version") == f"costscan {__version__}\n"


def test_a_defect_is_told_in_two_lines(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, in_repository: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero\nand more")

    monkeypatch.setattr("costscan.summary.summarize", broken)
    said = seen(capsys, "analyze", "sample_logs/idle-hour", code=2)
    assert said == ("error: a defect of costscan: ZeroDivisionError: division by zero\n"
                    "hint: please report it; COSTSCAN_TRACEBACK=1 shows where\n")  # fmt: skip
    monkeypatch.setenv("COSTSCAN_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(["analyze", "sample_logs/idle-hour"])


def test_hostile_words_of_the_command_line_are_inert(capsys: Capture) -> None:
    said = seen(capsys, "analyze", "no\x1b[31m\nsuch", code=2)
    assert said.splitlines()[0] == "error: no\ufffd[31m such: no such file or folder"


def test_logs_from_standard_input(capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant(), pair(message("msg_2")))
    with log.open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        found = json.loads(seen(capsys, "analyze", "-", "--json"))
    assert found["runs"][0]["path"] == "-"
