"""What the clients recorded of their own costs: lines put together to totals of sessions."""

from collections.abc import Collection

import polars as pl

from costscan.recorded_cost.events import COUNTERS, HOUR, PROMPT_COUNTERS, TOKENS, Counters, Recorded, events
from costscan.recorded_cost.processes import of_session, without_earlier_sessions


def recorded(rows: pl.DataFrame, calls: pl.DataFrame) -> list[Recorded]:
    """Return the recorded total of every session.

    Args:
        rows: the `recorded` table of the sources.
        calls: the logged calls of all copies, with root_run_id and path.
    """
    by_event: dict[tuple[str, str], dict[str, list[Recorded]]] = {}
    for event in _own(events(rows.iter_rows(named=True))):
        by_event.setdefault((event.session, event.event), {}).setdefault(event.path, []).append(event)
    several = {session for (session, _), files in by_event.items() if sum(map(len, files.values())) > 1}
    logged = by_session(calls, several)
    totals: dict[str, Recorded] = {}
    for (session, _), files in by_event.items():
        if files and next(iter(files.values()))[0].billed is not None:
            total = _fullest([line for file in files.values() for line in file])
        else:
            total = of_session(list(files.values()), logged.get(session, calls.clear()))
        if session not in totals or total.amount > totals[session].amount:
            totals[session] = total
    return list(totals.values())


def _fullest(lines: list[Recorded]) -> Recorded:
    """Return the line of a bill that has counted most: exports overlap, and a day that goes on grows."""
    return max(
        lines,
        key=lambda line: (line.amount, sum(sum(n or 0 for n in m.values()) for m in line.models.values())),
    )


def _own(lines: list[Recorded]) -> list[Recorded]:
    """Return the lines in the order of files, each with what its own session cost."""
    files: dict[tuple[str, str], list[Recorded]] = {}
    for line in sorted(lines, key=lambda event: event.line):
        files.setdefault((line.event, line.path), []).append(line)
    return [line for _, file in sorted(files.items()) for line in without_earlier_sessions(file)]


def by_session(calls: pl.DataFrame, sessions: Collection[str]) -> dict[str, pl.DataFrame]:
    """Return the calls of each of these sessions, sub-agents included."""
    own = calls.filter(pl.col("root_run_id").is_in(list(sessions)))
    return {str(key[0]): frame for key, frame in own.partition_by("root_run_id", as_dict=True).items()}


__all__ = [
    "COUNTERS",
    "HOUR",
    "PROMPT_COUNTERS",
    "TOKENS",
    "Counters",
    "Recorded",
    "by_session",
    "recorded",
]
