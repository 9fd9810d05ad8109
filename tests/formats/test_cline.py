"""Tasks of Cline and Roo Code: requests whose counters mean different things."""

from decimal import Decimal
from pathlib import Path

import pytest

import costscan
from cline_tasks import ANTHROPIC, USD, USED, T, asked, read, roo, says, tagged, task
from command import Capture
from costscan.formats.cline import FORMAT
from costscan.ingest.walk import is_log
from logs import HAIKU, Json, usd
from other_agents import recorded, taken_by, tokens


def test_counters_of_cline_stand_side_by_side(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, asked(USED, **ANTHROPIC))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.turns["thinking_tokens"].to_list() == [None]
    assert report.summary.totals.usd == USD == Decimal("0.001125")
    assert report.summary.totals.usd_exact
    assert recorded(report.turns) == [USD]
    assert report.runs.select("run_id", "task").rows() == [("1793613600000", "Fix the login.")]
    assert str(report.turns["at"][0]).startswith("2026-11-02 10:00:00")


@pytest.mark.parametrize(
    ("info", "more", "wanted"),
    [
        pytest.param({"apiProtocol": "openai", "tokensIn": 4_400}, {}, (100, 300), id="all inside"),
        pytest.param({"apiProtocol": "anthropic", "tokensIn": 4_400}, {}, (100, 300), id="from 3.29.5"),
        pytest.param({"apiProtocol": "anthropic", "tokensIn": 100}, {}, (100, 300), id="before 3.29.5"),
        pytest.param({"apiProtocol": "openai", "tokensIn": 100}, {}, (100, 300), id="Bedrock, wrongly told"),
        pytest.param(
            {"tokensIn": 4_400},
            {"modelInfo": {"providerId": "openai", "modelId": HAIKU}},
            (100, 300),
            id="like OpenAI",
        ),
        pytest.param(
            {"tokensIn": 9_000},
            {"modelInfo": {"providerId": "anthropic", "modelId": HAIKU}},
            (9_000, 300),
            id="much fresh",
        ),
        pytest.param(
            {"tokensIn": 0, "cacheWrites": 700},
            {"modelInfo": {"providerId": "deepseek", "modelId": "deepseek-chat"}},
            (700, 0),
            id="what DeepSeek's cache missed",
        ),
    ],
)
def test_what_went_in_is_counted_once(
    tmp_path: Path, capsys: Capture, info: Json, more: Json, wanted: tuple[int, int]
) -> None:
    history = [tagged(HAIKU, T + 24)]
    report = read(capsys, tmp_path, asked({**USED, **info}, **more), api_conversation_history=history)
    plain, written = wanted
    assert tokens(report.turns) == [(plain, 4_000, written, 0, 50)]
    assert report.turns["usage_from"].to_list() == ["reported"]


def test_where_nothing_tells_the_way_the_least_is_a_lower_bound(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, asked({**USED, "tokensIn": 9_000}))
    assert tokens(report.turns) == [(4_700, 4_000, 300, 0, 50)]
    assert report.turns["usage_from"].to_list() == ["placeholder"]


def test_thoughts_of_gemini_are_missing(tmp_path: Path, capsys: Capture) -> None:
    gemini: Json = {"modelInfo": {"providerId": "gemini", "modelId": "gemini-2.5-flash"}}
    report = read(capsys, tmp_path, asked({**USED, "cacheWrites": 0}, **gemini))
    assert not report.summary.totals.usd_exact
    assert report.turns["usage_from"].to_list() == ["placeholder"]


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({"request": "x"}, id="running"),
        pytest.param({"request": "x", "tokensIn": 5}, id="counted so far"),
        pytest.param({"apiProtocol": "openai"}, id="aborted"),
        pytest.param({**USED, **dict.fromkeys(USED, 0)}, id="refused"),
        pytest.param({"cancelReason": "user_cancelled"}, id="cancelled"),
    ],
)
def test_a_request_without_an_answer_is_told_and_is_no_call(
    tmp_path: Path, capsys: Capture, info: Json
) -> None:
    report = read(capsys, tmp_path, asked(USED, **ANTHROPIC), asked(info, T + 9, **ANTHROPIC))
    assert report.turns.height == 1
    unknown = {"kind": "a request without an answer", "other": False, "lines": 1, "files": 1}
    assert report.summary.inputs.unknown == [unknown]


def test_a_cancelled_request_with_counters_is_billed(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, asked({**USED, "cancelReason": "user_cancelled"}, **ANTHROPIC))
    assert report.summary.totals.usd == USD


def test_a_counter_that_cannot_be_read_is_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, asked({**USED, "tokensIn": "many"}, **ANTHROPIC))
    assert tokens(report.turns) == [(None, 4_000, 300, 0, 50)]
    assert not report.summary.totals.usd_exact


def test_the_oldest_versions_tell_the_counters_at_the_end(tmp_path: Path, capsys: Capture) -> None:
    counted = {"tokensIn": 100, "tokensOut": 50, "cost": 0.00035}
    report = read(
        capsys, tmp_path, asked({"request": "x"}, **ANTHROPIC), says("api_req_finished", counted, T + 5)
    )
    assert tokens(report.turns) == [(100, 0, 0, 0, 50)]
    assert report.summary.inputs.unknown == []


@pytest.mark.parametrize("kind", ["deleted_api_reqs", "subagent_usage", "api_req_deleted"])
def test_sums_of_calls_that_are_gone_are_billed_beside_the_logged_ones(
    tmp_path: Path, capsys: Capture, kind: str
) -> None:
    gone = {"tokensIn": 1_000, "tokensOut": 100, "cacheReads": 2_000, "cacheWrites": 0, "cost": 0.0017}
    report = read(capsys, tmp_path, asked(USED, **ANTHROPIC), says(kind, gone, T + 9))
    rest = usd(HAIKU, **{"in": 1_000}, read=2_000, out=100)
    assert rest == Decimal("0.0017")
    assert report.turns["run_id"].to_list() == ["1793613600000", "1793613600000/unlogged"]
    assert tokens(report.turns)[1] == (1_000, 2_000, 0, 0, 100)
    assert report.summary.totals.usd == USD + rest
    assert report.summary.totals.usd_exact
    assert report.summary.totals.recorded_usd == USD + rest


def test_a_sum_of_several_models_is_of_an_unknown_one(tmp_path: Path, capsys: Capture) -> None:
    other = {"modelInfo": {"providerId": "anthropic", "modelId": "claude-sonnet-4-6"}}
    gone = {"tokensIn": 1_000, "tokensOut": 100, "cost": 0.5}
    report = read(
        capsys,
        tmp_path,
        asked(USED, **ANTHROPIC),
        asked(USED, T + 1, **other),
        says("deleted_api_reqs", gone, T + 9),
    )
    last = report.turns.filter(report.turns["run_id"].str.ends_with("unlogged"))
    assert last.select("model", "input_tokens", "output_tokens").rows() == [("unknown", 1_000, 100)]
    assert (
        report.summary.totals.usd == USD * 4
    )  # a call of Haiku and one of Sonnet, at three times its prices
    assert not report.summary.totals.usd_exact


def test_what_a_summary_cost_is_told_beside_the_bill(tmp_path: Path, capsys: Capture) -> None:
    summary = says("condense_context", "", T + 9, contextCondense={"cost": 0.25, "summary": "Two files."})
    report = read(
        capsys,
        tmp_path,
        roo({**USED, "tokensIn": 4_400}),
        summary,
        api_conversation_history=[tagged(HAIKU, T)],
    )
    assert report.summary.totals.usd == USD
    assert report.summary.totals.unproven_recorded_usd == Decimal("0.25")


def test_counters_in_the_place_of_times_are_no_times(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, asked(USED, 7, **ANTHROPIC))
    assert report.turns["at"].to_list() == [None]


def test_a_task_that_was_copied_counts_once(tmp_path: Path) -> None:
    for copy in ("a", "b"):
        task(tmp_path / copy, [says("task", "Fix it."), asked(USED, **ANTHROPIC)])
    assert costscan.analyze(tmp_path, workers=1).summary.totals.usd == USD


def test_the_files_beside_a_task_are_no_logs_of_their_own(tmp_path: Path) -> None:
    task(
        tmp_path,
        [says("task", "Fix it."), asked(USED, **ANTHROPIC)],
        api_conversation_history=[tagged(HAIKU, T)],
    )
    report = costscan.analyze(tmp_path, workers=1)
    assert report.summary.inputs.formats == {"cline": 1}
    assert report.summary.inputs.skipped == []
    assert [name for name in FORMAT.beside if is_log(tmp_path / name)] == []


def test_no_other_format_takes_its_messages() -> None:
    for line in (says("task", "x"), asked(USED), {"ts": T, "type": "ask", "ask": "tool", "text": "{}"}):
        assert taken_by(line) == ["cline"]
    assert taken_by({"type": "say", "say": None, "ts": T}) == []
