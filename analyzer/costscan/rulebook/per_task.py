"""One finding for one fault: what a rule found in several runs of a task, told once.

A rule that names columns to be summed gives one finding per fingerprint, placed at its most expensive run.
Where a client is set for more than a task, the column `subject` of the query says for what.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from costscan.rulebook.rule import Rule

FINGERPRINT: Final = "fingerprint"
SUBJECT: Final = "subject"
_DIGITS: Final = 16
_IS_PRICED: Final = "is_priced"


def with_fingerprints(
    rule: Rule, found: pl.DataFrame, names: Mapping[str, tuple[str, str | None]]
) -> pl.DataFrame:
    """Add the `fingerprint` of each row: the same for the same finding in another run of the task.

    Args:
        rule: the rule.
        found: what its query gave.
        names: by run its task and, of a sub-agent, its type.
    """
    marks = [
        _fingerprint(rule, *names.get(row["run_id"], ("", None)), row) for row in found.iter_rows(named=True)
    ]
    return found.with_columns(pl.Series(FINGERPRINT, marks, pl.String))


def _fingerprint(rule: Rule, task: str, agent: str | None, row: Mapping[str, Any]) -> str:
    subject = row.get(SUBJECT)
    of = (task, agent or "") if subject is None else (subject,)
    parts = (rule.name, *of, row.get("tool") or "", *(row[name] for name in rule.identity))
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:_DIGITS]


def told_once(rule: Rule, found: pl.DataFrame) -> pl.DataFrame:
    """Return one row per fingerprint, that of the most expensive run, with the sums of all of them.

    Rows of unknown price are summed apart, so that they do not hide what is known. Where some runs would lose
    more than the others save, nothing is found.

    Args:
        rule: the rule.
        found: its rows with their fingerprints, and `usd` where they are priced.
    """
    if not rule.summed:
        return found
    summed = [*rule.summed, *(name for name in ("usd",) if name in found.columns)]
    order = [name for name in ("usd", "tokens") if name in found.columns]
    usd = pl.col("usd") if "usd" in found.columns else pl.lit(0)
    places = [name for name in ("run_id", "turn") if name in found.columns]
    ranked = found.with_columns(is_priced=usd.is_not_null()).sort(
        *order, *places, descending=[True] * len(order) + [False] * len(places), nulls_last=True
    )
    some = pl.col(summed).null_count() < pl.len()
    one = ranked.group_by(FINGERPRINT, "is_priced", maintain_order=True).agg(
        pl.exclude(FINGERPRINT, "is_priced", *summed).first(), pl.when(some).then(pl.col(summed).sum())
    )
    return one.filter((usd >= 0).fill_null(value=True)).select(found.columns)


__all__ = ["FINGERPRINT", "SUBJECT", "told_once", "with_fingerprints"]
