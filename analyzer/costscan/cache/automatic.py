"""Caches without breakpoints: they hold every prompt, and miss some calls for no reason that is told.

What such a cache reads of one call nobody can foresee. Over many calls it reads a share of what it could,
which is fitted on the log itself. So what a replay says of a call is what is to be expected of it, and only
the sums can be compared.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from costscan.cache.policies import is_marked, is_promised
from costscan.cache_policy import AutomaticPolicy, target_of
from costscan.schema.frames import USD

_PLACE: Final = ["run_id", "turn"]
_CLASSES: Final = ("read_tokens", "write_5m_tokens", "write_1h_tokens", "input_tokens")
_TAIL_TOKENS: Final = 1024
"""A call that read all but so many tokens of what it could found what the one before had sent."""
_SOON_S: Final = 60.0
"""Calls that follow within so many seconds are those that are fitted on: no entry has expired by then."""
MAY_READ: Final = "may_read_tokens"
"""What a cache that promises nothing may read of a request, and is not expected to."""
_ENOUGH_CALLS: Final = 3
"""So many calls that read nothing at all say that there is no cache, or none that is told of."""
_COLUMNS: Final[dict[str, Any]] = {
    "model": pl.String, "policy": pl.String, "step_tokens": pl.Int64, "bills_writes": pl.Boolean,
    "calls": pl.Int64, "hit_rate": pl.Float64, "read_share": pl.Float64, "share_error": pl.Float64,
    "is_fitted": pl.Boolean,
}  # fmt: skip
SHARES: Final = pl.Schema(_COLUMNS)
"""By model, what its cache reads of what it could.

policy (the name of its rules), step_tokens (what is read is a multiple of it), bills_writes (what is written
has a price of its own), calls (how many it is fitted on), hit_rate (the share of them that found what the one
before had sent), read_share (tokens read of those that could be), share_error (twice the standard error of
that), is_fitted (whether there were calls enough to say anything).
"""

_COMPARED: Final[dict[str, Any]] = {
    "policy": pl.String,
    "model": pl.String,
    **dict.fromkeys(("turns", "calls"), pl.Int64),
    **dict.fromkeys(("hit_rate", "read_share", "share_error"), pl.Float64),
    **dict.fromkeys(("usd_billed", "usd_replayed"), USD),
}
COMPARED: Final = pl.Schema(_COMPARED)
"""By model, its turns, what of `SHARES` was fitted, and what the turns that have a price cost."""


def ttl_us_of(models: pl.Series) -> pl.Expr:
    """Return how long an entry lives, null where requests say so; `models` has all that occur.

    That of a cache that promises nothing is the longest that it may be.
    """
    values = {model: policy.ttl_us for model, policy in _ruled(models).items()}
    return pl.col("model").replace_strict(values, default=None, return_dtype=pl.Int64)


def _ruled(models: pl.Series) -> dict[str, AutomaticPolicy]:
    found = ((model, target_of(model)) for model in models.drop_nulls().unique().sort())
    return {model: policy for model, policy in found if policy is not None}


def positions_of_prompts(steps: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """Return what is held of prompts in the log and may be found in them, in the columns of `WINDOWS`.

    All that two prompts begin with may be found: the prompt that one extends, tools and system prompt, and
    what stands before the place where a prompt departs from the one before. A key is null where only the
    stable prompt has one.

    Args:
        steps: requests and chains side by side, with ttl_us.
        departures: from `logged_prompts`.
    """
    own = steps.filter(pl.col("is_shown") & pl.col("uses") & pl.col("is_automatic"))
    held = {"": True, "extends_": False, "shared_": True}
    each = [_positions(own, name, is_held=is_held) for name, is_held in held.items()]
    return pl.concat([*each, *_common(own, departures)]).filter(pl.col("stable_key").is_not_null())


def _common(steps: pl.DataFrame, departures: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the places up to which prompts are those before: they are held of these, and found in them."""
    place = departures.filter("is_first", pl.col("token_offset") > 0)
    name = (pl.struct("run_id", "turn", "token_offset").hash() // 2).cast(pl.Int64)
    departing = place.select(*_PLACE, "against", tokens="token_offset", key=name).join(
        steps.select(*_PLACE, "ttl_us"), on=_PLACE, how="inner"
    )
    is_across = pl.col("against").is_not_null()
    before = departing.with_columns(
        run_id=pl.coalesce("against", "run_id"), turn=pl.when(is_across).then(0).otherwise(pl.col("turn") - 1)
    )
    ends = (before, departing.with_columns(ttl_us=pl.lit(None, pl.Int64)))
    names = (*_PLACE, "key", "tokens", "ttl_us")
    return [end.select(*names, stable_key="key", stable_tokens="tokens") for end in ends]


def _positions(steps: pl.DataFrame, name: str, *, is_held: bool) -> pl.DataFrame:
    tokens, stable = pl.col(f"{name}tokens"), pl.col(f"stable_{name}tokens")
    if not name:
        tokens, stable = pl.col("prompt_tokens"), pl.col("prompt_tokens") - pl.col("moved_tokens")
    return steps.filter(stable > 0).select(
        *_PLACE,
        key=f"{name}key",
        tokens=tokens,
        ttl_us=pl.col("ttl_us") if is_held else pl.lit(None, pl.Int64),
        stable_key=f"stable_{name}key",
        stable_tokens=stable,
    )


@dataclass(frozen=True)
class AutomaticCaches:
    """What the caches without breakpoints of a log read.

    Attributes:
        shares: `SHARES`.
    """

    shares: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SHARES))

    @property
    def is_empty(self) -> bool:
        """Whether no call went to such a cache."""
        return self.shares.is_empty()

    @property
    def fitted_models(self) -> list[str]:
        """The models of which there were calls enough."""
        return self.shares.filter("is_fitted")["model"].to_list()

    def is_replayed(self, models: pl.Series) -> pl.Expr:
        """Say which rows have a model whose cache can be replayed; `models` has all that occur."""
        return is_marked(models) | pl.col("model").is_in(self.fitted_models).fill_null(value=False)

    def expected(self, classes: pl.DataFrame, could: pl.DataFrame, models: pl.Series) -> pl.DataFrame:
        """Return the token classes of requests with what is to be expected of those to such a cache.

        Args:
            classes: read_tokens, write_5m_tokens, write_1h_tokens, input_tokens and what else is known.
            could: what could have been read, in the same columns and order.
            models: the model of each.

        Returns:
            `classes`, with `MAY_READ` where a cache promises nothing.
        """
        shares = self._of(models).select("model", "step_tokens", "read_share", "bills_writes")
        if shares.is_empty():
            return classes
        own = could.select(*_CLASSES, model=models).join(
            shares, on="model", how="left", maintain_order="left"
        )
        read, held = pl.col("read_tokens"), pl.sum_horizontal("write_5m_tokens", "write_1h_tokens")
        whole = read // pl.col("step_tokens") * pl.col("step_tokens")
        expected = (whole * pl.col("read_share")).round().cast(pl.Int64)
        unread = read - expected + held
        written = pl.when("bills_writes").then(unread).otherwise(0)
        as_read = own.select(
            "read_share",
            read_tokens=expected,
            write_5m_tokens=written,
            write_1h_tokens=pl.lit(0, pl.Int64),
            input_tokens=pl.col("input_tokens") + unread - written,
        )
        is_own = as_read["read_share"].is_not_null()
        expected_classes = classes.with_columns(
            pl.when(is_own).then(as_read[name]).otherwise(name).alias(name) for name in _CLASSES
        )
        promised = own.select(is_promised(models)).to_series()
        if promised.all():
            return expected_classes
        return expected_classes.with_columns(
            pl.when(promised).then(0).otherwise(own["read_tokens"]).alias(MAY_READ)
        )

    def _of(self, models: pl.Series) -> pl.DataFrame:
        """Return `SHARES` of models; of those that no call of the log went to what is known before."""
        known = self.shares["model"].to_list()
        nothing = {"calls": 0, "could": 0, "read": 0, "hits": 0, "off": 0.0, "ever_read": 0, "written": 1}
        ruled = _ruled(models)
        new = [_share(policy, {**nothing, "model": m}) for m, policy in ruled.items() if m not in known]
        own = self.shares.filter(pl.col("model").is_in(list(ruled)))
        return pl.concat([own, pl.DataFrame(new, schema=SHARES)])

    def compared(self, turns: pl.DataFrame) -> pl.DataFrame:
        """Return `COMPARED`, what costs most first.

        Args:
            turns: model, usd (as billed) and off_usd (as replayed less as billed) of the replayed turns.
        """
        usd = pl.when(pl.col("off_usd").is_not_null()).then("usd")
        of_models = turns.group_by("model").agg(
            turns=pl.len().cast(pl.Int64),
            usd_billed=usd.sum(),
            usd_replayed=usd.sum() + pl.col("off_usd").sum(),
        )
        fit = self.shares.filter("is_fitted").join(of_models, on="model")
        ordered = fit.sort("usd_billed", "model", descending=[True, False])
        return ordered.select(pl.col(name).cast(kind) for name, kind in COMPARED.items())

    def off_share(self, model: str) -> float:
        """Return by what share of itself a saving may be off, as far as calls miss at random."""
        row = self.shares.filter(model=model).row(0, named=True)
        share = float(row["read_share"])
        return max(float(row["share_error"]), 1 - share) / max(share, 0.01)


def fitted(turns: pl.DataFrame, foreseen: pl.DataFrame) -> AutomaticCaches:
    """Fit what caches without breakpoints read on what was billed.

    Args:
        turns: req, model, gap_s, cache_read_tokens and cache_write_tokens of the turns.
        foreseen: req, read_tokens (what could be read) as the replay has it.
    """
    own = turns.join(foreseen.select("req", could="read_tokens"), on="req", how="inner")
    soon = (pl.col("could") > 0) & (pl.col("gap_s").fill_null(_SOON_S) <= _SOON_S)
    could, read = pl.col("could").filter(soon), pl.col("cache_read_tokens").filter(soon)
    sums = own.group_by("model").agg(
        ever_read=pl.col("cache_read_tokens").sum(),
        written=pl.col("cache_write_tokens").sum(),
        calls=soon.sum().cast(pl.Int64),
        hits=(read >= could - _TAIL_TOKENS).sum(),
        could=could.sum(),
        read=read.sum(),
        off=(read - could * read.sum() / could.sum()).pow(2).sum(),
    )
    ruled = _ruled(turns["model"])
    rows = [_share(ruled[row["model"]], row) for row in sums.sort("model").iter_rows(named=True)]
    return AutomaticCaches(pl.DataFrame(rows, schema=SHARES))


def _share(policy: AutomaticPolicy, sums: dict[str, Any]) -> dict[str, Any]:
    """Return the row of `SHARES` of a model."""
    n = sums["calls"]
    # Where nothing was ever read, nothing is: the cache is off, or the log does not tell of it.
    prior = 0 if n >= _ENOUGH_CALLS and sums["ever_read"] == 0 else policy.prior_calls
    typical = sums["could"] / n if n else 1.0
    tokens, before = sums["could"] + prior * typical, prior * typical * policy.read_share
    share = min((sums["read"] + before) / tokens, 1.0) if tokens else policy.read_share
    scatter = (sums["off"] or 0.0) + prior * typical**2 * policy.read_share * (1 - policy.read_share)
    return {
        "model": sums["model"],
        "policy": policy.name,
        "step_tokens": policy.step_tokens,
        "bills_writes": policy.bills_writes and sums["written"] > 0,
        "calls": n,
        "hit_rate": (sums["hits"] + prior * policy.hit_rate) / (n + prior) if n + prior else policy.hit_rate,
        "read_share": share,
        "share_error": 2 * math.sqrt(scatter) / tokens if tokens else 1.0,
        "is_fitted": n >= policy.needs_calls,
    }
