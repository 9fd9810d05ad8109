"""Which layers of a prompt are still found in the cache when something beside their blocks is changed.

What is expected is the table of the documentation of prompt caching.
"""

from pathlib import Path
from typing import Any

import pytest

from costscan.formats.api.cache_key import settings_of
from costscan.formats.api.request import lenient_request
from faults import read
from logs import OPUS, Json, text, tool_result, tool_use

MARK: Json = {"cache_control": {"type": "ephemeral"}}
SHELL: Json = {"name": "shell", "description": "Runs a command.", "input_schema": {"type": "object"}}
WEB: Json = {"type": "web_search_20250305", "name": "web_search"}
IMAGE: Json = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
DOCUMENT: Json = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "Hello."},
}
NOTHING, TOOLS, SYSTEM, ALL = [False] * 3, [True, False, False], [True, True, False], [True] * 3


def asked(**more: Any) -> Json:
    messages = [
        {"role": "user", "content": [DOCUMENT, text("fix it") | MARK]},
        {"role": "assistant", "content": [tool_use("t1")]},
        {"role": "user", "content": [tool_result("t1")]},
    ]
    plain = {
        "model": OPUS,
        "tools": [SHELL | MARK],
        "system": [text("You help.") | MARK],
        "messages": messages,
    }
    return plain | more


def ending(*blocks: Json) -> Json:
    plain = asked()
    return plain | {"messages": [*plain["messages"][:-1], {"role": "user", "content": list(blocks)}]}


def citing(enabled: bool) -> Json:
    plain = asked()
    first = {
        "role": "user",
        "content": [DOCUMENT | {"citations": {"enabled": enabled}}, text("fix it") | MARK],
    }
    return plain | {"messages": [first, *plain["messages"][1:]]}


def found(folder: Path, before: Json, after: Json) -> list[bool]:
    """Whether the entries at the ends of tools and system prompt, and in the messages, are found again."""
    told = read(folder, {"r": [before, after]})["windows"]
    first, second = ({r["prefix_hash"] for r in told if r["seq"] == n} for n in (0, 1))
    marks = [r["prefix_hash"] for r in told if r["seq"] == 0 and r["breakpoint"]]
    assert len(marks) == 3 < len(first)
    return [mark in second for mark in marks]


CASES: dict[str, tuple[Json, list[bool]]] = {
    "nothing": (asked(), ALL),
    "any tool": (asked(tool_choice={"type": "any"}), SYSTEM),
    "no tool": (asked(tool_choice={"type": "none"}), SYSTEM),
    "tools one by one": (asked(tool_choice={"type": "auto", "disable_parallel_tool_use": True}), SYSTEM),
    "the default choice": (asked(tool_choice={"type": "auto", "disable_parallel_tool_use": False}), ALL),
    "thinking": (asked(thinking={"type": "enabled", "budget_tokens": 2000}), SYSTEM),
    "no thinking": (asked(thinking={"type": "disabled"}), ALL),
    "less effort": (asked(output_config={"effort": "medium"}), SYSTEM),
    "the default effort": (asked(output_config={"effort": "high"}), ALL),
    "a format": (asked(output_config={"format": {"type": "json_schema", "schema": {}}}), TOOLS),
    "an image": (ending(tool_result("t1"), IMAGE), SYSTEM),
    "an image in a result": (ending(tool_result("t1", [IMAGE])), SYSTEM),
    "citations": (citing(enabled=True), TOOLS),
    "no citations": (citing(enabled=False), ALL),
    "web search behind": (asked(tools=[SHELL | MARK, WEB]), TOOLS),
    "web search before": (asked(tools=[WEB, SHELL | MARK]), TOOLS),
    "another tool": (asked(tools=[SHELL | {"description": "Runs it."} | MARK]), NOTHING),
    "what is no text": (asked(tool_choice=5, thinking=[1], output_config="x"), SYSTEM),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("swap", [False, True])
def test_layers_that_are_kept(name: str, swap: bool, tmp_path: Path) -> None:
    other, want = CASES[name]
    both = (other, asked()) if swap else (asked(), other)
    assert found(tmp_path, *both) == want


def test_the_defaults_of_a_model(tmp_path: Path) -> None:
    def settings(model: str, **more: Any) -> int:
        return settings_of(lenient_request(asked(model=model, **more)))

    new, old = "claude-opus-5-5", "claude-opus-4-8"
    high, medium = ({"output_config": {"effort": word}} for word in ("high", "medium"))
    assert settings(new) == settings(new, **medium) != settings(new, **high)
    assert settings(old) == settings(old, **high) != settings(old, **medium)
    assert settings(new) == settings(new, thinking={"type": "adaptive"})
    assert settings(old) != settings(old, thinking={"type": "adaptive"})


def test_a_prompt_extends_the_last_one_with_its_settings(tmp_path: Path) -> None:
    """Requests that take turns between two settings extend the one before the last."""
    choices: list[Json] = [{}, {"tool_choice": {"type": "any"}}]
    requests = []
    for n in range(1, 6):
        more = [{"role": "user", "content": [text(f"step {i}")]} for i in range(n)]
        requests.append(asked(**choices[n % 2]) | {"messages": [*asked()["messages"], *more]})
    told = read(tmp_path, {"r": requests})["prefixes"]
    ends = {
        role: {r["seq"]: r["position"] for r in told if r["role"] == role}
        for role in ("whole", "before", "stable-before")
    }
    assert ends["before"] == ends["stable-before"] == {n: ends["whole"][n - 2] for n in range(2, 5)}


def test_pictures_inside_a_result_are_no_positions(tmp_path: Path) -> None:
    """A mark looks back over twenty content blocks, however much is inside them."""
    results = [tool_result(f"t{n}", [text("seen"), IMAGE, IMAGE]) for n in range(25)]
    results[-1] |= MARK
    told = read(tmp_path, {"r": [ending(*results)]})["windows"]
    behind = [r["position"] for r in told if r["position"] > 4]
    # Five blocks before, then three each: their ends are 7, 10, ...
    assert behind == [7 + 3 * n for n in range(5, 25)]
    assert [r["position"] for r in told if r["breakpoint"]] == [0, 1, 3, behind[-1]]
