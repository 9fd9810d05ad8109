"""What a check says of a change that chance explains, and its last line: the same in every report of it."""

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from costscan.gate import Comparison, compare, limits
from costscan.reports.comparison import junit, words
from costscan.reports.comparison.github import annotate, annotations
from costscan.reports.comparison.markdown import document
from costscan.reports.comparison.terminal import render
from costscan.reports.text.console import printed
from shown_markdown import tables
from sides import Run, costing, side

THREE, EIGHT = (1, 1, 1), (1,) * 8


def check(before: Sequence[float], after: Sequence[float], *said: str) -> Comparison:
    """Compare pairs of runs, each of a task of its own: n pairs all move up by chance in one of 2^n cases."""
    return compare(
        costing(*before, task=None), costing(*after, task=None, ids="a"), limits([("", s) for s in said], [])
    )


@pytest.mark.parametrize(
    ("before", "after", "limit", "verdict", "seen"),
    [
        (THREE, (1.12,) * 3, "usd:+5%", "undecided", "usd ↑ 12% not significant (3 runs): a typical run $1.00 → $1.12, "),
        (THREE, (1.12,) * 3, "usd:+20%", "passed", "usd ↑ 12% not significant (3 runs): a typical run"),
        (THREE, (0.88,) * 3, "usd:+5%", "passed", "usd ↓ 12% not significant (3 runs): a typical run $1.00 → $0.88, "),
        ((1,), (30,), "usd:+5%", "undecided", "usd ↑ ×30 not significant (1 run)"),  # noqa: RUF001 - a factor
        ((*THREE, 1), (1.3, 1.3, 0.8, 1.3), "usd:+5%", "undecided", "usd ↑ 15% not significant (4 runs)"),
        (THREE, (1.12,) * 3, "usd:+0.05", "undecided", "usd ↑ 12% not significant (3 runs)"),
        (EIGHT, (1.12,) * 8, "usd:+5%", "failed", "usd of a typical run $1.00 → $1.12 (+12%), allowed is +5%"),
        (EIGHT, (1.12,) * 8, "usd:+20%", "passed", "usd of a typical run $1.00 → $1.12 (+12%), allowed"),
        (EIGHT, (0.88,) * 8, "usd:+5%", "passed", "usd of a typical run $1.00 → $0.88 (-12%), allowed"),
        (THREE, THREE, "usd:+5%", "passed", "usd of a typical run $1.00 → $1.00 (0%), allowed"),
        (THREE, (1.0001,) * 3, "usd:+5%", "passed", "usd of a typical run $1.00 → $1.00 (0%), allowed"),
    ],
)  # fmt: skip
def test_a_change_that_chance_explains(
    before: Sequence[float], after: Sequence[float], limit: str, verdict: str, seen: str
) -> None:
    """The mean of 1.3, 1.3, 0.8 and 1.3 is (1.3^3 x 0.8)^(1/4) = 1.151; chance makes as much in 2 or 3 of 16 cases."""
    (row,) = check(before, after, limit).limits
    assert row.verdict == verdict
    assert words.sentence(row).startswith(seen)


def test_sides_of_different_sizes_are_told_apart() -> None:
    before = side(*(Run(f"b{n}", usd=str(usd)) for n, usd in enumerate((1, 2, 3))))
    after = side(*(Run(f"a{n}", usd=str(usd)) for n, usd in enumerate((1, 3))))
    (row,) = compare(before, after, limits([("", "usd:+90%")], [])).limits
    assert "not significant (3 and 2 runs)" in words.sentence(row)


@pytest.mark.parametrize(
    ("said", "closing"),
    [
        (("usd_per_run:1",), "FAILED: 1 of 1 limits exceeded"),
        (("usd_per_run:1", "usd:9", "usd:2"), "FAILED: 2 of 3 limits exceeded"),
        (("usd_per_run:1", "usd:+5%"), "FAILED: 1 of 2 limits exceeded, 1 not decided"),
        (("usd:9", "usd:+5%"), "UNDECIDED: 1 of 2 limits could not be decided"),
        (("usd:9", "usd:+20%"), "PASSED"),
        ((), ""),
    ],
)
def test_the_last_line(said: Sequence[str], closing: str) -> None:
    found = check(THREE, (1.12,) * 3, *said)
    assert words.closing(found) == closing
    shown = [line.plain for line in render(found, width=100)]
    assert (shown[-1] == closing) is bool(closing)
    xml = ET.fromstring(junit.document(found))  # noqa: S314 - our own
    assert (xml.findtext("system-out") or "") == closing
    assert (f"\n\n**{closing}**\n\n" in document(found)) is bool(closing)


def test_what_is_not_checked_is_said() -> None:
    every = limits([("", said) for said in ("usd:+5%", "usd_per_run:2", "new-findings:0")], [])
    left = [limit for limit in every if limit.needs_baseline]
    found = compare(None, costing(*THREE), [every[1]], unchecked=left)
    assert words.closing(found) == "PASSED (2 limits not checked: no baseline)"
    assert (
        words.closing(compare(None, costing(*THREE), unchecked=left))
        == "NOT CHECKED: 2 of 2 limits need a baseline"
    )
    told = words.NOT_CHECKED
    assert "\n".join(line.plain for line in render(found, width=100)).count(told) == 2
    assert document(found).count(told) == "\n".join(annotations(found)).count(told) == 2
    xml = ET.fromstring(junit.document(found))  # noqa: S314 - our own
    assert [case.get("name") for case in xml.iter("testcase")] == [
        "usd_per_run:2",
        "usd:+5%",
        "new-findings:0",
    ]
    assert [case.get("message") for case in xml.iter("skipped")] == [told, told]
    assert (xml.get("tests"), xml.get("skipped")) == ("3", "2")


def test_every_report_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = check(THREE, (1.12,) * 3, "usd:+5%")
    (row,) = found.limits
    said = words.sentence(row)
    assert said in " ".join(line.plain.strip() for line in render(found, width=100))
    assert said.replace("$", r"\$") in document(found)
    assert annotations(found)[0].replace("%25", "%").endswith(f"::{said}")
    assert said in junit.document(found).decode()
    rows = next(rows for rows in tables(document(found)) if rows[0][0] == "metric")
    assert rows[1][-1] == "undecided"
    assert words.outcome("unchanged") == "not significant"


def test_arrows_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = check(THREE, (1.12,) * 3, "usd:+5%", "usd:+20%")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    annotate(found)
    printed(render(found, width=100), out)
    told = out.buffer.getvalue().decode("ascii")
    assert told.count("usd up 12% not significant (3 runs): a typical run $1.00 -> $1.12") == 2
    assert "up 12%25 not significant" in told
    assert "?" not in told
    assert told.endswith("UNDECIDED: 1 of 2 limits could not be decided\n")


def test_the_last_line_comes_after_annotations_and_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from costscan.cli.comparison import show  # noqa: PLC0415 - as the command does

    show(check(THREE, (1.12,) * 3, "usd_per_run:1"), as_json=False, github=True, top=None)
    assert capsys.readouterr().out.endswith("\nFAILED: 1 of 1 limits exceeded\n")
