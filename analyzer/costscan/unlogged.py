"""What a log's recorded cost shows and its lines do not: hidden side calls, compaction, unfinished output.

What is missing from the logged calls becomes one turn per model in a run of its own under the session, so
that the total is the recorded one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.frames import TURNS
from costscan.prices import meant, unit_prices
from costscan.recorded import TOKENS, Recorded, by_session

SUFFIX: Final = "/unlogged"
PICO: Final = Decimal(10) ** 12
TOLERANCE_USD: Final = Decimal("1e-6")
"""Recorded costs are sums of binary floats; a split of the cache writes that meets one this closely is it."""


def missing(totals: Sequence[Recorded], turns: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Give the `turns` rows of what was recorded and not logged, a run `<session>/unlogged` per session.

    Args:
        totals: from `recorded`.
        turns: the logged turns with root_run_id, path and pico_usd (null where unpriced).
        table: the price table.
    """
    rows: list[dict[str, Any]] = []
    sessions = by_session(turns, {total.session for total in totals})
    for total in totals:
        logged = _logged(total, sessions.get(total.session, turns.clear()))
        total.at = total.at or max((m["at"] for m in logged.values() if m["at"] is not None), default=None)
        found = [
            row
            for model, tokens in sorted(total.models.items())
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


def _logged(total: Recorded, own: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Sum the logged calls the recorded total covers: not those after it."""
    end = pl.col("path").replace_strict(total.ends, default=None, return_dtype=pl.Int64)
    after = (pl.col("at") > pl.lit(total.at, pl.Datetime("us", "UTC"))).fill_null(False)
    later = pl.when(end.is_null()).then(after).otherwise(pl.col("line") > end)
    sums = (
        own.filter(~later)
        .group_by("model")
        .agg(
            *(
                pl.col(name).sum()
                for name in (
                    "input_tokens",
                    "cache_read_tokens",
                    "output_tokens",
                    "web_searches",
                    "cache_write_5m_tokens",
                    "cache_write_1h_tokens",
                )
            ),
            pl.col("pico_usd").sum(),
            unpriced=pl.col("pico_usd").is_null().any(),
            at=pl.col("at").max(),
        )
    )
    return {row["model"]: row for row in sums.iter_rows(named=True)}


def _row(
    total: Recorded, model: str, tokens: Mapping[str, int], logged: Mapping[str, Any]
) -> dict[str, Any] | None:
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
    ref = meant(total.spelling.get(model, model), total.at)
    return {
        "run_id": total.session + SUFFIX,
        "turn": 0,
        "line": total.line,
        "at": total.at,
        "duration_s": None,
        "gap_s": None,
        "provider": ref.provider if ref else "unknown",
        "model": model,
        "model_raw": total.spelling.get(model, model),
        "tier": "standard",
        "speed": "standard",
        "geo": None,
        "effort": None,
        "input_tokens": left["input_tokens"],
        "cache_read_tokens": left["cache_read_tokens"],
        "cache_write_5m_tokens": left["cache_write_tokens"],
        "cache_write_1h_tokens": 0,
        "output_tokens": left["output_tokens"],
        "thinking_tokens": None,
        "web_searches": left["web_searches"],
        "stop_reason": None,
        "message_id": None,
        "recorded_usd": None,
        "usage_from": "reported",
        "_usd": None if usd is None else str(usd.quantize(1 / PICO)),
        "_writes": w1h * 1_000_000 // max(w5m + w1h, 1),
    }


def _split(row: Mapping[str, Any]) -> tuple[int, int]:
    """Split missing cache writes by lifetime: as the recorded dollars demand, else as the logged ones."""
    writes = row["cache_write_5m_tokens"]
    w5m, w1h = row["pico_cache_write_5m"], row["pico_cache_write_1h"]
    if writes == 0 or w5m is None or w1h is None or w5m == w1h:
        return writes, 0
    if row["_usd"] is not None:
        rest = int(Decimal(row["_usd"]) * PICO) - sum(
            row[units] * (row[f"pico_{meter}"] or 0)
            for meter, units in zip(
                ("input", "cache_read", "output", "web_search"),
                ("input_tokens", "cache_read_tokens", "output_tokens", "web_searches"),
                strict=True,
            )
        )
        one_hour = round((rest - writes * w5m) / (w1h - w5m))
        exact = writes * w5m + one_hour * (w1h - w5m)
        if 0 <= one_hour <= writes and abs(rest - exact) <= TOLERANCE_USD * PICO:
            return writes - one_hour, one_hour
    one_hour = writes * row["_writes"] // 1_000_000
    return writes - one_hour, one_hour
