"""Recorded suites: ten cases run before and after a change that breaks the cache and lengthens tool results.

Every request marks its whole prompt. Before, a turn reads what the turn before it wrote; after, the time of day
at the top of the system prompt changes with each turn, so that each writes all of its prompt anew.
"""

from pathlib import Path

from logs import Json, at, message, pair, text, tool_result, tool_use, usage, write

CASES, TURNS = 10, 5
SYSTEM, STEP, OUTPUT = 6_000, 900, 120
"""Tokens of the system prompt with the tools, of what a turn adds before the change, and of an answer."""
WORD = "lorem ipsum "


def suite(path: Path, *, changed: bool = False, cases: int = CASES, day: str = "2026-11-02") -> Path:
    """Write the log of a suite to a file."""
    lines = [line for case in range(cases) for line in _case(case, day=day, changed=changed)]
    return write(path, *lines)


def _case(case: int, *, changed: bool, day: str) -> list[Json]:
    step = STEP * (2 if changed else 1) + 37 * case
    messages: list[Json] = [{"role": "user", "content": f"Case {case}: say why the build is red."}]
    lines, before = [], 0
    for turn in range(TURNS):
        when = at(case * 600 + turn * 20, day)
        prompt = SYSTEM + 30 + (step + OUTPUT) * turn
        read = 0 if changed else before
        call = tool_use(f"call_{case}_{turn}", "Bash", command=f"make check-{turn}")
        answer = message(
            f"msg_{case}_{turn}_{'after' if changed else 'before'}",
            usage(5, read=read, w5m=prompt - read - 5, out=OUTPUT),
            content=[call],
            stop_reason="tool_use",
            model="claude-sonnet-4-6",
        )
        lines.append(
            pair(
                answer,
                [*messages[:-1], _marked(messages[-1])],
                run_id=f"{'after' if changed else 'before'}-{case}",
                task=f"case-{case}",
                timestamp=when,
                model="claude-sonnet-4-6",
                system=[text((f"Now: {when}. " if changed else "") + WORD * (SYSTEM // 3))],
                tools=[{"name": "Bash", "description": "Run a command", "input_schema": {"type": "object"}}],
            )
        )
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [tool_result(f"call_{case}_{turn}", WORD * (step // 3))]},
        ]
        before = prompt - 5
    return lines


def _marked(last: Json) -> Json:
    content = last["content"] if isinstance(last["content"], list) else [text(last["content"])]
    return last | {"content": [*content[:-1], content[-1] | {"cache_control": {"type": "ephemeral"}}]}
