"""The cache over time in the HTML report: what was read, and what had been sent before and was not."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from billed import ROOT
from command import logs_of
from costscan.reports.html.cache_chart import cache
from logs import Json, at, message, pair, text, usage
from logs import write as log

pytestmark = pytest.mark.usefixtures("kept_analyses")


def test_days_add_up_to_the_totals() -> None:
    with chdir(ROOT), logs_of("sample_logs") as (x, summary):
        told = cache(summary, x)
    assert told["unit"] == "day"
    assert sum(told["read"]) / sum(told["prompt"]) == pytest.approx(summary.totals.cache_hit_rate)
    assert sum(told["prompt"]) == summary.totals.prompt_tokens
    lost = x.prefix_breaks["tokens_lost"].sum()
    assert sum(told["rewritten"]) + sum(told["plain"]) >= lost > 0
    days = [day for day in summary.by_day["day"] if day != "unknown"]
    assert len(told["at"]) == len(days)
    assert told["at"] == sorted(told["at"])
    assert all(minutes % 1440 == 0 for minutes in told["at"])


def turn(n: int, clock: int, day: str = "2026-07-01", **used: int) -> Json:
    said = [{"role": "user", "content": "begin"}]
    for i in range(n):
        said += [{"role": "assistant", "content": "done"}, {"role": "user", "content": f"go on {i}"}]
    return pair(
        message(f"m{day}{n}", usage(used.pop("fresh"), out=5, **used), content=[text("done")]),
        said,
        timestamp=at(clock, day),
        run_id="r",
        task="t",
    )


def test_a_short_log_is_told_by_hour(tmp_path: Path) -> None:
    """At 0:00 8,000 are written; at 0:01 they are read; at 2:00 they have expired and are written again."""
    lines = [
        turn(0, 0, fresh=0, w5m=8000),
        turn(1, 60, fresh=0, read=8000, w5m=100),
        turn(2, 7200, fresh=0, w5m=8200),
        turn(3, 14400, fresh=8500),
    ]
    with logs_of(str(log(tmp_path / "a.jsonl", *lines))) as (x, summary):
        told = cache(summary, x)
    assert told["unit"] == "hour"
    first = told["at"][0]
    assert [minutes - first for minutes in told["at"]] == [0, 120, 240]
    assert told["prompt"] == [8000 + 8100, 8200, 8500]
    assert told["read"] == [8000, 0, 0]
    assert told["rewritten"][:1] == [0]
    assert 8000 <= told["rewritten"][1] <= 8200
    assert told["rewritten"][2] == 0, "nothing was written"
    assert 8000 <= told["plain"][2] <= 8500


def test_a_day_begins_when_clocks_say_so(tmp_path: Path) -> None:
    """From 23:30 UTC to 00:30 UTC three days later, in Tokyo it is morning all along."""
    lines = [turn(0, 84_600, "2026-07-01", fresh=10), turn(1, 1_800, "2026-07-05", fresh=10)]
    with logs_of(str(log(tmp_path / "a.jsonl", *lines))) as (x, summary):
        utc = cache(summary, x)["at"]
        inputs = replace(summary.inputs, tz="Asia/Tokyo")
        tokyo = cache(replace(summary, inputs=inputs), x)["at"]
    assert (utc[1] - utc[0]) // 1440 == 4
    assert (tokyo[1] - tokyo[0]) // 1440 == 3
