"""Cut long tool results when they enter, to one length for each tool.

What was used behind the cut is fetched again: by one more call that reads the prompt once more and asks for
it, from where on the result is carried whole. So such a result stays, and its call is added.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import polars as pl

from costscan.levers.plan import EXTRA_OUTPUT, TRIED, Plan, beside
from costscan.levers.trimming.cuts import CUT_BLOCKS
from costscan.levers.trimming.inputs import TrimmingInputs

PART: Final = "trimming/cap-tool-results"
CAPS: Final = (500, 1000, 2000, 4000, 8000, 16000, 32000)
"""What the results of a tool may be cut to."""
LEAST_CAP: Final = 2000
"""No tool is cut shorter than that: it would not be told what it asked for."""
LEAST_LEFT: Final = 0.5
"""A tool is not capped where fetching takes more than the rest of what cutting would save."""
MOST_USED: Final = 0.25
"""Nor so short that of more of the results that it cuts something behind was used, as far as they tell."""
NEARLY: Final = 0.9
"""A cap is as good as the best one where it saves such a share of what that one saves."""
FETCH_OUTPUT_TOKENS: Final = 120
"""What a model writes to fetch a part of a result: the call of a tool."""
USED_SHARE: Final = 0.4
"""How many results over a cap are used behind it, where no result of a log tells: docs/used-share.md."""


class Capped(NamedTuple):
    """The caps of tools.

    Attributes:
        cuts: what is cut, as `CUT_BLOCKS`.
        fetched: run_id and turn of the results that are fetched again.
        caps: tool and setting.
        tried: what each cap would save, as `TRIED`.
    """

    cuts: pl.DataFrame
    fetched: pl.DataFrame
    caps: pl.DataFrame
    tried: pl.DataFrame


def capped(inputs: TrimmingInputs) -> Capped:
    """Return what is cut with the cap that is set, whatever comes of it, or with the best of each tool."""
    if (own := inputs.tool_result_max_tokens) is not None:
        results = _results(inputs)
        cuts = results.filter(pl.col("tokens") > own).with_columns(cap_tokens=pl.lit(own, pl.Int64))
        nothing = cuts.clear()
        fetched = nothing.select("run_id", turn="turn_in")
        return Capped(_cut(cuts), fetched, _settings(nothing), pl.DataFrame(schema=TRIED))
    return capped_at(inputs, best_caps(with_caps(_results(inputs), inputs.fetch_usd)))


def capped_at(inputs: TrimmingInputs, caps: pl.DataFrame) -> Capped:
    """Return what is cut with the cap of each tool: `caps`, tool and cap_tokens (one of `CAPS`)."""
    at_caps = with_caps(_results(inputs), inputs.fetch_usd)
    chosen = at_caps.join(caps, on=["tool", "cap_tokens"], how="semi", maintain_order="left")
    fetched = chosen.filter("is_used").select("run_id", turn="turn_in")
    cuts = _cut(chosen.filter(~pl.col("is_used")))
    return Capped(cuts, fetched, _settings(caps), _tried(at_caps))


def _results(inputs: TrimmingInputs) -> pl.DataFrame:
    return inputs.blocks.filter(kind="tool_result").with_columns(pl.col("tool").fill_null(""))


def with_caps(results: pl.DataFrame, fetch_usd: pl.DataFrame) -> pl.DataFrame:
    """Return results once for each cap that they are over.

    Args:
        results: run_id, block, tool, turn_in, tokens, used_to, entry_usd and carried_usd of tool results.
        fetch_usd: run_id, turn_in and fetch_usd: what a call costs that reads the prompt of a turn once more.

    Returns:
        the same with cap_tokens, told_used (whether it was used behind the cap, null where it does not tell),
        is_used (the same, or what is taken for it), gross_usd (what cutting it saves) and fetch_usd (what it
        costs where it is fetched again).
    """
    priced = results.join(fetch_usd, on=["run_id", "turn_in"], how="left", maintain_order="left")
    over = ((priced.filter(pl.col("tokens") > cap), cap) for cap in CAPS)
    each = pl.concat([some.with_columns(cap_tokens=pl.lit(cap, pl.Int64)) for some, cap in over])
    told = pl.col("used_to") * pl.col("tokens") > pl.col("cap_tokens")
    share = pl.coalesce(told.mean().over("tool", "cap_tokens"), told.mean().over("cap_tokens"), USED_SHARE)
    # Of results that do not tell, as many are taken to be used: every so many of them.
    nth = pl.int_range(pl.len()).over("tool", "cap_tokens", told.is_null())
    spread = ((nth + 1) * share).floor() > (nth * share).floor()
    part = (pl.col("tokens") - pl.col("cap_tokens")) / pl.col("tokens")
    usd = (pl.col("entry_usd") + pl.col("carried_usd")).cast(pl.Float64)
    return each.with_columns(
        is_used=pl.coalesce(told, spread),
        told_used=told,
        gross_usd=usd * part,
        fetch_usd=pl.col("fetch_usd").fill_null(0.0),
    )


def _net() -> pl.Expr:
    """Return what a cap saves of a result, net of fetching it again."""
    return pl.when("is_used").then(-pl.col("fetch_usd")).otherwise("gross_usd")


def _tried(at_caps: pl.DataFrame) -> pl.DataFrame:
    sums = at_caps.group_by("run_id", "tool", "cap_tokens", maintain_order=True).agg(saved_usd=_net().sum())
    return sums.select("run_id", "tool", "saved_usd", setting=pl.col("cap_tokens").cast(pl.String)).select(
        *TRIED
    )


def best_caps(at_caps: pl.DataFrame) -> pl.DataFrame:
    """Return tool and cap_tokens: the cap of each tool that saves most; none where fetching leaves little."""
    sums = at_caps.group_by("tool", "cap_tokens").agg(
        net_usd=_net().sum(), gross_usd=pl.col("gross_usd").sum(), used=pl.col("told_used").mean()
    )
    net_usd, cap = pl.col("net_usd"), pl.col("cap_tokens")
    worth = (net_usd > 0) & (net_usd >= LEAST_LEFT * pl.col("gross_usd"))
    seldom = pl.col("used").fill_null(0.0) <= MOST_USED
    pays = sums.filter(worth, seldom, cap >= LEAST_CAP, pl.col("tool") != "")
    # What a cap does to the next log is not known: of those that save nearly as much the longest is taken.
    near = pays.filter(pl.col("net_usd") >= NEARLY * pl.col("net_usd").max().over("tool"))
    longest = near.sort("tool", "cap_tokens").unique("tool", keep="last", maintain_order=True)
    return longest.select("tool", "cap_tokens")


def with_fetches(plan: Plan, fetched: pl.DataFrame) -> Plan:
    """Add the calls that fetch parts of results: they repeat the prompt that had it first.

    Args:
        plan: the plan.
        fetched: run_id and turn, a row for each result.
    """
    counts = fetched.group_by("run_id", "turn").agg(results=pl.len().cast(pl.Int64))
    turns = plan.steps.select("req", "run_id", "turn", before_req=pl.col("req").shift(-1).over("run_id"))
    at = turns.join(counts, on=["run_id", "turn"], how="inner", maintain_order="left").drop_nulls(
        "before_req"
    )
    if at.is_empty():
        return plan
    asks = at.select("req", "before_req", asked_tokens=pl.lit(0, pl.Int64))
    wrote = beside(plan.steps, at.select("req", "results"))
    output = pl.col(EXTRA_OUTPUT) + FETCH_OUTPUT_TOKENS * pl.col("results").fill_null(0)
    steps = wrote.with_columns(output.alias(EXTRA_OUTPUT)).select(plan.steps.columns)
    return replace(plan, steps=steps, asks=pl.concat([plan.asks, asks]))


def _settings(caps: pl.DataFrame) -> pl.DataFrame:
    return caps.select("tool", setting=pl.col("cap_tokens").cast(pl.String))


def _cut(results: pl.DataFrame) -> pl.DataFrame:
    """Return what is over the cap of each tool result, as `CUT_BLOCKS`."""
    over = pl.col("tokens") - pl.col("cap_tokens")
    return results.with_columns(tokens=over, is_fixed=pl.lit(value=False)).select(*CUT_BLOCKS)
