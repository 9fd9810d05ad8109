"""The sample logs are what their script writes, and what they say is coherent."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from samples import SAMPLES, STORIES, calls_of, lines, logs, runs_of

MINIMUM_PREFIX = {"claude-opus-4-8": 1024}
USD_PER_MTOK = {
    "claude-sonnet-5-5": {"in": "2", "out": "10", "write": "2.5", "read": "0.10"},
    "claude-haiku-5-5": {"in": "0.10", "out": "0.50", "write": "0.125", "read": "0.01"},
}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    for seed in ("1", "2"):
        command = [sys.executable, "-B", str(SAMPLES / "make.py"), "--out", str(out / seed)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})
    return out


def files_below(folder: Path, stories: list[str]) -> dict[str, bytes]:
    found = [path for story in stories for path in (folder / story).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_script_writes_the_same_bytes_each_time(made: Path) -> None:
    told = [path.name for path in (made / "1").iterdir()]
    assert sorted(told) == STORIES
    assert files_below(made / "1", told) == files_below(made / "2", told)


def test_committed_files_are_what_the_script_writes(made: Path) -> None:
    fresh, committed = files_below(made / "1", STORIES), files_below(SAMPLES, STORIES)
    assert sorted(committed) == sorted(fresh)
    assert [name for name in fresh if committed[name] != fresh[name]] == [], "run: python sample_logs/make.py"


def test_logs_are_small_and_valid() -> None:
    files = files_below(SAMPLES, STORIES)
    assert sum(map(len, files.values())) < 3_000_000
    for content in files.values():
        assert content.endswith(b"\n")
        assert all(isinstance(json.loads(line), dict) for line in content.splitlines())


def test_readme_describes_every_story() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for story in STORIES:
        runs = runs_of(story)
        turns = sum(map(len, runs.values()))
        assert re.search(rf"\| `{story}` \| [^|]+ \| {len(runs)} \| {turns} \|", readme)
        assert f"**{story}.**" in readme


@pytest.mark.parametrize("story", [story for story in STORIES if story != "headless-stream"])
def test_prompts_grow_by_the_last_output_and_the_new_input(story: str) -> None:
    for calls in runs_of(story).values():
        for before, after in pairwise(calls):
            assert after.prompt == before.prompt + before.output + after.new_tokens


@pytest.mark.parametrize("story", STORIES)
def test_cache_holds_only_what_was_written(story: str) -> None:
    longest: dict[str, int] = defaultdict(int)
    calls = [call for calls in runs_of(story).values() for call in calls]
    for call in sorted(calls, key=lambda call: call.at):
        assert call.read <= longest[call.model]
        longest[call.model] = max(longest[call.model], call.read + call.written)
        split = call.usage["cache_creation"]
        assert split["ephemeral_5m_input_tokens"] + split["ephemeral_1h_input_tokens"] == call.written


@pytest.mark.parametrize("story", STORIES)
def test_cache_respects_breakpoints_and_the_minimum_prefix(story: str) -> None:
    for calls in runs_of(story).values():
        for call in calls:
            cached = call.read + call.written
            assert cached == 0 or cached >= MINIMUM_PREFIX.get(call.model, 512)
            if call.breakpoints is not None:
                assert (cached > 0) == (call.breakpoints > 0)
                assert call.breakpoints <= 4


@pytest.mark.parametrize("story", STORIES)
def test_transcript_lines_form_a_chain(story: str) -> None:
    for path in logs(story):
        known: set[str | None] = {None}
        for line in lines(path):
            if "parentUuid" in line:
                assert line["parentUuid"] in known
                assert line["uuid"] not in known
                known.add(line["uuid"])


def test_recorded_cost_of_the_stream() -> None:
    (path,) = logs("headless-stream")
    *calls, result = [line for line in lines(path) if line["type"] in {"assistant", "result"}]
    expected = Decimal(0)
    for model, used in result["modelUsage"].items():
        usd = {meter: Decimal(price) / 1_000_000 for meter, price in USD_PER_MTOK[model].items()}
        cost = (
            used["inputTokens"] * usd["in"]
            + used["outputTokens"] * usd["out"]
            + used["cacheCreationInputTokens"] * usd["write"]
            + used["cacheReadInputTokens"] * usd["read"]
        )
        assert used["costUSD"] == pytest.approx(float(cost), abs=1e-12)
        expected += cost
    assert result["total_cost_usd"] == pytest.approx(float(expected), abs=1e-12)
    assert {call["message"]["model"] for call in calls} == {"claude-sonnet-5-5"}


def test_recorded_sums_of_the_stream() -> None:
    (path,) = logs("headless-stream")
    calls, result = calls_of(path), lines(path)[-1]
    for counter in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
        assert result["usage"][counter] == sum(call.usage[counter] for call in calls)
    grown = calls[-1].prompt - calls[0].prompt - sum(call.new_tokens for call in calls[1:])
    assert result["usage"]["output_tokens"] == grown + result["usage"]["iterations"][-1]["output_tokens"]
    assert all(call.output <= 8 for call in calls)
