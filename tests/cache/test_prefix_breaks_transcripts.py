"""Why transcripts, which show no prompts, read less than was cached, and what that cost."""

from pathlib import Path

import pytest

from logs import OPUS, SONNET, Json, Line, assistant, at, text, usage, usd, user, write
from seen import see

SYSTEM, GROWS = 15_000, 2000


def turn(n: int, seconds: float, read: int, w5m: int = 0, w1h: int = 0, **more: object) -> list[Line]:
    """A user's line and the call that follows."""
    used = usage(3, read=read, w5m=w5m, w1h=w1h, out=200)
    line = {
        "uuid": f"a{n}",
        "parentUuid": f"u{n}",
        "timestamp": at(seconds + 5),
        "content": [text("word " * 150)],
    }
    said = user("go on " * 300, uuid=f"u{n}", parentUuid=f"a{n - 1}" if n else None, timestamp=at(seconds))
    return [said, assistant(f"msg_{n}", used, **line | more)]


def loop(turns: int, gap: float = 20) -> list[Line]:
    """A session that reads what it sent before, up to the last call."""
    lines = turn(0, 0, SYSTEM, 500)
    for n in range(1, turns):
        lines += turn(n, n * gap, SYSTEM + 500 + (n - 1) * GROWS, GROWS)
    return lines


SENT = SYSTEM + 500 + 3 * GROWS
"""What had been cached after four turns."""
LATE = turn(4, 60 + 400, SYSTEM, SENT - SYSTEM + GROWS)
SWITCHED = turn(4, 80, 0, SENT + GROWS, model=SONNET)
OTHER_EFFORT = turn(4, 80, SYSTEM, SENT - SYSTEM + GROWS, effort="high")
BOUNDARY: Json = {
    "type": "system", "subtype": "compact_boundary", "sessionId": "s1", "uuid": "b", "parentUuid": None,
    "logicalParentUuid": "a3", "compactMetadata": {"trigger": "auto", "preTokens": SENT},
}  # fmt: skip
SUMMARY = user(
    "Continued from before: " + "z " * 900, isCompactSummary=True, uuid="u4", parentUuid="b", timestamp=at(80)
)


def with_effort(lines: list[Line]) -> list[Line]:
    return [
        line | {"effort": "low"} if isinstance(line, dict) and line["type"] == "assistant" else line
        for line in lines
    ]


CASES: dict[str, tuple[list[Line], int, str]] = {
    "expired": (loop(4) + LATE, SENT - SYSTEM, OPUS),
    "setting-changed": (with_effort(loop(4)) + OTHER_EFFORT, SENT - SYSTEM, OPUS),
}


@pytest.mark.parametrize("cause", CASES)
def test_what_was_written_again(cause: str, tmp_path: Path) -> None:
    lines, lost, model = CASES[cause]
    (row,) = see(write(tmp_path / "s1.jsonl", *lines)).analysis.prefix_breaks.to_dicts()
    assert (row["turn"], row["cause"], row["tokens_lost"]) == (4, cause, lost)
    assert row["usd_lost"] == usd(model, w5m=lost) - usd(model, read=lost)


def test_why_a_cache_without_known_rules_forgot_is_not_said(tmp_path: Path) -> None:
    def elsewhere(line: Line) -> Line:
        if isinstance(line, dict) and line["type"] == "assistant":
            return line | {"message": line["message"] | {"model": "gpt-5.5"}}
        return line

    lines = [elsewhere(line) for line in CASES["expired"][0]]
    assert see(write(tmp_path / "s1.jsonl", *lines)).analysis.prefix_breaks.is_empty()


def test_another_model(tmp_path: Path) -> None:
    rows = see(write(tmp_path / "s1.jsonl", *loop(4), *SWITCHED)).analysis.prefix_breaks.to_dicts()
    assert [(row["turn"], row["cause"], row["before"], row["after"]) for row in rows] == [
        (4, "model-switched", OPUS, SONNET)
    ]
    assert rows[0]["tokens_lost"] == SENT


def test_a_compaction_loses_what_all_sessions_share(tmp_path: Path) -> None:
    after = turn(4, 80, 0, SYSTEM + 2500)[1:]
    rows = see(
        write(tmp_path / "s1.jsonl", *loop(4), BOUNDARY, SUMMARY, *after)
    ).analysis.prefix_breaks.to_dicts()
    assert [(row["turn"], row["cause"], row["tokens_lost"]) for row in rows] == [(4, "compaction", SYSTEM)]
    assert rows[0]["usd_lost"] == usd(OPUS, w5m=SYSTEM) - usd(OPUS, read=SYSTEM)


def test_a_compaction_that_reads_what_all_sessions_share_loses_nothing(tmp_path: Path) -> None:
    after = turn(4, 80, SYSTEM, 2500)[1:]
    seen = see(write(tmp_path / "s1.jsonl", *loop(4), BOUNDARY, SUMMARY, *after))
    assert seen.analysis.prefix_breaks.is_empty()


def test_a_session_that_goes_on_has_no_break(tmp_path: Path) -> None:
    assert see(write(tmp_path / "s1.jsonl", *loop(12, gap=250))).analysis.prefix_breaks.is_empty()


def causes(tmp_path: Path, lines: list[Line]) -> list[tuple[str, str]]:
    """What the last turn lost, and the lifetime that it is told with."""
    breaks = see(write(tmp_path / "s1.jsonl", *lines)).analysis.frame("prefix_breaks").filter(turn=4)
    return breaks.select("cause", "before").rows()


def test_an_entry_lives_as_long_as_it_was_written_for(tmp_path: Path) -> None:
    """The turn after the pause writes for an hour; what it finds gone was written for five minutes."""
    late = turn(4, 60 + 1500, SYSTEM, w1h=SENT - SYSTEM + GROWS)
    assert causes(tmp_path, loop(4) + late) == [("expired", "5m")]


@pytest.mark.parametrize(("answered_s", "told"), [(30, [("lost-at-message", "")]), (250, [])])
def test_an_answer_so_late_that_its_request_may_have_been(
    answered_s: int, told: list[tuple[str, str]], tmp_path: Path
) -> None:
    """100 s after the turn before a line was written; the answer stands there 30 s or 250 s later."""
    said, answer = turn(4, 160, SYSTEM, SENT - SYSTEM + GROWS)
    assert isinstance(answer, dict)
    assert causes(tmp_path, [*loop(4), said, answer | {"timestamp": at(160 + answered_s)}]) == told
