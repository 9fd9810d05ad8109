"""Trajectories of mini-swe-agent: every message with a response is a call, its cost recorded."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_lines, recorded, taken_by, tokens

USED: Json = {
    "prompt_tokens": 1_000,
    "completion_tokens": 50,
    "total_tokens": 1_050,
    "prompt_tokens_details": {"cached_tokens": 700},
    "completion_tokens_details": {"reasoning_tokens": 20},
}


def answered(number: str, role: str = "assistant", **extra: Any) -> Json:
    said: Json = {"role": "assistant", "content": "THOUGHT: look"}
    response: Json = {
        "id": number,
        "model": f"anthropic/{HAIKU}",
        "created": 1_793_613_600,
        "object": "chat.completion",
        "choices": [{"finish_reason": "stop", "message": said}],
        "usage": USED,
    }
    return {"role": role, "content": "THOUGHT: look", "extra": {"response": response, **extra}}


def trajectory(*messages: Json) -> Json:
    return {
        "info": {
            "model_stats": {"instance_cost": 0.5, "api_calls": 2},
            "config": {"model": {"model_name": HAIKU}},
        },
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "Solve this."},
            *messages,
        ],
        "trajectory_format": "mini-swe-agent-1.1",
    }


def test_the_prompt_counter_holds_what_was_cached(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, trajectory(answered("c1", cost=0.25)))
    assert tokens(report.turns) == [(300, 700, 0, 0, 50)]
    assert report.turns["thinking_tokens"].to_list() == [20]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 300}, read=700, out=50)
    assert recorded(report.turns) == [Decimal("0.25")]


def test_an_answer_refused_for_its_form_is_billed(tmp_path: Path, capsys: Capture) -> None:
    refused = answered("c1", role="user", cost=0.25, interrupt_type="FormatError")
    refused["content"] = "Give one action."
    report = read_lines(capsys, tmp_path, trajectory(refused, answered("c2", cost=0.25)))
    assert report.turns["message_id"].to_list() == ["c1", "c2"]
    assert sum(recorded(report.turns)) == Decimal("0.5")


def test_older_files_have_the_cost_in_the_usage(tmp_path: Path, capsys: Capture) -> None:
    message = answered("c1")
    message["extra"]["response"]["usage"] = {**USED, "cost": 0.125}
    assert recorded(read_lines(capsys, tmp_path, trajectory(message)).turns) == [Decimal("0.125")]


def test_what_the_file_shows_is_in_the_prompt(tmp_path: Path, capsys: Capture) -> None:
    seen: Json = {"role": "user", "content": "<returncode>0</returncode>"}
    report = read_lines(capsys, tmp_path, trajectory(answered("c1"), seen, answered("c2")))
    shown = report.blocks.filter(report.blocks["kind"] != "hidden").sort("block")
    assert shown.select("layer", "role", "turn_in").rows() == [
        ("system", "system", 0),
        ("messages", "user", 0),
        ("messages", "assistant", 1),
        ("messages", "user", 1),
        ("messages", "assistant", 2),
    ]
    assert not report.runs["interactive"].any()


def test_no_other_format_takes_its_files() -> None:
    assert taken_by(trajectory(answered("c1"))) == ["mini_swe_agent"]
