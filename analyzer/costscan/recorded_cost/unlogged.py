"""What a log's recorded cost shows and its lines do not: hidden side calls, compaction, unfinished output.

What is missing from the logged calls becomes one turn per model in a run of its own under the session. It is
an exact part of the bill where list prices give the recorded dollars to 1e-6 USD; what was recorded beyond
that is told beside the bill and not added to it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.meters import UNITS_OF
from costscan.prices import meant
from costscan.recorded_cost import COUNTERS, HOUR, TOKENS, Counters, Recorded, by_session
from costscan.recorded_cost.contradictions import believed
from costscan.recorded_cost.fits import PICO, STANDARD, TOLERANCE_USD, Fit, Rest, fitted
from costscan.schema.frames import of_rows
from costscan.schema.tables.runs import TURNS

SUFFIX: Final = "/unlogged"
VARIANT: Final = " · "
"""In the name of a total of a bill, what stands between the day and what sets it apart within the day."""
_PER_MILLION: Final = 10**6


def missing(totals: Sequence[Recorded], turns: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Return the `turns` rows of what was recorded and not logged, a run `<session>/unlogged` per session.

    What the log proves of each total is written down in it.

    Args:
        totals: from `recorded`.
        turns: the logged turns with root_run_id, path and pico_usd at list prices (null where unpriced).
        table: the price table.
    """
    sessions = by_session(turns, {total.session for total in totals})
    rests: list[tuple[Recorded, Rest]] = []
    for total in totals:
        logged = _logged(total, sessions[total.session]) if total.session in sessions else {}
        total.at = total.at or max((m["at"] for m in logged.values() if m["at"] is not None), default=None)
        total.usd_here = sum((Decimal(m["pico_usd"]) for m in logged.values()), Decimal(0)) / PICO
        rests.extend((total, rest) for rest in _rests(total, logged))
    rows: list[dict[str, Any]] = []
    turn: dict[str, int] = {}
    for (total, rest), fit in zip(rests, fitted([rest for _, rest in rests], table), strict=True):
        total.usd_here += fit.usd
        total.is_proven &= fit.is_proven or (_is_bill(total, fit) and not _unknown(total.models[rest.model]))
        for row in _rows(total, rest, fit):
            rows.append(row | {"turn": turn.get(total.session, 0)})
            turn[total.session] = turn.get(total.session, 0) + 1
    covered: dict[str, Decimal] = defaultdict(Decimal)
    for total in totals:
        if total.billed is not None and total.models:
            covered[total.session.partition(VARIANT)[0]] += total.usd_here
    for total in totals:
        more = total.amount - total.usd_here - (Decimal(0) if total.models else covered[total.session])
        total.unproven_usd = more if more > TOLERANCE_USD else Decimal(0)
    return of_rows("turns", rows)


def _is_bill(total: Recorded, fit: Fit) -> bool:
    """Whether tokens are those of a bill, and their price is certain."""
    return total.billed == "known" and fit.is_certain


def _logged(total: Recorded, own: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Sum the logged calls the recorded total covers: not those after it."""
    end = pl.col("path").replace_strict(total.ends, default=None, return_dtype=pl.Int64)
    after = (pl.col("at") > pl.lit(total.at, pl.Datetime("us", "UTC"))).fill_null(False)
    later = pl.when(end.is_null()).then(after).otherwise(pl.col("line") > end)
    sums = (
        own.filter(~later)
        .group_by("model")
        .agg(
            *(pl.col(name).sum() for name in UNITS_OF.values()),
            pl.col("pico_usd").sum(),
            cache_write_tokens=pl.sum_horizontal("cache_write_5m_tokens", "cache_write_1h_tokens").sum(),
            unpriced=pl.col("pico_usd").is_null().any(),
            at=pl.col("at").max(),
            modes=pl.struct("tier", "speed", "geo").unique(maintain_order=True),
        )
    )
    return {row["model"]: row for row in sums.iter_rows(named=True)}


def _rests(total: Recorded, logged: Mapping[str, Mapping[str, Any]]) -> Iterator[Rest]:
    """Yield what each model's recorded tokens have beyond the logged ones."""
    true = believed(total, logged)
    total.is_proven = true is total
    for model, tokens in sorted(true.models.items()):
        own = logged.get(model, {})
        if all(n is not None and n >= own.get(name, 0) for name in COUNTERS for n in (tokens[name],)):
            total.filled.add(model)
        left = {name: max((tokens[name] or 0) - own.get(name, 0), 0) for name in TOKENS}
        if any(left.values()):
            yield _rest(true, model, left, tokens[HOUR], own)


def _rest(
    total: Recorded, model: str, left: Mapping[str, int], hour: int | None, own: Mapping[str, Any]
) -> Rest:
    writes = left["cache_write_tokens"]
    logged_hour = own.get("cache_write_1h_tokens", 0)
    # The TTLs are most likely those of the logged writes, else of the main loop's.
    shown: Mapping[str, Any] = own if own.get("cache_write_tokens") else total.usage or {}
    spent = Decimal(own.get("pico_usd", 0)) / PICO
    usd = None if own.get("unpriced", False) else _dollars(total, model)
    logged_modes = [(m["tier"], m["speed"], m["geo"]) for m in own.get("modes", ())]
    modes = [*([total.mode] if total.mode else []), *([] if total.billed else [STANDARD, *logged_modes])]
    return Rest(
        model=model,
        model_raw=total.spelling.get(model, model),
        at=total.at,
        tokens=left,
        hour=None if hour is None else min(max(hour - logged_hour, 0), writes),
        hour_share=(shown.get(HOUR) or 0) * _PER_MILLION // max(shown.get("cache_write_tokens") or 0, 1),
        usd=None if usd is None else usd - spent,
        spent_usd=spent,
        modes=list(dict.fromkeys(modes)),
        is_whole=model not in total.lacking,
        is_billed=total.billed is not None,
        is_long=total.is_long,
    )


def _dollars(total: Recorded, model: str) -> Decimal | None:
    """Return the recorded dollars of a model; the only model without them has what is left of the total."""
    usd = total.model_usd.get(model)
    if usd is not None or total.usd is None or total.models.keys() - total.model_usd.keys() != {model}:
        return usd
    return total.usd - sum(total.model_usd.values(), Decimal(0))


def _rows(total: Recorded, rest: Rest, fit: Fit) -> Iterator[dict[str, Any]]:
    """Yield the rows of a rest: one, or as many as keep each prompt below the limit of a higher price."""
    ref = meant(rest.model_raw, total.at)
    tier, speed, geo = fit.mode
    counts = {
        **{name: n for name, n in rest.tokens.items() if name != "cache_write_tokens"},
        "cache_read_tokens": rest.tokens["cache_read_tokens"] + fit.more_read,
        "cache_write_5m_tokens": fit.w5m,
        "cache_write_1h_tokens": fit.w1h,
    }
    usd = None if rest.usd is None or fit.parts > 1 else max(rest.usd, Decimal(0)).quantize(1 / PICO)
    unknown = _unknown(total.models[rest.model]) if total.billed is not None else set()
    for n in range(fit.parts):
        yield {
            **dict.fromkeys(TURNS.columns),
            "run_id": total.session + SUFFIX,
            "line": total.line,
            "at": total.at,
            "provider": ref.provider if ref else "unknown",
            "model": rest.model,
            "model_raw": rest.model_raw,
            "tier": tier,
            "speed": speed,
            "geo": geo,
            **{name: count * (n + 1) // fit.parts - count * n // fit.parts for name, count in counts.items()},
            **dict.fromkeys(unknown),
            "recorded_usd": usd,
            "usage_from": "unreported" if unknown else _usage_from(total, fit),
        }


def _unknown(tokens: Counters) -> set[str]:
    """Return the counters of a turn that a bill does not tell."""
    names = {name for name, count in tokens.items() if count is None}
    writes = {"cache_write_5m_tokens", "cache_write_1h_tokens"}
    return names - {"cache_write_tokens"} | (writes if "cache_write_tokens" in names else set())


def _usage_from(total: Recorded, fit: Fit) -> str:
    is_assumed = total.billed is not None and not _is_bill(total, fit)
    return "estimated" if fit.is_estimated or is_assumed else "reported"


__all__ = ["SUFFIX", "VARIANT", "missing"]
