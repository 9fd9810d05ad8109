"""The examples of docs/python.md and of the README, run as they stand."""

import doctest
import re
from contextlib import chdir
from pathlib import Path

import pytest

from billed import ROOT
from samples import SAMPLES

pytestmark = pytest.mark.usefixtures("kept_analyses")


def test_the_examples_of_the_guide(tmp_path: Path) -> None:
    with chdir(SAMPLES):
        found = doctest.testfile(
            str(ROOT / "docs" / "python.md"), module_relative=False, globs={"folder": tmp_path}
        )
    assert found.attempted > 20
    assert found.failed == 0


def test_the_example_of_the_readme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (log,) = (SAMPLES / "headless-stream").glob("*.jsonl")
    (tmp_path / "runs.jsonl").write_bytes(log.read_bytes())
    with chdir(tmp_path):
        exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert "usd" in capsys.readouterr().out
    assert (tmp_path / "report.html").stat().st_size > 100_000
