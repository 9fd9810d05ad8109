"""Codex rollouts: each call once, whichever lines tell it, and what the log says of its prompt."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import codex_lines as codex
import costscan
from codex_lines import CHILD, THREAD, counted, plus, said, used
from command import Capture
from command import said as printed
from costscan.ingest.discover import default_folders
from costscan.report import Report
from logs import write

PER_MTOK = {"plain": Decimal(5), "read": Decimal("0.5"), "out": Decimal(30)}
"""gpt-5.5 at list price."""
FIRST, SECOND, THIRD = used(1000, 0, 50, reasoned=20), used(200, 960, 30), used(300, 1152, 40, reasoned=10)


def usd(plain: int = 0, read: int = 0, out: int = 0) -> Decimal:
    told = {"plain": plain, "read": read, "out": out}
    return sum((PER_MTOK[name] * n for name, n in told.items()), Decimal(0)) / 10**6


def analyzed(path: Path, *lines: Any) -> Report:
    return costscan.analyze(write(path / "rollout-1.jsonl", *lines), workers=1)


def tokens(report: Report) -> list[tuple[Any, ...]]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens", "thinking_tokens")
    return report.turns.select(names).rows()


def test_classes_are_taken_apart_and_priced(tmp_path: Path) -> None:
    report = analyzed(
        tmp_path, codex.meta(), codex.context(), counted(FIRST), counted(SECOND, plus(FIRST, SECOND))
    )
    assert report.summary.inputs.formats == {"codex": 1}
    assert tokens(report) == [(1000, 0, 0, 50, 20), (200, 960, 0, 30, 0)]
    assert report.summary.totals.usd == usd(1200, 960, 80)
    assert report.summary.totals.usd_exact


def test_what_was_written_to_the_cache_is_inside_the_input(tmp_path: Path) -> None:
    """gpt-5.6-terra in July: 2.50 in, 3.125 written, 0.25 read, 15 out."""
    report = analyzed(
        tmp_path, codex.meta(), codex.context("gpt-5.6-terra"), counted(used(100, 200, 10, written=400))
    )
    assert tokens(report) == [(100, 200, 400, 10, 0)]
    assert report.summary.totals.usd == (100 * Decimal("2.5") + 50 + 400 * Decimal("3.125") + 150) / 10**6


def test_a_total_that_did_not_change_is_the_same_call_again(tmp_path: Path) -> None:
    lines = [counted(FIRST), counted(FIRST), counted(None), counted(SECOND, plus(FIRST, SECOND))]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *lines)
    assert report.summary.totals.usd == usd(1200, 960, 80)
    assert len(report.turns) == 2


def test_what_a_total_grew_by_beyond_the_last_call_is_a_call_that_was_not_announced(tmp_path: Path) -> None:
    lines = [counted(FIRST), counted(THIRD, plus(FIRST, SECOND, THIRD))]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *lines)
    assert tokens(report) == [(1000, 0, 0, 50, 20), (200, 960, 0, 30, 0), (300, 1152, 0, 40, 10)]
    assert report.summary.totals.usd == usd(1500, 2112, 120)


def test_of_a_total_that_fell_the_last_call_counts(tmp_path: Path) -> None:
    """A thread that was resumed counts anew: the final total would miss what came before."""
    lines = [counted(FIRST, plus(FIRST, SECOND, SECOND)), counted(THIRD, plus(FIRST, THIRD))]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *lines)
    assert tokens(report) == [(1000, 0, 0, 50, 20), (300, 1152, 0, 40, 10)]


def test_where_records_tell_the_calls_the_totals_count_nothing(tmp_path: Path) -> None:
    total = plus(FIRST, SECOND)
    lines = [codex.record("resp_1", FIRST), counted(FIRST), codex.record("resp_2", SECOND, total)]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *lines, counted(SECOND, total))
    assert len(report.turns) == 2
    assert report.summary.totals.usd == usd(1200, 960, 80)


def test_a_thread_that_an_older_version_began_keeps_what_that_counted(tmp_path: Path) -> None:
    lines = [counted(FIRST), codex.record("resp_2", SECOND, plus(FIRST, SECOND))]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *lines)
    assert report.summary.totals.usd == usd(1200, 960, 80)


def test_counts_before_the_first_record_of_a_thread_are_of_another_thread(tmp_path: Path) -> None:
    report = analyzed(tmp_path, codex.meta(), codex.context(), counted(THIRD), codex.record("resp_1", FIRST))
    assert report.summary.totals.usd == usd(1000, 0, 50)


def test_a_call_in_two_files_is_billed_once(tmp_path: Path) -> None:
    lines = [codex.meta(), codex.context(), counted(FIRST), counted(SECOND, plus(FIRST, SECOND))]
    write(tmp_path / "archived.jsonl", *lines[:-1])
    assert analyzed(tmp_path, *lines).summary.totals.usd == usd(1200, 960, 80)
    assert costscan.analyze(tmp_path, workers=1).summary.totals.usd == usd(1200, 960, 80)


def test_the_model_changes_inside_a_file(tmp_path: Path) -> None:
    """gpt-5.4 takes 2.50 in and 15 out."""
    lines = [counted(used(1000, 0, 50)), codex.context("gpt-5.4", n=2)]
    report = analyzed(
        tmp_path, codex.meta(), codex.context(), *lines, counted(used(1000, 0, 50), used(2000, 0, 100))
    )
    assert report.turns["model"].to_list() == ["gpt-5.5", "gpt-5.4"]
    assert report.summary.totals.usd == usd(1000, 0, 50) * Decimal("1.5")


def test_the_tier_holds_until_the_next_one(tmp_path: Path) -> None:
    """Priority costs 2.5 times as much."""
    total, calls = used(), []
    for tier in (None, "priority", "priority", None):
        total = plus(total, used(1000, 0, 50))
        calls += [codex.settings(tier), counted(used(1000, 0, 50), total)]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *calls)
    assert report.turns["tier"].to_list() == ["standard", "priority", "priority", "standard"]
    assert report.summary.totals.usd == usd(1000, 0, 50) * 7


def test_a_tier_beside_the_counters_of_a_call_is_that_of_the_call(tmp_path: Path) -> None:
    told = codex.record("resp_2", SECOND, plus(FIRST, SECOND))
    told["payload"]["service_tier"] = "priority"
    last = codex.record("resp_3", THIRD, plus(FIRST, SECOND, THIRD))
    report = analyzed(tmp_path, codex.meta(), codex.context(), codex.record("resp_1", FIRST), told, last)
    assert report.turns["tier"].to_list() == ["standard", "priority", "standard"]
    event = counted(FIRST)
    event["payload"]["service_tier"] = "priority"
    assert analyzed(tmp_path, codex.meta(), codex.context(), event).turns["tier"].to_list() == ["priority"]


def test_a_model_without_a_price_is_named_and_costs_nothing_known(tmp_path: Path) -> None:
    report = analyzed(tmp_path, codex.meta(), codex.context("gpt-5.3-codex-spark"), counted(FIRST))
    assert report.summary.totals.usd_exact is False
    assert report.bill["usd"].to_list() == [None, None]


def test_a_usage_whose_total_fits_nothing_is_a_lower_bound(tmp_path: Path) -> None:
    report = analyzed(tmp_path, codex.meta(), codex.context(), counted({**FIRST, "total_tokens": 5}))
    assert report.turns["usage_from"].to_list() == ["placeholder"]
    assert report.summary.totals.usd_exact is False


@pytest.mark.parametrize("damaged", [None, "many", -1, {}])
def test_a_counter_that_cannot_be_read_is_unknown(tmp_path: Path, damaged: Any) -> None:
    report = analyzed(tmp_path, codex.meta(), codex.context(), counted({**FIRST, "output_tokens": damaged}))
    assert report.turns["usage_from"].to_list() == ["unreported"]
    assert report.turns["output_tokens"].to_list() == [None]


def test_only_a_search_of_the_web_has_a_fee(tmp_path: Path) -> None:
    """10 USD per thousand searches; to open a page costs nothing beside its tokens."""
    actions = [{"type": "search", "query": "tides"}, {"type": "open_page"}, {"type": "find_in_page"}]
    calls = [codex.item("web_search_call", action=action) for action in actions]
    report = analyzed(tmp_path, codex.meta(), codex.context(), *calls, counted(FIRST))
    assert report.turns["web_searches"].to_list() == [1]
    assert report.summary.totals.usd == usd(1000, 0, 50) + Decimal("0.01")


STORY: list[Any] = [
    codex.meta(base_instructions={"text": "You are a careful harbour clerk."}),
    codex.item("additional_tools", tools=[{"type": "namespace", "tools": [{"name": "exec", "a": "b"}]}]),
    codex.context(),
    said("developer", "<permissions instructions> ask before you write", 1),
    said("user", "<environment_context>\n  <cwd>/src/ports</cwd>", 1),
    said("user", "List the 3 largest ports.", 2),
    codex.item("reasoning", 5, summary=[], encrypted_content="x" * 400),
    codex.item("function_call", 6, name="exec", arguments='{"cmd":"ls"}', call_id="call_1"),
    codex.item("function_call_output", 8, call_id="call_1", output="porto hamburg antwerp"),
    counted(FIRST, second=9),
    said("assistant", "Antwerp, Hamburg, Porto.", 12),
    counted(SECOND, plus(FIRST, SECOND), 13),
]


def test_what_was_sent_and_written_is_known(tmp_path: Path) -> None:
    report = analyzed(tmp_path, *STORY)
    blocks = report.blocks
    kinds = {kind: blocks.filter(kind=kind) for kind in ("system", "tool_def", "tool_use", "tool_result")}
    assert [len(found) for found in kinds.values()] == [1, 1, 1, 1]
    assert kinds["tool_result"]["tool"].to_list() == ["exec"]
    assert blocks.filter(pl.col("kind").is_in(["tool_use", "thinking"]))["tokens"].sum() == 50
    # The result stands before the line that counts the call it answers, and is sent with the next one.
    assert kinds["tool_result"]["turn_in"].to_list() == [1]
    assert blocks.filter(pl.col("role") == "assistant", kind="text")["turn_in"].to_list() == [2]


def test_a_call_lasts_from_what_was_sent_to_what_was_written(tmp_path: Path) -> None:
    lasted = analyzed(tmp_path, *STORY).turns.select(pl.col("at").dt.second(), "duration_s").rows()
    assert lasted == [(2, 4.0), (8, 4.0)]


def test_its_names_are_those_of_the_log(tmp_path: Path) -> None:
    (run,) = analyzed(tmp_path, *STORY).runs.to_dicts()
    assert (run["run_id"], run["project"], run["branch"]) == (THREAD, "/src/ports", "main")
    assert run["task"] == "List the # largest ports."


def test_a_compaction_ends_a_context(tmp_path: Path) -> None:
    kept = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "A summary."}]}
    again = [codex.line("compacted", {"message": "", "replacement_history": [kept]}), said("user", "Go on.")]
    report = analyzed(tmp_path, *STORY, *again, counted(THIRD, plus(FIRST, SECOND, THIRD)))
    assert report.blocks.filter(kind="tool_result").select("turn_in", "turn_out").rows() == [(1, 2)]
    assert report.blocks.filter(role="user", kind="text", turn_in=2)["turn_out"].to_list() == [3, 3]


def spawned(thread: str = CHILD, **more: Any) -> Any:
    told = {"thread_spawn": {"parent_thread_id": THREAD, "agent_role": "worker"}}
    return codex.meta(thread, source={"subagent": told}, **more)


def test_a_sub_agent_is_a_run_under_its_parent(tmp_path: Path) -> None:
    write(tmp_path / "rollout-2.jsonl", spawned(), codex.context(thread=CHILD), counted(SECOND))
    analyzed(tmp_path, *STORY)
    report = costscan.analyze(tmp_path, workers=1)
    assert report.summary.totals.usd == usd(1400, 1920, 110)
    assert report.runs.select("run_id", "root_run_id", "agent").sort("run_id").rows() == [
        (THREAD, THREAD, None),
        (CHILD, THREAD, "worker"),
    ]


def test_what_a_fork_copied_is_billed_to_the_thread_it_came_from(tmp_path: Path) -> None:
    """The copy comes with its usage; of it nothing counts, whether its own file is there or not."""
    fork = [
        codex.meta(CHILD),
        *STORY,
        codex.context(n=1, thread=CHILD),
        counted(THIRD, plus(FIRST, SECOND, THIRD)),
    ]
    alone = analyzed(tmp_path, *fork)
    assert tokens(alone) == [(300, 1152, 0, 40, 10)]
    assert alone.turns["run_id"].to_list() == [CHILD]
    write(tmp_path / "rollout-0.jsonl", *STORY)
    assert costscan.analyze(tmp_path, workers=1).summary.totals.usd == usd(1500, 2112, 120)


@pytest.mark.whole
def test_levers_are_worked_out(tmp_path: Path) -> None:
    scenario = analyzed(tmp_path, *STORY).summary.scenario("all")
    assert scenario is not None
    assert (scenario.saved_usd, scenario.reason) == (Decimal(0), None)


@pytest.mark.replayed
def test_the_cache_of_others_proves_no_side_calls(tmp_path: Path) -> None:
    """Its first prompt was read from what other threads had cached, which no rule foresees."""
    report = analyzed(tmp_path, codex.meta(), codex.context(), counted(used(10, 5000, 5)), counted(THIRD))
    replayed = report.summary.replay
    assert (replayed.turns, replayed.side_calls) == (None, None)


def test_usage_and_analyze_agree(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "rollout-1.jsonl", *STORY)
    (total,) = json.loads(printed(capsys, "usage", str(path), "--json"))["rows"]
    assert Decimal(str(total["usd"])) == usd(1200, 960, 80) == costscan.analyze(path).summary.totals.usd


def test_lines_that_tell_no_call_are_known_and_others_are_counted(tmp_path: Path) -> None:
    known = [codex.line("world_state", {"full": True}), codex.line("event_msg", {"type": "agent_message"})]
    report = analyzed(tmp_path, *STORY, *known, codex.line("hologram", {"type": "x"}), {"type": "hm"})
    assert report.summary.inputs.unknown_lines == 2


@pytest.mark.parametrize("own", [True, False])
def test_its_logs_are_found_where_it_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, own: bool
) -> None:
    """In `$CODEX_HOME` where that is set, else in `~/.codex`; archived ones too."""
    home = tmp_path / ("own" if own else "home/.codex")
    for folder in ("sessions/2026/07/01", "archived_sessions"):
        (home / folder).mkdir(parents=True)
        write(home / folder / "rollout-1.jsonl", *STORY)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    monkeypatch.delenv("CODEX_HOME", raising=False)
    if own:
        monkeypatch.setenv("CODEX_HOME", str(home))
    assert default_folders() == [str(home / "sessions"), str(home / "archived_sessions")]
