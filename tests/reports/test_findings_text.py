"""Findings for people: every line fits, each finding says all that it has, and sums say what they are of."""

import re
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace

import polars as pl
import pytest

from billed import ROOT
from command import logs_of
from costscan.reports.findings import text
from costscan.reports.findings.listing import Listing, chosen
from costscan.reports.text.sanitize import cells
from costscan.rulebook import Diagnosis, load_rules
from costscan.summary import Summary

pytestmark = pytest.mark.usefixtures("kept_analyses")


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Diagnosis, Summary]]:
    with chdir(ROOT), logs_of("sample_logs") as both:
        yield both


@pytest.fixture(scope="module")
def every(found: tuple[Diagnosis, Summary]) -> Listing:
    return chosen(found[1], found[0])


@pytest.mark.parametrize("width", [*range(40, 60), 80, 100, 140])
def test_every_line_of_text_fits(every: Listing, width: int) -> None:
    for top in (1, 10, 500):
        lines = [line.plain for line in text.render(every, width, top)]
        assert max(map(cells, lines)) <= width
        assert not any(line.endswith(" ") for line in lines)
        marks = re.findall(r"· ([0-9a-f]{16})", " ".join(" ".join(lines).split()))
        assert sorted(marks) == sorted(every.rows["fingerprint"].head(top))


def test_text_says_what_each_costs_and_the_sums(every: Listing) -> None:
    words = " ".join(" ".join(line.plain for line in text.render(every, 140, 500)).split())
    for row in every.rows.iter_rows(named=True):
        assert f"{row['file']}:{row['line']}"[-60:] in words
        assert " ".join(f"fix: {row['fix']}".split())[:300] in words
    counts = dict(every.rows.group_by("severity").len().iter_rows())
    sums = re.search(
        r"(\d+) findings, \$[\d.]+: (\d+) errors \$[\d.]+ · (\d+) warnings \$[\d.]+ · (\d+) info", words
    )
    assert sums is not None
    assert list(map(int, sums.groups())) == [every.rows.height, counts["error"], counts["warning"], counts["info"]]  # fmt: skip
    assert "more: --top" not in words


def test_large_and_unknown_dollars(found: tuple[Diagnosis, Summary], every: Listing) -> None:
    large = every.rows.head(3).with_columns(usd=pl.lit(123_456_789, every.rows.schema["usd"]))
    some = pl.concat([large, large.with_columns(usd=pl.lit(None, large.schema["usd"]))])
    lines = [line.plain for line in text.render(replace(every, rows=some), 60, 9)]
    assert max(map(cells, lines)) <= 60
    assert "6 findings, at least $370,370,367.00" in " ".join(lines)
    none = some.filter(pl.col("usd").is_null())
    assert "3 findings, cost unknown" in " ".join(
        line.plain for line in text.render(replace(every, rows=none), 60)
    )


def test_a_rule_with_all_its_findings(found: tuple[Diagnosis, Summary]) -> None:
    x, summary = found
    (rule,) = (rule for rule in load_rules() if rule.id == "R001")
    listing = chosen(summary, x, rules=["R001"])
    many = replace(listing, rows=pl.concat([listing.rows] * 5))
    words = "\n".join(line.plain for line in text.of_rule(many, rule, 100))
    assert f"10 of {many.rows.height} findings" in words
    left = many.rows.height - 10
    assert f"{left} more: costscan findings PATH --rule over-qualified-model --top {left + 10}" in words
    off = text.of_rule(chosen(summary, x, rules=["no"]), replace(rule, enabled=False), 100)
    assert [line.plain for line in off] == ["in these logs", "  the rule is off: nothing was looked for"]
