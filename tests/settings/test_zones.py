"""Days have a time zone: every report shows those of the same one, and a day may have 23 or 25 hours."""

import json
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from command import Capture, said
from costscan.days import day, on_clocks
from costscan.errors import CostscanError
from costscan.schema.frames import TIME
from costscan.times import moment
from costscan.zones import shown, zone, zone_named
from logs import message, pair, write
from page_data import data_of, table_of
from sides import Run
from trends import report

pytestmark = pytest.mark.usefixtures("kept_analyses")

NEW_YORK, TOKYO, NEPAL = "America/New_York", "Asia/Tokyo", "Asia/Kathmandu"
TIMES = [
    ("2026-06-22T14:59:59Z", TOKYO, "2026-06-22"),  # UTC+9 all year
    ("2026-06-22T15:00:00Z", TOKYO, "2026-06-23"),
    ("2026-06-22T23:30:00Z", TOKYO, "2026-06-23"),
    ("2026-06-22T18:14:00Z", NEPAL, "2026-06-22"),  # UTC+5:45
    ("2026-06-22T18:15:00Z", NEPAL, "2026-06-23"),
    ("2026-03-08T04:59:00Z", NEW_YORK, "2026-03-07"),  # 8 March 2026 has 23 hours: UTC-5, then UTC-4
    ("2026-03-08T05:00:00Z", NEW_YORK, "2026-03-08"),
    ("2026-03-09T03:59:00Z", NEW_YORK, "2026-03-08"),
    ("2026-03-09T04:00:00Z", NEW_YORK, "2026-03-09"),
    ("2026-11-01T03:59:00Z", NEW_YORK, "2026-10-31"),  # 1 November 2026 has 25 hours: UTC-4, then UTC-5
    ("2026-11-01T04:00:00Z", NEW_YORK, "2026-11-01"),
    ("2026-11-02T04:59:00Z", NEW_YORK, "2026-11-01"),
    ("2026-11-02T05:00:00Z", NEW_YORK, "2026-11-02"),
]


@pytest.mark.parametrize(("at", "tz", "expected"), TIMES)
def test_the_day_of_a_moment(at: str, tz: str, expected: str) -> None:
    when = datetime.fromisoformat(at)
    frame = pl.DataFrame({"at": [when]}, schema={"at": TIME})
    told = frame.select(day("at", tz).alias("day"), on_clocks("at", tz).alias("clock")).row(0)
    assert told[0] == expected
    assert told[1].replace(tzinfo=None) == shown(when, tz).replace(tzinfo=None)
    assert shown(when, tz).date().isoformat() == expected


@pytest.mark.parametrize(
    ("text", "tz", "since", "until"),
    [
        ("2026-06-23", TOKYO, "2026-06-22T15:00Z", "2026-06-23T15:00Z"),
        ("2026-03-08", NEW_YORK, "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        ("2026-11-01", NEW_YORK, "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        ("2026-06-23T09:30", TOKYO, "2026-06-23T00:30Z", "2026-06-23T00:30Z"),
        ("2026-06-23T09:30+02:00", TOKYO, "2026-06-23T07:30Z", "2026-06-23T07:30Z"),
        ("24h", TOKYO, "2026-06-29T12:00Z", "2026-06-29T12:00Z"),
        ("2026-06-23", "UTC", "2026-06-23T00:00Z", "2026-06-24T00:00Z"),
    ],
)
def test_what_a_date_on_the_command_line_means(text: str, tz: str, since: str, until: str) -> None:
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert moment("--since", text, now, zone(tz)) == datetime.fromisoformat(since)
    assert moment("--until", text, now, zone(tz), whole_day=True) == datetime.fromisoformat(until)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a log of two runs: 23:30 on 22 June and 15:30 on 23 June, UTC; in Tokyo 8:30 on 23 June and 0:30 on 24 June."""
    monkeypatch.chdir(tmp_path)
    times = ("2026-06-22T23:30:00Z", "2026-06-23T15:30:00Z")
    calls = (pair(message(f"m{n}"), run_id=f"r{n}", task="late", timestamp=at) for n, at in enumerate(times))
    return write(tmp_path / "log.jsonl", *calls)


def test_all_reports_agree(log: Path, capsys: Capture) -> None:
    outputs = [part for name in ("a.json", "a.html", "a.md", "a.csv", "f/") for part in ("-o", name)]
    text = said(capsys, "analyze", "log.jsonl", "--by", "day", "--tz", TOKYO, *outputs)
    days = ["2026-06-23", "2026-06-24"]
    assert f"2026-06-23..24 {TOKYO}" in text
    assert f"by day, {TOKYO}" in text
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  2026")] == days
    told = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert told["inputs"]["tz"] == TOKYO
    assert [(row["day"], row["turns"]) for row in told["by_day"]] == [(name, 1) for name in days]
    page = data_of(Path("a.html").read_text(encoding="utf-8"))
    assert (page["spend"]["days"], page["spend"]["zone"]) == (days, TOKYO)
    assert table_of(page, "day")["day"] == days
    clocks = [datetime.fromtimestamp(n * 60, UTC) for n in table_of(page, "runs")["started"]]
    assert sorted(f"{at:%d %H:%M}" for at in clocks) == ["23 08:30", "24 00:30"]
    assert f"2026-06-23..24 {TOKYO}" in Path("a.md").read_text(encoding="utf-8")
    # What is exact stays UTC, and says so.
    starts = sorted(pl.read_csv("a.csv")["started_at"])
    assert [at[:16] + at[-1] for at in starts] == ["2026-06-22T23:30Z", "2026-06-23T15:30Z"]
    assert pl.read_parquet("f/turns.parquet")["at"].dtype == TIME
    assert min(row["started_at"] for row in told["runs"]).startswith("2026-06-22T23:30:00")


@pytest.mark.parametrize(("option", "days"), [((), ["22", "23"]), (("--set", f"tz={NEW_YORK}"), ["22", "23"]),
                                              (("--tz", "Pacific/Kiritimati"), ["23", "24"])])  # fmt: skip
def test_utc_unless_a_zone_is_set(
    log: Path, capsys: Capture, option: tuple[str, ...], days: list[str]
) -> None:
    told = json.loads(said(capsys, "analyze", "log.jsonl", "--json", *option))
    assert [row["day"] for row in told["by_day"]] == [f"2026-06-{name}" for name in days]
    assert told["inputs"]["tz"] == (option[1].removeprefix("tz=") if option else "UTC")


def test_a_budget_per_day_is_one_of_the_zone(log: Path, capsys: Capture) -> None:
    Path("costscan.toml").write_text(f'tz = "{TOKYO}"\n', encoding="utf-8")
    budget = ("check", "log.jsonl", "--fail-on", "usd_per_day[2026-06-24]:0.000001")
    assert f"(2026-06-24 {TOKYO})" in said(capsys, *budget, code=1)
    assert said(capsys, *budget, "--tz", "UTC", code=0)


def test_the_times_of_a_story(log: Path, capsys: Capture) -> None:
    assert "2026-06-24 00:30 Asia/Tokyo" in said(capsys, "explain", "r1", "log.jsonl", "--tz", TOKYO)
    assert "2026-06-23 15:30 UTC" in said(capsys, "explain", "r1", "log.jsonl")


def test_the_days_of_a_trend(tmp_path: Path, capsys: Capture) -> None:
    runs = [Run(f"r{n}", "late", usd="1", day=f"2026-06-{n + 10}") for n in range(3)]
    path = report(tmp_path / "a.parquet", *runs)
    # Runs of reports made by hand begin at midnight, UTC.
    text = said(capsys, "trend", str(path), "--tz", NEW_YORK)
    assert f"days, {NEW_YORK}" in text
    assert "2026-06-09..11" in text
    assert "2026-06-10..12" in said(capsys, "trend", str(path))
    assert json.loads(said(capsys, "trend", str(path), "--tz", NEW_YORK, "--json"))["tz"] == NEW_YORK


WRONG = {
    "Asia/Tokio": "did you mean Asia/Tokyo", "asia/tokyo": "did you mean Asia/Tokyo?", "Tokyo": "did you mean Asia/Tokyo?",
    "+09:00": "like Europe/Berlin, or local", "": "", "../UTC": "", "America": "did you mean America", "localtime": "did you mean local",
    "Asia/Tokyo\n": "did you mean Asia/Tokyo", "A" * 9999: "like Europe/Berlin, or local",
}  # fmt: skip


def test_a_zone_that_is_none(log: Path, capsys: Capture) -> None:
    for name, hint in WRONG.items():
        with pytest.raises(CostscanError, match="--tz: no such time zone") as error:
            zone_named(name, "--tz")
        assert hint in error.value.hint, name
    error_line, hint_line = said(capsys, "analyze", "log.jsonl", "--tz", "Asia/Tokio", code=2).splitlines()
    assert error_line == "error: --tz Asia/Tokio: no such time zone"
    assert hint_line.startswith("hint: did you mean Asia/Tokyo")
    Path("costscan.toml").write_text('\ntz = "Asia/Tokio"\n', encoding="utf-8")
    assert "costscan.toml:2: tz Asia/Tokio: no such time zone" in said(capsys, "check", "log.jsonl", code=2)
    Path("costscan.toml").write_text("tz = 9\n", encoding="utf-8")
    assert "tz must be a time zone, not 9" in said(capsys, "trend", "log.jsonl", code=2)


def test_every_zone_is_one_to_polars() -> None:
    every = zoneinfo.available_timezones()
    known = sorted(every - {"Factory", "localtime", "posixrules"})
    assert len(known) > 400
    frame = pl.DataFrame({"at": [datetime(2026, 6, 22, 23, 30, tzinfo=UTC)]}, schema={"at": TIME})
    frame.select(day("at", name).alias(name) for name in known)
    for name in every - set(known):
        with pytest.raises(CostscanError):
            zone_named(name, "")


@pytest.mark.parametrize(
    ("said_zone", "expected"), [(TOKYO, TOKYO), (f":{TOKYO}", TOKYO), ("/usr/share/zoneinfo/Asia/Tokyo", TOKYO), ("", "UTC"), ("Etc/UTC", "UTC"), ("EST5EDT,M3.2.0", None)],
)  # fmt: skip
def test_the_zone_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, said_zone: str, expected: str | None
) -> None:
    monkeypatch.setenv("TZ", said_zone)
    if expected is None:
        with pytest.raises(CostscanError, match="does not say its zone by name"):
            zone_named("local", "--tz local")
    else:
        assert zone_named("local", "--tz local") == expected


def test_utc_needs_no_database(log: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(zoneinfo.ZoneInfo):
        def __new__(cls, key: str) -> Any:
            raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", Missing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert "by day, UTC" in said(capsys, "analyze", "log.jsonl", "--by", "day")
    assert "no time zone database" in said(capsys, "analyze", "log.jsonl", "--tz", TOKYO, code=2)
