"""Runs of LangSmith: where their usage stands, what it means, and which runs are calls."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from command import Capture
from logs import HAIKU, Json, usd, write
from other_agents import read_alike, read_lines, recorded, taken_by, tokens
from tables_of import parquet_at

DETAILS: Json = {"cache_read": 4_000, "cache_creation": 300}
USED: Json = {
    "input_tokens": 4_400,
    "output_tokens": 50,
    "total_tokens": 4_450,
    "input_token_details": DETAILS,
}
USD = usd(HAIKU, **{"in": 100}, read=4_000, w5m=300, out=50)


def lc(kind: str, content: Any, **more: Any) -> Json:
    """Return a message as LangChain writes it."""
    name = {"human": "HumanMessage", "ai": "AIMessage", "tool": "ToolMessage", "system": "SystemMessage"}[
        kind
    ]
    return {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", name],
        "kwargs": {"content": content, "type": kind, **more},
    }


ASKED = lc("human", "Count the ports.")


def generated(usage: Json | None = USED, **more: Any) -> Json:
    about = {"model_name": HAIKU, "stop_reason": "end_turn"}
    told = {} if usage is None else {"usage_metadata": usage}
    return {
        "generations": [
            [{"text": "Two.", "message": lc("ai", "Two.", response_metadata=about, **told, **more)}]
        ]
    }


def run(outputs: Json | None = None, name: str = "r1", **more: Any) -> Json:
    return {
        "id": name,
        "name": "ChatAnthropic",
        "run_type": "llm",
        "trace_id": "t1",
        "dotted_order": f"20261102T100000000000Z{name}",
        "parent_run_id": "t1",
        "start_time": "2026-11-02T10:00:00.000000",
        "end_time": "2026-11-02T10:00:02.000000",
        "status": "success",
        "inputs": {"messages": [[ASKED]]},
        "outputs": generated() if outputs is None else outputs,
        "extra": {"metadata": {"ls_provider": "anthropic", "ls_model_name": "claude-haiku-4-5"}},
        "total_cost": "0.5",
        **more,
    }


ROOT: Json = {
    "id": "t1",
    "name": "count ports",
    "run_type": "chain",
    "trace_id": "t1",
    "parent_run_id": None,
    "total_tokens": 4_450,
}


def test_input_tokens_are_all_that_went_in(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, ROOT, run())
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.usd == USD == Decimal("0.001125")
    assert recorded(report.turns) == [Decimal("0.5")]
    assert report.turns.select("model", "stop_reason", "duration_s").rows() == [
        ("claude-haiku-4-5", "end_turn", 2.0)
    ]
    assert report.runs.select("run_id", "task").rows() == [("t1", "count ports")]


@pytest.mark.parametrize(
    ("details", "wanted"),
    [
        pytest.param(
            {
                "cache_read": 4_000,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 100,
                "ephemeral_1h_input_tokens": 200,
            },
            (100, 4_000, 100, 200),
            id="split in its place",
        ),
        pytest.param(
            {
                "cache_read": 4_000,
                "cache_creation": 300,
                "ephemeral_5m_input_tokens": 100,
                "ephemeral_1h_input_tokens": 200,
            },
            (100, 4_000, 100, 200),
            id="split beside it",
        ),
        pytest.param(
            {"cache_read": 4_000, "ephemeral_1h_input_tokens": 300}, (100, 4_000, 0, 300), id="zeros left out"
        ),
        pytest.param({"cache_read": 4_000, "cache_write": 300}, (100, 4_000, 300, 0), id="another name"),
        pytest.param({"audio": 0, "cache_read": 4_000}, (400, 4_000, 0, 0), id="OpenAI"),
        pytest.param({}, (4_400, 0, 0, 0), id="nothing cached"),
    ],
)
def test_details_of_versions_mean_the_same(
    tmp_path: Path, capsys: Capture, details: Json, wanted: tuple[int, ...]
) -> None:
    told = run(generated({**USED, "input_token_details": details}))
    report = read_lines(capsys, tmp_path, told)
    assert tokens(report.turns) == [(*wanted, 50)]
    assert report.turns["usage_from"].to_list() == ["reported"]


@pytest.mark.parametrize(
    ("plain", "fresh"),
    [pytest.param(4_100, 100, id="writes left out"), pytest.param(100, 100, id="all of the cache left out")],
)
def test_where_the_cache_does_not_fit_in_the_call_is_a_lower_bound(
    tmp_path: Path, capsys: Capture, plain: int, fresh: int
) -> None:
    report = read_lines(capsys, tmp_path, run(generated({**USED, "input_tokens": plain})))
    assert tokens(report.turns) == [(fresh, 4_000, 300, 0, 50)]
    assert report.turns["usage_from"].to_list() == ["placeholder"]


def test_without_details_what_was_cached_is_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, run(generated({"input_tokens": 9, "output_tokens": 5})))
    assert tokens(report.turns) == [(None, None, None, None, 5)]
    assert not report.summary.totals.usd_exact


CHAT: Json = {
    "model": HAIKU,
    "choices": [{"message": {"role": "assistant", "content": "Two."}, "finish_reason": "stop"}],
}
OPENAI: Json = {
    "prompt_tokens": 4_100,
    "completion_tokens": 50,
    "total_tokens": 4_150,
    "prompt_tokens_details": {"cached_tokens": 4_000},
}
ANTHROPIC: Json = {
    "input_tokens": 100,
    "output_tokens": 50,
    "cache_read_input_tokens": 4_000,
    "cache_creation_input_tokens": 300,
}
COUNTED: Json = {"prompt_tokens": 4_400, "completion_tokens": 50, "total_tokens": 4_450}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        pytest.param(run({**CHAT, "usage_metadata": USED}), (100, 4_000, 300, 0, 50), id="in the outputs"),
        pytest.param(
            run({"message": {"role": "assistant", "content": "Two.", "usage_metadata": USED}}),
            (100, 4_000, 300, 0, 50),
            id="in a message",
        ),
        pytest.param(
            run({**CHAT}, extra={"metadata": {"usage_metadata": USED}}),
            (100, 4_000, 300, 0, 50),
            id="in the metadata",
        ),
        pytest.param(run({**CHAT, "usage": OPENAI}), (100, 4_000, 0, 0, 50), id="of OpenAI"),
        pytest.param(
            run({**generated(None), "llm_output": {"token_usage": OPENAI}}),
            (100, 4_000, 0, 0, 50),
            id="LangChain, old",
        ),
        pytest.param(
            run({**generated(None), "llm_output": {"usage": ANTHROPIC}}),
            (100, 4_000, 300, 0, 50),
            id="of Anthropic",
        ),
        pytest.param(
            run(generated(None), **COUNTED, prompt_token_details=DETAILS),
            (100, 4_000, 300, 0, 50),
            id="of LangSmith",
        ),
        pytest.param(
            run(generated(None), **COUNTED, prompt_token_details=None),
            (None, None, None, None, 50),
            id="sums alone",
        ),
        pytest.param(run(generated(None)), (None, None, None, None, None), id="none"),
    ],
)
def test_usage_is_taken_from_where_it_stands(
    tmp_path: Path, capsys: Capture, told: Json, wanted: tuple[int | None, ...]
) -> None:
    assert tokens(read_lines(capsys, tmp_path, told).turns) == [wanted]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(run({}, "r2", status="error", error="529"), id="failed"),
        pytest.param(run({}, "r2", status="pending"), id="running"),
        pytest.param(run(generated({**USED, "total_cost": 0}), "r2"), id="from the store"),
        pytest.param(run(None, "r2", run_type="chain"), id="a chain"),
        pytest.param(run(None, "r2", run_type="prompt"), id="a prompt"),
        pytest.param(run(), id="the same run"),
        pytest.param(run(None, "r2", parent_run_id="r1"), id="inside of a call"),
    ],
)
def test_a_call_counts_once(tmp_path: Path, capsys: Capture, other: Json) -> None:
    report = read_lines(capsys, tmp_path, ROOT, run(), other)
    assert report.turns.height == 1
    assert report.summary.totals.usd == USD


def test_calls_inside_of_one_that_tells_more_are_its_own(tmp_path: Path, capsys: Capture) -> None:
    """Only the sum of those inside is the same call told twice."""
    inside = run(generated({**USED, "output_tokens": 7}), "r2", parent_run_id="r1")
    assert read_lines(capsys, tmp_path, run(), inside).turns.height == 2


def test_a_failed_call_with_usage_is_billed(tmp_path: Path, capsys: Capture) -> None:
    assert read_lines(capsys, tmp_path, run(status="error", error="cut off")).summary.totals.usd == USD


def test_results_come_into_the_prompt_of_the_next_call(tmp_path: Path, capsys: Capture) -> None:
    call = {"name": "ls", "args": {"path": "."}, "id": "c1", "type": "tool_call"}
    shown = [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "c1", "name": "ls", "input": {}}]
    calls = lc("ai", shown, tool_calls=[call])
    result = lc("tool", "ports.txt", tool_call_id="c1")
    first = run({"generations": [[{"message": calls}]], "usage": ANTHROPIC})
    later = run(None, "r2", start_time="2026-11-02T10:00:05", inputs={"messages": [[ASKED, calls, result]]})
    tools = {
        "metadata": {},
        "invocation_params": {"tools": [{"type": "function", "function": {"name": "ls"}}]},
    }
    report = read_lines(capsys, tmp_path, {**later, "extra": tools}, {**first, "extra": tools})
    results = report.blocks.filter(kind="tool_result")
    assert results.select("tool", "turn_in", "chars").rows() == [("ls", 1, 9)]
    assert report.blocks.filter(kind="tool_use").height == 1
    assert report.blocks.filter(kind="tool_def")["tool"].to_list() == ["ls"]


def test_the_tier_is_in_the_names_of_details(tmp_path: Path, capsys: Capture) -> None:
    details = {"priority": 400, "priority_cache_read": 4_000}
    report = read_lines(capsys, tmp_path, run(generated({**USED, "input_token_details": details})))
    assert tokens(report.turns) == [(400, 4_000, 0, 0, 50)]
    assert report.turns["tier"].to_list() == ["priority"]


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param([ROOT, run()], id="list"),
        pytest.param({"runs": [ROOT, run()], "cursors": {}}, id="answer of the API"),
        pytest.param(
            {**ROOT, "child_runs": [{**run(run_type="chain"), "id": "c", "child_runs": [run()]}]}, id="tree"
        ),
        pytest.param(
            [{k: json.dumps(v) if isinstance(v, dict) else v for k, v in run().items()}],
            id="row of a bulk export",
        ),
    ],
)
def test_runs_in_what_tools_write(tmp_path: Path, capsys: Capture, whole: Any) -> None:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(whole, indent=1), "utf-8")
    report = read_alike(capsys, path)
    assert report.summary.totals.usd == USD
    assert report.summary.inputs.formats == {"langsmith": 1}


def exported(*runs: Json) -> dict[str, pa.Array]:
    """Return the columns of a bulk export of these runs: times typed, objects and lists as JSON text."""
    typed = {
        **dict.fromkeys(("start_time", "end_time", "first_token_time"), pa.timestamp("us", "UTC")),
        **dict.fromkeys(("total_tokens", "prompt_tokens", "completion_tokens"), pa.int64()),
        **dict.fromkeys(("total_cost", "prompt_cost", "completion_cost"), pa.float64()),
        "is_root": pa.bool_(),
    }
    texts = (
        *("id", "tenant_id", "session_id", "trace_id", "parent_run_id", "parent_run_ids", "dotted_order"),
        *("name", "run_type", "status", "error", "trace_tier", "reference_example_id"),
        *("inputs", "outputs", "extra", "events", "tags", "feedback_stats"),
    )

    def cell(run: Json, name: str) -> Any:
        value = run.get(name)
        if name.endswith("_time") and value is not None:
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if name.endswith("_cost") and value is not None:
            return float(value)
        return json.dumps(value) if isinstance(value, dict | list) else value

    return {
        name: pa.array([cell(run, name) for run in runs], typed.get(name, pa.string()))
        for name in (*texts, *typed)
    }


def test_a_bulk_export_is_read_like_its_runs(tmp_path: Path, capsys: Capture) -> None:
    path = parquet_at(tmp_path / "export" / "runs.parquet", exported(ROOT, run(), run(None, "r2")))
    told = read_alike(capsys, path.parent)
    wanted = read_lines(capsys, tmp_path, ROOT, run(), run(None, "r2"))
    assert told.summary.totals.usd == wanted.summary.totals.usd == 2 * USD
    assert told.turns.drop("line").equals(wanted.turns.drop("line"))
    assert told.turns["line"].to_list() == [2, 3]
    columns = "kind", "role", "chars", "turn_in"
    assert told.blocks.select(columns).equals(wanted.blocks.select(columns))
    assert told.runs.select("run_id", "task", "source").rows() == [("t1", "count ports", "langsmith")]
    assert told.summary.inputs.skipped_lines == 0


def test_a_trace_in_several_files_of_an_export_is_one_run(tmp_path: Path, capsys: Capture) -> None:
    for n, one in enumerate((run(), run(None, "r2", start_time="2026-11-02T11:00:00")), 1):
        parquet_at(tmp_path / f"hour={n}" / "part.parquet", exported(one))
    report = read_alike(capsys, tmp_path)
    assert report.summary.totals.usd == 2 * USD
    assert sorted(report.turns["message_id"]) == ["r1", "r2"]
    assert set(report.runs["run_id"]) == {"t1"}


def test_counters_of_an_export_without_details_leave_the_cache_unknown(
    tmp_path: Path, capsys: Capture
) -> None:
    told = run(generated(None), prompt_tokens=4_400, completion_tokens=50, total_tokens=4_450)
    report = read_alike(capsys, parquet_at(tmp_path / "runs.parquet", exported(told)))
    assert tokens(report.turns) == [(None, None, None, None, 50)]
    assert report.summary.totals.usd == usd(HAIKU, out=50)
    assert not report.summary.totals.usd_exact


def test_texts_that_are_no_json_cost_no_call(tmp_path: Path, capsys: Capture) -> None:
    columns = exported(run(), run(None, "r2"))
    columns["inputs"] = pa.array(["{", None])
    columns["extra"] = pa.array(["[1]", "x"])
    report = read_alike(capsys, parquet_at(tmp_path / "runs.parquet", columns))
    assert report.summary.totals.usd == 2 * USD


def test_the_last_record_cut_off_costs_itself_alone(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "log.jsonl", run(), run(None, "r2"))
    path.write_bytes(path.read_bytes()[:-900])
    report = read_alike(capsys, path)
    assert report.turns.height == 1
    assert report.summary.inputs.skipped_lines == 1


def test_no_other_format_takes_a_run() -> None:
    assert taken_by(run()) == ["langsmith"] == taken_by(ROOT)


def test_audio_has_its_own_price(tmp_path: Path, capsys: Capture) -> None:
    """60 of text at 2.50, 40 of audio at 32; 20 out at 10 and 30 of audio at 64 USD a million."""
    usage = {
        "input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
        "input_token_details": {"audio": 40, "cache_read": 0}, "output_token_details": {"audio": 30},
    }  # fmt: skip
    spoken = generated(usage)
    spoken["generations"][0][0]["message"]["kwargs"]["response_metadata"]["model_name"] = "gpt-audio"
    report = read_lines(capsys, tmp_path, run(spoken))
    assert report.summary.totals.usd == Decimal("0.00355")
    assert report.summary.totals.usd_exact
