"""Logs of before and after, and histories, in which everything that has a name is named by something hostile."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hostile import HUGE, NAMES
from logs import OPUS, Json, at, message, pair, tool_result, tool_use, usage, write
from sides import Run, Spent
from trends import day, report

HUGE_NAME: Final = "@`|::" * 40_000
KINDS: Final = (*NAMES, "huge")
GROUPS: Final = tuple(KINDS[n : n + 4] for n in range(0, len(KINDS), 4))
"""Names that one comparison shows together: few enough for every table to hold their tasks."""
RUNS, STEPS = 4, 10


def name_of(kind: str) -> str:
    """Return a hostile name; the huge one is longer than any report may be."""
    return NAMES.get(kind, HUGE_NAME)


def limits_on(kinds: Sequence[str]) -> list[str]:
    """Return limits of every form that show the name of a task, a run, a tool or a day."""
    names = [name_of(kind) for kind in kinds]
    return [
        *(f"usd[{name}]:0.0001" for name in names),
        *(f"prompt_tokens[{name}]:+1" for name in names),
        *(f"usd_per_{scope}:0.0001" for scope in ("run", "task", "day", "tool")),
        "usd[*]:+1%",
        "new-findings[*]:0",
        "findings[*]:+0",
        "turns:+500%",
    ]


def sides(folder: Path, kinds: Sequence[str]) -> tuple[Path, Path]:
    """Write the logs of before and after: the latter more expensive, with another task and another model."""
    both = [folder / f"{side} {_file_name(name_of(kinds[0]))}" for side in ("before", "after")]
    for kind in kinds:
        _logs_of(kind, *both)
    return both[0], both[1]


def _logs_of(kind: str, before: Path, after: Path) -> None:
    name = name_of(kind)
    for side, is_after in ((before, False), (after, True)):
        last = f"{name} new" if is_after else f"{name} gone"
        told = [
            *(line for n in range(RUNS) for line in _run(kind, name, n, is_after=is_after)),
            *_run(kind, last, RUNS, is_after=is_after),
        ]
        if is_after:
            told.append(
                pair(message(f"msg {kind}", model=name), model=name, run_id=f"{name} x", task=name[:9])
            )
        noise = ["[" * HUGE] if kind == "huge" and is_after else []
        # Half a surrogate pair is escaped, as UTF-8 has no bytes for it.
        write(
            side / f"{_file_name(name)}.jsonl",
            *(json.dumps(line) if kind == "surrogates" else line for line in told),
            *noise,
        )


def _file_name(name: str) -> str:
    return re.sub(r"[/\x00\ud800-\udfff]", "_", name)[:40]


def _run(kind: str, task: str, n: int, *, is_after: bool) -> list[Json]:
    """Return a run of three calls of a tool."""
    name = name_of(kind)
    lines: list[Json] = []
    messages: list[Json] = [{"role": "user", "content": f"{name[:999]} {n}"}]
    mark = f"{kind} {'after' if is_after else 'before'} {n}"
    for turn in range(3):
        call = tool_use(f"t {mark} {turn}", name, x=name[:99])
        used = usage((40_000 if is_after else 9_000) * (turn + 1), out=5 + n)
        answer = message(f"msg {mark} {turn}", used, content=[call], model=OPUS)
        lines.append(
            pair(
                answer,
                list(messages),
                timestamp=at(600 * n + turn, f"2026-07-0{1 + is_after}"),
                run_id=f"{name} {mark}",
                task=task,
                agent=name[:99],
                system=f"{mark} {turn} {name[:99]}",
            )
        )
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [tool_result(f"t {mark} {turn}", "word " * 24_000 * (1 + is_after))]},
        ]
    return lines


def history(folder: Path, kinds: Sequence[str]) -> Path:
    """Write a run report for each name: of a task that rises, all names hostile."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        _history_of(name_of(kind).encode("utf-8", "replace").decode(), folder)
    return folder


def _history_of(name: str, folder: Path) -> None:
    runs = []
    for n in range(2 * STEPS):
        prompt_tokens = 1000 + 9000 * (n // STEPS) + n
        spent = Spent(units=(prompt_tokens, 0, 0, 0, 1, 0))
        parts = [(name, "tool_result", prompt_tokens)]
        runs.append(Run(f"{name}{n}", name, (spent,), parts=parts, day=day(n), path=name))
    report(folder / f"{_file_name(name)}.parquet", *runs)
