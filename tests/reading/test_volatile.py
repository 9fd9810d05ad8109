"""Where a prompt departs from the one before it, for what cause, and at which character."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from costscan.formats.api.cache_key import settings_of
from costscan.formats.api.request import lenient_request
from costscan.reading.prompt_diff import tracker
from faults import KINDS, Fault, fault, found_of, grown, marked, read
from logs import OPUS, Json, text, tool_result, tool_use

TOOLS: list[Json] = [
    {
        "name": "Bash",
        "description": "Runs a command in a shell.",
        "input_schema": {
            "type": "object",
            "properties": {"cmd": {"type": "string"}, "n": {"type": "integer"}},
        },
    },
    {"name": "Read", "description": "Reads a file of the project.", "input_schema": {}},
    {"name": "Edit", "description": "Edits a file of the project.", "input_schema": {}},
]


def history(turns: int) -> list[Json]:
    messages: list[Json] = [{"role": "user", "content": "fix it"}]
    for i in range(turns):
        messages.append({"role": "assistant", "content": [tool_use(f"t{i}", n=i)]})
        messages.append({"role": "user", "content": [tool_result(f"t{i}", f"result {i} " * 40)]})
    return messages


def asked(messages: list[Json], system: Any = "You help people.", tools: Any = None, **more: Any) -> Json:
    given = {} if tools is None else {"tools": tools}
    return {"model": OPUS, "system": system, "messages": messages} | given | more


def broken(folder: Path, *requests: Json) -> list[tuple[Any, ...]]:
    """Where these requests of one run depart from one another: call, path, character, cause."""
    told = read(folder, {"r": list(requests)})["breaks"]
    return [(row["seq"], row["path"], row["char_offset"], row["cause"]) for row in told]


def changed(value: Any, old: str, new: str) -> Any:
    return json.loads(json.dumps(value).replace(old, new))


def test_what_is_no_break(tmp_path: Path) -> None:
    cases = {
        "growth": [asked(history(n), tools=TOOLS) for n in range(5)],
        "moved markers": [marked(asked(history(n), tools=TOOLS)) for n in range(5)],
        "a marker on a tool": [asked(history(1), tools=[TOOLS[0] | {"cache_control": {"type": "ephemeral"}}]),
                               asked(history(2), tools=TOOLS[:1])],
        "new user turns": [grown(asked(history(1))), grown(grown(asked(history(1))))],
        "the same again": [asked(history(2))] * 3,
        "an earlier prompt again": [asked(history(3)), asked(history(1))],
        "other questions": [asked([{"role": "user", "content": f"Translate: word {n}"}]) for n in (1, 77)],
        "a string as a list": [asked(history(1)), asked(history(2), [text("You help people.")])],
        "a helper between": [asked(history(1)), asked([{"role": "user", "content": "hi"}], "Titles only."),
                             asked(history(2)), asked([{"role": "user", "content": "ho"}], "Titles only.")],
        "a deferred tool": [asked(history(1), tools=TOOLS[:1]),
                            asked(history(2), tools=[*TOOLS[:1], TOOLS[1] | {"defer_loading": True}])],
    }  # fmt: skip
    for name, requests in cases.items():
        assert broken(tmp_path, *requests) == [], name


def test_an_order_that_comes_back_goes_on_from_the_last_prompt_in_that_order(tmp_path: Path) -> None:
    orders = [TOOLS, TOOLS[::-1], TOOLS[1:] + TOOLS[:1], TOOLS, TOOLS[::-1]]
    told = read(tmp_path, {"r": [asked(history(n), tools=tools) for n, tools in enumerate(orders)]})
    whole = {row["seq"]: row["prefix_hash"] for row in told["prefixes"] if row["role"] == "whole"}
    extends = {row["seq"]: row["prefix_hash"] for row in told["prefixes"] if row["role"] == "before"}
    assert extends == {3: whole[0], 4: whole[1]}
    ends = {row["seq"]: row["position"] for row in told["prefixes"] if row["role"] == "before"}
    # Three tools, a system prompt, a question; a call and its result more for each turn.
    assert ends == {3: 4, 4: 6}
    stable = {row["seq"]: row["position"] for row in told["prefixes"] if row["role"] == "stable-before"}
    assert stable == {1: 4, 2: 6, 3: 8, 4: 10}


def status(turn: int) -> list[Any]:
    marker = {"cache_control": {"type": "ephemeral"}}
    return [text(f"part {turn}") | marker, text(f"<now>2026-01-02T10:0{turn}:01Z</now>")]


def test_a_status_behind_the_last_marker_is_no_break(tmp_path: Path) -> None:
    first = asked([{"role": "user", "content": status(1)}])
    second: list[Json] = [{"role": "user", "content": status(1)[:1]}, {"role": "assistant", "content": "yes"}]
    assert broken(tmp_path, first, asked([*second, {"role": "user", "content": status(2)}])) == []
    bare = json.loads(json.dumps(first).replace('"ephemeral"', "null").replace('"cache_control"', '"note"'))
    told = broken(tmp_path, bare, asked([*second, {"role": "user", "content": "on"}]))
    assert told == [(1, "messages[0].content[1]", 0, "history-rewritten")]


@pytest.mark.parametrize(
    ("tools", "path", "offset", "cause"),
    [
        (TOOLS[::-1], "tools[0]", 0, "random-order"),
        (TOOLS[:2], "tools[2]", 0, "definition-changed"),
        (TOOLS[1:], "tools[0]", 0, "definition-changed"),
        ([*TOOLS, {"name": "Grep"}], "tools[3]", 0, "definition-changed"),
        (changed(TOOLS, "a shell", "bash"), "tools[0].description", 18, "definition-changed"),
        (changed(TOOLS, "integer", "number"), "tools[0].input_schema", 76, "definition-changed"),
        ([dict(reversed(TOOLS[0].items())), *TOOLS[1:]], "tools[0]", 0, "random-order"),
    ],
)
def test_tools(tmp_path: Path, tools: list[Json], path: str, offset: int, cause: str) -> None:
    found = broken(tmp_path, asked(history(1), tools=TOOLS), asked(history(2), tools=tools))
    assert found == [(1, path, offset, cause)]


def test_keys_of_a_schema_in_another_order(tmp_path: Path) -> None:
    schema = TOOLS[0]["input_schema"]
    other = schema | {"properties": dict(reversed(schema["properties"].items()))}
    tools = [TOOLS[0] | {"input_schema": other}, *TOOLS[1:]]
    found = broken(tmp_path, asked(history(1), tools=TOOLS), asked(history(2), tools=tools))
    assert found == [(1, "tools[0].input_schema", 33, "random-order")]


def test_a_break_in_the_tools_and_slots_in_the_system_prompt(tmp_path: Path) -> None:
    requests = [
        asked(history(n), [text("Kind."), text(f"Turn {n} of many. Now 09:0{n}:07.")],
              changed(TOOLS, "a file", f"a file (build 8f3a2c{n})"))
        for n in (1, 2)
    ]  # fmt: skip
    told = read(tmp_path, {"r": requests})["breaks"]
    assert [(r["path"], r["char_offset"], r["cause"], r["is_first"]) for r in told] == [
        ("tools[1].description", 20, "hex-id", True),
        ("tools[2].description", 20, "hex-id", False),
        ("system[1].text", 5, "counter", False),
        ("system[1].text", 20, "timestamp", False),
    ]
    assert [(r["position"], r["place"]) for r in told][::3] == [(1, 1), (4, 4)]
    assert told[3]["after"] == "2 of many. Now 09:02:07."
    assert told[3]["text_chars"] == len("Turn 2 of many. Now 09:02:07.")


@pytest.mark.parametrize(
    ("system", "path", "offset", "cause"),
    [
        ([text("aaa bbb ccc"), text("ddd eee")], "", 0, ""),
        ([text("ddd eee"), text("aaa bbb ccc")], "system[0].text", 0, "random-order"),
        ([text("aaa bbb ccc"), text("new"), text("ddd eee")], "system[1].text", 0, "text-edited"),
        ([text("aaa bbb ccc")], "system[1].text", 0, "text-edited"),
        ([text("aaa bbb ccc"), text("ddd fff")], "system[1].text", 4, "text-edited"),
    ],
)
def test_blocks_of_the_system_prompt(
    tmp_path: Path, system: list[Json], path: str, offset: int, cause: str
) -> None:
    first = asked(history(1), [text("aaa bbb ccc"), text("ddd eee")])
    assert broken(tmp_path, first, asked(history(2), system)) == ([(1, path, offset, cause)] if path else [])


@pytest.mark.parametrize(
    ("after", "path", "offset", "cause"),
    [
        (changed(history(4), "fix it", "fix it all"), "messages[0].content", 6, "history-rewritten"),
        (changed(history(4), "result 0 " * 40, "[cleared]"), "messages[2].content[0]", 0, "history-rewritten"),
        ([*history(4)[:1], *history(5)[3:]], "messages[1].content[0]", 0, "history-rewritten"),
        (changed(history(4), '"t0"', '"toolu_9a8b"'), "messages[1].content[0].id", 0, "record-id"),
        ([{"role": "user", "content": "In short: it is half done."}], "messages[0].content", 0, "compaction"),
        ([*history(0), {"role": "user", "content": "Summary so far: half."}], "messages[1].content", 0,
         "compaction"),
    ],
)  # fmt: skip
def test_messages(tmp_path: Path, after: list[Json], path: str, offset: int, cause: str) -> None:
    assert broken(tmp_path, asked(history(3)), asked(after)) == [(1, path, offset, cause)]


def test_first_prompts_of_other_runs(tmp_path: Path) -> None:
    long = "Please review the invoice below with care. " * 20
    cases = {
        f"run{n}": [asked([{"role": "user", "content": f"Case INV-10{n}4\n{long}"}])] for n in range(3)
    } | {
        f"desk{n}": [
            asked(history(0), f"Session c9{n}f-99. You are the desk of Halden. Answer about parcels.")
        ]
        for n in range(3)
    }
    told = read(tmp_path, cases)["breaks"]
    assert [(r["run_id"], r["seq"], r["path"], r["char_offset"], r["against"]) for r in told] == [
        (f"{name}{n}", 0, path, offset, f"{name}{n - 1}")
        for name, path, offset in (("run", "messages[0].content", 5), ("desk", "system[0].text", 8))
        for n in (1, 2)
    ]
    assert {r["cause"] for r in told} == {"record-id"}
    assert all(r["across_runs"] and r["is_first"] for r in told)


def test_secrets_are_left_out(tmp_path: Path) -> None:
    said = "{} key sk-abcdefgh12345678 of a@b.co " * 2
    times = ("2026-11-18T09:01:22Z", "2026-11-18T09:02:22Z")
    told = read(tmp_path, {"r": [asked(history(n), said.format(t, t)) for n, t in enumerate(times)]})[
        "breaks"
    ]
    assert len(told) == 2
    for row in told:
        assert times[1] in row["after"]
        assert not any(part in row["before"] + row["after"] for part in ("abcd", "b.co"))
        assert max(len(row["before"]), len(row["after"])) <= 60


def test_more_text_than_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker, "MAX_RUN_CHARS", 10)
    assert broken(tmp_path, asked(history(1), "aa 11"), asked(history(2), "aa 22")) == [
        (1, "system[0].text", None, "unknown")
    ]


def test_little_text_is_remembered_of_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker, "MAX_CHARS", 100)
    lines = {f"r{n}": [asked(history(1), f"aa {n}"), asked(history(2), f"aa {n}9")] for n in range(3)}
    assert [row["cause"] for row in read(tmp_path, lines)["breaks"] if not row["across_runs"]] == [
        "number"
    ] * 3


def test_odd_texts_and_definitions(tmp_path: Path) -> None:
    def deep(depth: int) -> list[Json]:
        value: list[Any] = []
        for _ in range(depth):
            value = [value]
        return [{"name": "T", "input_schema": value}]

    assert len(broken(tmp_path, asked(history(1), tools=deep(300)), asked(history(2), tools=deep(301)))) == 1
    for odd in ([5], [{"name": 5}], [{"name": ["T"], "description": None}], [None]):
        assert len(broken(tmp_path, asked(history(1), tools=TOOLS), asked(history(2), tools=odd))) == 1, odd
    digits = "9" * 5000
    assert broken(
        tmp_path, asked(history(1), f"n {digits}1 [{digits}"), asked(history(2), f"n {digits}7 [{digits}")
    )


def test_settings_of_a_call(tmp_path: Path) -> None:
    def settings(**more: Any) -> int:
        return settings_of(lenient_request(asked(history(0), **more)))

    plain = settings()
    assert plain == settings(
        tool_choice={"type": "auto"},
        thinking={"type": "disabled"},
        speed="standard",
        output_config={"effort": "high"},
    )
    others = [
        settings(tool_choice={"type": "any"}),
        settings(thinking={"type": "adaptive"}),
        settings(output_config={"effort": "low"}),
        settings(output_config={"effort": "max"}),
        settings(speed="fast"),
        settings(betas=["a-2026-01-01"]),
    ]
    assert len({plain, *others}) == 1 + len(others)


def test_windows(tmp_path: Path) -> None:
    auto = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    system = [text("You help.") | {"cache_control": {"type": "ephemeral"}}]
    told = read(tmp_path, {"r": [asked(history(n), system, TOOLS, **auto) for n in (1, 15)]})["windows"]
    first, second = ([row for row in told if row["seq"] == n] for n in (0, 1))
    assert [(r["position"], r["breakpoint"]) for r in first] == [
        (0, None), (1, None), (2, None), (3, "5m"), (4, None), (5, None), (6, "1h")
    ]  # fmt: skip
    assert [r["position"] for r in second] == [*range(4), *range(15, 35)]
    assert [r["prefix_hash"] for r in second[:4]] == [r["prefix_hash"] for r in first[:4]]
    assert len({r["prefix_hash"] for r in told}) == 4 + 3 + 20
    assert read(tmp_path, {"r": [asked(history(2))]})["windows"] == []


def sample_prompts() -> list[Json]:
    """The requests of the sample logs."""
    files = sorted((Path(__file__).parents[2] / "sample_logs").glob("*/*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line["request"] for line in lines if isinstance(line.get("request"), dict)]


def test_injected_faults_are_found_at_the_exact_character(tmp_path: Path) -> None:
    dice = random.Random(7)
    known = sample_prompts()
    faults: list[Fault] = []
    for kind in KINDS:
        made = (fault(dice.choice(known), kind, dice) for _ in range(100))
        faults += [found for found in made if found is not None]
    assert len(faults) >= 1000
    missed = [
        (put.cause, put.path, put.offset, found)
        for put, found in zip(faults, found_of(tmp_path, faults), strict=True)
        if found is None
        or (found["path"], found["char_offset"], found["cause"]) != (put.path, put.offset, put.cause)
    ]
    assert len(missed) <= len(faults) / 100, missed[:3]


def test_untouched_prompts_have_no_break(tmp_path: Path) -> None:
    runs = {
        f"r{n}": [marked(p), grown(marked(p)), grown(grown(marked(p)), 1)]
        for n, p in enumerate(sample_prompts())
    }
    assert [row for row in read(tmp_path, runs)["breaks"] if not row["across_runs"]] == []
