"""Send pictures at the resolution that models before Claude Opus 4.7 took at most."""

from typing import Final

import polars as pl

from costscan.levers.trimming.cuts import CUT_BLOCKS

IMAGE_TOKENS: Final = 1568
"""Of a picture of 1,568 pixels a side or about 1.15 megapixels.

Source: https://platform.claude.com/docs/en/build-with-claude/vision
"""


def large_images(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return what pictures have over `IMAGE_TOKENS`, as `CUT_BLOCKS`."""
    return (
        blocks.filter((pl.col("kind") == "image") & (pl.col("tokens") > IMAGE_TOKENS))
        .with_columns(tokens=pl.col("tokens") - IMAGE_TOKENS, is_fixed=pl.lit(value=False))
        .select(*CUT_BLOCKS)
    )
