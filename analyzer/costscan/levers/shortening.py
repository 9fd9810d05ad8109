"""Prompts of another length, or with another beginning: what that does to what is marked in them.

A position in a prompt is the end of a prompt that was sent before, or lies between two such ends. What a
lever takes out of a prompt comes off each position behind it: off the end of an earlier prompt as much as
came off that prompt, off any other as much as came off the longest prompt that ends before it.
"""

from typing import Final

import polars as pl

from costscan.levers.plan import Breakpoints, Plan, beside, salted, with_context, with_others

CUTS: Final = ("cut_tokens", "cut_fixed_tokens")
"""What comes off a prompt, and what of it stood before the messages."""
_OF_KEYS: Final = ("extends", "stable_extends")


def shortened(plan: Plan, cuts: pl.DataFrame, only: pl.Series | None = None) -> Plan:
    """Take tokens out of prompts, and off the positions behind them.

    Args:
        plan: the plan.
        cuts: req and `CUTS`; what is not named stays as it is. Below zero, tokens are added.
        only: the requests that change, where the others say only what would come off them.
    """
    steps = beside(plan.steps, cuts.select("req", *CUTS))
    changes = pl.lit(value=True) if only is None else pl.col("req").is_in(only.implode())
    steps = with_context(steps).with_columns(pl.col(CUTS).fill_null(0), changes=changes)
    for name in _OF_KEYS:
        owner = "stable_key" if name.startswith("stable") else "key"
        steps = _of_owner(steps, f"{name}_key", owner).with_columns(
            _less(f"{name}_tokens", pl.col("of_owner").fill_null(pl.col("cut_fixed_tokens")))
        )
        steps = steps.drop("of_owner")
    fixed = pl.col("cut_fixed_tokens")
    shorter = steps.with_columns(
        _less("prompt_tokens", pl.col("cut_tokens")),
        *(_less(name, fixed) for name in ("shared_tokens", "stable_shared_tokens")),
    ).select(plan.steps.columns)
    return plan.changed(shorter, lambda breakpoints, prefix: _shorter(breakpoints, steps, f"{prefix}key"))


def _less(name: str, by: pl.Expr) -> pl.Expr:
    return pl.when("changes").then(pl.max_horizontal(pl.col(name) - by, 0)).otherwise(name).alias(name)


def _of_owner(frame: pl.DataFrame, key: str, owner: str) -> pl.DataFrame:
    """Add of_owner: what came off the prompt that a key names.

    >>> steps = pl.DataFrame({"key": [11, 12], "extends_key": [None, 11], "cut_tokens": [300, 500]})
    >>> _of_owner(steps, "extends_key", "key")["of_owner"].to_list()
    [None, 300]
    """
    joined = frame.select(key).join(
        _owners(frame, owner), left_on=key, right_on="owner", how="left", maintain_order="left"
    )
    return frame.hstack(joined.select("of_owner"))


def _owners(steps: pl.DataFrame, key: str) -> pl.DataFrame:
    return steps.select(owner=key, of_owner="cut_tokens").unique("owner", keep="first", maintain_order=True)


def _shorter(breakpoints: Breakpoints, steps: pl.DataFrame, key: str) -> Breakpoints:
    """Return breakpoints on shorter prompts; `steps` have the lengths that they had, and `CUTS`."""
    ends = steps.select("run_id", "context", tokens="prompt_tokens", of_earlier="cut_tokens").sort("tokens")
    own = steps.select("req", "run_id", "context", "cut_fixed_tokens", "changes")
    # What calls outside the log had cached changes with what is changed, unless others stay as they were.
    outside = pl.lit(bool(steps["changes"].all()))
    owned = breakpoints.positions.join(
        _owners(steps, key), left_on="key", right_on="owner", how="left", maintain_order="left"
    ).join(own, on="req", how="left", maintain_order="left")
    placed = owned.with_row_index("nth").sort("tokens").join_asof(
        ends, on="tokens", by=["run_id", "context"], check_sortedness=False
    ).sort("nth")  # fmt: skip
    of_request = placed.with_columns(
        pl.col("changes").fill_null(outside), cut=pl.coalesce("of_owner", "of_earlier", "cut_fixed_tokens")
    )
    changed = of_request.filter("changes", pl.col("req") >= 0).unique(
        "key", keep="first", maintain_order=True
    )
    of_key = changed.select("key", of_key="cut")
    positions = (
        of_request.join(of_key, on="key", how="left", maintain_order="left")
        .with_columns(cut=pl.coalesce("of_key", "cut").fill_null(0))
        .with_columns(_less("tokens", pl.col("cut")))
    )
    lengths = pl.concat([
        steps.filter("changes").select(
            "req", pl.max_horizontal(pl.col("prompt_tokens") - pl.col("cut_tokens"), 0)
        ),
        positions.filter(pl.col("req") < 0).group_by("req").agg(prompt_tokens=pl.col("tokens").max()),
    ])  # fmt: skip
    return Breakpoints(
        with_others(breakpoints.requests, lengths), positions.select(breakpoints.positions.columns)
    )


def renamed(plan: Plan, salts: pl.DataFrame) -> Plan:
    """Return prompts another beginning, so that they find nothing of what was cached of the old one.

    Args:
        plan: the plan.
        salts: req, salt (prompts with the same one and the same key still begin alike) and behind_tokens:
            positions up to there keep their names.
    """
    steps = beside(plan.steps, salts)
    whole = pl.col("behind_tokens") <= 0
    salted_steps = steps.with_columns(
        *(salted(name) for name in ("key", "extends_key", "stable_key", "stable_extends_key")),
        *(
            pl.when(whole).then(salted(name)).otherwise(name).alias(name)
            for name in ("shared_key", "stable_shared_key")
        ),
    ).select(plan.steps.columns)
    return plan.changed(salted_steps, lambda breakpoints, _: _rekeyed(breakpoints, salts), is_repriced=False)


def _rekeyed(breakpoints: Breakpoints, salts: pl.DataFrame) -> Breakpoints:
    """Rename positions; what calls outside the log had cached is cached under the new names, too."""
    positions = breakpoints.positions.join(salts, on="req", how="left", maintain_order="left")
    behind = pl.col("salt").is_not_null() & (pl.col("tokens") > pl.col("behind_tokens"))
    named = positions.with_columns(salt=pl.when(behind).then("salt"))
    within = named.filter(pl.col("req") >= 0)
    outside, requests = _outside(breakpoints, within)
    inside = within.with_columns(salted("key")).select(breakpoints.positions.columns)
    return Breakpoints(requests, pl.concat([inside, outside]))


def _outside(breakpoints: Breakpoints, named: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the positions and requests of calls outside the log once per name of what they had cached."""
    outside = breakpoints.positions.filter(pl.col("req") < 0)
    names = named.select("key", "salt").unique(maintain_order=True)
    each = outside.join(names, on="key", how="left", maintain_order="left").with_columns(
        nth=pl.int_range(pl.len(), dtype=pl.Int64), old="req"
    )
    each = each.with_columns(req=-1 - pl.col("nth"))
    inside = breakpoints.requests.filter(pl.col("req") >= 0)
    copies = each.select("req", "old").join(
        breakpoints.requests.filter(pl.col("req") < 0),
        left_on="old",
        right_on="req",
        how="left",
        maintain_order="left",
    )
    positions = each.with_columns(salted("key")).select(breakpoints.positions.columns)
    return positions, pl.concat([inside, copies.select(inside.columns)])


__all__ = ["CUTS", "renamed", "shortened"]
