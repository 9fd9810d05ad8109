"""The terminal report: it fits, its numbers are those of the summary, and nothing in a log can disturb it."""

import io
import unicodedata
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from billed import Billed, billed, sample_logs
from costscan.billing import Pricing
from costscan.reports.analysis.divisions import DIVISIONS, Division
from costscan.reports.analysis.tables import TABLES
from costscan.reports.analysis.terminal import render, show
from costscan.reports.text import numbers as wording
from costscan.reports.text.sanitize import cells, clip, ending, inert, shorten
from costscan.reports.text.table import Column, table
from hostile import TERMINAL as HOSTILE
from logs import OPUS, assistant, message, pair, streamed, text, tool_use, usage, user, write


def lines(found: Billed, width: int = 100, by: str | None = None, top: int | None = None) -> list[str]:
    return [line.plain for line in render(found.summary, width=width, by=by, top=top)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
@pytest.mark.parametrize("by", [None, *TABLES])
def test_every_line_fits(samples: Billed, width: int, by: str | None) -> None:
    found = lines(samples, width, by)
    assert max(cells(line) for line in found) <= width
    assert not any(line.endswith(" ") for line in found)


def line_of_the_bill(found: Billed, path: str) -> int:
    """Return the line, from 0, that says what logs at this path cost."""
    summary = replace(found.summary, paths=(path,))
    shown = [line.plain for line in render(summary, width=100)]
    return next(n for n, line in enumerate(shown) if wording.usd(summary.totals.usd) in line)


def test_the_first_lines_are_about_money(samples: Billed) -> None:
    assert line_of_the_bill(samples, "runs.jsonl") == 2
    # A long path stands on a line of its own, what is in the logs on the next.
    assert line_of_the_bill(samples, f"/data/{'deep/' * 40}runs.jsonl") == 3


def test_unpriced_models_are_named_beside_the_bill(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant(), user(), assistant("msg_2", model="nova-9"))
    found = "\n".join(lines(billed([log]), 140))
    assert "50% of calls priced; no price for nova-9 (1 call), not in the total" in found
    only = "\n".join(lines(billed([write(tmp_path / "b.jsonl", assistant(model="nova-9"))]), 140))
    assert "billed      unknown   0% of calls priced" in only
    assert "$0.00" not in only


def test_a_lower_bound_says_so(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", streamed("msg_1", usage(100, out=1), content=[text("word " * 300)]))
    found = "\n".join(lines(billed([log]), 140))
    assert "billed      at least $0.0005   1 call logged counts that are a lower bound; about $0.01" in found


def test_own_prices_are_said(samples: Billed) -> None:
    pricing = Pricing(discount=Decimal("0.85"), overrides={OPUS: {"input": Decimal(1)}})
    found = "\n".join(lines(sample_logs(pricing=pricing), 140))
    assert "list -15%, own for 1 model" in found
    assert "at list" not in found
    assert "at list" in "\n".join(lines(samples))


def test_caching_that_cost_more_than_it_saved_says_so() -> None:
    found = "\n".join(lines(sample_logs("timestamp-in-system-prompt")))
    assert "with nothing cached; caching cost $0.0509 more than that" in found


def test_skipped_lines_are_named(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), *["{bad"] * 5, assistant())
    found = lines(billed([log]), 140)
    assert any("5 skipped" in line for line in found)
    assert sum("not JSON" in line for line in found) == 3
    assert any(line == "  … 2 more in --json" for line in found)


def test_nothing_in_a_log_reaches_the_terminal_alive(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[2Jb [red]"
    calls = [tool_use("t1", HOSTILE.replace("\ud83d", ""), x=1)]
    name = HOSTILE.replace("\ud83d", "")
    log = write(folder / "log.jsonl", *(
        pair(message(f"msg_{n}", content=calls, model=f"nova{n}{name}"), run_id=f"{n}{name}", task=name,
             model=f"nova{n}{name}") for n in range(3)), "{bad")  # fmt: skip
    found = billed([log])
    for by in (None, *TABLES):
        for line in lines(found, 100, by):
            assert line.isprintable(), line
            assert cells(line) <= 100
    out = io.StringIO()
    show(found.summary, out=out)
    assert "[bold]x[/bold]" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_no_name_of_a_division_reaches_the_terminal_alive(samples: Billed) -> None:
    name = HOSTILE.replace("\ud83d", "")
    own = {
        d.name: samples.summary.division(d.name).with_columns(pl.lit(name).alias(d.name)) for d in DIVISIONS
    }
    tool = own.pop("tool")
    breakdowns = {**samples.summary.breakdowns, **own}
    found = replace(samples, summary=replace(samples.summary, by_tool=tool, breakdowns=breakdowns))
    for division in DIVISIONS:
        shown = lines(found, 140, division.name)
        assert sum("[31mred" in line for line in shown) >= 1, division
        assert all(line.isprintable() for line in shown)


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_what_is_not_known_of_a_division_is_no_number(tmp_path: Path, division: Division) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant(model="nova-9"))
    heading, *rows = (line.plain for line in division.table(billed([log]).summary, 20, 140))
    assert heading.split()[:2] == ["by", division.one.split()[0]]
    for row in rows:
        *_, again = row.split()
        assert again == "-"
        assert "$" not in row


def test_a_terminal_that_takes_ascii_only(samples: Billed) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    show(samples.summary, verbose=True, out=out)
    assert raw.getvalue().decode("ascii").count("#") > 10
    show(samples.summary, out=out)
    assert "CAN SAVE" in raw.getvalue().decode("ascii")


def test_the_rest_of_a_table_is_summed(samples: Billed) -> None:
    found = lines(samples, by="task", top=3)
    assert found[-3] == "  … 8 more tasks, $1.2762"


def test_days_are_in_order_and_the_last_ones_stay(samples: Billed) -> None:
    found = [line.split()[0] for line in lines(samples, by="day", top=4) if line.startswith("  2026")]
    assert found == sorted(found)
    assert found[-1] == "2026-11-17"


@given(st.text(max_size=60))
def test_inert_text_is_printable_and_on_one_line(told: str) -> None:
    found = inert(told)
    assert all(unicodedata.category(c)[0] != "C" or c == "\ufffd" for c in found)
    assert len(found.splitlines()) <= 1
    assert inert(found) == found


@given(st.text(max_size=60), st.integers(1, 40))
def test_shortened_text_fits(told: str, width: int) -> None:
    told = inert(told)
    for cut in (shorten, clip, ending):
        found = cut(told, width)
        assert cells(found) <= width
        assert found == told or cells(told) > width


def test_how_text_is_shortened() -> None:
    assert shorten("/data/logs/a/very/long/path.jsonl", 20) == "/data/logs/a/….jsonl"
    assert clip("Implement the following plan", 12) == "Implement t…"
    assert ending("/data/logs/session.jsonl", 15) == "…/session.jsonl"


@given(
    st.lists(
        st.tuples(st.text(max_size=30), st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=5
    ),
    st.integers(40, 120),
)
def test_tables_fit(cells_of: list[tuple[str, str, str]], width: int) -> None:
    names, numbers, more = zip(*[tuple(map(inert, row)) for row in cells_of], strict=True)
    columns = [Column("name", names, name=True), Column("cost", numbers), Column("more", more, give=1)]
    for line in table(columns, width):
        assert cells(line.plain) <= width


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "-"), ("0", "$0.00"), ("0.00001", "<$0.0001"), ("0.0123", "$0.0123"), ("0.1", "$0.10"),
        ("3.485", "$3.48"), ("1234.5", "$1,234.50"), ("-0.05", "-$0.0500"), ("-12", "-$12.00"),
    ],
)  # fmt: skip
def test_dollars(amount: str | None, shown: str) -> None:
    assert wording.usd(None if amount is None else Decimal(amount)) == shown


def test_numbers_in_words() -> None:
    assert wording.usd_column([Decimal("1.5"), Decimal("0.001"), None]) == ["$1.50", "<$0.01", "-"]
    assert wording.usd_column([Decimal("0.5"), Decimal("0.001")]) == ["$0.5000", "$0.0010"]
    assert [wording.percent(s) for s in (0, 0.001, 0.126, 0.999, 1, None)] == [
        "0%",
        "<1%",
        "13%",
        ">99%",
        "100%",
        "-",
    ]
    assert [wording.tokens(n) for n in (0, 999, 1000, 40_300, 999_600, 1_810_000, 3_042_051_000)] == [
        "0", "999", "1k", "40.3k", "1M", "1.81M", "3.04G"]  # fmt: skip
    assert [wording.plural(n, "run") for n in (0, 1, 2000)] == ["0 runs", "1 run", "2,000 runs"]
    assert [wording.bar(s, 4) for s in (0, 0.001, 0.5, 1, 2, None)] == ["", "▏", "██", "████", "████", ""]
