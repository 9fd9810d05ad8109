"""Exports of Langfuse: what the buckets of usage mean depends on who wrote them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_alike, read_lines, recorded, taken_by, tokens
from tables_of import csv_of, parquet_at


def generation(usage: Json | None, number: str = "o1", **more: Any) -> Json:
    return {
        "id": number,
        "traceId": "t1",
        "type": "GENERATION",
        "startTime": "2026-11-02T10:00:01.000Z",
        "endTime": "2026-11-02T10:00:03.000Z",
        "model": HAIKU,
        "input": '[{"role": "user", "content": "Count the ports."}]',
        "output": '{"role": "assistant", "content": "Two."}',
        "usageDetails": usage,
        "totalCost": 0.25,
        **more,
    }


def trace(*observations: Json) -> Json:
    return {
        "trace": {"id": "t1", "name": "ports"},
        "observations": [{"type": "SPAN", "id": "s"}, *observations],
    }


BESIDE: Json = {"input": 300, "input_cache_read": 700, "output": 50, "output_reasoning": 30, "total": 1_080}
INSIDE: Json = {
    "input": 1_000,
    "prompt_details.cache_read": 700,
    "output": 80,
    "completion_details.reasoning": 30,
    "total": 1_080,
}


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("usage", [BESIDE, INSIDE])
def test_buckets_stand_beside_the_counters_or_inside_them(
    tmp_path: Path, capsys: Capture, usage: Json, *, total: bool
) -> None:
    told = usage if total else {name: n for name, n in usage.items() if name != "total"}
    report = read_lines(capsys, tmp_path, trace(generation(told)))
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 300}, read=700, out=80)
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.runs["task"].to_list() == ["ports"]


def test_a_total_decides_against_the_names(tmp_path: Path, capsys: Capture) -> None:
    told = {"input": 1_000, "input_cache_read": 700, "output": 80, "total": 1_080}
    assert tokens(read_lines(capsys, tmp_path, trace(generation(told))).turns) == [(300, 700, 0, 0, 80)]


def test_an_integration_that_loses_the_cache_leaves_it_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, trace(generation({"input": 5, "output": 94, "total": 99})))
    assert tokens(report.turns) == [(5, None, None, 0, 94)]
    assert report.turns["usage_from"].to_list() == ["unreported"]
    assert not report.summary.totals.usd_exact


def test_a_generation_without_usage_is_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, trace(generation(None)))
    assert tokens(report.turns) == [(None, None, None, None, None)]


def test_a_generation_around_others_that_repeats_their_sum_is_no_call(
    tmp_path: Path, capsys: Capture
) -> None:
    outer = generation({"input": 20, "output": 4, "input_cache_read": 0}, "outer")
    steps = [
        generation({"input": 10, "output": 2, "input_cache_read": 0}, name, parentObservationId="outer")
        for name in ("a", "b")
    ]
    report = read_lines(capsys, tmp_path, trace(outer, *steps))
    assert report.turns["message_id"].sort().to_list() == ["a", "b"]
    differs = {**outer, "usageDetails": {"input": 7, "output": 4, "input_cache_read": 0}}
    assert read_lines(capsys, tmp_path, trace(differs, *steps)).turns.height == 3


def test_rows_of_a_bulk_export_are_calls_too(tmp_path: Path, capsys: Capture) -> None:
    row = {
        "id": "o1",
        "trace_id": "t1",
        "type": "GENERATION",
        "start_time": "2026-11-02T10:00:01.000Z",
        "provided_model_name": HAIKU,
        "usage_details": BESIDE,
        "total_cost": "0.25",
    }
    report = read_lines(capsys, tmp_path, row, {**row, "id": "o2", "type": "SPAN"})
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert recorded(report.turns) == [Decimal("0.25")]


BLOB: Json = {
    "id": "o1",
    "trace_id": "t1",
    "type": "GENERATION",
    "parent_observation_id": None,
    "start_time": "2026-11-02 10:00:01.000",
    "end_time": "2026-11-02 10:00:03.000",
    "input": [{"role": "user", "content": "Count the ports."}],
    "output": {"role": "assistant", "content": "Two, or\nthree."},
    "provided_model_name": HAIKU,
    "usage_details": BESIDE,
    "cost_details": {"input": 0.1, "output": 0.15, "total": 0.25},
}


def test_a_blob_export_comes_as_csv_too(tmp_path: Path, capsys: Capture) -> None:
    span = {**BLOB, "id": "o2", "type": "SPAN", "usage_details": {}}
    rows = [{**BLOB, "trace_name": "ports", "user_id": "ann"}, span]
    (tmp_path / "observations.csv").write_text(csv_of(rows))
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.runs.select("run_id", "task", "user").rows() == [("t1", "ports", "ann")]
    assert report.turns["duration_s"].to_list() == [2.0]
    assert report.blocks.filter(report.blocks["kind"] == "text")["chars"].to_list() == [16, 14]


def test_columns_in_camel_case_and_left_out_ones_are_read(tmp_path: Path, capsys: Capture) -> None:
    row = generation(BESIDE)
    del row["input"], row["output"]
    (tmp_path / "observations.csv").write_text(csv_of([row, generation(None, "o2", totalCost=None)]))
    report = read_alike(capsys, tmp_path / "observations.csv")
    assert tokens(report.turns) == [(300, 700, 0, 0, 80), (None, None, None, None, None)]
    assert recorded(report.turns) == [Decimal("0.25"), None]


def test_a_blob_export_comes_as_parquet_with_maps(tmp_path: Path, capsys: Capture) -> None:
    usage = pa.array([list(BESIDE.items())], pa.map_(pa.string(), pa.uint64()))
    costs = pa.array([[("total", Decimal("0.25"))]], pa.map_(pa.string(), pa.decimal128(18, 12)))
    columns = {
        **{name: pa.array([value]) for name, value in BLOB.items() if isinstance(value, str | None)},
        "usage_details": usage,
        "cost_details": costs,
    }
    report = read_alike(capsys, parquet_at(tmp_path / "observations.parquet", columns))
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert recorded(report.turns) == [Decimal("0.25")]


def test_no_other_format_takes_its_files() -> None:
    assert taken_by(trace(generation(BESIDE))) == ["langfuse"]


def test_a_document_of_many_megabytes_is_known_by_the_whole_of_it(tmp_path: Path, capsys: Capture) -> None:
    """Cut anywhere it is no JSON, and no object inside it looks like a line of a log."""
    long = json.dumps([{"role": "user", "content": "Count the ports. " * 400_000}])
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(trace(generation(BESIDE, input=long)), indent=1), "utf-8")
    assert path.stat().st_size > 1 << 22
    assert tokens(read_alike(capsys, path).turns) == [(300, 700, 0, 0, 80)]


def test_the_first_token_of_a_stream(capsys: Capture, tmp_path: Path) -> None:
    report = read_lines(
        capsys,
        tmp_path,
        trace(
            generation(BESIDE, "o1", completionStartTime="2026-11-02T10:00:01.500Z"),
            generation(BESIDE, "o2", completionStartTime="2026-11-02T10:00:00.500Z"),
            generation(BESIDE, "o3"),
        ),
    )
    assert report.turns.sort("message_id")["first_token_s"].to_list() == [0.5, None, None]


@pytest.mark.parametrize(
    ("usage", "is_exact"),
    [
        ({"input": 60, "output": 20, "total": 150}, True),
        ({"input": 100, "output": 50, "total": 150}, True),
        ({"input": 60, "output": 20}, False),
        ({"input": 60, "output": 20, "total": 151}, False),
        ({"input": 60, "output": 20, "total": 150, "input_audio_minutes": 1}, False),
    ],
    ids=["apart", "inside", "no total", "another total", "another name"],
)
def test_audio_has_its_own_price_where_the_total_tells_what_it_is_in(
    usage: Json, is_exact: bool, tmp_path: Path, capsys: Capture
) -> None:
    """60 of text at 2.50, 40 of audio at 32; 20 out at 10 and 30 of audio at 64 USD a million."""
    told = {"input_audio_tokens": 40, "output_audio_tokens": 30, "input_cached_tokens": 0} | usage
    report = read_lines(capsys, tmp_path, trace(generation(told, model="gpt-audio")))
    assert report.summary.totals.usd_exact is is_exact
    if is_exact:
        assert report.summary.totals.usd == Decimal("0.00355")
