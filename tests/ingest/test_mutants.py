"""Structural damage at random places of all samples: no traceback, no hang, no healthy call lost, nothing unsaid."""

from pathlib import Path
from typing import Any

import pytest

import mutants
from costscan.reading.conversation.thread import Thread
from costscan.reports.analysis import json
from costscan.reports.endings import ANALYSIS
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from mutator import KINDS
from thoroughness import MUTANTS


@pytest.mark.parametrize("seed", range(1, 1 + max(1, MUTANTS // mutants.TOGETHER)))
def test_mutants(seed: int) -> None:
    found = mutants.run(mutants.TOGETHER, seed)
    assert found.failures == []
    assert set(found.kinds) == set(KINDS)
    assert sum(found.kinds.values()) == mutants.TOGETHER


def test_failures_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real, write = Thread.call, json.write

    def mistaken(self: Thread, found: Any, *, key: str) -> int:
        found.counters.output_tokens += "Zm0Z" in key
        return real(self, found, key=key)

    def raising(summary: Summary, x: Diagnosis, path: Path) -> None:
        if any("m1.jsonl" in (file or "") for file in x.turns["file"]):
            raise KeyError("m1")
        write(summary, x, path)

    monkeypatch.setattr(Thread, "call", mistaken)
    monkeypatch.setattr(json, "write", raising)
    monkeypatch.setattr(mutants, "ANALYSIS", {".json": ANALYSIS[".json"]})
    monkeypatch.setattr(mutants, "COMPARISON", {})
    monkeypatch.setattr(mutants, "TABLES", {})
    first, second = mutants.run(2).failures
    assert first.startswith("null at ")
    assert ": lost or changed ['msg_" in first
    assert second.startswith("list at ")
    assert ": KeyError: 'm1'" in second
