"""ATIF trajectories: what is in the prompt counter, which steps are calls, and what the totals have beyond them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import Capture
from costscan.report import Report
from logs import HAIKU, Json, usd
from other_agents import read_lines, recorded, taken_by, tokens

USED: Json = {"prompt_tokens": 4_100, "cached_tokens": 4_000, "completion_tokens": 50, "cost_usd": 0.5}
USD = usd(HAIKU, **{"in": 100}, read=4_000, out=50)
ASKED: Json = {"step_id": 1, "source": "user", "message": "Count the ports."}


def step(metrics: Json | None = USED, number: int = 2, **more: Any) -> Json:
    return {
        "step_id": number,
        "timestamp": f"2026-11-02T10:00:{number:02d}Z",
        "source": "agent",
        "message": "I look.",
        **({} if metrics is None else {"metrics": metrics}),
        **more,
    }


def trajectory(*steps: Json, **more: Any) -> Json:
    agent = {"name": "terminus-2", "version": "2.0.0", "model_name": f"anthropic/{HAIKU}"}
    return {
        "schema_version": "ATIF-v1.6",
        "session_id": "s1",
        "agent": agent,
        "steps": [ASKED, *steps],
        **more,
    }


def written(tokens: int, prompt: int, **extra: Any) -> Json:
    return {**USED, "prompt_tokens": prompt, "extra": {"cache_creation_input_tokens": tokens, **extra}}


def read(capsys: Capture, folder: Path, *steps: Json, **more: Any) -> Report:
    return read_lines(capsys, folder, trajectory(*steps, **more))


def test_the_prompt_holds_what_was_cached(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, step())
    assert tokens(report.turns) == [(100, 4_000, 0, 0, 50)]
    assert report.summary.totals.usd == USD == Decimal("0.00075")
    assert recorded(report.turns) == [Decimal("0.5")]
    assert report.runs.select("run_id", "task").rows() == [("s1", "Count the ports.")]
    assert report.turns["model"].to_list() == ["claude-haiku-4-5"]


def test_writes_are_in_the_prompt_by_the_specification(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, step(written(300, 4_400)))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]


def test_older_converters_leave_writes_out_of_all_prompts(tmp_path: Path, capsys: Capture) -> None:
    """The first step tells: 300 tokens cannot be among the 100 that were not read."""
    report = read(capsys, tmp_path, step(written(300, 4_100)), step(written(60, 4_100), 3))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50), (100, 4_000, 60, 0, 50)]


def test_writes_keep_their_lifetimes(tmp_path: Path, capsys: Capture) -> None:
    split = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}
    report = read(capsys, tmp_path, step(written(300, 4_400, cache_creation=split, service_tier="batch")))
    assert tokens(report.turns) == [(100, 4_000, 100, 200, 50)]
    assert report.turns["tier"].to_list() == ["batch"]


@pytest.mark.parametrize(
    ("metrics", "wanted"),
    [
        pytest.param({"completion_tokens": 50}, (None, None, 0, 0, 50), id="no prompt"),
        pytest.param({"prompt_tokens": 9, "completion_tokens": 5}, (None, None, 0, 0, 5), id="no cache"),
        pytest.param(
            {"prompt_tokens": 9, "cached_tokens": 10}, (None, None, None, None, None), id="impossible"
        ),
        pytest.param({"prompt_tokens": "x", "completion_tokens": 1}, (None, None, 0, 0, 1), id="no number"),
        pytest.param({"cost_usd": 0.1}, (None, None, 0, 0, None), id="dollars alone"),
    ],
)
def test_what_a_step_leaves_out_is_unknown(
    tmp_path: Path, capsys: Capture, metrics: Json, wanted: tuple[int | None, ...]
) -> None:
    report = read(capsys, tmp_path, step(metrics))
    assert tokens(report.turns) == [wanted]
    assert not report.summary.totals.usd_exact


def test_a_step_without_cached_tokens_read_nothing_where_others_tell_them(
    tmp_path: Path, capsys: Capture
) -> None:
    """A converter leaves zeros out: the step in Harbor's own sample costs just what it says."""
    plain = {"prompt_tokens": 682, "completion_tokens": 60}
    report = read(capsys, tmp_path, step(plain), final_metrics={"total_cached_tokens": 0})
    assert tokens(report.turns) == [(682, 0, 0, 0, 60)]
    assert tokens(read(capsys, tmp_path, step(), step(plain, 3)).turns)[1] == (682, 0, 0, 0, 60)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(step(None, 3), id="no metrics"),
        pytest.param(step({**USED}, 3, is_copied_context=True), id="copied"),
        pytest.param(step({**USED}, 3, llm_call_count=0), id="no model"),
        pytest.param(step({"logprobs": [0.5]}, 3), id="no usage"),
    ],
)
def test_a_step_that_is_no_call_is_not_billed(tmp_path: Path, capsys: Capture, other: Json) -> None:
    assert read(capsys, tmp_path, step(), other).summary.totals.usd == USD


def test_results_come_into_the_prompt_of_the_next_call(tmp_path: Path, capsys: Capture) -> None:
    calls = [{"tool_call_id": "c1", "function_name": "bash", "arguments": {"command": "ls"}}]
    results = [{"source_call_id": "c1", "content": [{"type": "text", "text": "ports.txt"}]}]
    looks = step(reasoning_content="Hm.", tool_calls=calls, observation={"results": results})
    system = {"step_id": 0, "source": "system", "message": "You count."}
    report = read_lines(
        capsys,
        tmp_path,
        {**trajectory(looks, step(number=3)), "steps": [system, ASKED, looks, step(number=3)]},
    )
    assert report.blocks.filter(kind="tool_result").select("tool", "turn_in", "chars").rows() == [
        ("bash", 1, 9)
    ]
    assert report.blocks.filter(kind="system")["chars"].to_list() == [10]
    assert report.blocks.filter(kind="thinking")["turn_in"].to_list() == [1]
    assert report.turns["stop_reason"].to_list() == ["tool_use", "end_turn"]


def test_trajectories_inside_are_runs_under_it(tmp_path: Path, capsys: Capture) -> None:
    inside = {**trajectory(step()), "trajectory_id": "t2"}
    report = read(capsys, tmp_path, step(), trajectory_id="t1", subagent_trajectories=[inside, "x"])
    assert report.runs.select("run_id", "root_run_id", "parent_run_id").sort("run_id").rows() == [
        ("t1", "t1", None),
        ("t2", "t1", "t1"),
    ]
    assert report.summary.totals.usd == 2 * USD


def test_side_chains_of_claude_code_are_runs_under_it(tmp_path: Path, capsys: Capture) -> None:
    side = {"is_sidechain": True}
    report = read(capsys, tmp_path, step(), step(number=3, extra=side), step(number=4, extra=side))
    assert report.turns["run_id"].to_list() == ["s1", "s1/side chain", "s1/side chain"]


def test_totals_beyond_the_steps_are_billed_as_unlogged(tmp_path: Path, capsys: Capture) -> None:
    """A summary that the agent asked for is in no step."""
    final = {"total_prompt_tokens": 5_100, "total_cached_tokens": 4_000, "total_completion_tokens": 70}
    report = read(capsys, tmp_path, step(), final_metrics=final)
    assert report.turns["run_id"].to_list() == ["s1", "s1/unlogged"]
    assert tokens(report.turns)[1] == (1_000, 0, 0, 0, 20)
    assert report.summary.totals.usd == USD + usd(HAIKU, **{"in": 1_000}, out=20)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([step(written(300, 4_400))], id="inside"),
        pytest.param([step(written(300, 4_100))], id="outside"),
    ],
)
def test_totals_that_are_the_sum_of_the_steps_add_nothing(
    tmp_path: Path, capsys: Capture, steps: list[Json]
) -> None:
    prompt = sum(one["metrics"]["prompt_tokens"] for one in steps)
    final = {"total_prompt_tokens": prompt, "total_cached_tokens": 4_000, "total_completion_tokens": 50}
    report = read(capsys, tmp_path, *steps, final_metrics={**final, "total_cost_usd": 0.001125})
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.recorded_usd == Decimal("0.001125") == report.summary.totals.usd
    assert report.summary.totals.unproven_recorded_usd == 0


def test_a_trajectory_of_totals_alone_is_billed(tmp_path: Path, capsys: Capture) -> None:
    final = {"total_prompt_tokens": 4_100, "total_cached_tokens": 4_000, "total_completion_tokens": 50}
    report = read(capsys, tmp_path, step(None), final_metrics=final)
    assert report.turns["run_id"].to_list() == ["s1/unlogged"]
    assert report.summary.totals.usd == USD


def test_totals_of_what_was_copied_are_no_bill(tmp_path: Path, capsys: Capture) -> None:
    final = {"total_prompt_tokens": 9_000, "total_completion_tokens": 500}
    report = read(capsys, tmp_path, step(is_copied_context=True), step(number=3), final_metrics=final)
    assert report.summary.totals.usd == USD


def test_a_trajectory_in_two_files_counts_once(tmp_path: Path, capsys: Capture) -> None:
    assert read_lines(capsys, tmp_path, trajectory(step()), trajectory(step())).summary.totals.usd == USD


def test_no_other_format_takes_a_trajectory() -> None:
    assert taken_by(trajectory(step())) == ["atif"]
    assert taken_by({"schema_version": 1, "steps": []}) == []
