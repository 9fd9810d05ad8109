"""Lines of other formats and of none: each is read by its own format, refused by name, or counted by its shape."""

import json
from pathlib import Path
from typing import Any

import pytest

from command import NO_LEVERS, Capture, logs_of, said
from costscan.errors import CostscanError
from costscan.ingest import read
from logs import OPUS, Json, assistant, at, message, pair, sse, streamed, usage, usd, user, write
from seen import see

pytestmark = pytest.mark.usefixtures("bill_only")

EACH = usd(OPUS, **{"in": 10}, out=5)
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 9, "outputTokens": 2},
}
THEIRS: Json = {"request": {"messages": []}, "response": {"status": 200, "body": CONVERSE}}
FOREIGN: dict[str, Json] = {
    "Bedrock Converse pairs": THEIRS,
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_format_that_is_not_read_yet_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "log.jsonl", FOREIGN[name])
    with pytest.raises(CostscanError) as found:
        read([str(path)])
    assert found.value.what == f"{path}: this looks like {name}, which costscan does not read yet"


def test_a_folder_tells_which_file_it_does_not_read(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "ours.jsonl", pair())
    write(tmp_path / "theirs.jsonl", THEIRS)
    report = json.loads(said(capsys, "analyze", str(tmp_path), "--json", *NO_LEVERS))
    assert report["totals"]["turns"] == 1
    (skipped,) = report["inputs"]["skipped"]
    assert skipped["path"].endswith("theirs.jsonl")
    assert skipped["reason"] == "this looks like Bedrock Converse pairs, which costscan does not read yet"


def test_pairs_of_another_api_among_ours_are_counted_and_not_billed(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", pair(), THEIRS, THEIRS, pair(message("msg_2")))
    with logs_of(str(path), levers=False) as (_, summary):
        assert (summary.totals.turns, summary.totals.usd) == (2, 2 * EACH)
        assert summary.inputs.unknown_lines == 2
        assert summary.inputs.unknown == [
            {"kind": "Bedrock Converse pairs", "other": True, "lines": 2, "files": 1}
        ]


BATCH = {"custom_id": "i1", "result": {"type": "succeeded", "message": message("msg_b", usage(10, out=4))}}
KINDS: dict[str, Any] = {
    "claude_code": assistant("msg_t"),
    "claude_stream": streamed("msg_s", stop_reason="end_turn", session_id="s2"),
    "messages_api": BATCH,
}


@pytest.mark.parametrize(
    "order", [("claude_code", "messages_api"), ("messages_api", "claude_stream"), tuple(KINDS)]
)
def test_formats_in_one_file_are_all_read(tmp_path: Path, order: tuple[str, ...]) -> None:
    seen = see(write(tmp_path / "log.jsonl", *(KINDS[name] for name in order)))
    bills = {"claude_code": EACH, "claude_stream": EACH, "messages_api": usd(OPUS, **{"in": 10}, out=4) / 2}
    assert seen.usd == sum(bills[name] for name in order)
    assert set(seen.reading.formats) == set(order)
    assert (seen.reading.files, seen.reading.lines) == (1, len(order))


def test_formats_on_standard_input_are_all_read(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write(tmp_path / "log.jsonl", *KINDS.values()).open(encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        report = json.loads(said(capsys, "analyze", "-", "--json", *NO_LEVERS))
    assert report["inputs"]["formats"] == dict.fromkeys(KINDS, 1)


def test_lines_of_no_known_kind_are_counted_by_shape(tmp_path: Path, capsys: Capture) -> None:
    odd: list[Json] = [{"type": "foo", "n": n} for n in range(9)]
    odd += [{"lat": 1, "lon": 2}] * 3
    path = str(write(tmp_path / "s.jsonl", assistant("msg_0"), *odd, user(), assistant("msg_1")))
    with logs_of(path, levers=False) as (_, summary):
        assert [(row["kind"], row["lines"]) for row in summary.inputs.unknown] == [
            ("{type: foo}", 9),
            ("{lat, lon}", 3),
        ]
        assert summary.totals.turns == 2
    text = " ".join(said(capsys, "analyze", path, *NO_LEVERS).split())
    assert "12 lines of no known kind: {type: foo} 9, {lat, lon} 3" in text


def test_lines_that_a_client_is_known_to_write_are_no_news(tmp_path: Path) -> None:
    own = ("summary", "mode", "pr-link", "custom-title", "frame-link", "queue-operation", "last-prompt")
    lines = [{"type": kind, "sessionId": "s1"} for kind in own]
    with logs_of(str(write(tmp_path / "s.jsonl", assistant(), *lines)), levers=False) as (_, summary):
        assert summary.inputs.unknown == []


@pytest.mark.parametrize("kind", ["Assistant", None, ["assistant"], "assistant_v2"])
def test_a_call_whose_line_says_another_type_is_billed(tmp_path: Path, kind: Any) -> None:
    lines = [assistant("msg_1") | {"type": kind}, streamed("msg_2", stop_reason="end_turn") | {"type": kind}]
    write(tmp_path / "s.jsonl", assistant("msg_0"), lines[0])
    write(tmp_path / "t.jsonl", streamed("msg_3", stop_reason="end_turn"), lines[1])
    assert see(tmp_path).usd == 4 * EACH


def test_errors_and_items_not_run_cost_nothing_and_are_no_news(tmp_path: Path) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    lines = [
        pair(error),
        {"request": {"model": OPUS}, "response_sse": sse(error)},
        {"custom_id": "a", "result": {"type": "expired"}},
        pair(),
    ]
    with logs_of(str(write(tmp_path / "p.jsonl", *lines)), levers=False) as (_, summary):
        assert (summary.totals.turns, summary.inputs.unknown) == (1, [])


@pytest.mark.parametrize("arguments", [(), ("--since", "2026-12-01"), ("--json",), ("-o", "r.html")])
def test_logs_without_a_call_are_an_error(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [user(), *([assistant("msg_1", timestamp=at())] if "--since" in arguments else [])]
    write(Path("s.jsonl"), *lines)
    text = said(capsys, "analyze", "s.jsonl", *arguments, code=2)
    assert text.startswith("error: s.jsonl: no model call in these logs\nhint: ")
    if "--since" in arguments:
        assert (
            "without --since, --until, --task, --project and --model there are 1, from 2026-07-01 to 2026-07-01"
            in text
        )
