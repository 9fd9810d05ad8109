"""docs/loop.md, done as it stands by somebody who has only that, with a stand-in for the API."""

import re
from pathlib import Path
from typing import Any

import pytest

from billed import ROOT
from command import Capture, said
from model_server import KEY
from trial_server import TrialServer, words

BLOCKS = re.compile(r"```(python|)\n(.*?)```", re.DOTALL)


def labelled(server: TrialServer) -> None:
    """The old model always says the same; the smaller one errs at every tenth ticket."""

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        ticket = body["messages"][-1]["content"]
        said = ticket if isinstance(ticket, str) else ticket[0]["text"]
        errs = "haiku" in body["model"] and re.match(r"Ticket \d*0:", said)
        return words("lifts" if errs else "doors")

    server.answer = answer
    server.usage = lambda _: {"input_tokens": 60, "output_tokens": 4}


def test_from_a_captured_run_to_a_measured_decision(
    api: TrialServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    labelled(api)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    names: dict[str, Any] = {}
    shown: dict[str, str] = {}
    for language, block in BLOCKS.findall((ROOT / "docs" / "loop.md").read_text("utf-8")):
        if language:
            exec(compile(block, "loop.md", "exec"), names)  # noqa: S102 - our own text
            continue
        for line in block.splitlines():
            asks = ["--yes"] if " trial " in line else []
            shown[line] = said(capsys, *line.split()[1:], *asks, brief=True)
    look, report, trial, again, compare = shown.values()
    assert "Try claude-haiku-5-5 for ticket-label" in look
    assert "needs eval" in look
    assert Path("report.json").exists(), report
    assert "itself" in trial
    assert re.search(r"measured: \d+% \(\d+ to \d+\), itself 100%", again)
    assert re.search(r"Try claude-haiku-5-5 for ticket-label +done", compare)
