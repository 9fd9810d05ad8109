"""Logs in which everything that has a name is named by something that no report may obey."""

import json
from pathlib import Path
from typing import Final

from logs import Json, at, message, pair, tool_result, tool_use, usage, write

HUGE: Final = 10_000_000
TERMINAL: Final = "\x1b[31mred\x1b]8;;http://x.test\x07\r\n\x9b2J[bold]x[/bold] \u202eabc\u2028\ud83d"
"""What a terminal obeys, with half a surrogate pair."""
ESCAPES: Final = "\x1b[31mred\x1b]8;;http://x.test\x07\r\n\x9b2J[bold]x[/bold] | `a` \u202eabc\u2066\u2028\u200b\u2060\ufeff"
NAMES: Final = {
    "escapes": ESCAPES,
    "braces": "{tool} {0} {tool.__class__} {{ %s ${x} :max_tokens",
    "wide": "漢字" * 90,
    "marks": "a" + "\u0301\u0489\u20dd" * 5000,
    "formula": '=HYPERLINK("http://x.test";"y")',
    "quotes": "a\"b'c,d;e\t\\",
    "long": "x" * 300_000,
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)> <!-- c --> </td> &lt;b&gt; <http://x.test>",
    "markdown": "# head\n| a | b |\n|---|---|\n**b** `c` ``d`` ~~e~~ [l](http://x.test) ![i](http://x.test/i.png) "
    "@octocat #123 GH-7 owner/repo#9 www.x.test $x^2$ :tada: [r]: http://x.test 6ba15ea5c420286e \\| \\` {{ x }}",
    "lists": "- a\n1. b\n> c\n===\n---\n* d\n[ ] e",
    "workflow": "::error file=a,line=1::boom\n##[error]x%0A::set-output name=x::y",
    "controls": "\x00\x01\x08\x0b\x0c\x1f\x7f\x85\ufffe\uffff]]>",
    "surrogates": "\ud800a\udfff",
}


def calls(name: str, n: int, result: str = "word " * 12000) -> list[Json]:
    """A run of three calls of a tool; everything that has a name has this one."""
    lines: list[Json] = []
    messages: list[Json] = [{"role": "user", "content": f"{name} {n}"}]
    for i in range(4):
        call = tool_use(f"t{n}-{i}", name, skill=name, x=name)
        answer = message(f"msg_{n}_{i}", usage(20_000 * i + 50, out=5), content=[call], stop_reason=name[:99])
        told = {"run_id": f"{n}/{name[:99]}", "task": name, "agent": name, "session_id": name}
        lines.append(pair(answer, list(messages), timestamp=at(i), system=name, **told))
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [tool_result(f"t{n}-{i}", result)]},
        ]
    return lines


def written(folder: Path) -> Path:
    """Write a log for each name; half a surrogate pair is escaped, as UTF-8 has no bytes for it."""
    for n, (kind, name) in enumerate(NAMES.items()):
        told = calls(name, n)
        lines = [json.dumps(line) for line in told] if kind == "surrogates" else told
        write(folder / f"{kind}.jsonl", *lines)
    return folder
