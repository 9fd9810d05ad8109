"""How well the cache reads of logs are foreseen, beside a simple rule; nothing in it is timed.

    python benchmarks/replay.py PATH [PATH ...]

Each path is analyzed alone. *Simple rule*: a turn reads what the turn before it in its run read and wrote,
within the lifetime; the first turn of a run is given to both.
"""

import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl

from costscan import ingest
from costscan.analysis import Analysis, analyze
from costscan.cache.policies import is_marked
from costscan.cache_policy import TTLS_US
from costscan.prices import turn_usd

PLACE = ["run_id", "turn"]
WRITES = ("cache_write_5m_tokens", "cache_write_1h_tokens")
HEADING = """\
| logs | turns | simple rule | dollars off | foreseen | with proven calls | dollars off | largest rest |
|---|--:|--:|--:|--:|--:|--:|---|"""


def simple(x: Analysis) -> tuple[float, Decimal]:
    """The share of turns that the simple rule has to the token, and its dollars less those billed."""
    found = x.agreement
    told = (
        x.turns.hstack(x.unit)
        .filter(is_marked(x.turns["model"]))
        .join(found.turns, on=PLACE, how="inner")
        .sort(PLACE)
    )
    hour = pl.col(WRITES[1]) > 0
    wrote = pl.sum_horizontal(WRITES)
    alive = pl.col("gap_s") * 1e6 <= pl.when(hour.shift(1)).then(TTLS_US["1h"]).otherwise(TTLS_US["5m"])
    before = (pl.col("cache_read_tokens") + wrote).shift(1).over("run_id")
    prompt = pl.col("input_tokens") + pl.col("cache_read_tokens") + wrote
    ruled = told.with_columns(
        guess=pl.min_horizontal(pl.when(alive.fill_null(value=True)).then(before).otherwise(0), prompt)
    ).filter(pl.col("guess").is_not_null() & pl.col("usd").is_not_null())
    moved = pl.col("guess") - pl.col("cache_read_tokens")
    five = pl.when(hour).then(0).otherwise(pl.col(WRITES[0]) - moved)
    again = ruled.with_columns(
        cache_read_tokens="guess",
        **{WRITES[0]: five, WRITES[1]: pl.when(hour).then(pl.col(WRITES[1]) - moved).otherwise(0)},
    )
    off = turn_usd(again, again.select(x.unit.columns))["usd"] - ruled["usd"]
    return float((ruled["guess"] == ruled["cache_read_tokens"]).mean() or 0), Decimal(off.abs().sum())  # type: ignore[arg-type]


def row(path: str, x: Analysis) -> str:
    """One line of the table."""
    found = x.agreement
    share, off = simple(x)
    billed = found.usd_billed or Decimal(1)
    left = found.by_class.filter(~pl.col("is_proven")).with_columns(pl.col("off_usd").abs())
    worst = left.sort("off_usd", descending=True, nulls_last=True).head(1)
    named = "-"
    for _, name, _, turns, _, usd, _ in worst.iter_rows():
        named = f"{name}, {turns} turns, ${usd:.2f}"
    return (
        f"| {Path(path).name} | {found.compared:,} | {share:.1%} | {off / billed:.2%} "
        f"| {found.foreseen / found.compared:.1%} | {found.exact / found.compared:.1%} "
        f"| {(found.usd_off or 0) / billed:.2%} | {named} |"
    )


def main() -> None:
    """Print the table, and how the two readings of what a hit refreshes compare."""
    print(HEADING)
    refreshes: Counter[str] = Counter()
    for path in sys.argv[1:]:
        with ingest.read([path]) as reading:
            x = analyze(reading)
            if x.agreement.tested:
                print(row(path, x))
            refreshes += Counter(every=x.agreement.refresh.every, longest=x.agreement.refresh.longest)
    print(f"\nTurns that only one reading of what a hit refreshes explains: {dict(refreshes)}")


if __name__ == "__main__":
    main()
