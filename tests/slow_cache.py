"""The prompt cache, one request after another: the reference for `replay/simulate.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HOUR_US = 3_600_000_000
Row = Mapping[str, Any]


@dataclass
class Entry:
    """A cached prefix: when it was last written or read, and how long it lives."""

    used_us: int
    ttl_us: int


def slow(requests: Sequence[Row], positions: Sequence[Row]) -> dict[int, tuple[int, int, int, int]]:
    """Give, by request, the tokens read, written for an hour, written for five minutes, and sent plain."""
    entries: dict[tuple[int, int], Entry] = {}
    coming: list[tuple[int, int, int, tuple[int, int], int]] = []
    told = {}
    for request in sorted(requests, key=lambda r: (r["at_us"], r["req"])):
        now = request["at_us"]
        for item in sorted(item for item in coming if item[0] <= now):
            coming.remove(item)
            _, began, _, name, ttl = item
            known = entries.get(name)
            entries[name] = Entry(max(began, known.used_us) if known else began, ttl)
        mine = [p for p in positions if p["req"] == request["req"] and p["tokens"] >= request["min_tokens"]]
        read = _read(entries, request, mine)
        marks = [p for p in mine if p["ttl_us"] is not None]
        hour = max(
            [p["tokens"] for p in marks if p["ttl_us"] == HOUR_US and p["tokens"] > read], default=read
        )
        last = max([p["tokens"] for p in marks if p["tokens"] > read], default=read)
        told[request["req"]] = (
            read,
            hour - read,
            max(last, hour) - hour,
            request["prompt_tokens"] - max(last, hour),
        )
        for n, p in enumerate(marks):
            name = (request["domain"], p["key"])
            coming.append((max(request["ready_us"], now + 1), now, n, name, p["ttl_us"]))
    return told


def _read(entries: dict[tuple[int, int], Entry], request: Row, mine: Sequence[Row]) -> int:
    """Find the longest entry that is alive; every one that is lives anew, every other is gone."""
    now, longest, alive = request["at_us"], 0, []
    for p in mine:
        name = (request["domain"], p["key"])
        entry = entries.get(name)
        if entry is None:
            continue
        if now - entry.used_us <= entry.ttl_us:
            longest = max(longest, p["tokens"])
            alive.append(entry)
        else:
            del entries[name]
    for entry in alive:
        entry.used_us = now
    return longest
