"""The sample logs are what their script writes, and what they say is coherent.

The checks read the logs alone: nothing here imports the generator.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[1] / "sample_logs"
STORIES = sorted(path.name for path in SAMPLES.glob("[a-z]*") if path.is_dir() and path.name != "generator")
MINIMUM_PREFIX = {"claude-opus-4-8": 1024}
USD_PER_MTOK = {
    "claude-sonnet-5-5": {"in": "2", "out": "10", "write": "2.5", "read": "0.10"},
    "claude-haiku-5-5": {"in": "0.10", "out": "0.50", "write": "0.125", "read": "0.01"},
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One billed request as a log shows it."""

    run: str
    model: str
    at: datetime
    usage: Json
    new_tokens: int
    breakpoints: int | None = None

    @property
    def read(self) -> int:
        return int(self.usage["cache_read_input_tokens"])

    @property
    def written(self) -> int:
        return int(self.usage["cache_creation_input_tokens"])

    @property
    def prompt(self) -> int:
        return int(self.usage["input_tokens"]) + self.read + self.written

    @property
    def output(self) -> int:
        return int(self.usage["output_tokens"])


def logs(story: str) -> list[Path]:
    return sorted((SAMPLES / story).rglob("*.jsonl"))


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def weigh(block: Json) -> int:
    """Tokens of a block that a person or a tool adds, by the rule the samples follow."""
    content = block["text"] if block["type"] == "text" else block["content"]
    shown = content if isinstance(content, str) else "\n".join(part["text"] for part in content)
    frame = 3 if block["type"] == "text" else 11
    return len(re.findall(r"[A-Za-z]{1,4}|[0-9]{1,2}|[^A-Za-z0-9\s]{1,3}|\n\s*", shown)) + frame


def blocks_of(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def calls_of(path: Path) -> list[Call]:
    found = lines(path)
    return list(_pair_calls(found) if "request" in found[0] else _line_calls(path, found))


def _pair_calls(found: list[Json]) -> Iterator[Call]:
    for pair in found:
        request = pair["request"]
        new = blocks_of(request["messages"][-1]["content"])
        everything = [
            *request.get("tools", []),
            *request["system"],
            *(block for message in request["messages"] for block in message["content"]),
        ]
        yield Call(
            run=pair["run_id"],
            model=request["model"],
            at=datetime.fromisoformat(pair["timestamp"]),
            usage=_response(pair)["usage"],
            new_tokens=sum(weigh(block) for block in new),
            breakpoints=sum("cache_control" in block for block in everything),
        )


def _response(pair: Json) -> Json:
    if "response" in pair:
        return dict(pair["response"])
    events = [json.loads(line[6:]) for line in pair["response_sse"].splitlines() if line.startswith("data: ")]
    message: Json = {}
    for event in events:
        message |= event.get("message", {}) | ({"usage": event["usage"]} if "usage" in event else {})
    return message


def _line_calls(path: Path, found: list[Json]) -> Iterator[Call]:
    new, seen, at = 0, set(), None
    for line in found:
        if line["type"] == "user":
            at = datetime.fromisoformat(line["timestamp"])
            new += sum(weigh(block) for block in blocks_of(line["message"]["content"]))
        elif line["type"] == "assistant" and line["message"]["id"] not in seen:
            message = line["message"]
            seen.add(message["id"])
            begun = at or datetime.fromisoformat(line["timestamp"])
            yield Call(path.stem, message["model"], begun, message["usage"], new)
            new = 0


def runs_of(story: str) -> dict[str, list[Call]]:
    runs: dict[str, list[Call]] = defaultdict(list)
    for path in logs(story):
        for call in calls_of(path):
            runs[call.run].append(call)
    return runs


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


def test_healthy_run_reads_all_it_can() -> None:
    (calls,) = runs_of("healthy-cached-run").values()
    assert all(after.read == before.read + before.written for before, after in pairwise(calls))
    assert all(call.new_tokens < 2_000 for call in calls)


def test_timestamp_costs_every_read() -> None:
    calls = [call for calls in runs_of("timestamp-in-system-prompt").values() for call in calls]
    assert all(call.read == 0 and call.written > 2_000 for call in calls)
    texts = {
        pair["request"]["system"][0]["text"]
        for path in logs("timestamp-in-system-prompt")
        for pair in lines(path)
    }
    assert len(texts) == len(calls)
    assert len({text[34:] for text in texts}) == 1


def test_bloated_result_enters_once_and_stays() -> None:
    (calls,) = runs_of("bloated-tool-result").values()
    assert [turn for turn, call in enumerate(calls) if call.new_tokens > 40_000] == [3]
    assert sum(call.new_tokens > 2_000 for call in calls) == 1


def test_single_items_never_use_the_cache() -> None:
    runs = runs_of("one-item-per-run")
    assert [len(calls) for calls in runs.values()] == [1] * 40
    assert all(
        call.read == call.written == call.breakpoints == 0 for calls in runs.values() for call in calls
    )


def test_loop_takes_twelve_turns_instead_of_three() -> None:
    assert sorted(len(calls) for calls in runs_of("loop-of-twelve").values()) == [3] * 7 + [12]


def test_sub_agents_read_the_same_files() -> None:
    agents = [path for path in logs("sub-agents") if "subagents" in path.parts]
    results = [
        {
            block["content"]
            for line in lines(path)
            for block in blocks_of(line["message"]["content"])
            if "content" in block
        }
        for path in agents
    ]
    shared = set.intersection(*results)
    assert len(agents) == 3
    assert sum(weigh({"type": "tool_result", "content": text}) for text in shared) > 12_000
    for path in agents:
        meta = json.loads(path.with_suffix(".meta.json").read_text(encoding="utf-8"))
        (parent,) = (log for log in logs("sub-agents") if log not in agents)
        assert meta["toolUseId"] in parent.read_text(encoding="utf-8")


def test_cache_outlives_the_first_pause_only() -> None:
    (calls,) = runs_of("idle-hour").values()
    pauses = [
        ((after.at - before.at).total_seconds() / 60, after.read)
        for before, after in pairwise(calls)
        if (after.at - before.at).total_seconds() > 600
    ]
    (first, read_after_first), (second, read_after_second) = pauses
    assert 20 < first < 60 < second < 80
    assert read_after_first > 30_000
    assert read_after_second == 0
