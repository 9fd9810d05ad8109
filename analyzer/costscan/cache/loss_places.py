"""Where in a conversation a warm prefix was lost: the place tells what no line of the log says."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from costscan.reading.content.deferred_tools import SEARCH_TOOLS
from costscan.schema.frames import PROMPT

AFTER_SEARCH: Final = "lost-after-tool-search"
"""Tools had just been searched for: their definitions came to the others, in front of everything.

Source: https://github.com/anthropics/claude-code/issues/75142
"""
AT_MESSAGE: Final = "lost-at-message"
"""A new message was sent, and nothing behind the tools and the system prompt was read.

So it is when a client is closed and goes on with a session, or composes its prompt anew for another reason;
a server that lets go of an entry while nobody writes looks the same.
Sources: https://github.com/anthropics/claude-code/issues/43657 (messages as they are sent anew),
https://github.com/earendil-works/pi/issues/2131 (the time of its start in the system prompt).
"""
_PLACE: Final = ["run_id", "turn"]


@dataclass(frozen=True)
class LossPlaces:
    """What prompts begin with, for the turns that lost something.

    Attributes:
        turns: all turns.
        blocks: the canonical frame, which is read only where something was lost.
    """

    turns: pl.DataFrame
    blocks: pl.LazyFrame

    def named(self, frame: pl.DataFrame, column: str, unexplained: str) -> pl.DataFrame:
        """Return a frame with `AFTER_SEARCH` and `AT_MESSAGE` for what is unexplained, where the place tells.

        Prompts that stand in the log show themselves what changed, and are left as they are.

        Args:
            frame: run_id, turn, is_shown, cache_read_tokens.
            column: of it, says why something was lost.
            unexplained: what stands there where nothing in the log tells.
        """
        is_open = (pl.col(column) == unexplained) & ~pl.col("is_shown")
        lost = frame.filter(is_open).select(_PLACE)
        if lost.is_empty():
            return frame
        told = frame.join(self._begun(lost), on=_PLACE, how="left", maintain_order="left")
        goes_on = pl.col("turn") > pl.col("first_turn")
        at_message = goes_on & pl.col("asks") & (pl.col("cache_read_tokens") < pl.col("first_tokens"))
        name = pl.when("searched").then(pl.lit(AFTER_SEARCH)).when(at_message).then(pl.lit(AT_MESSAGE))
        return told.with_columns(
            pl.when(is_open).then(pl.coalesce(name, column)).otherwise(column).alias(column)
        ).select(frame.columns)

    def _begun(self, lost: pl.DataFrame) -> pl.DataFrame:
        """Return asks (what is new answers no tool), searched, first_turn, and first_tokens (its prompt)."""
        kind, tool = pl.col("kind"), pl.col("tool")
        news = self.blocks.filter(pl.col("layer") == "messages").rename({"turn_in": "turn"})
        begun = (
            news.join(lost.lazy(), on=_PLACE, how="semi")
            .group_by(_PLACE)
            .agg(
                asks=(pl.col("role") == "user").any() & ~(kind == "tool_result").any(),
                searched=tool.str.contains(SEARCH_TOOLS).any(),
            )
        )
        runs = self.turns.filter(pl.col("run_id").is_in(lost["run_id"].unique().implode()))
        first = runs.group_by("run_id").agg(
            first_turn=pl.col("turn").min(), first_tokens=PROMPT.sort_by("turn").first()
        )
        return begun.collect().join(first, on="run_id", how="left")
