"""What the clients recorded of their own costs: totals of processes, put together to totals of sessions.

A `result` or `cost-state` line is a running total of a client process, sub-agents and hidden calls included.
A session that is resumed goes on in a new process, which counts from zero, in the same file or in another;
a file that was copied tells the same totals again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import polars as pl

from costscan.growth import PROMPT
from costscan.prices import meant

TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "web_searches",
)
_PROMPT_TOKENS: Final = TOKENS[:3]
UNTIMED: Final = timedelta(seconds=5)
"""A `result` line has no time of its own but that of the line before: about when its last call began."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC) - UNTIMED


@dataclass
class Recorded:
    """A recorded total, by model, and the last line that recorded it; `ends` are those of each file."""

    session: str
    path: str
    line: int
    at: datetime | None
    usd: Decimal | None = None
    models: dict[str, dict[str, int]] = field(default_factory=dict)
    model_usd: dict[str, Decimal] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)

    def prompt_tokens(self, models: Collection[str]) -> int:
        """Give the input, cache reads and cache writes of some models."""
        return sum(self.models[m][name] for m in models if m in self.models for name in _PROMPT_TOKENS)


def recorded(rows: pl.DataFrame, calls: pl.DataFrame) -> list[Recorded]:
    """Give the recorded total of every session.

    Args:
        rows: the `recorded` table of the sources.
        calls: the logged calls of all copies, with root_run_id and path.
    """
    found: dict[tuple[str, str], dict[str, list[Recorded]]] = {}
    for kind, event in _events(rows.iter_rows(named=True)):
        found.setdefault((event.session, kind), {}).setdefault(event.path, []).append(event)
    several = {session for (session, _), files in found.items() if sum(map(len, files.values())) > 1}
    logged = by_session(calls, several)
    totals: dict[str, Recorded] = {}
    for (session, _), files in found.items():
        total = _of_session(list(files.values()), logged.get(session, calls.clear()))
        if session not in totals or _usd(total) > _usd(totals[session]):
            totals[session] = total
    return list(totals.values())


def by_session(calls: pl.DataFrame, sessions: Collection[str]) -> dict[str, pl.DataFrame]:
    """Give the calls of each of these sessions, sub-agents included."""
    own = calls.filter(pl.col("root_run_id").is_in(list(sessions)))
    return {str(key[0]): frame for key, frame in own.partition_by("root_run_id", as_dict=True).items()}


def _events(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Recorded]]:
    events: dict[tuple[str, str, str, int], Recorded] = {}
    for row in rows:
        at = row["at"]
        if at is not None and row["event"] == "result":
            at = min(at, _LATEST) + UNTIMED
        key = (row["session"], row["event"], row["path"], row["line"])
        event = events.setdefault(key, Recorded(row["session"], row["path"], row["line"], at))
        usd = None if row["usd"] is None else Decimal(row["usd"])
        if row["model_raw"] is None:
            event.usd = usd
            continue
        ref = meant(row["model_raw"], row["at"])
        model = ref.model if ref else row["model_raw"]
        event.spelling[model] = row["model_raw"]
        event.models[model] = _plus(event.models.get(model), {name: row[name] for name in TOKENS})
        if usd is not None:
            event.model_usd[model] = event.model_usd.get(model, Decimal(0)) + usd
    return [(key[1], event) for key, event in sorted(events.items(), key=lambda e: e[0])]


def _same(a: Recorded, b: Recorded) -> bool:
    return a.models == b.models and a.usd == b.usd


def _plus(a: Mapping[str, int] | None, b: Mapping[str, int]) -> dict[str, int]:
    return {name: (a[name] if a else 0) + b[name] for name in TOKENS}


def _usd(total: Recorded) -> Decimal:
    return total.usd if total.usd is not None else sum(total.model_usd.values(), Decimal(0))


def _of_session(files: list[list[Recorded]], calls: pl.DataFrame) -> Recorded:
    """Add up the processes of a session; within one process the last total holds."""
    told = sorted(_without_copies(files, calls), key=lambda f: (f[0].at or _LATEST, f[0].path))
    events = [event for file in told for event in file]
    ended: list[Recorded] = []
    for before, after in pairwise(events):
        if _restarted(before, after, _logged_between(before, after, calls)):
            ended.append(before)
    total = _added([*ended, events[-1]])
    total.ends = {file[-1].path: file[-1].line for file in files}
    total.at = max((e.at for e in events if e.at is not None), default=None)
    return total


def _without_copies(files: list[list[Recorded]], calls: pl.DataFrame) -> list[list[Recorded]]:
    """Leave out files whose totals and calls another one tells as well."""
    kept: list[list[Recorded]] = []
    for file in sorted(files, key=len, reverse=True):
        if not any(
            all(any(_same(e, k) for k in other) for e in file) and _tells_all(other, file, calls)
            for other in kept
        ):
            kept.append(file)
    return kept


def _tells_all(one: Sequence[Recorded], other: Sequence[Recorded], calls: pl.DataFrame) -> bool:
    """Say whether the calls up to the totals of `other` all stand in the file of `one` too."""
    upto = calls.filter((pl.col("path") == other[-1].path) & (pl.col("line") <= other[-1].line))
    known = calls.filter(pl.col("path") == one[0].path)
    return bool(upto["message_id"].is_in(known["message_id"].implode(), nulls_equal=True).all())


def _restarted(before: Recorded, after: Recorded, logged: int) -> bool:
    """Say whether the second total is that of a new process, which leaves out what the first one covers.

    A running total grows by at least what was logged since. Calls in flight when the first was written may
    be missing in this sum, so only a total that lacks most of the first one is a new one.
    """
    grew = _usd(after) >= _usd(before) and all(
        after.models.get(model, dict.fromkeys(TOKENS, -1))[name] >= n
        for model, tokens in before.models.items()
        for name, n in tokens.items()
    )
    if not grew or not before.models or not after.models:
        return not grew
    rest = after.prompt_tokens(before.models) - logged
    return 2 * rest < before.prompt_tokens(before.models)


def _logged_between(before: Recorded, after: Recorded, calls: pl.DataFrame) -> int:
    """Sum the prompts, at the models of the first total, of what only the second one can cover."""
    new = calls.filter((pl.col("path") == after.path) & (pl.col("line") <= after.line))
    if before.path == after.path:
        new = new.filter(pl.col("line") > before.line)
    else:
        known = calls.filter(pl.col("path") == before.path)["message_id"].drop_nulls()
        new = new.filter(~pl.col("message_id").is_in(known.implode()).fill_null(value=False))
    return int(new.filter(pl.col("model").is_in(list(before.models))).select(PROMPT.sum()).item())


def _added(ended: Sequence[Recorded]) -> Recorded:
    last = ended[-1]
    total = Recorded(last.session, last.path, last.line, last.at, sum((_usd(e) for e in ended), Decimal(0)))
    for event in ended:
        total.spelling |= event.spelling
        for model, tokens in event.models.items():
            total.models[model] = _plus(total.models.get(model), tokens)
        for model, usd in event.model_usd.items():
            total.model_usd[model] = total.model_usd.get(model, Decimal(0)) + usd
    return total
