"""Request/response pairs: streamed, wrapped by proxies, from batches, with and without run ids."""

import json
from itertools import product
from pathlib import Path
from typing import Any

from logs import OPUS, Json, message, pair, sse, text, tool_use, usage, usd, write
from seen import see, see_blocks, see_each

ONE = usd(OPUS, **{"in": 10}, out=5)
START: Json = {
    "type": "message_start",
    "message": message("msg_1", usage(10, read=40, w5m=20, out=1), content=[], stop_reason=None),
}


def delta(kind: str, **more: Any) -> Json:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind} | more}


def finish(used: Any = None, stop: str | None = "end_turn") -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": stop}} | (
        {} if used is None else {"usage": used}
    )


def streamed(body: str) -> Json:
    line = pair() | {"response_sse": body}
    del line["response"]
    return line


ENDS: list[tuple[list[Json], int, str]] = [
    ([finish({"output_tokens": 50})], 50, "reported"),
    # Cumulative: the last value counts, and none is added to another.
    ([finish({"output_tokens": 10}, None), finish({"output_tokens": 30}, None), finish({"output_tokens": 50})], 50, "reported"),
    ([finish({"output_tokens": 50, "input_tokens": 10, "cache_read_input_tokens": 40})], 50, "reported"),
    ([finish({"output_tokens": 50, "input_tokens": None})], 50, "reported"),
    ([finish({"output_tokens": 50}), finish(None, None)], 50, "reported"),
    ([finish({"output_tokens": 50}), {"type": "message_stop"}, {"type": "ping"}], 50, "reported"),
    ([finish()], 1, "reported"),
    ([], 1, "placeholder"),
    ([{"type": "error", "error": {"type": "overloaded_error"}}], 1, "placeholder"),
]  # fmt: skip


def test_streamed_responses(tmp_path: Path) -> None:
    content = [
        {"type": "content_block_start", "index": 0, "content_block": text("")},
        delta("text_delta", text="hi "),
    ]
    # Each response has its own id in its events, where `see_each` does not see it.
    starts = [START | {"message": START["message"] | {"id": f"msg_1{n}"}} for n in range(len(ENDS))]
    told = see_each(
        tmp_path, {str(n): [streamed(sse(starts[n], *content, *ENDS[n][0]))] for n in range(len(ENDS))}
    )
    for n, (events, out, usage_from) in enumerate(ENDS):
        row = told[str(n)].row(0, named=True)
        assert row["usd"] == usd(OPUS, **{"in": 10}, read=40, w5m=20, out=out), events
        assert row["usage_from"] == usage_from, events
        assert row["stop_reason"] == ("end_turn" if usage_from == "reported" else None), events


def test_streamed_content_is_put_together(tmp_path: Path) -> None:
    said = "line one\u2028two\u0085three \u2029 é"
    events = [
        START,
        {"type": "content_block_start", "index": 1, "content_block": tool_use("toolu_1", "Bash")},
        delta("text_delta", text=said[:10]),
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"command":'},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": ' "ls"}'},
        },
        delta("text_delta", text=said[10:]),
        finish({"output_tokens": 50}),
    ]
    body = "".join(f"data: {json.dumps(e, ensure_ascii=False)}\n\n" for e in events)
    for end in ("\n", "\r\n"):
        seen = see_blocks(write(tmp_path / "p.jsonl", streamed(body.replace("\n", end))))
        blocks = seen.blocks.filter(role="assistant")
        assert blocks["kind"].to_list() == ["text", "tool_use"]
        assert blocks["chars"].to_list()[0] == len(said)
        assert blocks["tool"].to_list() == [None, "Bash"]
        assert blocks["tokens"].sum() == 50


def test_broken_events_hide_no_others(tmp_path: Path) -> None:
    broken = ["data: {torn", "data:", ": comment", "event: x", "data: [1]", "garbage", "data: 5"]
    cases = {}
    for n, event in enumerate(broken):
        start = START | {"message": START["message"] | {"id": f"msg_2{n}"}}
        cases[event] = [streamed(sse(start) + event + "\n\n" + sse(finish({"output_tokens": 50})))]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["output_tokens"].to_list() == [50], name


def test_streams_without_a_message_cost_nothing(tmp_path: Path) -> None:
    cases = {}
    body: Any
    for body in ("", "no events", "data: {}", None, 5, [], {}):
        line = pair() | {"response_sse": body}
        del line["response"]
        cases[repr(body)] = [line, pair()]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == ONE, name


def wrapped(body: Any, *, as_text: bool, first: str) -> Json:
    both = {"headers": {"authorization": "x" * 3000}, "body": json.dumps(body) if as_text else body}
    return both if first == "headers" else dict(reversed(both.items()))


def test_wrappers_of_proxies(tmp_path: Path) -> None:
    cases = {}
    for n, (as_text, first) in enumerate(product((True, False), ("body", "headers"))):
        asked = {"model": OPUS, "messages": [{"role": "user", "content": f'the "body" of {n} \ud83d\ude00'}]}
        request = wrapped(asked, as_text=as_text, first=first) | {"method": "POST"}
        # A body that is text keeps its ids from `see_each`: they are made here.
        answer = message(f"msg_w{n}", usage(10, out=5))
        response = wrapped(answer, as_text=as_text, first=first)
        cases[f"{as_text} {first}"] = [json.dumps({"request": request, "response": response})]
    told = see_each(tmp_path, cases, blocks=True)
    for n, (name, turns) in enumerate(told.items()):
        assert turns.select("usd", "model").rows() == [(ONE, OPUS)], name
        assert turns["message_id"].item().endswith(f"w{n}"), name
        assert told.seen.blocks.filter(role="user", run_id=turns["run_id"].item())["kind"].to_list() == [
            "text"
        ]


def test_a_wrapper_around_a_stream(tmp_path: Path) -> None:
    body = sse(START, finish({"output_tokens": 50}))
    line = {"request": {"body": {"model": OPUS, "messages": []}}, "response": {"status": 200, "body": body}}
    assert see(write(tmp_path / "p.jsonl", line)).column("output_tokens") == [50]
    line = {"request": {"body": {"model": OPUS, "messages": []}}, "response": body}
    assert see(write(tmp_path / "q.jsonl", line)).column("output_tokens") == [50]


def test_a_wrapped_body_with_half_a_character(tmp_path: Path) -> None:
    line = json.dumps({"request": {"body": "MARK"}, "response": {"body": "MARK"}})
    body = json.dumps(json.dumps(message("msg_1", usage(10, out=5), content=[text("HALF")]))).replace(
        "HALF", "\\ud83d"
    )
    assert see(write(tmp_path / "p.jsonl", line.replace('"MARK"', body))).usd == ONE


def test_errors_cost_nothing_and_hide_nothing(tmp_path: Path) -> None:
    responses: list[Any] = [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"status": 529, "body": {"type": "error"}},
        {"status": 529, "body": "<html>busy</html>"},
        {"body": None},
        {"input_tokens": 12},
        *(None, "", [], 5),
    ]
    cases = {
        repr(r): [pair(message("msg_1")), pair() | {"response": r}, pair(message("msg_2"))] for r in responses
    }
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == 2 * ONE, name


def test_batch_results_cost_half(tmp_path: Path) -> None:
    used = usage(3147, out=1831, service_tier="batch")
    lines: list[Json] = [
        {"custom_id": f"item-{i}", "result": {"type": "succeeded", "message": message(f"msg_{i}", used)}}
        for i in range(3)
    ]
    lines += [{"custom_id": k, "result": {"type": k}} for k in ("errored", "canceled", "expired")]
    seen = see(write(tmp_path / "results.jsonl", *lines))
    assert seen.n_turns == 3
    assert seen.usd == 3 * usd(OPUS, **{"in": 3147}, out=1831) / 2
    assert set(seen.column("tier")) == {"batch"}


def test_batch_results_that_forget_their_tier(tmp_path: Path) -> None:
    line = {
        "custom_id": "a",
        "result": {"type": "succeeded", "message": message("msg_1", usage(100, out=50))},
    }
    assert see(write(tmp_path / "r.jsonl", line)).usd == usd(OPUS, **{"in": 100}, out=50) / 2


def test_the_same_pair_logged_twice(tmp_path: Path) -> None:
    lines = [
        pair(message("msg_1"), run_id="r"),
        pair(message("msg_1"), run_id="r"),
        pair(message("msg_2"), run_id="r"),
    ]
    write(tmp_path / "a.jsonl", *lines)
    write(tmp_path / "b.jsonl", *lines[:2])
    assert see(tmp_path).usd == 2 * ONE
