"""Calls that logs of several formats tell: a gateway's log beside a transcript, a trace beside pairs.

They have the provider's id of the response in common, or that of the request. What the formats count may
differ: an instrumentation does not tell cache writes apart, or leaves them out. The word of the format that
tells most counts: the one of the least `precedence`, whose calls have the lowest rank.
"""

from typing import Final

import polars as pl

from costscan.formats import available
from costscan.meters import PROMPT_TOKENS
from costscan.reading.conversation.call import SHORTEST_ID

_PROMPT: Final = list(PROMPT_TOKENS)
_TOTAL: Final = pl.sum_horizontal(PROMPT_TOKENS, ignore_nulls=False)
_RELEASE: Final = r"(-\d{4}-?\d{2}-?\d{2}|@.*)$"


def unified(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the calls with `call_id`, what calls that are the same have in common; null where none is told.

    Of a call that several formats tell, all have the message id and the prompt counters of the first one.

    Args:
        calls: sorted by rank, with `source`.
    """
    if calls["source"].n_unique() > 1:
        calls = _recounted(_renamed(calls))
    # Real logs have no short ids, and telling apart calls that share one takes longer than seeing that.
    has_short = calls.select((pl.col("message_id").str.len_chars() < SHORTEST_ID).any()).item()
    return calls.with_columns(call_id=_call_id() if has_short else pl.col("message_id"))


def _renamed(calls: pl.DataFrame) -> pl.DataFrame:
    """Give calls of one request the message id of the first format that tells it."""
    named = calls.filter(pl.col("request_id").is_not_null(), pl.col("message_id").is_not_null())
    first = named.unique("request_id", keep="first", maintain_order=True).select(
        "request_id", first_id="message_id", first_source="source"
    )
    is_other = pl.col("source") != pl.col("first_source")
    return (
        calls.join(first, on="request_id", how="left", maintain_order="left")
        .with_columns(message_id=pl.when(is_other).then("first_id").otherwise("message_id"))
        .drop("first_id", "first_source")
    )


def _recounted(calls: pl.DataFrame) -> pl.DataFrame:
    """Give calls the prompt counters that the first format has for the same response.

    They are the same call where the prompts have one size, or the outputs have and each format tells one call
    of that id alone. A call that the first format tells in parts is its first part.
    """
    calls = calls.with_columns(total=_TOTAL, lead=pl.col("source").first().over("message_id"))
    calls = calls.with_row_index("row")
    is_lead = (pl.col("source") == pl.col("lead")) & _TOTAL.is_not_null()
    others = calls.filter(pl.col("message_id").is_not_null(), pl.col("source") != pl.col("lead"))
    if others.is_empty():
        return calls.drop("total", "lead", "row")
    leads = calls.filter(is_lead).join(others, on="message_id", how="semi")
    found = _adopted(others, leads)
    return (
        calls.join(found, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce(f"first_{name}", name).alias(name) for name in (*_PROMPT, "output_tokens"))
        .select(calls.drop("total", "lead", "row").columns)
    )


def _adopted(others: pl.DataFrame, leads: pl.DataFrame) -> pl.DataFrame:
    """Return the counters of the first format for the rows of others, as `first_` and their names."""
    alone = (pl.struct(_PROMPT).n_unique() == 1).over("message_id", "source")
    several = (pl.col("part").max() > 0).over("message_id")
    leads = leads.with_columns(is_alone=alone, in_parts=several).select(
        "message_id", "part", "total", "is_alone", "in_parts",
        *(pl.col(name).alias(f"first_{name}") for name in (*_PROMPT, "output_tokens")),
    )  # fmt: skip
    pairs = others.with_columns(others_alone=alone).join(leads, on="message_id", suffix="_first")
    same_prompt = pl.all_horizontal(pl.col(name) == pl.col(f"first_{name}") for name in _PROMPT)
    same_size = pl.col("total") == pl.col("total_first")
    same_output = (
        (pl.col("output_tokens") == pl.col("first_output_tokens"))
        & pl.col("others_alone")
        & pl.col("is_alone")
    )
    is_short = pl.col("message_id").str.len_chars() < SHORTEST_ID
    how = (
        pl.when(same_prompt).then(0).when(same_size).then(1)
        .when(same_output & ~is_short).then(2)
        .when(pl.col("in_parts") & (pl.col("part_first") == 0) & ~is_short).then(3)
    )  # fmt: skip
    best = (
        pairs.with_columns(how=how)
        .filter(pl.col("how").is_not_null())
        .sort("row", "how", maintain_order=True)
        .unique("row", keep="first", maintain_order=True)
        .filter(pl.col("how") > 0)
    )
    return best.select(
        "row",
        *(f"first_{name}" for name in _PROMPT),
        first_output_tokens=pl.when(pl.col("how") == 3).then("first_output_tokens"),  # noqa: PLR2004
    )


def _call_id() -> pl.Expr:
    """Return the message id; of a short one, which different calls may share, with model and output."""
    repeating = [name for name, log_format in available().items() if log_format.repeats_calls]
    is_short = pl.col("message_id").str.len_chars() < SHORTEST_ID
    by_lines = pl.col("source").is_in(repeating).all().over("message_id")
    model = pl.col("model_raw").str.to_lowercase().str.replace(r"^.*/", "").str.replace(_RELEASE, "")
    output = pl.col("output_tokens").fill_null(pl.col("output_tokens").min().over("message_id"))
    told = pl.concat_str("message_id", model, output, separator=" ", ignore_nulls=True)
    return pl.when(is_short & ~by_lines).then(told).otherwise("message_id")
