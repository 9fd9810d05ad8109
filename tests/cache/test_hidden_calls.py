"""What a transcript's cache reads prove, and in which class what was not foreseen is counted."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from command import NO_LEVERS, Capture, said
from logs import HAIKU, OPUS, Json, assistant, at, text, tool_result, tool_use, usage, usd, user, write
from seen import Seen, see

pytestmark = [pytest.mark.usefixtures("bill_only"), pytest.mark.replayed]

START = usage(3, read=10_000, w1h=10_000, out=100)
"""A first prompt of 20,003 tokens, of which 10,000 had been cached before; its answer takes 100."""


def turn(n: int, used: Json, second: float, **more: Any) -> list[Json]:
    """A result that comes in, and the call that is sent with it."""
    call = {"content": [text("ok"), tool_use(f"t{n}", more.pop("tool", "Bash"))]} | more
    came = [tool_result(f"t{n - 1}", "line of a listing " * 20)] if n else "Read the files."
    asked = more.pop("asked", came)
    call.pop("asked", None)
    return [
        user(asked, uuid=f"u{n}", timestamp=at(second)),
        assistant(f"msg_{n}", used, uuid=f"a{n}", timestamp=at(second + 3), requestId=f"req_{n}", **call),
    ]


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Seen]:
    def of(*turns: list[Json]) -> Seen:
        return see(write(tmp_path / "session.jsonl", *(line for lines in turns for line in lines)))

    return of


def classes(seen: Seen) -> list[str | None]:
    return seen.analysis.agreement.turns["disagreement"].to_list()


def read(seen: Seen) -> list[int]:
    return seen.analysis.agreement.turns["replay_read_tokens"].to_list()


FIRST = turn(0, START, 0)


def test_a_read_that_ends_with_the_answer_before_proves_a_side_call(told: Callable[..., Seen]) -> None:
    seen = told(FIRST, turn(1, usage(3, read=20_100, w1h=400), 60))
    found = seen.analysis.agreement
    assert classes(seen) == [None, "side-call"]
    assert read(seen) == [10_000, 20_100]
    assert (found.compared, found.foreseen, found.exact) == (1, 0, 1)
    (row,) = found.by_class.to_dicts()
    # It read the 20,000 tokens that were cached, and wrote the 100 of the answer for an hour.
    assert row["least_usd"] == usd(OPUS, read=20_000, w1h=100) == Decimal("0.011")
    assert row["off_usd"] == 0
    assert seen.usd == usd(OPUS, w1h=10_400, read=30_100, out=100) + 2 * usd(OPUS, **{"in": 3})


def test_where_the_answer_is_not_finished_any_read_within_it_is_a_side_call(
    told: Callable[..., Seen],
) -> None:
    open_end = {"version": "2.1.20", "stop_reason": None}
    start = turn(0, usage(3, read=10_000, w1h=10_000, out=1), 0, **open_end)
    assert classes(told(start, turn(1, usage(3, read=20_700, w1h=400), 60))) == [None, "side-call"]


@pytest.mark.parametrize(
    ("used", "second", "kind"),
    [
        (usage(3, read=21_000, w1h=400), 60, "hidden-call"),
        (usage(3, read=20_000, w1h=400), 3700, "outlived"),
        (usage(3, read=10_000, w1h=10_400), 3700, "shared-outside"),
        (usage(3, read=9000, w1h=11_400), 3700, "shared-outside"),
        (usage(3, read=10_000, w1h=10_400), 60, "unexplained-loss"),
        (usage(3, read=0, w1h=20_400), 60, "unexplained-loss"),
        (usage(3, read=10_000, w1h=10_400), 3300, "expired-early"),
        (usage(3, read=20_000, w1h=400), 60, None),
        (usage(3, read=0, w1h=20_400), 3700, None),
    ],
)
def test_classes(told: Callable[..., Seen], used: Json, second: float, kind: str | None) -> None:
    seen = told(FIRST, turn(1, used, second))
    assert classes(seen)[1] == kind
    proven = kind in {"hidden-call", "outlived", "shared-outside", None}
    assert (read(seen)[1] == used["cache_read_input_tokens"]) is proven


def test_what_was_written_seconds_before_may_not_be_readable_yet(told: Callable[..., Seen]) -> None:
    second = turn(1, usage(3, read=20_000, w1h=400), 60)
    assert classes(told(FIRST, second, turn(2, usage(3, read=20_000, w1h=800), 63)))[2] == "not-yet-readable"
    assert classes(told(FIRST, second, turn(2, usage(3, read=20_000, w1h=800), 200)))[2] == "unexplained-loss"


@pytest.mark.parametrize("reason", ["tools_changed", "system_changed", "messages_changed"])
def test_what_the_api_says_of_a_miss_is_used(told: Callable[..., Seen], reason: str) -> None:
    line = turn(1, usage(3, read=10_000, w1h=10_400), 60)
    line[1]["message"]["diagnostics"] = {"cache_miss_reason": {"type": reason}}
    seen = told(FIRST, line)
    assert (classes(seen), read(seen)) == ([None, None], [10_000, 10_000])


def test_another_effort_loses_the_messages(told: Callable[..., Seen]) -> None:
    first = turn(0, START, 0, effort="low")
    seen = told([first[0], first[1] | {"effort": "low"}],
                [*turn(1, usage(3, read=10_000, w1h=10_400), 60)[:1],
                 turn(1, usage(3, read=10_000, w1h=10_400), 60)[1] | {"effort": "high"}])  # fmt: skip
    assert (classes(seen), read(seen)) == ([None, None], [10_000, 10_000])


def test_a_prompt_that_lost_a_little_goes_on(told: Callable[..., Seen]) -> None:
    second = turn(1, usage(3, read=20_000, w1h=2000), 60)
    # The reminder at the end of the second prompt is gone: what stands before it is found.
    seen = told(FIRST, second, turn(2, usage(3, read=20_000, w1h=1500), 120))
    assert (classes(seen), read(seen)) == ([None] * 3, [10_000, 20_000, 20_000])
    assert seen.analysis.prefix_breaks.filter(cause="compaction").is_empty()


def test_a_much_shorter_prompt_begins_anew(told: Callable[..., Seen]) -> None:
    second = turn(1, usage(3, read=20_000, w1h=20_000), 60)
    seen = told(FIRST, second, turn(2, usage(3, read=10_000, w1h=8000), 120))
    assert (classes(seen), read(seen)) == ([None] * 3, [10_000, 20_000, 10_000])


def test_a_prompt_finds_no_more_than_it_holds(told: Callable[..., Seen]) -> None:
    """A side question to another model between two prompts, far shorter than what the session begins with."""
    aside = turn(1, usage(1500, out=5), 60, model=HAIKU)
    seen = told(FIRST, aside, turn(2, usage(3, read=20_000, w1h=900), 120))
    assert (classes(seen), read(seen)) == ([None] * 3, [10_000, 0, 20_000])


def clipped(*later: list[Json], first: int = 120_000) -> list[list[Json]]:
    begun = turn(0, usage(8, read=first, w5m=5000, out=100), 0)
    return [begun, turn(1, usage(8, read=first + 5000, w5m=500, out=100), 10), *later]


COMPACTED: list[Json] = [
    {"type": "system", "subtype": "compact_boundary", "sessionId": "s1", "timestamp": at(40),
     "compactMetadata": {"trigger": "auto", "preTokens": 125_508}},
    user("This session is being continued.", isCompactSummary=True, timestamp=at(41), uuid="c1"),
]  # fmt: skip


def compacted() -> list[list[Json]]:
    after = turn(2, usage(8, read=16_000, w5m=14_000, out=100), 60, asked="go on")
    rest = [turn(n, usage(8, read=30_000 + 700 * (n - 3), w5m=700, out=100), 60 + 4 * n) for n in range(3, 9)]
    return [COMPACTED, after, *rest]


@pytest.mark.parametrize("later", [[], compacted()])
def test_a_log_that_begins_late_shows_an_earlier_conversation(
    told: Callable[..., Seen], later: list[list[Json]]
) -> None:
    seen = told(*clipped(*later))
    with_blocks = seen.analysis.parts
    named = set(with_blocks.filter(pl.col("kind") == "hidden")["part"])
    assert "(earlier conversation)" in named
    found = seen.analysis.agreement
    assert found.exact == found.compared
    assert max(read(seen)[2:], default=0) <= 34_000


def test_a_log_that_begins_late_has_no_finding_about_its_system_prompt(
    tmp_path: Path, capsys: Capture
) -> None:
    lines = [line for lines in clipped(*compacted()) for line in lines]
    log = write(tmp_path / "session.jsonl", *lines)
    assert "oversized-system-prompt" not in said(capsys, "analyze", str(log), "--json", *NO_LEVERS)


@pytest.mark.parametrize(
    "before",
    [
        [{"type": "system", "subtype": "stop_hook_summary", "sessionId": "s1", "timestamp": at(0)}],
        [user([tool_result("t77", "line of a listing " * 20)], timestamp=at(0), uuid="u77")],
    ],
)
def test_lines_that_belong_to_an_earlier_call_say_that_the_log_begins_late(
    told: Callable[..., Seen], before: list[Json]
) -> None:
    """The first read is no larger than that of many a session."""
    parts = told(before, FIRST, turn(1, usage(3, read=20_000, w1h=400), 60)).analysis.parts
    assert "(earlier conversation)" in set(parts["part"])


@pytest.mark.parametrize(("read", "late"), [(29_000, False), (31_000, True)])
def test_a_first_call_that_nothing_was_asked_before(told: Callable[..., Seen], read: int, late: bool) -> None:
    parts = told(turn(0, usage(3, read=read, w1h=900), 0)[1:]).analysis.parts
    assert ("(earlier conversation)" in set(parts["part"])) is late


def test_large_tools_that_sessions_share_are_no_earlier_conversation(tmp_path: Path) -> None:
    logs = []
    for name in ("s1", "s2"):
        lines = [line for lines in clipped() for line in lines]
        logs.append(write(tmp_path / f"{name}.jsonl", *(_of(line, name) for line in lines)))
    parts = see(*logs).analysis.parts
    assert "(earlier conversation)" not in set(parts["part"])


def _of(line: Json, name: str) -> Json:
    told = line | {"sessionId": name, "uuid": f"{name}{line.get('uuid')}"}
    if line["type"] == "assistant":
        told["message"] = line["message"] | {"id": f"{line['message']['id']}_{name}"}
    return told


def test_the_screen_says_what_was_tested_and_what_is_not_logged(tmp_path: Path, capsys: Capture) -> None:
    side = write(tmp_path / "side.jsonl", *FIRST, *turn(1, usage(3, read=20_100, w1h=400), 60))
    shown = said(capsys, "analyze", str(side), *NO_LEVERS)
    assert "cache model every call exact, 0.0% of dollars off" in shown
    assert "at least $0.0110 in 1 side call, proven by cache reads; not in the total" in shown
    plain = write(tmp_path / "plain.jsonl", *turn(0, usage(900, out=5), 0), *turn(1, usage(950, out=5), 9))
    assert "cache model nothing was cached: not tested" in said(capsys, "analyze", str(plain), *NO_LEVERS)
    lost = write(tmp_path / "lost.jsonl", *FIRST, *turn(1, usage(3, read=0, w1h=20_400), 60))
    # Written anew: 20,000 tokens at 10 - 0.5 USD a million.
    said_lost = " ".join(said(capsys, "analyze", str(lost), *NO_LEVERS).split())
    assert "1 call wrote a warm prefix anew for no cause in the log ($0.19)" in said_lost
