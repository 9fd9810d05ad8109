"""What a model that drops thinking is not sent: that of the turns before the last message of a person.

The prompt is shorter by it, and nothing behind the first thought that goes is found in the cache again.
Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.rewriting import REWRITES, rewritten

THOUGHTS: Final = pl.Schema(
    {"run_id": pl.String, **dict.fromkeys(("turn", "first", "tokens", "other_tokens"), pl.Int64)}
)
"""By the turn in which a person writes, what was thought since a person last did.

first (the turn in whose prompt it came first) and its tokens, in both families of tokenizers.
"""


def thoughts(blocks: pl.LazyFrame) -> pl.DataFrame:
    """Return `THOUGHTS`.

    Args:
        blocks: run_id, turn_in, turn_out, layer, role, kind, tokens, other_tokens (null where hidden).
    """
    kinds = ("text", "thinking", "tool_result")
    some = blocks.filter((pl.col("layer") == "messages") & pl.col("kind").is_in(kinds)).collect()
    place = {"run_id": pl.col("run_id"), "turn": pl.col("turn_in")}
    messages = some.filter(pl.col("turn_in") > 0, kind="text", role="user").select(**place).unique()
    # A message with results goes on with the turn, whatever else it says.
    questions = messages.join(
        some.filter(kind="tool_result").select(**place), on=["run_id", "turn"], how="anti"
    )
    thought = some.filter(kind="thinking").sort("turn_in")
    joined = thought.join_asof(
        questions.sort("turn").with_columns(before=pl.col("turn")), left_on="turn_in", right_on="turn",
        by="run_id", strategy="forward", check_sortedness=False,
    )  # fmt: skip
    stays = joined.filter(pl.col("before").is_not_null() & (pl.col("turn_out") > pl.col("before")))
    sums = stays.group_by("run_id", turn="before").agg(
        first=pl.col("turn_in").min(),
        tokens=pl.col("tokens").sum(),
        other_tokens=pl.coalesce("other_tokens", "tokens").sum(),
    )
    return sums.select(*THOUGHTS).sort("run_id", "turn")


def without_thoughts(plan: Plan, moved: pl.DataFrame, thinking: pl.DataFrame) -> Plan:
    """Return a routed plan, without the thinking that the models which turns went to drop.

    Args:
        plan: the plan.
        moved: req, run_id and is_other (it is another family of tokenizers) of turns whose model drops
            thinking, where that before did not.
        thinking: `THOUGHTS`.
    """
    runs = moved.group_by("run_id").agg(pl.col("is_other").first())
    gone = thinking.join(runs, on="run_id", how="inner", maintain_order="left").sort("run_id", "turn")
    nth = gone.with_columns(
        nth=pl.int_range(pl.len()).over("run_id"),
        cut_tokens=pl.when("is_other").then("other_tokens").otherwise("tokens"),
    )
    for step in nth["nth"].unique().sort():
        before = pl.col("prompt_tokens").shift(1).over("run_id").fill_null(0)
        begins = plan.steps.select("run_id", first="turn", from_tokens=before)
        placed = nth.filter(nth=step).join(begins, on=["run_id", "first"], how="inner")
        plan = rewritten(plan, placed.select(REWRITES), moved["req"])
    return plan


__all__ = ["THOUGHTS", "thoughts", "without_thoughts"]
