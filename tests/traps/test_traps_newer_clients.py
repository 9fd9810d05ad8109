"""What Claude Code writes since 2.1.24x: attachments as they were sent, prompts shown twice, results replaced."""

from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

import costscan
from costscan.formats.claude.line_kinds import STATE
from logs import Json, assistant, at, text, tool_result, tool_use, usage, user, write
from seen import Seen, hold_prompts, see, see_blocks

REMINDER: Final = "<system-reminder>\nMind the budget.\n</system-reminder>"
SYSTEM: Final = ["You are an agent. " * 40, "Be brief."]
TOOLS: Final = [{"name": "Bash", "description": "Run it. " * 60, "input_schema": {"type": "object"}}]


def attached(rendered: Any = None, **attachment: Any) -> Json:
    line: Json = {"type": "attachment", "sessionId": "s1", "attachment": attachment}
    return line if rendered is None else {**line, "rendered": rendered}


def snapshot(tools: Any = None, system: Any = SYSTEM) -> Json:
    return attached(
        type="prompt_snapshot", systemPrompt=system, **({} if tools is None else {"tools": tools})
    )


def turn(n: int, *, read: int = 0, wrote: int = 0) -> list[Json]:
    answer = assistant(
        f"msg_{n}",
        usage(10, read=read, w1h=wrote, out=20),
        content=[text(f"answer {n}")],
        timestamp=at(10 * n + 5),
    )
    return [user(f"question {n}", timestamp=at(10 * n)), answer]


def sent(seen: Seen) -> list[int]:
    """The characters of what was sent beside the question, in the first call."""
    own = seen.blocks.filter(
        (pl.col("layer") == "messages") & (pl.col("role") == "user") & (pl.col("turn_in") == 0)
    )
    return [chars for chars in own["chars"].to_list() if chars != len("question 0")]


@pytest.mark.parametrize(
    "attachment",
    [
        {"type": "total_tokens_reminder", "text": "<total_tokens>1 tokens left</total_tokens>"},
        {"type": "hook_success", "content": "kept", "stdout": "much more than that" * 40},
        {"type": "environment", "snapshot": {"platform": "linux"}},
    ],
)
def test_an_attachment_is_what_was_sent_for_it(tmp_path: Path, attachment: Json) -> None:
    line = attached([{"content": REMINDER}], **attachment)
    assert sent(see_blocks(write(tmp_path / "s.jsonl", line, *turn(0)))) == [len(REMINDER)]


def test_two_parts_of_an_attachment_are_both_sent(tmp_path: Path) -> None:
    parts = [{"content": [{"type": "text", "text": REMINDER}]}, {"content": "And this."}]
    line = attached(parts, type="task_reminder", content="- [ ] one")
    assert sent(see_blocks(write(tmp_path / "s.jsonl", line, *turn(0)))) == [
        len(REMINDER) + 1 + len("And this.")
    ]


SAID: Final = {"hookSpecificOutput": {"additionalContext": "Use tabs."}, "systemMessage": "Careful."}


@pytest.mark.parametrize(
    ("attachment", "chars"),
    [
        ({"type": "async_hook_response", "stdout": "noise " * 99, "response": {}}, []),
        ({"type": "async_hook_response", "stdout": "noise " * 99}, []),
        ({"type": "async_hook_response", "response": SAID}, [len("Careful.\nUse tabs.")]),
        ({"type": "total_tokens_reminder", "text": "1 left"}, [len("1 left")]),
        ({"type": "hook_success", "content": "kept"}, []),
    ],
)
def test_an_attachment_without_what_was_sent(tmp_path: Path, attachment: Json, chars: list[int]) -> None:
    """What hooks print stays with the client; what they answer does not."""
    assert sent(see_blocks(write(tmp_path / "s.jsonl", attached(**attachment), *turn(0)))) == chars


@pytest.mark.parametrize("rendered", [[], None, 7, "", [{}], [{"content": 7}], {"content": []}])
def test_odd_values_of_it_fall_back(tmp_path: Path, rendered: Any) -> None:
    line = attached(rendered, type="task_reminder", content="- [ ] one")
    assert sent(see_blocks(write(tmp_path / "s.jsonl", line, *turn(0)))) == [len("- [ ] one")]


def layers(seen: Seen) -> list[tuple[Any, ...]]:
    fixed = seen.blocks.filter((pl.col("layer") != "messages") & (pl.col("turn_in") < pl.col("turn_out")))
    return sorted(fixed.filter(pl.col("kind") != "hidden").select("layer", "turn_in", "turn_out").rows())


TWICE: Final = {
    "before the first call": [snapshot(), snapshot(TOOLS), *turn(0, wrote=900), *turn(1, read=900)],
    "after the first call": [snapshot(), *turn(0, wrote=900), snapshot(TOOLS), *turn(1, read=900)],
    "and again, unchanged": [
        *[snapshot(TOOLS), *turn(0, wrote=900)],
        *[snapshot(TOOLS), *turn(1, read=900)],
    ],
    "first with a character that is damaged": [
        *[snapshot(system=["You are an agent� " * 40, "Be brief."]), *turn(0, wrote=900)],
        *[snapshot(TOOLS), *turn(1, read=900)],
    ],
}


@pytest.mark.parametrize("lines", TWICE.values(), ids=TWICE)
def test_a_prompt_that_is_shown_first_without_its_tools_is_one_prompt(
    tmp_path: Path, lines: list[Json]
) -> None:
    path = write(tmp_path / "s.jsonl", *lines)
    seen = see_blocks(path)
    assert layers(seen) == [("system", 0, 2), ("system", 0, 2), ("tools", 0, 2)]
    assert hold_prompts(seen) == 2
    assert costscan.analyze(path, workers=1).prefix_breaks.is_empty()


def test_a_prompt_whose_tools_changed_is_another_one(tmp_path: Path) -> None:
    other = [{**TOOLS[0], "description": "Run it elsewhere. " * 30}]
    lines = [snapshot(TOOLS), *turn(0, wrote=900), snapshot(other), *turn(1, wrote=900)]
    assert layers(see_blocks(write(tmp_path / "s.jsonl", *lines))) == [
        *[("system", 0, 1), ("system", 0, 1), ("system", 1, 2), ("system", 1, 2)],
        *[("tools", 0, 1), ("tools", 1, 2)],
    ]


PREVIEW: Final = "<persisted-output>\nOutput too large. Preview: line 0\n</persisted-output>"


def replaced(*replacements: Any) -> Json:
    return {"type": "content-replacement", "sessionId": "s1", "replacements": list(replacements)}


def with_result(*after: Json, more: tuple[Json, ...] = ()) -> list[Json]:
    result = user([tool_result("toolu_1", "line 0\n" * 4000)], timestamp=at(12))
    called = assistant("msg_0", usage(10, w1h=500, out=20), content=[tool_use("toolu_1")], timestamp=at(5))
    return [user("question 0", timestamp=at(0)), called, result, *after, *turn(2, read=500, wrote=90), *more]


ONE: Final = {"kind": "tool-result", "toolUseId": "toolu_1", "replacement": PREVIEW}


@pytest.mark.parametrize(
    "lines",
    [with_result(replaced(ONE)), with_result(more=(replaced(ONE),))],
    ids=["before it is sent", "kept at the end of a fork"],
)
def test_of_a_result_that_was_replaced_what_was_sent_counts(tmp_path: Path, lines: list[Json]) -> None:
    seen = see_blocks(write(tmp_path / "s.jsonl", *lines))
    (result,) = seen.blocks.filter(kind="tool_result").to_dicts()
    assert (result["chars"], result["tool"], result["turn_in"]) == (len(PREVIEW), "Bash", 1)
    assert result["used_share"] is None
    assert hold_prompts(seen) == 2


@pytest.mark.parametrize("odd", [7, None, {}, {**ONE, "toolUseId": "toolu_9"}, {**ONE, "replacement": None}])
def test_replacements_of_nothing_replace_nothing(tmp_path: Path, odd: Any) -> None:
    seen = see_blocks(
        write(tmp_path / "s.jsonl", *with_result(replaced(odd), {**replaced(), "replacements": odd}))
    )
    assert seen.blocks.filter(kind="tool_result")["chars"].to_list() == [len("line 0\n" * 4000)]


def test_lines_of_state_are_known_and_bill_nothing(tmp_path: Path) -> None:
    state: list[Json] = [{"type": kind, "sessionId": "s1"} for kind in sorted(STATE - {"progress"})]
    report = costscan.analyze(write(tmp_path / "s.jsonl", *state, *turn(0)), workers=1)
    assert report.turns.height == 1
    assert (report.summary.inputs.unknown_lines, report.summary.inputs.skipped_lines) == (0, 0)


def test_what_lies_beside_the_transcripts_of_a_workflow_is_no_damage(tmp_path: Path) -> None:
    session = tmp_path / "project" / "s1"
    write(session.with_suffix(".jsonl"), *turn(0))
    flow = session / "subagents" / "workflows" / "wf_edb19b07-a69"
    started = {"type": "started", "key": "v2:79", "agentId": "a1", "label": "ping"}
    write(
        flow / "journal.jsonl", {"type": "launched"}, started, {**started, "type": "result", "result": "PONG"}
    )
    own = {**assistant("msg_a", usage(10, out=5)), "isSidechain": True, "agentId": "a1"}
    write(flow / "agent-a1.jsonl", own)
    write(session / "workflows" / "wf_edb19b07-a69.json", {"runId": "wf_edb19b07-a69", "totalTokens": 15})
    write(session / "custom-title.json", {"customTitle": "mine"})
    summary = costscan.analyze(tmp_path, workers=1).summary
    assert (summary.totals.turns, summary.totals.sub_agents) == (2, 1)
    assert (summary.inputs.unusable_files, summary.inputs.unknown_lines) == (0, 0)


def test_bill_and_usage_do_not_change(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *TWICE["after the first call"], *with_result(replaced(ONE)))
    assert see(path).usd == costscan.read(path, workers=1).turns["usd"].sum()
