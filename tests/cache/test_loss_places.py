"""Where a warm prefix was lost tells what no line of a transcript says."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from costscan.cache.loss_places import LossPlaces
from logs import Json, assistant, at, text, tool_result, tool_use, usage, user, write
from seen import Seen, see

UNEXPLAINED = ("unexplained-loss", "unexplained")
AT_MESSAGE = ("lost-at-message",) * 2
AFTER_SEARCH = ("lost-after-tool-search",) * 2
SENT = 22_000
"""What the first prompt comes to; each later one is 300 tokens longer."""


def turn(n: int, asked: str | list[Json], used: Json, calls: str = "Bash") -> list[Json]:
    """A message or a result that comes in at the minute, and the answer three seconds later."""
    said = {"content": [text("ok"), tool_use(f"t{n}", calls)]}
    return [
        user(asked, uuid=f"u{n}", timestamp=at(60 * n)),
        assistant(f"msg_{n}", used, uuid=f"a{n}", timestamp=at(60 * n + 3), requestId=f"req_{n}", **said),
    ]


def seen_with(folder: Path, asked: str | list[Json], read: int, calls: str = "Bash") -> Seen:
    """A session whose third turn is sent with `asked`, and reads `read` of the 22,300 tokens before it."""
    lines = [
        *turn(0, "Read the files.", usage(0, read=10_000, w1h=SENT - 10_000, out=200)),
        *turn(1, [tool_result("t0", "of a listing " * 20)], usage(0, read=SENT, w1h=300, out=200), calls),
        *turn(2, asked, usage(0, read=read, w1h=SENT + 600 - read, out=200)),
    ]
    return see(write(folder / "session.jsonl", *lines))


def told(seen: Seen) -> tuple[str | None, str]:
    """The class of the last turn, and the cause that its break is told with."""
    *_, name = seen.analysis.agreement.turns["disagreement"]
    (cause,) = seen.analysis.frame("prefix_breaks").filter(turn=2)["cause"]
    return name, cause


RESULT = [tool_result("t1", "of a listing " * 20)]
REMINDED = [*RESULT, text("The task list is empty.")]


@pytest.mark.parametrize(("asked", "read", "expected"), [
    ("Go on.", 10_000, AT_MESSAGE),
    ("Go on.", 0, AT_MESSAGE),
    # Something behind the first prompt was read: what was sent with the message is not composed anew.
    ("Go on.", SENT - 1, AT_MESSAGE),
    ("Go on.", SENT, UNEXPLAINED),
    (RESULT, 10_000, UNEXPLAINED),
    # A note that comes with a result is no message that begins an answer.
    (REMINDED, 10_000, UNEXPLAINED),
])  # fmt: skip
def test_a_message_before_which_all_but_tools_and_system_prompt_is_lost(
    asked: str | list[Json], read: int, expected: tuple[str, str], tmp_path: Path
) -> None:
    assert told(seen_with(tmp_path, asked, read)) == expected


@pytest.mark.parametrize(("calls", "expected"), [("ToolSearch", AFTER_SEARCH), ("ToolSearcher", UNEXPLAINED)])
def test_a_tool_search_before_it(calls: str, expected: tuple[str, str], tmp_path: Path) -> None:
    assert told(seen_with(tmp_path, RESULT, 10_000, calls)) == expected


def test_what_is_lost_so_is_counted_in_a_class_of_its_own(tmp_path: Path) -> None:
    """12,300 tokens of an hour's write at $10 a million that could have been read for $0.50 (Opus 4.6)."""
    found = seen_with(tmp_path, "Go on.", 10_000).analysis.agreement.by_class
    (row,) = found.filter(disagreement="lost-at-message").to_dicts()
    assert (row["turns"], row["tokens"], row["is_proven"]) == (1, 12_300, False)
    assert row["off_usd"] < 0


def frames(turn: int = 2, *, is_shown: bool) -> tuple[pl.DataFrame, LossPlaces]:
    lost = pl.DataFrame({
        "run_id": ["r"], "turn": [turn], "is_shown": [is_shown], "cache_read_tokens": [0], "why": ["?"],
    })  # fmt: skip
    prompt = {
        "input_tokens": 9,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
    }
    turns = pl.DataFrame([{"run_id": "r", "turn": number, **prompt} for number in range(3)])
    blocks = pl.LazyFrame([block(turn)])
    return lost, LossPlaces(turns, blocks)


def block(turn: int) -> dict[str, Any]:
    return {
        "run_id": "r",
        "turn_in": turn,
        "layer": "messages",
        "role": "user",
        "kind": "text",
        "tool": "Bash",
    }


@pytest.mark.parametrize(("is_shown", "turn", "name"), [
    (False, 2, "lost-at-message"),
    # A prompt that stands in the log shows itself what changed.
    (True, 2, "?"),
    # The first prompt of a run goes on from nothing.
    (False, 0, "?"),
])  # fmt: skip
def test_where_the_place_says_nothing(name: str, turn: int, *, is_shown: bool) -> None:
    lost, places = frames(turn, is_shown=is_shown)
    named = places.named(lost, "why", "?")
    assert named["why"].to_list() == [name]
    assert named.columns == lost.columns


def test_without_a_loss_no_block_is_read() -> None:
    """A file that is not there would be told."""
    lost, places = frames(is_shown=False)
    nowhere = LossPlaces(places.turns, pl.scan_ipc("/nonexistent.arrow"))
    explained = nowhere.named(lost.with_columns(why=pl.lit("expired")), "why", "?")["why"].to_list()
    assert explained == ["expired"]
