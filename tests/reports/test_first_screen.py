"""The first screen: what to do first, on one screen, and every line of it within the width."""

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import pytest

from billed import ROOT
from command import Capture, logs_of, said
from costscan.reports.analysis.first_screen import first_screen
from costscan.reports.text.sanitize import cells
from costscan.summary import Summary
from logs import assistant, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")
MOST_LINES = 45


@pytest.fixture(scope="module")
def samples() -> Iterator[Summary]:
    with chdir(ROOT), logs_of("sample_logs") as (_, summary):
        yield summary


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_it_is_one_screen_within_its_width(samples: Summary, width: int) -> None:
    lines = [line.plain for line in first_screen(samples, width)]
    assert max(map(cells, lines)) <= width
    if width >= 100:
        assert len(lines) <= MOST_LINES


def test_a_long_path_takes_the_place_of_a_run(samples: Summary) -> None:
    deep = replace(samples, paths=("/a-folder-of-a-long-name" * 5, "/another" * 20))
    assert len(first_screen(deep, 100)) <= MOST_LINES
    assert "FIX FIRST" in "\n".join(line.plain for line in first_screen(deep, 100))


def test_what_runs_could_be_is_the_bill_less_all_actions(samples: Summary) -> None:
    saved = sum((one.saved_usd for one in samples.after_actions.values()), Decimal(0))
    every = sum((action["saved_usd"] for action in samples.actions), Decimal(0))
    # Runs that all actions together make more expensive are in the sum, and have no action of their own.
    assert every <= saved <= every * Decimal("1.01")
    ranks = {action["rank"] for action in samples.actions}
    assert {one.top_action for one in samples.after_actions.values()} <= ranks


def test_it_leads_with_what_to_do(capsys: Capture) -> None:
    shown = said(capsys, "analyze", str(ROOT / "sample_logs/bloated-tool-result"), brief=True)
    head, _, rest = shown.partition("FIX FIRST")
    assert "CAN SAVE" in head
    assert "1  Limit mcp__logs__search to 4,000 tokens" in rest
    assert '"MAX_MCP_OUTPUT_TOKENS": "4000"' in rest


def test_a_healthy_log_is_told_so(capsys: Capture) -> None:
    shown = said(capsys, "analyze", str(ROOT / "sample_logs/healthy-cached-run"), brief=True)
    assert "CAN SAVE    nothing" in shown
    assert "FIRST" not in shown
    assert "✓ 45 lines, none skipped" in shown


def test_runs_without_known_cache_rules_take_nothing_from_what_the_others_could_save(
    capsys: Capture, tmp_path: Path
) -> None:
    copytree(ROOT / "sample_logs/bloated-tool-result", tmp_path / "logs")
    write(
        tmp_path / "logs/other.jsonl", user(sessionId="o"), assistant(model="gemini-2.5-pro", sessionId="o")
    )
    shown = said(capsys, "analyze", str(tmp_path / "logs"), brief=True)
    head = shown.partition("CAN SAVE")[2].splitlines()
    assert "by settings alone" in head[0]
    assert "only batching is worked out for 1 of 2 runs and sub-agents: no known cache rules for" in head[1]


def test_what_is_not_known_has_a_mark(capsys: Capture, tmp_path: Path) -> None:
    log = write(tmp_path / "s1.jsonl", user(), assistant(model="nova-9"), user(), assistant("msg_2"))
    shown = said(capsys, "analyze", str(log), brief=True)
    assert "! prices 2026-00-00, list, 1 call not fully priced" in shown
    assert "✓ 4 lines, none skipped" in shown
