"""Times as logs write them: each call keeps its place and its price, whatever its time looks like."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logs import DAY, OPUS, assistant, at, message, pair, result, streamed, totals, usage, usd, user, write
from seen import see, see_each

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


TIMES: list[tuple[Any, datetime | None]] = [
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
]


def test_every_way_to_write_a_time(tmp_path: Path) -> None:
    lines = {repr(w): [assistant("msg_1") | {"timestamp": w}] for w, _ in TIMES}
    pairs = {f"pair {w!r}": [pair(message("msg_2")) | {"timestamp": w}] for w, _ in TIMES}
    told = see_each(tmp_path, lines | pairs)
    for written, read in TIMES:
        for name in (f"{written!r}", f"pair {written!r}"):
            assert told[name].select("at", "usd").rows() == [(read, usd(OPUS, **{"in": 10}, out=5))], name


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


@pytest.mark.parametrize(
    ("before", "line", "began"),
    [
        ("11:58:00", "12:00:00", "11:58:00"),
        ("11:50:00", "12:00:00", "11:50:00"),
        ("11:49:59", "12:00:00", "11:50:00"),
        ("00:00:00", "12:00:00", "11:50:00"),
    ],
)
def test_a_call_begins_at_most_ten_minutes_before_its_line(
    before: str, line: str, began: str, tmp_path: Path
) -> None:
    told = {
        "transcript": [user(timestamp=f"{DAY}T{before}Z"), assistant(timestamp=f"{DAY}T{line}Z")],
        "other zone": [user(timestamp=f"{DAY}T{before}Z"), assistant(timestamp=f"{DAY}T{line}+00:00")],
        "stream": [
            {
                "type": "user",
                "session_id": "s1",
                "message": {"content": "go"},
                "timestamp": f"{DAY}T{before}Z",
            },
            streamed(timestamp=f"{DAY}T{line}Z"),
        ],
        "after a call": [
            assistant("msg_0", timestamp=f"{DAY}T{before}Z"),
            assistant(timestamp=f"{DAY}T{line}Z"),
        ],
    }
    for name, turns in see_each(tmp_path, told).items():
        assert str(turns["at"][-1].time()) == began, name


def test_an_old_line_moves_neither_day_nor_price(tmp_path: Path) -> None:
    # Sonnet 5.5 read the cache at 0.20 until 2026-10-07, at 0.10 from then on.
    told = assistant(
        "msg_1", usage(0, read=1_000_000), model="claude-sonnet-5-5", timestamp="2026-10-07T08:00:00Z"
    )
    seen = see(write(tmp_path / "s.jsonl", user("go", timestamp="2026-10-06T23:00:00Z"), told))
    assert (seen.usd, seen.column("at")[0].day) == (Decimal("0.10"), 7)
    # A pair says when its request was sent.
    long = pair(message(), timestamp="2026-07-01T12:00:00Z", duration_ms=3_600_000)
    assert see(write(tmp_path / "p.jsonl", long)).column("duration_s") == [3600.0]


def test_a_family_means_the_model_of_the_day_in_every_format(tmp_path: Path) -> None:
    # Opus 5 costs 5 and 25 USD a million tokens, Opus 5.5, of 2026-09-22, 4 and 20.
    wanted = {"2026-09-21": Decimal("0.000175"), "2026-09-22": Decimal("0.00014")}
    cases: dict[str, list[Any]] = {}
    for day, cost in wanted.items():
        now = {"timestamp": f"{day}T12:00:00Z"}
        for name in ("opus", "opus[1m]", "claude-opus-latest"):
            cases[f"{day} {name} transcript"] = [assistant("msg_1", model=name) | now]
            cases[f"{day} {name} stream"] = [
                streamed("msg_1", model=name) | now, result(cost, {name: totals(10, out=5, cost=cost)})
            ]  # fmt: skip
            cases[f"{day} {name} pair"] = [pair(message(model=name)) | now]
            # A gateway that says nothing of the model that answered.
            cases[f"{day} {name} asked"] = [pair(message(model=None), model=name) | now]
    for case, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].to_list() == [wanted[case[:10]]], case


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


def test_durations_of_pairs(tmp_path: Path) -> None:
    odd: list[Any] = [1500, 1500.0, "1500", None, -5, True, [], float("nan"), 1e308]
    told = see_each(tmp_path, {repr(d): [pair(duration_ms=d)] for d in odd})
    for duration in odd:
        row = told[repr(duration)].row(0, named=True)
        assert (row["usd"], row["at"]) == (usd(OPUS, **{"in": 10}, out=5), NOON.replace(hour=0)), duration
        assert row["duration_s"] in ({1.5} if duration in (1500, "1500") else {None, 0.0}), duration
