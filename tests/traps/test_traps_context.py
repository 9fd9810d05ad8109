"""Unfinished outputs, and contexts that are cut: compaction, cleared sessions, edited results, rewinds."""

from pathlib import Path
from typing import Any

import polars as pl

from logs import OPUS, Json, assistant, at, text, tool_result, tool_use, usage, usd, user, write
from seen import Seen, hold_prompts, see, see_blocks, see_each


def grown(seen: Seen, run_id: str = "s1") -> list[tuple[int, ...]]:
    """Prompt, carried, added and dropped tokens of the turns of a run."""
    rows = seen.growth.filter(run_id=run_id).sort("turn")
    return rows.select("prompt_tokens", "carried_tokens", "added_tokens", "dropped_tokens").rows()


PLACEHOLDERS: list[tuple[str | None, str | None, int, str, str]] = [
    (None, "2.1.59", 1, "hi", "placeholder"),
    (None, "2.1.59", 8, "hi", "placeholder"),
    (None, "2.1.59", 9, "hi", "reported"),
    (None, "2.1.59", 9, "x" * 73, "placeholder"),
    (None, "2.1.59", 9, "x" * 72, "reported"),
    (None, "2.1.60", 1, "hi", "reported"),
    (None, "2.1.215", 1, "hi", "reported"),
    (None, "2.2.0", 1, "hi", "reported"),
    (None, "2.1.6", 1, "hi", "placeholder"),
    (None, "1.0.99", 1, "hi", "placeholder"),
    (None, None, 1, "hi", "placeholder"),
    (None, "new", 1, "hi", "placeholder"),
    ("end_turn", "2.1.59", 1, "hi", "reported"),
    ("tool_use", "1.0.17", 3, "x" * 500, "reported"),
    ("missing", "2.1.59", 1, "hi", "reported"),
]


def test_placeholders(tmp_path: Path) -> None:
    cases = {}
    for n, (stop, version, out, said, _) in enumerate(PLACEHOLDERS):
        line = assistant("msg_1", usage(3, out=out), stop_reason=stop, version=version, content=[text(said)])
        if stop == "missing":
            del line["message"]["stop_reason"]
        cases[str(n)] = [line]
    told = see_each(tmp_path, cases)
    for n, (*case, expected) in enumerate(PLACEHOLDERS):
        used = (expected, usd(OPUS, **{"in": 3}, out=int(str(case[2]))))
        assert told[str(n)].select("usage_from", "usd").rows() == [used], case


def test_the_line_that_finishes_a_call_finishes_it(tmp_path: Path) -> None:
    first = assistant("msg_1", usage(3, out=2), stop_reason=None, version="2.1.40", uuid="a")
    last = assistant("msg_1", usage(3, out=2), stop_reason="end_turn", version="2.1.40", uuid="b", content=[])
    for lines in ([first, last], [last, first]):
        seen = see(write(tmp_path / "s.jsonl", *lines))
        assert (seen.column("usage_from"), seen.column("stop_reason")) == (["reported"], ["end_turn"])


def turns(n: int, *, first: int = 0, base: int = 1000) -> list[Json]:
    """n turns with a tool call each; the prompt grows by 100 a turn, 20 of them written by the model."""
    lines: list[Json] = []
    for i in range(first, first + n):
        said: Any = [tool_result(f"toolu_{i - 1}", "y" * 150)] if i > first else "start"
        lines.append(user(said, uuid=f"u{i}", parentUuid=f"a{i - 1}" if i else None, timestamp=at(i)))
        used = usage(base + 100 * (i - first), out=20)
        lines.append(assistant(f"msg_{i}", used, uuid=f"a{i}", parentUuid=f"u{i}", timestamp=at(i + 0.5),
                               content=[tool_use(f"toolu_{i}", command="ls")]))  # fmt: skip
    return lines


def test_a_context_that_only_grows(tmp_path: Path) -> None:
    seen = see_blocks(write(tmp_path / "s.jsonl", *turns(4)))
    assert grown(seen) == [
        (1000, 0, 1000, 0),
        (1100, 1000, 100, 0),
        (1200, 1100, 100, 0),
        (1300, 1200, 100, 0),
    ]
    assert hold_prompts(seen) == 4
    # Each tool call is what the model wrote, its result takes the rest of what was added.
    calls = seen.blocks.filter(kind="tool_use").sort("turn_in")
    assert calls["tokens"].to_list() == [20, 20, 20, 20]
    assert calls["turn_in"].to_list() == [1, 2, 3, 4]
    assert calls["turn_out"].to_list() == [4, 4, 4, 4]
    results = seen.blocks.filter(kind="tool_result")
    assert results["tokens"].to_list() == [80, 80, 80]
    assert seen.tool_calls["result_tokens"].to_list() == [80, 80, 80, None]
    assert seen.tool_calls["carried_turns"].to_list() == [3, 2, 1, 0]


def test_compaction(tmp_path: Path) -> None:
    boundary = {"type": "system", "subtype": "compact_boundary", "sessionId": "s1", "uuid": "b", "parentUuid": None,
                "logicalParentUuid": "a3", "compactMetadata": {"trigger": "auto", "preTokens": 1300}}  # fmt: skip
    summary = user(
        "This session is being continued: " + "z" * 400, isCompactSummary=True, uuid="c", parentUuid="b"
    )
    after = turns(2, first=4, base=600)
    seen = see_blocks(write(tmp_path / "s.jsonl", *turns(4), boundary, summary, *after))
    assert seen.usd == usd(OPUS, **{"in": 1000 + 1100 + 1200 + 1300 + 600 + 700}, out=120)
    assert [p for p, *_ in grown(seen)] == [1000, 1100, 1200, 1300, 600, 700]
    assert grown(seen)[4][3] == 1300 - grown(seen)[4][1]
    old = seen.blocks.filter(in_messages() & (seen.blocks["turn_in"] < 4))
    assert set(old["turn_out"]) == {4}
    kept = seen.blocks.filter(line=10)
    assert kept.select("turn_in", "turn_out").rows() == [(4, 6)]


def in_messages() -> pl.Expr:
    return (pl.col("layer") == "messages") & (pl.col("kind") != "hidden")


def test_a_cleared_session(tmp_path: Path) -> None:
    again = turns(2, first=4, base=500)
    again[0]["parentUuid"] = None
    seen = see_blocks(write(tmp_path / "s.jsonl", *turns(4), *again))
    assert [p for p, *_ in grown(seen)] == [1000, 1100, 1200, 1300, 500, 600]
    assert [d for *_, d in grown(seen)][:4] == [0, 0, 0, 0]
    assert grown(seen)[4][3] > 0
    assert seen.blocks.filter(in_messages() & (seen.blocks["turn_in"] < 4))["turn_out"].max() == 4
    assert grown(seen)[5] == (600, 500, 100, 0)


METADATA: list[Any] = [{"compactedToolIds": ["toolu_0", "toolu_1", 5, None]}, {"compactedToolIds": None},
                       {"compactedToolIds": {}}, {}, [], "x", 5, None]  # fmt: skip


def test_microcompaction(tmp_path: Path) -> None:
    cases = {}
    for metadata in METADATA:
        boundary = {"type": "system", "subtype": "microcompact_boundary", "sessionId": "s1", "uuid": "b", "parentUuid": "a3",
                    "microcompactMetadata": metadata}  # fmt: skip
        cases[repr(metadata)] = [*turns(4), boundary, *turns(2, first=4, base=1240)]
    told = see_each(tmp_path, cases, blocks=True)
    for name, found in told.items():
        assert found["usd"].sum() == usd(OPUS, **{"in": 1000 + 1100 + 1200 + 1300 + 1240 + 1340}, out=120), (
            name
        )
    results = told.seen.blocks.filter(kind="tool_result", run_id="s1-0").sort("line")
    assert results["turn_out"].to_list()[:3] == [4, 4, 6]


def test_a_rewind(tmp_path: Path) -> None:
    # The user goes back behind turn 1 and asks something else: the prompt shrinks for no reason that is logged.
    other = [
        user("no, do this", uuid="r1", parentUuid="a0", timestamp=at(50)),
        assistant("msg_r1", usage(1060, out=20), uuid="r2", parentUuid="r1", timestamp=at(51)),
        user("and this", uuid="r3", parentUuid="r2", timestamp=at(60)),
        assistant("msg_r2", usage(1160, out=20), uuid="r4", parentUuid="r3", timestamp=at(61)),
    ]
    seen = see(write(tmp_path / "s.jsonl", *turns(4), *other))
    assert seen.usd == usd(OPUS, **{"in": 1000 + 1100 + 1200 + 1300 + 1060 + 1160}, out=120)
    assert grown(seen)[4][3] > 0
    assert grown(seen)[5] == (1160, 1060, 100, 0)


def test_a_prompt_snapshot_shows_system_and_tools(tmp_path: Path) -> None:
    snapshot = {
        "type": "attachment",
        "sessionId": "s1",
        "attachment": {
            "type": "prompt_snapshot",
            "systemPrompt": ["be brief " * 20],
            "tools": [{"name": "Bash", "input_schema": {}}],
        },
    }
    seen = see_blocks(write(tmp_path / "s.jsonl", snapshot, *turns(2)))
    first = seen.blocks.filter(turn_in=0)
    assert {"system", "tools", "messages"} <= set(first["layer"])
    assert first.filter(kind="tool_def")["tool"].to_list() == ["Bash"]
    assert hold_prompts(seen) == 2


def test_a_superseded_call_is_dropped_once(tmp_path: Path) -> None:
    old = assistant("msg_old", usage(1000, out=50), uuid="a0")
    new = assistant("msg_new", usage(1000, out=60), uuid="a1", supersedes=["a0"])
    seen = see(write(tmp_path / "s.jsonl", user("hi"), old, new))
    assert seen.column("message_id") == ["msg_new"]


def test_switching_models_keeps_the_sums(tmp_path: Path) -> None:
    lines = turns(4)
    for i, model in enumerate(("claude-opus-4-8", "claude-sonnet-4-6", "my-model", "claude-opus-4-8")):
        lines[2 * i + 1]["message"]["model"] = model
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert [p for p, *_ in grown(seen)] == [1000, 1100, 1200, 1300]
    assert seen.analysis.turns["usd"].null_count() == 1
