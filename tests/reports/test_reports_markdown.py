"""The Markdown report: the first screen, whole within its size, and made of nothing but text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from billed import ROOT, Billed, billed
from command import logs_of
from costscan.prices import as_of
from costscan.reports.analysis.markdown import MOST_CHARS, document
from costscan.reports.analysis.terminal import render
from costscan.reports.text.markdown import NAME, PROSE, Table, cell, code, page
from costscan.reports.text.sanitize import clip, inert, shorten
from costscan.reports.text.table import Column
from costscan.summary import Summary
from logs import assistant, message, pair, write
from shown_markdown import headings, hold_inert, said, tables, tokens

pytestmark = pytest.mark.usefixtures("kept_analyses")

TITLES = [
    "What to change first",
    "What each lever would have saved",
    "Findings",
    "Worst runs",
    "By model",
    "By tool",
]
PLAIN = {"paragraph_open", "inline", "paragraph_close", "text", "code_inline", "softbreak", "text_special"}
WILD = st.text(
    st.sampled_from("ab1 .:;,-+=#>|`\\*_[](){}<>!&@~$^\"'/\n\t\u202e\x00é漢") | st.characters(), max_size=30
)


@pytest.fixture(scope="module")
def summed() -> Iterator[Summary]:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(ROOT)
        with logs_of("sample_logs") as (_, summary):
            yield summary


def test_the_report_of_the_sample_logs(summed: Summary, golden: Callable[[str, str], None]) -> None:
    found = document(summed)
    golden("report-markdown", found.replace(as_of()["as_of"], "2026-00-00"))
    assert headings(found) == ["costscan `sample_logs`", *TITLES]
    hold_inert(found)


def test_it_says_what_the_terminal_says(summed: Summary) -> None:
    """Each answer of the first screen is there in the same words, and each of its levers."""
    found = said(document(summed))
    shown = [line.plain for line in render(summed, width=140)]
    for label in ("billed", "recorded", "re-sent", "cache model", "no caching"):
        line = next(line for line in shown if line.startswith(f"  {label}"))
        assert " ".join(line.removeprefix(f"  {label}").split()) in found
    together = next(line.strip() for line in shown if "all together save" in line)
    assert together[1:] in found


def test_rows_that_are_left_out_are_counted(summed: Summary) -> None:
    found = document(summed)
    worst = next(rows for rows in tables(found) if rows[0][0] == "run")
    shown = sum(Decimal(row[1].removeprefix("\\$")) for row in worst[1:])
    left, cost = re.findall(r"… and (\d+) more runs, \\\$([\d.]+)", found)[0]
    assert int(left) + len(worst) - 1 == summed.totals.root_runs
    assert summed.totals.usd is not None
    assert abs(shown + Decimal(cost) - summed.totals.usd) < Decimal("0.001")


@pytest.mark.parametrize("most", [8000, 5000, 3000, 2000])
def test_a_smaller_page_has_fewer_rows_and_no_half_ones(summed: Summary, most: int) -> None:
    found = document(summed, most_chars=most)
    assert len(found) <= most
    assert len(found) > most - 1200
    assert headings(found) == headings(document(summed))
    for rows in tables(found):
        assert {len(row) for row in rows} == {len(rows[0])}
    assert "more rules" in found
    every = [row for rows in tables(document(summed)) for row in rows[1:]]
    assert all(row in every for rows in tables(found) for row in rows[1:])


def test_a_page_too_small_for_its_headings_keeps_the_first_parts() -> None:
    part = Table("Title", [Column("a", ["1"] * 9)], "row", 9)
    assert page(["first", part, "x" * 80], 20) == "first\n"
    assert page(["first", part], 60) == "first\n\n### Title\n\n| a |\n| --: |\n| 1 |\n\n… and 8 more rows\n"


def test_costs_that_are_not_known_are_no_zero() -> None:
    columns = [Column("a", ["1"])]
    assert Table("T", columns, "row", 3, [Decimal(5), None, None]).text(1).endswith("\n\n… and 2 more rows")
    some = Table("T", columns, "row", 3, [Decimal(5), None, Decimal("2.5")])
    assert some.text(1).endswith("… and 2 more rows, \\$2.50")
    assert some.text(0) == "### T\n\n… and 3 more rows, \\$7.50"


def test_logs_without_a_bill(tmp_path: Path) -> None:
    unpriced = billed([write(tmp_path / "b.jsonl", assistant(model="nova-9"), "{bad")])
    found = document(unpriced.summary)
    assert "**unknown** 0% of calls priced; no price for nova-9 (1 call), not in the total" in found
    assert headings(found)[-1] == "Skipped"
    assert "b.jsonl:2` not JSON" in found
    assert "$0.00" not in found


def test_it_is_a_file(samples: Billed, tmp_path: Path) -> None:
    from costscan.reports.outputs import target  # noqa: PLC0415 - the way a user gets it

    target(str(tmp_path / "r.MD")).write(samples.summary, samples.x)
    assert (tmp_path / "r.MD").read_bytes() == document(samples.summary).encode()


@given(WILD)
@example("[x](http://x.test)")
@example("a\\| b")
@example("1. a")
@example("``` `` | \\")
@example("\\`<b>`")
@example("@a:b: #1 &amp; http://x.test/`|`")
def test_what_is_read_is_what_the_text_said(text: str) -> None:
    for shown, meant in ((cell(text), clip(inert(text), PROSE)), (code(text), shorten(inert(text), NAME))):
        wanted = " ".join(meant.split())
        for before in ("", "a\n"):
            line = f"{before}{shown}\n"
            hold_inert(line)
            assert {token.type for token in tokens(line)} <= PLAIN
            assert said(line) == before.strip() + wanted
        row = f"| a | b | c |\n| --- | --- | --- |\n| {shown} | {shown} | z |\n"
        ((_, cells),) = tables(row)
        assert len(cells) == 3
        assert said(row) == f"abc{wanted}{wanted}z"


def test_names_of_ten_megabytes() -> None:
    assert len(cell("@`|" * 3_000_000)) < 20 * PROSE
    assert len(code("`|" * 5_000_000)) < 10 * NAME


def test_a_page_of_hostile_rows_keeps_its_size(tmp_path: Path) -> None:
    name = "`|<&@#1 " * 200
    found = billed([write(tmp_path / "a.jsonl", pair(message(), run_id="r", task="t"))]).summary
    rows = pl.concat(
        [found.runs.with_columns(run_id=pl.lit(f"{n}{name}"), task=pl.lit(name)) for n in range(99)]
    )
    tools = pl.concat([found.by_tool.head(1).with_columns(tool=pl.lit(f"{n}{name}")) for n in range(99)])
    shown = document(replace(found, runs=rows, by_tool=tools, paths=(name,)))
    assert len(shown) <= MOST_CHARS
    hold_inert(shown)
