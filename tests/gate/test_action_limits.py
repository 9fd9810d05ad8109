"""Limits on actions: how many there are and what they would save, of logs alone."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import NO_LEVERS, Capture, said
from costscan.errors import CostscanError
from costscan.gate import compare, limits
from costscan.gate_pipeline import Read, refuse_unfound
from costscan.summary.model import Defect
from sides import Run, side

IDLE = "sample_logs/idle-hour"


def action(title: str, usd: str, risk: str) -> dict[str, Any]:
    return {"title": title, "saved_usd": Decimal(usd), "risk": risk}


ACTIONS = [action("cap", "1.25", "none"), action("ttl", "2.5", "low"), action("haiku", "4", "needs-eval")]


@pytest.mark.parametrize(
    ("word", "value", "member", "verdict"),
    [
        ("actions:2", 3.0, "haiku", "failed"),
        ("actions:3", 3.0, "haiku", "passed"),
        ("safe_actions:0", 2.0, "ttl", "failed"),
        ("actions_usd:7.75", 7.75, "haiku", "passed"),
        ("actions_usd:7.74", 7.75, "haiku", "failed"),
        ("safe_actions_usd:3", 3.75, "ttl", "failed"),
    ],
)
def test_ceilings(word: str, value: float, member: str, verdict: str) -> None:
    logs = replace(side(Run("a", usd="9")), actions=ACTIONS)
    (found,) = compare(None, logs, limits([("", word)], [])).limits
    assert (found.after, found.member, found.verdict) == (value, member, verdict)


def test_logs_without_an_action_pass() -> None:
    for word in ("actions:0", "safe_actions:0", "actions_usd:0"):
        (found,) = compare(None, replace(side(Run("a")), actions=[]), limits([("", word)], [])).limits
        assert (found.after, found.member, found.verdict) == (0.0, None, "passed")


def test_what_is_not_known_does_not_pass() -> None:
    """A report tells no actions, some runs of one neither, and a call without a price saves nobody knows what."""
    logs = replace(side(Run("a", task="x", usd="1"), Run("b", task="y", usd="1")), actions=ACTIONS)
    unpriced = replace(side(Run("a", unpriced_turns=2)), actions=[])
    for sides, word in (
        (side(Run("a")), "actions:9"),
        (logs.of(["x"]), "actions:9"),
        (unpriced, "actions_usd:9"),
    ):
        (found,) = compare(None, sides, limits([("", word)], [])).limits
        assert found.verdict == "undecided"
        assert found.why


def test_actions_that_could_not_be_worked_out_hold_no_limit(capsys: Capture, in_repository: Path) -> None:
    class Told:
        defects = (Defect("scenario caching", "a defect"),)

    read = Read(side(Run("a")), Told())  # type: ignore[arg-type]
    for word in ("actions:9", "safe_actions_usd:9"):
        with pytest.raises(CostscanError, match="scenario caching"):
            refuse_unfound(limits([("", word)], []), read)
    refuse_unfound(limits([("", "findings:9")], []), read)


def test_the_command(capsys: Capture, in_repository: Path, tmp_path: Path) -> None:
    whole = json.loads(said(capsys, "analyze", IDLE, "--json"))["actions"]
    assert whole
    text = said(capsys, "check", IDLE, "--fail-on", "actions:0", code=1)
    assert f"actions is {len(whole)} ({whole[0]['title']}), allowed is at most 0" in " ".join(text.split())
    saved = sum(one["saved_usd"] for one in whole)
    said(capsys, "check", IDLE, "--fail-on", f"actions_usd:{saved + 0.001:.6f}")
    found = said(
        capsys, "check", IDLE, "--fail-on", "actions_usd:0.01", "-o", str(tmp_path / "j.xml"), code=1
    )
    assert "allowed is at most $0.0100" in " ".join(found.split())
    said(capsys, "analyze", IDLE, "-o", str(tmp_path / "r.parquet"), *NO_LEVERS)
    said(capsys, "check", str(tmp_path / "r.parquet"), "--fail-on", "actions:5", code=3)
