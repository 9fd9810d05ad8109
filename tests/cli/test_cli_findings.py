"""`costscan findings`, `accept` and `explain RULE PATH`: from the outside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from billed import ROOT
from command import NO_LEVERS, Capture, said
from costscan.cli.app import run
from costscan.cli.findings import Severity
from costscan.rulebook.rule import SEVERITIES
from logs import Json, assistant, at, text, tool_result, tool_use, usage, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

Golden = Callable[[str, str], None]
BLOATED = "bloated-tool-result"
SHORT = ("--set", f"rules.{BLOATED}.min_carried_turns=3", *NO_LEVERS)
"""The runs here are short."""


def session(name: str, tool: str = "search") -> list[Json]:
    """Four calls of which the second carries a large result of a tool to the end."""
    place = {"sessionId": name}
    called = [tool_use(f"{name}-t", tool, x=1)]
    lines = [
        user("fix it", timestamp=at(0), **place),
        assistant(f"msg_{name}_0", usage(100, out=20), content=called, **place),
        user([tool_result(f"{name}-t", "word " * 50_000)], timestamp=at(5), **place),
    ]
    for n in (1, 2, 3):
        used = usage(100, read=50_020, out=20)
        lines += [assistant(f"msg_{name}_{n}", used, content=[text("so")], **place), user("on", **place)]
    return lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sessions of one task with a large result each; their folder is the current one."""
    for name in ("s1", "s2"):
        write(tmp_path / "logs" / f"{name}.jsonl", *session(name))
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(capsys: Capture, *more: str) -> list[dict[str, Any]]:
    told = said(capsys, "findings", "logs", "--format", "json", *SHORT, *more)
    return [json.loads(line) for line in told.splitlines()]


@pytest.mark.parametrize("width", [80, 140])
def test_findings_on_a_terminal_of_that_width(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, in_repository: Path, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    golden(f"findings-{width}", said(capsys, "findings", "sample_logs"))


def test_a_line_each(capsys: Capture, golden: Golden, in_repository: Path) -> None:
    asked = ("--severity", "error", "--severity", "info", "--top", "12", "--format", "concise")
    golden("findings-concise", said(capsys, "findings", "sample_logs", *asked))


def test_a_rule_with_what_it_found(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, in_repository: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = said(capsys, "explain", "volatile-prefix", "sample_logs")
    golden("explain-rule", told[told.index("in these logs\n") :])
    alone = said(capsys, "explain", "volatile-prefix")
    assert told.startswith(alone)
    assert "in these logs" not in alone
    assert said(capsys, "explain", "C001", "sample_logs") == told
    none = said(capsys, "explain", "over-budget-run", "sample_logs/idle-hour")
    assert none.endswith(
        "in these logs\n  no finding that was asked for; of other rules, runs or severities: 1\n"
    )
    off = ("--set", "rules.volatile-prefix.enabled=false")
    assert said(capsys, "explain", "C001", "sample_logs", *off).endswith(
        "in these logs\n  the rule is off: nothing was looked for\n"
    )


def test_a_run_that_is_named_as_a_rule_is(capsys: Capture, folder: Path) -> None:
    """A whole name is meant before the beginning of one, and a run before a rule."""
    write(folder / "logs" / "s3.jsonl", *session("T001"))
    assert said(capsys, "explain", "T001", "logs", *SHORT).startswith("T001   fix it · 4 calls")
    assert "T001 bloated-tool-result" in said(capsys, "explain", BLOATED, "logs", *SHORT)
    write(folder / "logs" / "s4.jsonl", *session("C001-again"))
    assert said(capsys, "explain", "C001", "logs", *SHORT).startswith("C001 volatile-prefix")
    assert said(capsys, "explain", "C001-", "logs", *SHORT).startswith("C001-again   fix it")


def test_what_is_asked_for(capsys: Capture, in_repository: Path) -> None:
    every = json.loads(said(capsys, "analyze", "sample_logs", "--json"))["findings"]

    def lines(*more: str) -> list[Any]:
        told = said(capsys, "findings", "sample_logs", "--format", "json", *more)
        return [json.loads(line) for line in told.splitlines()]

    assert lines() == every
    assert lines("--top", "3") == every[:3]
    both = lines("--rule", "C001", "--rule", BLOATED)
    assert both == [row for row in every if row["rule"] in {"C001", "T001"}]
    assert lines("--severity", "info") == [row for row in every if row["severity"] == "info"]
    worst = lines("--run", "worst")
    assert worst == lines("--run", "c420286e") == [r for r in every if r["root_run_id"].startswith("c420286e")]  # fmt: skip
    of_agent = lines("--run", "agent-a714", "--run", "c420286e", "--rule", "A001", "--rule", "C011")
    assert {row["rule"] for row in of_agent} == {"A001", "C011"}
    assert set(Severity) == set(SEVERITIES)


def test_the_format_of_logs_is_asked_for_by_another_name(capsys: Capture, folder: Path) -> None:
    assert listed(capsys, "--log-format", "claude_code") == listed(capsys)
    assert run(["findings", "logs", "--log-format", "messages_api"]) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "claude_code"], "no such format of findings\nhint: for that of logs: --log-format claude_code\n"),
        (["--format", "sarif"], "hint: known: text, concise, github, gitlab, json\n"),
        (["--rule", "bloated"], "error: --rule bloated: no such rule\nhint: did you mean bloated-tool-result?\n"),
        (["--run", "s"], "error: s: 2 runs begin so\nhint: which: s1, s2?\n"),
        (["--run", "x"], "error: x: no run of this name in these logs\n"),
        (["--severity", "fatal"], "'fatal' is not one of 'error', 'warning', 'info'"),
        (["--top", "0"], "hint: costscan findings --help\n"),
    ],
)  # fmt: skip
def test_wrong_questions(capsys: Capture, folder: Path, arguments: list[str], told: str) -> None:
    assert told in said(capsys, "findings", "logs", *SHORT, *arguments, code=2)


def test_without_a_path_it_reads_where_clients_keep_logs(
    capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder / "client"))
    assert run(["findings"]) == 2
    capsys.readouterr()
    write(folder / "client" / "projects" / "p" / "s7.jsonl", *session("s7"))
    told = said(capsys, "findings", "--format", "json", *SHORT)
    assert {json.loads(line)["run_id"] for line in told.splitlines()} == {"s7"}


def test_an_accepted_finding_is_gone(capsys: Capture, folder: Path) -> None:
    settings = folder / "costscan.toml"
    settings.write_text("# ours\nredact = true\n", encoding="utf-8")
    every = listed(capsys)
    marks = {row["fingerprint"] for row in every if row["name"] == BLOATED}
    assert [row["run_id"] for row in every if row["name"] == BLOATED] == ["s1", "s2"]
    (mark,) = marks
    assert said(capsys, "accept", f"{mark}@s1") == f"costscan.toml: accepted {mark}@s1\n"
    assert [row for row in every if (row["name"], row["run_id"]) != (BLOATED, "s1")] == listed(capsys)
    assert said(capsys, "accept", mark, mark) == f"costscan.toml: accepted {mark}\n"
    assert [row for row in every if row["name"] != BLOATED] == listed(capsys)
    assert "2 accepted fingerprints in the settings" in said(capsys, "findings", "logs", *SHORT)
    before = settings.read_bytes()
    again = said(capsys, "accept", f"{mark}@s1", mark, f"{mark}@s2")
    assert again == "costscan.toml: 3 accepted before, nothing to do\n"
    assert settings.read_bytes() == before
    assert before.decode() == f'# ours\nredact = true\n\n[findings]\naccepted = ["{mark}@s1", "{mark}"]\n'


def test_all_that_is_found_can_be_accepted(capsys: Capture, folder: Path) -> None:
    marks = sorted({row["fingerprint"] for row in listed(capsys)})
    said(capsys, "accept", *marks)
    assert listed(capsys) == []
    told = said(capsys, "findings", "logs", *SHORT)
    assert f"no finding: no rule sees waste in these logs; {len(marks)} accepted fingerprint" in " ".join(
        told.split()
    )


def test_the_file_is_that_which_holds_or_is_named(
    capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = "0123456789abcdef"
    project = folder / "pyproject.toml"
    project.write_text("[tool.costscan]\nredact = true\n", encoding="utf-8")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert said(capsys, "accept", mark) == f"{project}: accepted {mark}\n"
    assert project.read_text("utf-8").endswith(f'\n[tool.costscan.findings]\naccepted = ["{mark}"]\n')
    assert said(capsys, "accept", mark, "--file", "own.toml") == f"own.toml: accepted {mark}\n"
    assert Path("own.toml").read_text("utf-8") == f'[findings]\naccepted = ["{mark}"]\n'
    monkeypatch.chdir(folder)
    project.unlink()
    assert said(capsys, "accept", mark) == f"costscan.toml: accepted {mark}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "error: missing argument"),
        (["x"], "error: x: not a fingerprint\nhint: 16 of 0-9 and a-f"),
        (["0123456789abcdef", "0123456789ABCDEF"], "error: 0123456789ABCDEF: not a fingerprint\n"),
        (["0123456789abcdef@a\x1b[2J\n::error::b"], "error: 0123456789abcdef@a\N{REPLACEMENT CHARACTER}[2J ::error::b: not"),
        (["0123456789abcdef", "--file", "no/costscan.toml"], "error: --file no/costscan.toml: no folder no\n"),
        (["0123456789abcdef", "--file", "."], "error: .: cannot read settings: Is a directory\n"),
        (["0123456789abcdef", "--file", "inline.toml"], 'hint: add by hand: accepted = ["0123456789abcdef"]\n'),
    ],
)  # fmt: skip
def test_what_cannot_be_accepted(capsys: Capture, folder: Path, arguments: list[str], told: str) -> None:
    (folder / "inline.toml").write_text("findings = {}\n", encoding="utf-8")
    assert told in said(capsys, "accept", *arguments, code=2)
    assert sorted(path.name for path in folder.iterdir()) == [".git", "inline.toml", "logs"]
    assert (folder / "inline.toml").read_text("utf-8") == "findings = {}\n"


def test_a_file_keeps_its_mode_and_its_link(capsys: Capture, folder: Path) -> None:
    real = folder / "real.toml"
    real.write_text("redact = true\n", encoding="utf-8")
    real.chmod(0o640)
    (folder / "costscan.toml").symlink_to(real)
    said(capsys, "accept", "0123456789abcdef")
    assert (folder / "costscan.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "0123456789abcdef" in real.read_text("utf-8")


def test_a_tool_that_is_named_as_a_command(capsys: Capture, folder: Path) -> None:
    """What a log names a tool by is in messages and fixes; no line of the output is one that a server obeys."""
    hostile = "::error file=x::boom\n::stop-commands::z\r##[error]\x1b[2J"
    write(folder / "logs" / "s3.jsonl", *session("s3", hostile))
    (mark,) = {row["fingerprint"] for row in listed(capsys) if row["run_id"] == "s3" and row["name"] == BLOATED}  # fmt: skip
    for name in ("text", "concise", "github", "gitlab", "json"):
        told = said(capsys, "findings", "logs", *SHORT, "--run", "s3", "--rule", BLOATED, "--format", name)
        assert "boom" in told
        assert "\x1b" not in told
        assert not any(line.strip().startswith(("::error", "::stop")) for line in told.split("\n"))
        assert "##[" not in told
    said(capsys, "accept", mark)
    assert mark not in said(capsys, "findings", "logs", *SHORT)


def test_what_the_guide_to_ci_runs(capsys: Capture, folder: Path) -> None:
    """Its lines are run as they stand, their output held against what the server wants."""
    guide = (ROOT / "docs" / "ci.md").read_text("utf-8")

    def part(name: str) -> Any:
        return yaml.safe_load(guide.partition(f"<!-- findings: {name} -->\n```yaml\n")[2].partition("```")[0])

    (_, line) = part("github")[0]["run"].strip().split("\n")
    told = said(capsys, *line.split()[1:], *SHORT)
    assert all(one.startswith(("::error ", "::warning ")) for one in told.splitlines())
    assert told.startswith("::warning file=logs/s")
    job = part("gitlab")["findings"]
    command, _, file = job["script"][-1].partition(" > ")
    assert job["artifacts"]["reports"]["codequality"] == file
    issues = json.loads(said(capsys, *command.split()[1:], *SHORT))
    Draft202012Validator({"type": "array", "items": {"required": ["description", "location"]}}).validate(
        issues
    )
    assert issues
