"""What prompts that stand in the log say of themselves, for the replay."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from costscan.cache.prefix_chains import CHAINS, chains, shown
from costscan.cache.prefix_tokens import placed, sized
from costscan.cache_policy import TTLS_US
from costscan.schema.tables.cache import PREFIX_BREAKS

TABLES: Final = ("windows", "prefixes", "moved", "breaks")


@dataclass(frozen=True)
class Prompts:
    """The tables `windows`, `prefixes`, `moved` and `breaks` of the sources for some copies."""

    windows: pl.DataFrame
    prefixes: pl.DataFrame
    moved: pl.DataFrame
    breaks: pl.DataFrame


@dataclass(frozen=True)
class Readable:
    """What turns could read, and where their prompts depart: frames `CHAINS`, `WINDOWS`, `DEPARTURES`."""

    chains: pl.DataFrame
    windows: pl.DataFrame
    departures: pl.DataFrame


def readable(prompts: Prompts, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> Readable:
    """Return what the kept calls could read of what was sent before.

    Args:
        prompts: what prompts in the log say of themselves.
        places: the placements of all blocks with end_token.
        blocks: id, copy, block, kind.
        calls: from `growth.with_epochs`.
    """
    if prompts.prefixes.is_empty():
        nothing = pl.DataFrame(schema={"row": pl.Int64, **dict(list(CHAINS.items())[2:])})
        return Readable(chains(calls, nothing), pl.DataFrame(schema=WINDOWS), pl.DataFrame(schema=DEPARTURES))
    tables = (prompts.windows, prompts.prefixes, prompts.moved)
    windows, prefixes = sized(*(placed(table, places, blocks, calls) for table in tables))
    return Readable(
        chains(calls, shown(prefixes)),
        windows_of(windows),
        departures(prompts.breaks, places, blocks, calls),
    )


WINDOWS: Final = pl.Schema(
    {
        "run_id": pl.String,
        **dict.fromkeys(("turn", "key", "tokens", "ttl_us", "stable_key", "stable_tokens"), pl.Int64),
    }
)
"""Marked positions, and those in the lookback of a mark (ttl_us null); equal prefixes have one key.

The stable key is what it would be without values that vary, the stable tokens are those without these.
"""


def windows_of(sized: pl.DataFrame) -> pl.DataFrame:
    """Return the windows of all prompts.

    Args:
        sized: the `windows` table of the sources, placed and sized.
    """
    ttl_us = pl.col("breakpoint").replace_strict(TTLS_US, default=None, return_dtype=pl.Int64)
    return sized.select(
        "run_id",
        "turn",
        "tokens",
        key="prefix_hash",
        ttl_us=ttl_us,
        stable_key="stable_hash",
        stable_tokens="stable_tokens",
    ).select(*WINDOWS)


_LOST: Final = ("tokens_lost", "usd_lost")
_COLUMNS: Final[dict[str, Any]] = {
    name: kind for name, kind in PREFIX_BREAKS.schema.items() if name not in _LOST
}
DEPARTURES: Final = pl.Schema(_COLUMNS | {"is_first": pl.Boolean, "against": pl.String})
"""One row per place. `is_first`: there the prefix breaks; `against`: the run whose first prompt departs."""


def departures(
    breaks: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Return the `DEPARTURES` of the kept calls.

    Args:
        breaks: the `breaks` table of the sources.
        places: the placements of all blocks with end_token.
        blocks: id, copy, block, kind.
        calls: from `growth.with_epochs`.
    """
    within = (pl.col("char_offset") / pl.col("text_chars")).clip(0, 1).fill_nan(0).fill_null(0)
    begin = pl.col("tokens") - pl.col("block_tokens")
    numbered = breaks.with_row_index("nth")
    offsets = placed(numbered.filter(pl.col("place").is_not_null()), places, blocks, calls).select(
        "nth", token_offset=begin + (within * pl.col("block_tokens")).floor().cast(pl.Int64)
    )
    kept = calls.filter("kept").select("copy", "seq", "run_id", "turn")
    return (
        numbered.join(kept, on=["copy", "seq"], how="inner", maintain_order="left")
        .join(offsets, on="nth", how="left", maintain_order="left")
        .select(*DEPARTURES)
    )
