"""Where prompts that stand in the log depart from those before, with the tokens of the place."""

from typing import Any, Final

import polars as pl

from costscan.frames import PREFIX_BREAKS
from costscan.replay.placed import placed

_LOST: Final = ("tokens_lost", "usd_lost")
_COLUMNS: Final[dict[str, Any]] = {name: kind for name, kind in PREFIX_BREAKS.items() if name not in _LOST}
DEPARTURES: Final = pl.Schema(_COLUMNS | {"is_first": pl.Boolean, "against": pl.String})
"""One row per place. `is_first`: there the prefix breaks; `against`: the run whose first prompt departs."""


def departures(
    breaks: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Give the `DEPARTURES` of the kept calls.

    Args:
        breaks: the `breaks` table of the sources.
        places: the placements of all blocks with end_token.
        blocks: id, copy, block, kind.
        calls: from `growth.with_epochs`.
    """
    within = (pl.col("char_offset") / pl.col("text_chars")).clip(0, 1).fill_nan(0).fill_null(0)
    begin = pl.col("tokens") - pl.col("block_tokens")
    numbered = breaks.with_row_index("nth")
    found = placed(numbered.filter(pl.col("place").is_not_null()), places, blocks, calls).select(
        "nth", token_offset=begin + (within * pl.col("block_tokens")).floor().cast(pl.Int64)
    )
    kept = calls.filter("kept").select("copy", "seq", "run_id", "turn")
    return (
        numbered.join(kept, on=["copy", "seq"], how="inner", maintain_order="left")
        .join(found, on="nth", how="left", maintain_order="left")
        .select(*DEPARTURES)
    )
