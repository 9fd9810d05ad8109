"""What a log's recorded cost shows and its lines do not: hidden side calls, compaction, unfinished output.

A `result` or `cost-state` line is a running total of one client process. Where a new total is below the last
one, another process began, and both count. What is missing from the logged calls becomes one turn per model
in a run of its own, so that the total is the recorded one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.frames import TURNS
from costscan.prices import identify, unit_prices

TOKENS: Final = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "web_searches",
)
SUFFIX: Final = "/unlogged"
PICO: Final = Decimal(10) ** 12
TOLERANCE_USD: Final = Decimal("1e-6")
"""Recorded costs are sums of binary floats; a split of the cache writes that meets one this closely is it."""
UNTIMED: Final = timedelta(seconds=5)
"""A `result` line has no time of its own but that of the line before: about when its last call began."""


@dataclass
class Recorded:
    """The recorded total of one session, by model, and the last line that recorded it."""

    session: str
    path: str
    line: int
    at: datetime | None
    usd: Decimal | None = None
    models: dict[str, dict[str, int]] = field(default_factory=dict)
    model_usd: dict[str, Decimal] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)


def recorded(rows: pl.DataFrame) -> list[Recorded]:
    """Give the recorded total of every session from the `recorded` table of the sources."""
    found: dict[tuple[str, str], list[Recorded]] = {}
    for event in _events(rows.iter_rows(named=True)):
        seen = found.setdefault(event[0], [])
        if not any(_same(event[1], other) for other in seen):
            seen.append(event[1])
    totals: dict[str, Recorded] = {}
    for (session, _), events in found.items():
        total = _summed(events)
        if session not in totals or _usd(total) > _usd(totals[session]):
            totals[session] = total
    return list(totals.values())


def _events(rows: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[str, str], Recorded]]:
    events: dict[tuple[str, str, str, int], Recorded] = {}
    for row in rows:
        key = (row["session"], row["event"], row["path"], row["line"])
        at = row["at"] + UNTIMED if row["at"] is not None and row["event"] == "result" else row["at"]
        event = events.setdefault(key, Recorded(row["session"], row["path"], row["line"], at))
        usd = None if row["usd"] is None else Decimal(row["usd"])
        if row["model_raw"] is None:
            event.usd = usd
            continue
        ref = identify(row["model_raw"])
        model = ref.model if ref else row["model_raw"]
        event.spelling[model] = row["model_raw"]
        event.models[model] = _plus(event.models.get(model), {name: row[name] for name in TOKENS})
        if usd is not None:
            event.model_usd[model] = event.model_usd.get(model, Decimal(0)) + usd
    return [((key[0], key[1]), event) for key, event in sorted(events.items(), key=lambda e: e[0])]


def _same(a: Recorded, b: Recorded) -> bool:
    return a.models == b.models and a.usd == b.usd


def _plus(a: Mapping[str, int] | None, b: Mapping[str, int]) -> dict[str, int]:
    return {name: (a[name] if a else 0) + b[name] for name in TOKENS}


def _usd(total: Recorded) -> Decimal:
    return total.usd if total.usd is not None else sum(total.model_usd.values(), Decimal(0))


def _summed(events: Sequence[Recorded]) -> Recorded:
    """Add up the processes of a session; within one process the last total holds."""
    last = events[0]
    done: list[Recorded] = []
    for event in events[1:]:
        grew = _usd(event) >= _usd(last) and all(
            event.models.get(m, dict.fromkeys(TOKENS, -1))[t] >= n[t] for m, n in last.models.items() for t in TOKENS
        )
        if not grew:
            done.append(last)
        last = event
    total = Recorded(last.session, last.path, last.line, last.at, _usd(last), dict(last.models),
                     dict(last.model_usd), dict(last.spelling))
    for one in done:
        total.usd = _usd(total) + _usd(one)
        total.spelling = {**one.spelling, **total.spelling}
        for model, tokens in one.models.items():
            total.models[model] = _plus(total.models.get(model), tokens)
        for model, usd in one.model_usd.items():
            total.model_usd[model] = total.model_usd.get(model, Decimal(0)) + usd
    return total


def missing(totals: Sequence[Recorded], turns: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Give the `turns` rows of what was recorded and not logged, a run `<session>/unlogged` per session.

    Args:
        totals: from `recorded`.
        turns: the logged turns with root_run_id, path and pico_usd (null where unpriced).
        table: the price table.
    """
    rows: list[dict[str, Any]] = []
    for total in totals:
        logged = _logged(total, turns)
        found = [
            row for model, tokens in sorted(total.models.items())
            if (row := _row(total, model, tokens, logged.get(model, {}))) is not None
        ]
        rows.extend({**row, "turn": n} for n, row in enumerate(found))
    if not rows:
        return pl.DataFrame(schema=TURNS)
    frame = pl.DataFrame(rows, schema_overrides={**TURNS, "_usd": pl.String, "_writes": pl.Int64})
    priced = frame.hstack(unit_prices(frame, table))
    split = [_split(row) for row in priced.iter_rows(named=True)]
    return frame.with_columns(
        cache_write_5m_tokens=pl.Series([a for a, _ in split], dtype=pl.Int64),
        cache_write_1h_tokens=pl.Series([b for _, b in split], dtype=pl.Int64),
        recorded_usd=pl.Series([r["_usd"] for r in rows], dtype=pl.String).cast(TURNS["recorded_usd"]),
    ).select(*TURNS)


def _logged(total: Recorded, turns: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Sum the logged calls the recorded total covers: not those after it."""
    own = turns.filter(pl.col("root_run_id") == total.session)
    same_file = pl.col("path") == total.path
    later = (same_file & (pl.col("line") > total.line)) | (
        ~same_file & (pl.col("at") > pl.lit(total.at, pl.Datetime("us", "UTC"))).fill_null(False))
    sums = own.filter(~later).group_by("model").agg(
        *(pl.col(name).sum() for name in ("input_tokens", "cache_read_tokens", "output_tokens", "web_searches",
                                          "cache_write_5m_tokens", "cache_write_1h_tokens")),
        pl.col("pico_usd").sum(), unpriced=pl.col("pico_usd").is_null().any(), at=pl.col("at").max(),
    )
    return {row["model"]: row for row in sums.iter_rows(named=True)}


def _row(total: Recorded, model: str, tokens: Mapping[str, int],
         logged: Mapping[str, Any]) -> dict[str, Any] | None:
    w5m, w1h = logged.get("cache_write_5m_tokens", 0), logged.get("cache_write_1h_tokens", 0)
    have = {**{name: logged.get(name, 0) for name in TOKENS}, "cache_write_tokens": w5m + w1h}
    left = {name: max(tokens[name] - have[name], 0) for name in TOKENS}
    if not any(left.values()):
        return None
    recorded_usd = total.model_usd.get(model)
    priced = not logged.get("unpriced", False)
    usd = None
    if recorded_usd is not None and priced:
        usd = max(recorded_usd - Decimal(logged.get("pico_usd", 0)) / PICO, Decimal(0))
    ref = identify(total.spelling.get(model, model))
    return {
        "run_id": total.session + SUFFIX, "turn": 0, "line": total.line,
        "at": total.at or logged.get("at"), "duration_s": None, "gap_s": None,
        "provider": ref.provider if ref else "unknown", "model": model,
        "model_raw": total.spelling.get(model, model), "tier": "standard", "speed": "standard", "geo": None,
        "effort": None, "input_tokens": left["input_tokens"], "cache_read_tokens": left["cache_read_tokens"],
        "cache_write_5m_tokens": left["cache_write_tokens"], "cache_write_1h_tokens": 0,
        "output_tokens": left["output_tokens"], "thinking_tokens": None, "web_searches": left["web_searches"],
        "stop_reason": None, "message_id": None, "recorded_usd": None, "usage_from": "reported",
        "_usd": None if usd is None else str(usd.quantize(1 / PICO)), "_writes": w1h * 1_000_000 // max(w5m + w1h, 1),
    }


def _split(row: Mapping[str, Any]) -> tuple[int, int]:
    """Split missing cache writes by lifetime: as the recorded dollars demand, else as the log's own writes."""
    writes = row["cache_write_5m_tokens"]
    w5m, w1h = row["pico_cache_write_5m"], row["pico_cache_write_1h"]
    if writes == 0 or w5m is None or w1h is None or w5m == w1h:
        return writes, 0
    if row["_usd"] is not None:
        rest = int(Decimal(row["_usd"]) * PICO) - sum(
            row[units] * (row[f"pico_{meter}"] or 0)
            for meter, units in zip(("input", "cache_read", "output", "web_search"),
                                    ("input_tokens", "cache_read_tokens", "output_tokens", "web_searches"),
                                    strict=True)
        )
        one_hour = round((rest - writes * w5m) / (w1h - w5m))
        exact = writes * w5m + one_hour * (w1h - w5m)
        if 0 <= one_hour <= writes and abs(rest - exact) <= TOLERANCE_USD * PICO:
            return writes - one_hour, one_hour
    one_hour = writes * row["_writes"] // 1_000_000
    return writes - one_hour, one_hour

