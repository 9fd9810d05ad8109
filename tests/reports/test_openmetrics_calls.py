"""How long calls took, in the OpenMetrics report: ranks by hand, and nothing where a log tells nothing."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from billed import billed
from costscan.reports.analysis.openmetrics import MOST_NAMES, OTHERS, document
from gauges import families
from logs import HAIKU, Json, assistant, pair, tool_result, tool_use, usage, user, write


def call(number: int, took_s: float | None, first_s: float | None = None, **more: Any) -> Json:
    told: Json = {"timestamp": f"2026-11-02T10:{number // 60:02}:{number % 60:02}Z", **more}
    if took_s is not None:
        told["duration_ms"] = took_s * 1000
    if first_s is not None:
        told["ttft_ms"] = first_s * 1000
    response = {
        "id": f"msg_{number:024}", "type": "message", "role": "assistant", "model": HAIKU,
        "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn", "usage": usage(100, out=10),
    }  # fmt: skip
    return {**pair(response), **told}


def ranks(family: Metric, **labels: str) -> dict[str, float]:
    """Return the quantiles, the number and the sum of those with these labels."""
    found = {}
    for sample in family.samples:
        own = dict(sample.labels)
        rank = own.pop("quantile", sample.name.rpartition("_")[2])
        if own == labels:
            found[rank] = sample.value
    return found


def test_ranks_by_hand(tmp_path: Path) -> None:
    """Of ten calls the 5th, 9th and 10th; of one without an end, and of batches, nothing is known."""
    calls = [call(n, n + 1, first_s=(n + 1) / 10, task="a", run_id=f"r{n}") for n in range(10)]
    calls += [call(20, 40.0, task="b", run_id="s"), call(21, None, task="b", run_id="t")]
    found = billed([write(tmp_path / "a.jsonl", *calls)])
    told = families(document(found.summary, found.x))
    assert told["task_call_seconds"].type == "summary"
    assert ranks(told["task_call_seconds"], task="a") == {
        "0.5": 5,
        "0.9": 9,
        "0.99": 10,
        "count": 10,
        "sum": 55,
    }
    assert ranks(told["task_call_seconds"], task="b") == {
        "0.5": 40,
        "0.9": 40,
        "0.99": 40,
        "count": 1,
        "sum": 40,
    }
    assert ranks(told["model_call_seconds"], model="claude-haiku-4-5")["count"] == 11
    assert ranks(told["call_seconds"]) == {"0.5": 6, "0.9": 10, "0.99": 40, "count": 11, "sum": 95}
    first = {"0.5": 0.5, "0.9": 0.9, "0.99": 1, "count": 10, "sum": 5.5}
    assert ranks(told["first_token_seconds"]) == pytest.approx(first)
    assert ranks(told["task_first_token_seconds"], task="a") == pytest.approx(first)
    assert ranks(told["task_first_token_seconds"], task="b") == {}


def test_what_no_log_tells_is_left_out(tmp_path: Path) -> None:
    found = billed([write(tmp_path / "a.jsonl", call(1, None))])
    told = families(document(found.summary, found.x))
    assert not [name for name in told if name.endswith("_seconds") and name != "report_timestamp_seconds"]
    assert "tool_errors" not in told


def test_the_rest_is_ranked_together(tmp_path: Path) -> None:
    """The cheapest tasks, each with one call, have one label, and their ranks are over all of them."""
    calls = [
        call(n, 1.0 if n < MOST_NAMES else float(n), task=f"task {n:03}", run_id=f"r{n}")
        for n in range(MOST_NAMES + 3)
    ]
    found = billed([write(tmp_path / "a.jsonl", *calls)])
    told = families(document(found.summary, found.x))["task_call_seconds"]
    assert len({sample.labels["task"] for sample in told.samples}) == MOST_NAMES + 1
    assert ranks(told, task=OTHERS) == {"0.5": 101, "0.9": 102, "0.99": 102, "count": 3, "sum": 303}


def test_names_are_escaped(tmp_path: Path) -> None:
    name = 'say "\\" to\n{x="y"}'
    found = billed([write(tmp_path / "a.jsonl", call(1, 2.0, task=name), call(2, 4.0, task="b"))])
    told = families(document(found.summary, found.x))["task_call_seconds"]
    assert ranks(told, task='say "\\" to {x="y"}')["sum"] == 2


def test_errors_of_tools(tmp_path: Path) -> None:
    lines = [user()]
    for number, is_error in enumerate((True, False, True)):
        lines += [
            assistant(f"msg_{number}", content=[tool_use(f"t{number}", "Bash")]),
            user([tool_result(f"t{number}", is_error=is_error)]),
        ]
    found = billed([write(tmp_path / "a.jsonl", *lines, assistant("msg_9"))])
    (sample,) = families(document(found.summary, found.x))["tool_errors"].samples
    assert (sample.labels, sample.value) == ({"tool": "Bash"}, 2)
