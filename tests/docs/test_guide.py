"""The guide to CI does what it says: its commands run in order, and its files and limits mean something."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from answering import answering
from as_command import command
from costscan.gate.limits import limits
from costscan.gate.matching import Group
from costscan.gate.metrics import METRICS
from costscan.gate.permutation import permutation_test
from costscan.rulebook import load_rules
from costscan.settings.load import load
from workflow import ACTION, ROOT

GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
_MARKED = re.compile(
    r"^<!-- guide(?:: (says|exits (\d)))? -->\n```(?:sh)?\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


def marked(mark: str, language: str) -> list[tuple[str, str]]:
    """Return the blocks that follow a comment, with what the comment says."""
    found = re.findall(
        rf"^<!-- {mark}:? ?(.*?) -->\n```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE
    )
    assert found
    return found


@pytest.mark.skipif(os.name != "posix", reason="the guide is for a POSIX shell")
@pytest.mark.usefixtures("kept_analyses")
def test_what_the_guide_runs_ends_and_says_as_it_tells(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    own = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"}
    said = ""
    with answering(tmp_path) as script:
        command(tmp_path / "bin/costscan", script)
        for kind, code, text in _MARKED.findall(GUIDE):
            if kind == "says":
                assert set(text.splitlines()) <= set(map(str.rstrip, said.splitlines())), text
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", text],
                cwd=folder,
                env=os.environ | own,
                capture_output=True,
                text=True,
                check=False,
            )
            said = done.stdout + done.stderr
            assert done.returncode == int(code or 0), f"{text}\n{said}"
    assert (folder / "next.parquet").exists()


def test_the_workflow_for_github_uses_what_the_action_has() -> None:
    workflows = {name: yaml.safe_load(text) for name, text in marked("workflow", "yaml")}
    jobs = workflows[".github/workflows/agent-costs.yml"]["jobs"]
    used = [
        step for job in jobs.values() for step in job["steps"] if step.get("uses") == "OWNER/costscan@REF"
    ]
    assert len(used) == len(jobs) == 2
    for step in used:
        assert step["with"].keys() <= ACTION["inputs"].keys()
        assert "logs" in step["with"]
    assert jobs["baseline"]["steps"][-1]["with"]["path"] == used[0]["with"]["report"]
    assert ACTION["inputs"]["baseline"]["default"] == used[0]["with"]["report"]
    assert jobs["check"]["permissions"]["pull-requests"] == "write"
    assert limits([("", line) for line in used[1]["with"]["fail-on"].splitlines()], ["volatile-prefix"])


def test_the_workflow_for_gitlab_is_warned_where_nothing_is_decided() -> None:
    jobs: dict[str, Any] = {name: yaml.safe_load(text) for name, text in marked("workflow", "yaml")}[
        ".gitlab-ci.yml"
    ]
    assert jobs["check"]["allow_failure"] == {"exit_codes": [3]}
    assert jobs["check"]["artifacts"]["reports"]["junit"] in jobs["check"]["script"][-1]
    assert {jobs[name]["stage"] for name in ("record", "baseline", "check")} == set(jobs["stages"])


def test_every_limit_of_the_table_means_something() -> None:
    rules = [rule.name for rule in load_rules()]
    table = GUIDE.partition("| limit | fails where |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    written = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    assert len(limits([("docs/ci.md", text) for text in written], rules)) == len(written) > 15


def test_every_metric_is_named() -> None:
    (named,) = re.findall(r"<!-- metrics -->(.*?)<!-- end metrics -->", GUIDE)
    assert re.findall(r"`(\w+)`", named) == list(METRICS)


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    ((_, text),) = marked("settings", "toml")
    (tmp_path / "costscan.toml").write_text(text, encoding="utf-8")
    found = load(tmp_path).check
    assert (len(found.fail_on), found.undecided) == (4, "pass")


@pytest.mark.parametrize(
    ("limits_on_changes", "pairs"), [(1, 5), (2, 6), (3, 6), (4, 7), (6, 7), (7, 8), (12, 8)]
)
def test_how_many_pairs_can_decide(limits_on_changes: int, pairs: int) -> None:
    def least(n: int) -> float:
        return limits_on_changes * permutation_test([Group((0.0,), (1.0 + k,)) for k in range(n)]).p_value

    assert least(pairs) <= 0.05 < least(pairs - 1)


def test_three_runs_of_a_task_on_each_side_can_decide() -> None:
    assert permutation_test([Group((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))]).p_value <= 0.05
    assert permutation_test([Group((1.0, 2.0), (4.0, 5.0))]).p_value > 0.05
