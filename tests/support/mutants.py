"""Mutants of the sample logs, all run through everything.

Many are analyzed together, each in a file of its own with ids of its own, beside the logs that they were made
of. Where that ends in an exception, halves of them are, down to the one that is to blame.
"""

import json
import os
import re
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, TextIO

from billed import NOW
from command import logs_of
from costscan.actions import Advised
from costscan.gate import DEFAULT, compare, limits, of_logs
from costscan.reports.analysis.json import document
from costscan.reports.analysis.tables import TABLES
from costscan.reports.analysis.terminal import render
from costscan.reports.endings import ANALYSIS, COMPARISON, FOLDER
from costscan.reports.listings import run_story
from costscan.reports.outputs import Target
from costscan.summary import Summary
from costscan.summary.story import story
from mutant_verdicts import Dollars, by_file, defects, lost, vanished
from mutator import KINDS, Mutant, mutant
from rare_lines import RARE
from samples import SAMPLES

TOGETHER: Final = 100
"""So many mutants are analyzed at a time."""
OF_A_WINDOW: Final = 5
LONGEST: Final = 8
"""So many lines of a log are taken at most."""
RARELY: Final = 0.4
"""How often they are lines that the samples do not have."""
MOST_CPU_S: Final = 120
"""An analysis of `TOGETHER` mutants that takes more hangs: it takes about seven."""
EXPLAINED: Final = 40
_names = re.compile(
    rb'"(?:sessionId|session_id|run_id|parent_run_id|requestId|request_id)":\s*"([^"]+)"|(msg_\w+)'
)
_call = re.compile(rb"msg_\w+")


@dataclass(frozen=True)
class Window:
    """Some lines of a log that follow one another, as they are written, and the calls that each of them tells."""

    source: str
    lines: tuple[bytes, ...]
    calls: tuple[frozenset[str], ...]

    def healthy(self, touched: Iterable[int]) -> set[str]:
        """Return the calls that none of the touched lines tells."""
        damaged = {call for n in touched for call in self.calls[n]}
        return {call for told in self.calls for call in told} - damaged

    def salted(self, lines: Sequence[bytes], salt: str) -> bytes:
        """Return lines as a file in which the ids of this window are such as no other log has."""
        whole = b"\n".join(lines) + b"\n"
        names = {found[0] or found[1] for found in _names.findall(b"\n".join(self.lines))}
        for name in sorted(names, key=len, reverse=True):
            whole = whole.replace(name, name + salt.encode())
        return whole


@dataclass(frozen=True)
class Made:
    """A mutant of a window, and its number."""

    number: int
    window: int
    of: Window
    mutant: Mutant

    @property
    def file(self) -> str:
        return f"m{self.number}"

    def __str__(self) -> str:
        return f"{self.mutant.kind} at {self.mutant.path} of {self.of.source}"


@dataclass
class Outcome:
    """What was found out about mutants: how many there were of each kind, and what failed."""

    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@cache
def _samples() -> dict[str, list[bytes]]:
    paths = sorted(SAMPLES.glob("[a-z]*/**/*.jsonl"))
    return {str(p.relative_to(SAMPLES)): p.read_bytes().splitlines() for p in paths}


def window(dice: Random) -> Window:
    """Choose lines of a log, at least one of which tells a call."""
    while True:
        logs = RARE if dice.random() < RARELY else _samples()
        source = dice.choice(sorted(logs))
        start = dice.randrange(len(logs[source]))
        some = tuple(logs[source][start : start + dice.randrange(3, LONGEST + 1)])
        calls = tuple(map(_calls, [some[0], *some], some))
        if any(calls):
            return Window(source, some, calls)


def _calls(before: bytes, line: bytes) -> frozenset[str]:
    """Return the calls that a line tells of; an event of a stream belongs to the call before it, too."""
    told = line + before if b'"stream_event"' in line else line
    return frozenset(name.decode() for name in _call.findall(told))


def run(count: int, seed: int = 1, log: TextIO | None = None) -> Outcome:
    """Make mutants, of all kinds alike, see what costscan makes of them, and give what failed."""
    dice, outcome = Random(seed), Outcome()
    for start in range(0, count, TOGETHER):
        made = some_mutants(dice, start, min(TOGETHER, count - start))
        windows = {m.window: m.of for m in made}
        outcome.kinds.update(m.mutant.kind for m in made)
        for one in failures(windows, made, _dollars(windows)):
            outcome.failures.append(one)
        if log is not None:
            print(f"{start + len(made)} mutants, {len(outcome.failures)} failures", file=log, flush=True)
    return outcome


def some_mutants(dice: Random, start: int, n: int) -> list[Made]:
    windows = [window(dice) for _ in range(-(-n // OF_A_WINDOW))]
    made = []
    for number in range(n):
        at = number // OF_A_WINDOW
        of = windows[at]
        likely = [n for n, calls in enumerate(of.calls) if calls]
        kind = KINDS[(start + number) % len(KINDS)]
        made.append(Made(number, at, of, mutant(of.lines, kind, dice, f"m{number}", likely)))
    return made


def _dollars(windows: dict[int, Window]) -> dict[int, Dollars]:
    """Return what each call of the windows costs, seen without any mutant."""
    with _analyzed(windows, [], levers=False) as (x, _, _):
        told = by_file(x)
    return {n: told.get(f"w{n}", {}) for n in windows}


def failures(windows: dict[int, Window], made: Sequence[Made], known: dict[int, Dollars]) -> list[str]:
    """Return what goes wrong with mutants; of an exception, with those that it needs."""
    try:
        with _in_time(), _analyzed(windows, made) as (x, summary, folder):
            _report(x, summary, folder)
            return [*lost(x, made, known), *vanished(x, made), *defects(x, summary, made)]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {str(error)[:200]} ({Path(where.filename).name}:{where.lineno})"
        if len(made) <= 1:
            return [f"{made[0] if made else 'no mutant'}: {what}"]
    half = len(made) // 2
    found = [one for part in (made[:half], made[half:]) for one in failures(windows, part, known)]
    return found or [f"only together: {list(map(str, made))}: {what}"]


def write_logs(folder: Path, windows: dict[int, Window], made: Sequence[Made]) -> None:
    """Write the windows and the mutants to a new folder, each to a file of its own."""
    folder.mkdir()
    for n, some in windows.items():
        (folder / f"w{n}.jsonl").write_bytes(some.salted(some.lines, f"Zw{n}Z"))
    for m in made:
        (folder / f"{m.file}.jsonl").write_bytes(m.of.salted(m.mutant.lines, f"Z{m.file}Z"))


@contextmanager
def _in_time() -> Iterator[None]:
    if os.name != "posix":
        yield
        return

    def late(*_: object) -> None:
        raise TimeoutError(f"not done within {MOST_CPU_S} s of CPU time")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _analyzed(
    windows: dict[int, Window], made: Sequence[Made], *, levers: bool = True
) -> Iterator[tuple[Advised, Summary, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_logs(folder / "logs", windows, made)
        with logs_of(str(folder / "logs"), levers=levers) as (x, summary):
            yield x, summary, folder


def _report(x: Advised, summary: Summary, folder: Path) -> None:
    """Make all reports."""
    for ending, of in ANALYSIS.items():
        Target(folder / f"report{ending}", of).write(summary, x)
    (folder / "frames").mkdir()
    Target(folder / "frames", FOLDER).write(summary, x)
    json.dumps(document(summary), allow_nan=False)
    side = of_logs(summary, x)
    compared = compare(side, side, limits([("", DEFAULT)], []), false_alarm=0.05, now=NOW)
    for ending, of in COMPARISON.items():
        Target(folder / f"comparison{ending}", of).write_comparison(compared, summary, x)
    for by in (None, *TABLES):
        render(summary, width=90, by=by)
    every = x.runs["run_id"].to_list()
    for run_id in every[:: max(len(every) // EXPLAINED, 1)]:
        run_story.render(story(x, run_id), every, width=100)
