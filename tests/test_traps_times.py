"""Times as logs write them: each call keeps its place and its price, whatever its time looks like."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logs import OPUS, assistant, at, message, pair, streamed, usage, usd, user, write
from seen import see

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-01T12:00:00.000Z", NOON),
        ("2026-07-01T12:00:00Z", NOON),
        ("2026-07-01T12:00:00+00:00", NOON),
        ("2026-07-01T14:00:00+02:00", NOON),
        ("2026-07-01T04:30:00-07:30", NOON),
        ("2026-07-01T12:00:00", NOON),
        ("2026-07-01 12:00:00", NOON),
        ("2026-07-01T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        (1782907200000, NOON),
        (1782907200, NOON),
        (1782907200.0, NOON),
        ("1782907200000", NOON),
        ("1782907200.0", NOON),
        ("garbage", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
        ({}, None),
        ("2026-13-45T99:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1e30, None),
        ("NaN", None),
        ("-inf", None),
    ],
)
def test_one_time(tmp_path: Path, written: Any, read: datetime | None) -> None:
    line = assistant("msg_1") | {"timestamp": written}
    seen = see(write(tmp_path / "s.jsonl", line))
    assert seen.column("at") == [read]
    assert seen.usd == usd(OPUS, **{"in": 10}, out=5)
    pairs = see(write(tmp_path / "p.jsonl", pair(message("msg_2")) | {"timestamp": written}))
    assert pairs.column("at") == [read]


def test_no_times_at_all(tmp_path: Path) -> None:
    lines = [assistant(f"msg_{i}", usage(2, read=100 * i, out=5)) for i in range(3)]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.column("message_id") == ["msg_0", "msg_1", "msg_2"]
    assert (seen.column("at"), seen.column("gap_s")) == ([None] * 3, [None] * 3)
    assert seen.run("s1")["started_at"] is None
    assert seen.usd == usd(OPUS, **{"in": 6}, read=300, out=15)


def test_some_times_are_missing(tmp_path: Path) -> None:
    times: list[str | None] = [None, at(10), None, at(30), None]
    lines = [assistant(f"msg_{i}") | ({"timestamp": t} if t else {}) for i, t in enumerate(times)]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.column("message_id") == [f"msg_{i}" for i in range(5)]
    assert None not in seen.column("at")
    assert seen.column("at") == sorted(seen.column("at"))


def test_missing_times_take_the_price_of_their_neighbours(tmp_path: Path) -> None:
    # Sonnet 5.5 read the cache at 0.20 until 2026-10-07, at 0.10 from then on.
    used = usage(0, read=1_000_000)
    lines = [
        assistant("msg_0", used, model="claude-sonnet-5-5", timestamp="2026-10-06T23:00:00Z"),
        assistant("msg_1", used, model="claude-sonnet-5-5"),
    ]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == Decimal("0.40")


def test_a_call_starts_at_the_line_before_it(tmp_path: Path) -> None:
    lines = [
        user("go", timestamp=at(0)),
        assistant("msg_1", timestamp=at(7), uuid="a"),
        assistant("msg_1", timestamp=at(9), uuid="b"),
        user("on", timestamp=at(60)),
        assistant("msg_2", timestamp=at(62.5)),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert [t.second + 60 * t.minute for t in seen.column("at")] == [0, 60]
    assert seen.column("duration_s") == [9.0, 2.5]
    assert seen.column("gap_s") == [None, 60.0]


def test_times_out_of_order(tmp_path: Path) -> None:
    lines = [
        user("go", timestamp=at(50)),
        assistant("msg_1", timestamp=at(7)),
        assistant("msg_2", timestamp=at(3)),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.column("message_id") == ["msg_1", "msg_2"]
    assert all(d is None or d >= 0 for d in seen.column("duration_s"))


def test_a_stream_without_times_takes_those_of_other_lines(tmp_path: Path) -> None:
    lines = [streamed("msg_1"), {"type": "user", "session_id": "s1", "timestamp": at(20)}, streamed("msg_2")]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert [t.second for t in seen.column("at")] == [20, 20]


@pytest.mark.parametrize("duration", [1500, 1500.0, "1500", None, -5, True, [], float("nan"), 1e308])
def test_durations_of_pairs(tmp_path: Path, duration: Any) -> None:
    seen = see(write(tmp_path / "s.jsonl", pair(duration_ms=duration)))
    assert seen.usd == usd(OPUS, **{"in": 10}, out=5)
    assert seen.column("at") == [datetime(2026, 7, 1, tzinfo=UTC)]
    assert seen.column("duration_s")[0] in ({1.5} if duration in (1500, 1500.0, "1500") else {None, 0.0})
