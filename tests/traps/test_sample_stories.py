"""Each sample log shows what its name says: the waste it is there for, or none."""

import json
from itertools import pairwise

from samples import blocks_of, lines, logs, runs_of, weigh


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
