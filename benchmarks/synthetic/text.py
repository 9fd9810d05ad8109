"""Pools of invented, already JSON-escaped text, built once and cut into slices."""

import json
from bisect import bisect_left
from itertools import accumulate
from random import Random
from typing import Final

LINES_PER_FILE: Final = 2400
CODE_FILES: Final = 100
OTHER_LINES: Final = 60_000

_NOUNS: Final = """
    account batch buffer cache channel client column cursor deadline delivery device digest draft edge
    element filter folder frame gateway handler header index invoice item journal key label ledger limit
    lock margin merge metric mirror node offset order owner packet parcel partition path pending plan
    policy price queue quota range record region registry replica report request retry route row schema
    scope segment session shard signal slot snapshot source stage state status stream summary target
    tenant ticket token topic trace unit upload user value vector version view volume warehouse weight
    window worker zone
"""
_WORDS: Final = _NOUNS.split()
_FOREIGN: Final = "naïve café Größe señal 日本語 データ проверка ✓ ✗ — … “so” €12 😀"
_ACCENTED: Final = _FOREIGN.split()

_CODE: Final = (
    "\tif err := {a}.{B}(ctx, {b}); err != nil {{",
    '\t\treturn nil, fmt.Errorf("{a} {b}: %w", err)',
    "\t}}",
    "",
    "",
    "\t\t}}",
    "\treturn {a}, nil",
    "    return {a}",
    "import {a}.{b}",
    "    {a} = {n}",
    "func (s *{A}{B}) {C}(ctx context.Context, {a} string, {n} int) error {{",
    '    {a}_{b} = self._{c}.get("{b}", {n})',
    "    for {a} in sorted({b}s, key=lambda {c}: {c}.{a}_id):",
    '        raise {A}Error(f"unknown {b}: {{{c}!r}}")',
    "def {a}_{b}({c}: {A}{C}, *, {b}_limit: int = {n}) -> list[{B}]:",
    '    """Return the {a} of each {b} that has a {c}."""',
    "    # {a} {b} must be read before the {c}, otherwise the {b} is counted twice",
    '  const {a}{B} = await {c}.fetch(`/api/v1/{a}s/${{{b}Id}}`, {{ method: "POST" }});',
    "  expect({a}.{b}({n})).toEqual({{ {b}: '{c}', {a}Count: {n} }});",
    "export interface {A}{B}Props {{ {a}: string; {b}?: number; {c}: Record<string, {A}> }}",
    "  }}",
    '<div className="{a}-{b} px-{n}" data-{c}="{{{a}.{b}}}">{{t("{a}.{c}")}}</div>',
    '\tlog.Printf("{a}=%s {b}=%d path=C:\\\\{C}\\\\{A}.txt", {a}, {n})',
    "SELECT {a}_id, count(*) FROM {b}s WHERE {c} > {n} GROUP BY 1 ORDER BY 2 DESC;",
)
_PROSE: Final = (
    "The {a} reads each {b} once, and then waits for the {c} before it closes the {a}.",
    "## {A} and {b}",
    "- **{A} {b}**: {n} of the {c} entries are older than the {a}; they should be dropped.",
    "Let me look at how the {a} handles a missing {b}.",
    "I found the cause: `{a}_{b}` is set after the {c} has started, so the first {n} calls see none.",
    "Now I will change the {a} so that the {b} is checked first, then run the tests.",
    "1. Move the {b} into the {c}; 2. keep the {a} {x} as it is; 3. add a test for {n}.",
    "This doesn't affect the {c} — only the {a} {x}, which nobody else calls.",
    "",
)
_TERMINAL: Final = (
    "src/{a}/{b}_{c}.py:{n}:    {a} = {b}.{c}({n})",
    "PASS  {a}/{b}.test.ts ({n} ms)",
    "ok  \tgithub.com/example/{a}/{b}\t0.{n}s",
    "--- FAIL: Test{A}{B} (0.{n}s)",
    '    {a}_test.go:{n}: {b}: got "{c}", want "{a}"',
    "2026-03-{d:02d}T{d:02d}:{e:02d}:{f:02d}.{n}Z INFO  {a}.{b} {c}={n} elapsed={n}ms",
    "-rw-r--r--  1 dev dev {n:>8} Mar {d:>2} {d:02d}:{e:02d} {a}_{b}.{c}",
    "\x1b[32m✓\x1b[0m {a} {b} {c} ({n})",
    " {n} files changed, {n} insertions(+), {d} deletions(-)",
    "tests/{a}/test_{b}.py::test_{c}_{a} PASSED [ {d}%]",
    "warning: unused {a} `{b}_{c}` in {a}.rs:{n}:{d} {x}",
    "{a}\t{b}\t{n}\t{c}",
)
_JSON: Final = (
    '{{"id":"{a}-{n}","{b}":{n},"tags":["{a}","{c}"],"nested":{{"{c}":{{"ok":true,"at":null}}}}}}',
    '  "{a}_{b}": {{"count": {n}, "ratio": 0.{n}, "owner": "{c}"}},',
    '    {{"name": "{A} {b}", "value": "{x}", "href": "https://example.com/{a}/{b}?{c}={n}"}},',
    "  ],",
)


def _format_line(rng: Random, templates: tuple[str, ...]) -> str:
    words = [_WORDS[int(rng.random() * len(_WORDS))] for _ in range(3)]
    number = int(rng.random() * 1000)
    return templates[int(rng.random() * len(templates))].format(
        a=words[0],
        b=words[1],
        c=words[2],
        A=words[0].title(),
        B=words[1].title(),
        C=words[2].title(),
        x=_ACCENTED[number % len(_ACCENTED)],
        n=number,
        d=1 + number % 28,
        e=number % 60,
        f=(number * 7) % 60,
    )


def escape(text: str) -> str:
    """Return the text as the inside of a JSON string, non-ASCII kept as in real transcripts."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Pool:
    """Escaped lines in one string; a slice at line borders never splits an escape."""

    def __init__(self, escaped_lines: list[str]) -> None:
        self.text = "".join(escaped_lines)
        self.starts = list(accumulate(map(len, escaped_lines), initial=0))

    def lines(self, first: int, end: int) -> str:
        """Return the lines first..end-1 without the last newline (two escaped characters)."""
        return self.text[self.starts[first] : self.starts[end] - 2]

    def end_after(self, first: int, chars: int) -> int:
        """Return the line at which a text of about so many characters from `first` on ends."""
        end = bisect_left(self.starts, self.starts[first] + chars, first + 1)
        return min(end, len(self.starts) - 1)

    def cut(self, rng: Random, chars: int) -> str:
        """Return about so many characters of text from anywhere in the pool."""
        position = int(rng.random() * max(1, len(self.text) - chars - 1000))
        first = bisect_left(self.starts, position)
        return self.lines(first, self.end_after(first, chars))


class CodePool(Pool):
    """Invented source files, plain and with the line numbers that the Read tool prints."""

    def __init__(self, escaped_lines: list[str]) -> None:
        super().__init__(escaped_lines)
        self.numbered = Pool(
            [f"{1 + i % LINES_PER_FILE:6d}→{line}" for i, line in enumerate(escaped_lines)],
        )

    def whole_file(self, rng: Random, chars: int) -> str:
        """Return the start of one file: what an edited file held before the edit."""
        first = int(rng.random() * CODE_FILES) * LINES_PER_FILE
        return self.lines(first, min(self.end_after(first, chars), first + LINES_PER_FILE))

    def read(self, rng: Random, chars: int) -> tuple[str, str, int, int]:
        """Return (numbered, plain, first line number, number of lines) of part of one file."""
        file_start = int(rng.random() * CODE_FILES) * LINES_PER_FILE
        file_end = file_start + LINES_PER_FILE
        first = file_start if rng.random() < 0.5 else file_start + int(rng.random() * LINES_PER_FILE)
        end = self.numbered.end_after(first, chars)
        first = max(file_start, first - max(0, end - file_end))
        end = min(end, file_end)
        plain = self.lines(first, end)
        return self.numbered.lines(first, end), plain, 1 + first - file_start, end - first


class Texts:
    """The four kinds of text that transcripts hold."""

    def __init__(self, seed: int) -> None:
        rng = Random(f"texts {seed}")

        def escaped(templates: tuple[str, ...], count: int) -> list[str]:
            return [escape(_format_line(rng, templates) + "\n") for _ in range(count)]

        indents = [escape("\t" * int(rng.random() * 4)) for _ in range(CODE_FILES * LINES_PER_FILE)]
        code = escaped(_CODE, CODE_FILES * LINES_PER_FILE)
        self.code = CodePool([indent + line for indent, line in zip(indents, code, strict=True)])
        self.prose = Pool(escaped(_PROSE, OTHER_LINES))
        self.terminal = Pool(escaped(_TERMINAL, OTHER_LINES))
        self.json = Pool(escaped(_JSON, OTHER_LINES))

    def shell_output(self, rng: Random, chars: int) -> str:
        """Return what a shell command prints: mostly its log, sometimes JSON or source."""
        kind = rng.random()
        pool: Pool = self.terminal if kind < 0.7 else self.json if kind < 0.85 else self.code
        return pool.cut(rng, chars)

    def word(self, rng: Random) -> str:
        """Return one plain word, for names of files and projects."""
        return _WORDS[int(rng.random() * len(_WORDS))]


def log_normal(rng: Random, p50: float, p95: float, cap: float) -> int:
    """Draw a size from the log-normal distribution with these quantiles, at most `cap`."""
    return int(min(cap, p50 * (p95 / p50) ** (rng.gauss(0.0, 1.0) / 1.645)))
