"""`costscan init`: what it writes parses and changes nothing, each line may be uncommented, nothing is lost."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from command import Capture, said
from costscan import __version__
from costscan.settings.keys import Settings, keys
from costscan.settings.load import load
from costscan.starter import PLACES, job_text, settings_text

COMMENTED = re.compile(r"^#(?=\S)", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_of(project: Path, text: str) -> Settings:
    (project / "costscan.toml").write_text(text, encoding="utf-8")
    return load(project)


def plain(settings: Settings) -> dict[str, Any]:
    """Return settings without the file they are from."""
    return {name: getattr(settings, name) for name in Settings.__slots__ if name not in {"file", "rules"}}


def test_the_settings_change_nothing(project: Path) -> None:
    found = settings_of(project, settings_text())
    assert plain(found) == plain(Settings())
    assert found.rules == ()


def test_every_key_is_there_with_its_default(project: Path) -> None:
    text = COMMENTED.sub("", settings_text())
    told = tomllib.loads(text)
    whole = plain(settings_of(project, text))
    for key in keys():
        group, _, name = key.name.rpartition(".")
        assert name in (told[group] if group else told), key.name
        if key.default not in (None, {}):  # else what is written there is an example
            assert (getattr(whole[group], name) if group else whole[name]) == key.default, key.name


def test_each_line_alone_may_be_uncommented(project: Path) -> None:
    lines = settings_text().splitlines()
    places = [n for n, line in enumerate(lines) if COMMENTED.match(line)]
    assert len(places) == len(keys()) + 1  # and one of a rule
    for place in places:
        one = [line.removeprefix("#") if n == place else line for n, line in enumerate(lines)]
        settings_of(project, "\n".join(one))
    assert all(len(line) <= 100 for line in lines if line.startswith("# "))


def test_what_it_writes_and_says(capsys: Capture, project: Path) -> None:
    text = said(capsys, "init")
    assert text.splitlines()[:2] == ["wrote costscan.toml", "wrote .github/workflows/costscan.yml"]
    assert "next:" in text
    job = yaml.safe_load((project / PLACES["github"]).read_text(encoding="utf-8"))
    runs = [step["run"] for step in job["jobs"]["costs"]["steps"] if "run" in step]
    assert f"pipx install costscan=={__version__}" in runs
    assert job["jobs"]["costs"]["permissions"] == {"contents": "read", "actions": "read"}
    said(capsys, "rules")  # the settings that it wrote hold


@pytest.mark.parametrize("logs", ["logs", "my logs/*.jsonl", "it's: #1", "$(rm -rf ~)", 'a"b'])
@pytest.mark.parametrize("ci", PLACES)
def test_a_path_is_one_word_of_the_job_and_is_not_executed(ci: str, logs: str) -> None:
    job = yaml.safe_load(job_text(ci, logs))
    steps = job["jobs"]["costs"]["steps"] if ci == "github" else []
    scripts = [step.get("run", "") for step in steps]
    scripts += [line for one in job.values() if isinstance(one, dict) for line in one.get("script", ())]
    own = sorted(shlex.split(script) for script in scripts if script.startswith("costscan "))
    assert [words[:2] for words in own] == [["costscan", "analyze"], ["costscan", "check"]]
    assert all(words[2] == logs for words in own)
    if ci == "gitlab":
        assert job["costscan-record"]["artifacts"]["paths"] == [logs]


def test_the_checks_of_the_jobs_are_commands_that_there_are(capsys: Capture, in_repository: Path) -> None:
    written = {"-o", "costscan.md", "costscan.xml"}
    for ci in PLACES:
        lines = job_text(ci, "sample_logs/idle-hour").splitlines()
        words = shlex.split(next(line for line in lines if "costscan check" in line))[1:]
        shown = said(capsys, *(word for word in words if word not in written))
        assert "NOT CHECKED: 1 of 1 limits need a baseline" in shown


def test_what_is_there_is_left_as_it_is(capsys: Capture, project: Path) -> None:
    own = project / "costscan.toml"
    own.write_text("redact = false\n", encoding="utf-8")
    assert "costscan.toml: there already, left as it is" in said(capsys, "init")
    assert own.read_text(encoding="utf-8") == "redact = false\n"
    assert "there already" in said(capsys, "init", code=2)
    said(capsys, "init", "--force")
    assert own.read_text(encoding="utf-8") == settings_text()


def test_settings_that_hold_are_not_hidden(
    capsys: Capture, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pyproject.toml").write_text("[tool.costscan]\nredact = false\n", encoding="utf-8")
    (project / "part").mkdir()
    for folder in (project, project / "part"):
        monkeypatch.chdir(folder)
        assert "these settings hold here" in said(capsys, "init", code=2)
        assert not list(folder.glob("costscan*")) + list(folder.glob(".github"))
    said(capsys, "init", "--ci", "none", "--force")
    assert (project / "part/costscan.toml").exists()


def test_what_cannot_be_written(capsys: Capture, project: Path) -> None:
    (project / ".github").write_text("", encoding="utf-8")
    assert ".github/workflows: cannot be made" in said(capsys, "init", code=2)
    assert "this is no path" in said(capsys, "init", "--logs", "a\nb", code=2)
    assert "this is no path" in said(capsys, "init", "--logs", " ", code=2)
    assert "this is no path" in said(capsys, "init", "--logs", "-o", code=2)


def test_findings_can_be_accepted_in_it(capsys: Capture, project: Path) -> None:
    said(capsys, "init", "--ci", "none")
    said(capsys, "accept", "3f0a52c19be07d44")
    assert load(project).findings.accepted == ("3f0a52c19be07d44",)
