"""Findings for reports: all of them, and summed by rule."""

from typing import Final

import polars as pl

from costscan.aggregates import known_sum
from costscan.rulebook import Diagnosis

JSON_COLUMNS: Final = (
    "rule",
    "name",
    "lever",
    "severity",
    "confidence",
    "run_id",
    "root_run_id",
    "turn",
    "turn_end",
    "path",
    "char_offset",
    "tool",
    "block",
    "tokens",
    "usd",
    "message",
    "evidence",
    "fix",
    "fingerprint",
)


def findings(analysis: Diagnosis) -> pl.DataFrame:
    """Return the findings, most expensive first, with the place in the prompt where one is known.

    `run_id` is the agent thread whose turn it is, `root_run_id` the run that it counts in.
    """
    return analysis.rooted(analysis.findings).select(*JSON_COLUMNS)


def message_at_place() -> pl.Expr:
    """Return the message of a finding, with its place in front where it does not name that itself."""
    character = pl.concat_str(pl.lit(", character "), "char_offset")
    place = pl.concat_str("path", character.fill_null(""), pl.lit(": "), "message")
    names_it = pl.col("message").str.contains(pl.col("path"), literal=True)
    return pl.when(names_it.fill_null(value=True)).then("message").otherwise(place).alias("message")


def why() -> pl.Expr:
    """Return what a finding says with the name of its rule before it."""
    return pl.concat_str("name", pl.lit(": "), message_at_place()).alias("why")


def by_rule(analysis: Diagnosis) -> pl.DataFrame:
    """Return a row per rule that found something, most expensive first, with its most expensive message.

    Findings of one rule count no dollar twice; those of two rules may be about the same tokens.
    """
    return (
        analysis.rooted(analysis.findings)
        .group_by("rule", "name", "lever", "severity", maintain_order=True)
        .agg(
            findings=pl.len().cast(pl.Int64),
            runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
            tokens=pl.col("tokens").sum(),
            usd=known_sum("usd"),
            message=message_at_place().first(),
            fix=pl.col("fix").first(),
        )
        .sort("usd", "rule", descending=[True, False], nulls_last=True)
    )


def by_run(analysis: Diagnosis) -> pl.DataFrame:
    """Return, per agent thread with findings: how many."""
    return analysis.findings.group_by("run_id").agg(findings=pl.len().cast(pl.Int64))


def by_root(analysis: Diagnosis) -> pl.DataFrame:
    """Return, per root run with findings: what would save most in its tree, in words.

    What only says that a run was expensive and what is to be tried first come after what can be mended.
    """
    is_told_last = (pl.col("lever") == "spend") | (pl.col("confidence") == "low")
    ranked = analysis.rooted(analysis.findings).sort(is_told_last, maintain_order=True)
    by_tree = ranked.group_by("root_run_id", maintain_order=True)
    return by_tree.agg(top_finding=why().first())
