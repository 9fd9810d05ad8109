"""The example of docs/capture.md, run as it stands, with a stand-in for the API."""

import re
from contextlib import chdir
from pathlib import Path

import pytest

import costscan
from billed import ROOT
from captured import ASKED, client, lines
from costscan.capturing.lines import FIELDS
from model_server import KEY, Server


def test_the_examples_of_the_guide(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    guide = (ROOT / "docs" / "capture.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert len(examples) == 3
    with chdir(tmp_path):
        exec(compile("".join(examples), "capture.md", "exec"), {})  # noqa: S102 - our own text
    found = lines(tmp_path / "runs.jsonl")
    assert [line["task"] for line in found] == ["triage", "nightly report", "nightly report", "chat"]
    assert found[1]["run_id"] == found[2]["parent_run_id"] == found[3]["run_id"]
    assert costscan.read(tmp_path).turns.height == 4


def test_the_guide_has_each_field_that_a_line_can_have(server: Server, log: Path) -> None:
    own = client(server, log)
    server.failures.append(529)
    with costscan.run("a"), costscan.run("b"):
        own.messages.create(**ASKED)
        with own.messages.create(stream=True, **ASKED) as stream:
            for _ in range(3):
                next(stream)
    own.messages.batches.create(requests=[{"custom_id": "a", "params": ASKED}])  # type: ignore[typeddict-item]
    list(own.messages.batches.results("msgbatch_01"))
    assert {name for line in lines(log) for name in line} == set(FIELDS)
