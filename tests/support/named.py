"""Logs in which everything that has a name, and every text, holds a trace that is in nothing else."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from logs import (
    Json,
    assistant,
    at,
    message,
    pair,
    result,
    streamed,
    text,
    tool_result,
    tool_use,
    totals,
    usage,
    user,
    write,
)

LETTERS: Final = "QXZJKVWqxzjkvw"
"""No six of them stand together in any word that costscan has, nor in a hash."""
LEAST: Final = 6
IN_A_ROW: Final = re.compile(f"[{LETTERS}]+")


@dataclass
class Traced:
    """Makes traces, and remembers them.

    Attributes:
        seed: which ones.
        around: what stands around each in names and texts: what a report must not obey either.
    """

    seed: int
    around: tuple[str, str] = ("", "")
    traces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def plain(self) -> str:
        """Return a trace alone, for names of files and parts of names."""
        self.traces.append("".join(self._random.choices(LETTERS, k=self._random.randint(8, 14))))
        return self.traces[-1]

    def name(self) -> str:
        """Return a name or a text with a trace in it."""
        before, after = self.around
        return f"{before}{self.plain()}{after}"

    def found_in(self, shown: str) -> set[str]:
        """Return each six characters of a trace that are in a text."""
        runs = {run for run in IN_A_ROW.findall(shown) if len(run) >= LEAST}
        there = {part for run in runs for part in _parts(run)}
        return there & {part for trace in self.traces for part in _parts(trace)}


def _parts(word: str) -> Iterator[str]:
    return (word[n : n + LEAST] for n in range(len(word) - LEAST + 1))


def session(traced: Traced, number: int) -> Iterator[Any]:
    """Yield a transcript with a sub-agent, a skill, an MCP tool, and lines that cannot be read."""
    name = traced.name
    own = {
        "sessionId": f"{traced.plain()}-{number}",
        "cwd": f"/home/{traced.plain()}/{name()}",
        "gitBranch": name(),
    }
    mcp, custom, agent = f"mcp__{traced.plain()}__{traced.plain()}", name(), name()
    yield user(f"{name()} please {name()}", uuid=f"{number}-u", timestamp=at(0), **own)
    for turn in range(6):
        calls = [
            tool_use(f"{traced.plain()}-{turn}-{n}", tool, file_path=f"/{name()}", skill=name())
            for n, tool in enumerate((mcp, custom, "Read", "Skill"))
        ]
        start = tool_use(f"t{number}-{turn}", "Task", subagent_type=agent, prompt=name())
        yield assistant(
            f"{traced.plain()}-{number}-{turn}",
            usage(
                50,
                w5m=30_000 if turn % 2 else 3_000,
                read=0 if turn % 2 else 9_000,
                out=30,
                service_tier=name(),
            ),
            content=[{"type": "thinking", "thinking": name()}, text(name()), *calls, start],
            timestamp=at(700 * turn + 1),
            uuid=f"{number}-a{turn}",
            requestId=traced.plain(),
            effort=name(),
            stop_reason=name(),
            model="claude-opus-4-8" if turn else traced.plain(),
            **own,
        )
        told = [tool_result(call["id"], f"{name()} " * 600, is_error=turn > 2) for call in [*calls, start]]
        yield user(
            told,
            uuid=f"{number}-r{turn}",
            timestamp=at(700 * turn + 9),
            toolUseResult={"agentId": traced.plain()},
            **own,
        )
        side = {"isSidechain": True, "agentId": f"{number}x", "attributionAgent": agent} | own
        yield assistant(
            f"side-{number}-{turn}",
            usage(90_000, out=9),
            content=[text(name())],
            timestamp=at(700 * turn + 5),
            uuid=f"{number}-s{turn}",
            **side,
        )
    yield {"type": name(), traced.plain(): name()} | own
    yield '{"type": "assistant", "broken": "' + traced.plain()
    yield f"no JSON {traced.plain()}"
    cost = {
        traced.plain(): totals(5_000, out=50, cost=0.5),
        "claude-opus-4-8": totals(9_000_000, out=90_000, cost=60),
    }
    yield {"type": "cost-state", "sessionId": own["sessionId"], "totalCostUSD": 61.5, "modelUsage": cost}


def pairs(traced: Traced, number: int) -> Iterator[Json]:
    """Yield runs of requests whose system prompt, tools and history change."""
    name = traced.name
    run, task, agent = name(), name(), name()
    history: list[Json] = []
    for turn in range(5):
        tools = [
            {"name": f"{traced.traces[0]}{n}", "description": name(), "input_schema": {name(): name()}}
            for n in range(3)
        ]
        history.append({"role": "user", "content": [text(f"{name()} " * 900)]})
        system = f"{'rule ' * 40}{name()} at 2026-11-0{turn + 1}T09:30:00Z {'rule ' * 2_000}"
        answer = message(
            f"{traced.plain()}-{turn}",
            usage(6_000, w5m=9_000, out=40),
            content=[text(name())],
            stop_reason=name(),
        )
        line = pair(
            answer, list(history), system=system, tools=tools, run_id=run, task=task, timestamp=at(60 * turn)
        )
        if number % 2:
            line |= {"agent": agent, "parent_run_id": name() if number > 1 else run + "p"}
        line["request"] |= {
            "metadata": {"user_id": name()},
            "output_config": {"effort": name()},
            "speed": name(),
        }
        yield line
        history[-1] = {"role": "user", "content": [text(f"{name()} rewritten {'word ' * 900}")]}
        history.append({"role": "assistant", "content": [text(name())]})


def stream(traced: Traced, number: int) -> Iterator[Json]:
    """Yield a stream with a recorded total."""
    own = f"{traced.plain()}-{number}"
    yield {
        "type": "system",
        "subtype": "init",
        "session_id": own,
        "cwd": f"/{traced.name()}",
        "model": traced.plain(),
    }
    yield {"type": "user", "session_id": own, "message": {"role": "user", "content": traced.name()}}
    yield streamed(f"{own}-m", usage(20_000, out=10), session_id=own, content=[text(traced.name())])
    yield result(
        0.9,
        {"claude-opus-4-8": totals(40_000, out=900, cost=0.9)},
        own,
        result=traced.name(),
        errors=[traced.name()],
    )


def logs(folder: Path, traced: Traced) -> Path:
    """Write the logs below a folder that has a trace in its name too, and return it."""
    home = folder / traced.plain()
    for number in range(2):
        for kind, lines in (("a", session), ("b", pairs), ("c", stream)):
            made = [line if isinstance(line, str) else json.dumps(line) for line in lines(traced, number)]
            write(home / f"{traced.plain()}-{kind}.jsonl", *made)
    (home / f"{traced.plain()}.jsonl").write_text(f'{{"x": "{traced.plain()}"}}\n', encoding="utf-8")
    (home / f"{traced.plain()}.jsonl.gz").write_bytes(b"no gzip at all")
    return home
