"""Damage of any kind costs at most the lines it touches, and every line it makes unreadable is counted."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from histories import Agent, Session, Turn, pairs, transcripts
from hypothesis_profile import examples
from logs import HAIKU, OPUS, Json, cost_state, encoded, message, pair, result, sse, streamed, totals, usage
from seen import see

FILES = 40
TOKENS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"null",
          b"NaN", b"-1", b"1e999", b"[]", b"{}", b"true", b'""', b'"type":[]', b'"usage":5,', b"0" * 30, b"[" * 2000,
          b"9" * 4500, b"\xef\xbb\xbf", b"\\ud800", b"\\u12"]  # fmt: skip


def turn(n: int, cut: Any = "") -> Turn:
    return Turn((OPUS, HAIKU)[n % 2], 300 + n, (n % 3, 7, n % 2, 1), 40 + n, n % 3, cut, 0, 1, 60)


WORLD = (
    Session(
        tuple(turn(n) for n in range(5)), (Agent((turn(1), turn(2)), "progress"), Agent((turn(3),), "inline"))
    ),
    Session((turn(0), turn(1), turn(2, "compacted"))),
)


def claude_code() -> list[Json]:
    first, second = transcripts(WORLD)["s0.jsonl"], transcripts(WORLD)["s1.jsonl"]
    state = cost_state("0.5", {OPUS: totals(9000, out=900, cost="0.1")}, "s0")
    snapshot = {
        "type": "attachment",
        "sessionId": "s0",
        "attachment": {"type": "file", "content": ["a", {"text": "b"}]},
    }
    return [*first, state, snapshot, *second]


def claude_stream() -> list[Json]:
    calls = [
        streamed(f"msg_{n}", usage(n, read=100 * n, w1h=5, out=3), content=[], uuid=f"u{n}")
        for n in range(12)
    ]
    done = result("0.5", {OPUS: totals(9000, out=900, cost="0.1")})
    return [{"type": "system", "subtype": "init", "session_id": "s1"}, *calls[:8], done, *calls[8:], done]


def messages_api() -> list[Json]:
    events = [{"type": "message_start", "message": message("msg_sse", usage(5, out=1))},
              {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}]  # fmt: skip
    told = pair() | {"response_sse": sse(*events)}
    del told["response"]
    batch = {
        "custom_id": "x",
        "result": {"type": "succeeded", "message": message("msg_batch", usage(5, out=1))},
    }
    return [
        *pairs(WORLD[:1], named=False)["pairs.jsonl"],
        told,
        batch,
        *pairs(WORLD[1:], named=True)["pairs.jsonl"],
    ]


_id = re.compile(rb'("(?:uuid|parentUuid|id|requestId)": "(?:msg_)?)([^"]+)"')


def long_ids(line: Json) -> bytes:
    """Write a line with ids that no damage turns into one another."""
    return _id.sub(lambda m: m[1] + sha256(m[2]).hexdigest().encode() + b'"', encoded(line))


def damaged(whole: bytes, random: Random) -> bytes:
    data = bytearray(whole)
    for _ in range(random.randrange(1, 7)):
        at = random.randrange(len(data))
        match random.randrange(6):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + random.choice((1, 1, 2, 30, 500))]
            case 2:
                data[at:at] = random.choice(TOKENS)
            case 3:
                data[at:at] = random.randbytes(random.randrange(1, 9))
            case 4:
                piece = data[at : at + random.randrange(1, 400)]
                data[at:at] = piece
            case _:
                near = data.find(b"\n", at)
                del data[near if near >= 0 else at]
    return bytes(data)


_between = re.compile(r"[\s,]*(?:\]\s*$)?")
_reader = json.JSONDecoder(strict=False, parse_int=float)


def readable(line: bytes) -> bool:
    """Whether a line is JSON objects or blank, by Python's own reader."""
    said = line.strip(b" \t\r\x00\xef\xbb\xbf").decode("utf-8", "replace").replace("\x00", "")
    said = said.removeprefix("[").lstrip(", \t")
    at = 0
    while at < len(said):
        try:
            _, at = _reader.raw_decode(said, at)
        except (ValueError, RecursionError):
            return False
        between = _between.match(said, at)
        at = between.end() if between is not None else at
    return True


def unreadable(data: bytes) -> int:
    """Count the lines that are not readable, nor together with those before and after them."""
    bad = 0
    for good, lines in groupby(data.split(b"\n"), readable):
        together = list(lines)
        bad += 0 if good or readable(b"\n".join(together)) else len(together)
    return bad


def untouched(data: bytes, ids: dict[bytes, str]) -> set[str]:
    return {ids[line] for line in data.split(b"\n") if line in ids}


def billed_ids(lines: list[Json]) -> Iterator[tuple[bytes, str]]:
    """The lines that hold a call of their own, with its id."""
    for line in lines:
        inner: Any = line.get("data", {}).get("message", line) if isinstance(line.get("data"), dict) else line
        told = inner.get("message") or line.get("response") or line.get("result")
        told = told.get("message", told) if isinstance(told, dict) else None
        if isinstance(told, dict) and "usage" in told:
            whole = long_ids(line)
            yield whole, "msg_" + sha256(told["id"].removeprefix("msg_").encode()).hexdigest()


@pytest.mark.parametrize("lines", [claude_code, claude_stream, messages_api])
@examples(4)
@example(seed=0)
@given(seed=st.integers(0, 10**9))
def test_damaged_logs(lines: Callable[[], list[Json]], seed: int) -> None:
    random = Random(seed)
    whole = [long_ids(line) for line in lines()]
    ids = dict(billed_ids(lines()))
    assert len(ids) >= 8
    files = [damaged(b"\n".join(whole) + b"\n", random) for _ in range(FILES)]
    with tempfile.TemporaryDirectory() as folder:
        for n, data in enumerate(files):
            (Path(folder) / f"{n:02d}.jsonl").write_bytes(data)
        seen = see(folder)
        calls = seen.calls.filter(pl.col("message_id").is_not_null())
    found = {Path(path[0]).name: set(rows["message_id"]) for path, rows in calls.group_by("path")}
    for n, data in enumerate(files):
        lost = untouched(data, ids) - found.get(f"{n:02d}.jsonl", set())
        assert not lost, f"seed {seed}, file {n}: {lost}"
    counted = seen.reading.skipped_lines + seen.reading.repaired_lines
    assert counted >= sum(map(unreadable, files)), f"seed {seed}"
