"""What prompts that stand in the log say of themselves, for the replay."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from costscan.replay.chains import CHAINS, chains, shown
from costscan.replay.departures import DEPARTURES, departures
from costscan.replay.placed import placed
from costscan.replay.sized import sized
from costscan.replay.windows import WINDOWS, windows_of

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
    """Give what the kept calls could read of what was sent before.

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
