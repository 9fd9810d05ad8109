"""What a token of the history costs in each turn: what rewriting it is weighed with."""

from typing import Final

import polars as pl

from costscan.levers.plan import with_context
from costscan.meters import CACHED_TOKENS, TOKEN_METERS
from costscan.prices import UNIT_COLUMNS

PRICED: Final = tuple(UNIT_COLUMNS[meter] for meter in TOKEN_METERS)

NEAR_SHARE: Final = 0.2
"""By so much the estimated length of a prefix may be off from what was read of it."""


def carried_price(steps: pl.DataFrame, priced: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Return the turns with what carrying and writing a token costs there, in pico-USD.

    Args:
        steps: the steps of a plan.
        priced: their token classes and unit prices, in the same order.
        blocks: run_id, turn_in, turn_out, layer, tokens.

    Returns:
        req, run_id, turn, context, prompt_tokens, before_tokens (the prompt before it in its context),
        fixed_tokens (tools and system prompt, with what tool use adds), the cached token classes, carry_pico,
        write_pico, carry_on_pico (the sum of carry_pico from this turn to the end of its context), and of the
        turn before it in its context before_req, ask_pico (what a token of its prompt costs, were it re-sent
        just before this turn), ask_new_pico (what stands behind it) and output_pico; null where a price is
        unknown.
    """
    both = with_prefix(steps, blocks).hstack(priced.select(*CACHED_TOKENS, *PRICED))
    write = (
        pl.when(pl.col("cache_write_1h_tokens") > 0).then("pico_cache_write_1h")
        .when(pl.col("cache_write_5m_tokens") > 0).then("pico_cache_write_5m")
        .when(pl.col("cache_read_tokens") > 0).then("pico_cache_write_5m")
        .otherwise("pico_input")
    )  # fmt: skip
    carried = both.with_columns(
        write_pico=write,
        **{name: of.shift(1).over("run_id", "context") for name, of in _of_turn_before(write).items()},
    ).with_columns(carry_pico=pl.when(_is_warm()).then("pico_cache_read").otherwise("write_pico"))
    on = pl.col("carry_pico").cum_sum(reverse=True).over("run_id", "context")
    return carried.with_columns(carry_on_pico=on).drop(*PRICED, "at_us", "ttl_us")


def with_prefix(steps: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Return where the messages begin in each prompt, and what was sent before it in its context.

    Args:
        steps: the steps of a plan.
        blocks: run_id, turn_in, turn_out, layer, tokens.

    Returns:
        req, run_id, turn, context, at_us, ttl_us, prompt_tokens, fixed_tokens (tools and system prompt, with
        what tool use adds), and before_tokens and before_req of the prompt before it in its context.
    """
    of_turn = ("req", "run_id", "turn", "context", "at_us", "ttl_us", "prompt_tokens")
    both = with_context(steps).select(*of_turn, "is_shown", "shared_tokens")
    fixed = _fixed(steps, blocks)
    return both.hstack(fixed.select("fixed_tokens")).select(
        *of_turn,
        fixed_tokens=_whole_prefix(),
        before_tokens=pl.col("prompt_tokens").shift(1).over("run_id", "context"),
        before_req=pl.col("req").shift(1).over("run_id", "context"),
    )


def _is_warm() -> pl.Expr:
    """Whether a turn read most of the history before it, beside tools and system prompt."""
    history = pl.max_horizontal(pl.col("before_tokens") - pl.col("fixed_tokens"), 0)
    reads_history = pl.col("cache_read_tokens") >= pl.col("fixed_tokens") + history / 2
    return (reads_history & (pl.col("cache_read_tokens") > 0)).fill_null(value=False)


def _of_turn_before(write: pl.Expr) -> dict[str, pl.Expr]:
    """Return, turn by turn, what the next one of its context is told of it.

    A prompt that is re-sent just before the next turn finds all that it had cached, while that lives:
    its breakpoints are where they were, so that nothing is too far back.
    """
    sent = pl.max_horizontal("prompt_tokens", 1)
    cached = pl.min_horizontal(pl.sum_horizontal(CACHED_TOKENS), sent)
    until = pl.col("at_us").shift(-1).over("run_id", "context") - pl.col("at_us")
    while_cached = cached * pl.col("pico_cache_read") + (sent - cached) * pl.col("pico_input")
    anew = cached * write + (sent - cached) * pl.col("pico_input")
    again = pl.when(until <= pl.col("ttl_us").fill_null(0)).then(while_cached).otherwise(anew)
    return {
        "ask_pico": again / sent,
        "ask_new_pico": pl.col("pico_input"),
        "output_pico": pl.col("pico_output"),
    }


def _whole_prefix() -> pl.Expr:
    """Tell where the messages begin: at the end of the shared prefix, as the replay has it.

    The blocks of it are a little less or more, by what tool use adds and by how the first prompt was split.
    What the first turn of a transcript read is that prefix if it is about as long; a session that goes on in
    another file reads its messages, too.
    """
    fixed, shared = pl.col("fixed_tokens").fill_null(0), pl.col("shared_tokens").fill_null(0)
    near = (shared - fixed).abs() <= NEAR_SHARE * shared
    return pl.when((shared > 0) & (pl.col("is_shown") | near)).then(shared).otherwise(fixed)


def _fixed(steps: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Sum up the blocks before the messages in the prompt of each turn: run_id, turn, fixed_tokens."""
    fixed = blocks.filter(pl.col("layer") != "messages")
    came = fixed.select("run_id", "tokens", turn="turn_in")
    left = fixed.select("run_id", -pl.col("tokens"), turn="turn_out")
    changes = pl.concat([came, left]).group_by("run_id", "turn").agg(pl.col("tokens").sum())
    joined = steps.select("run_id", "turn").join(
        changes, on=["run_id", "turn"], how="left", maintain_order="left"
    )
    return joined.with_columns(fixed_tokens=pl.col("tokens").fill_null(0).cum_sum().over("run_id")).drop(
        "tokens"
    )
