"""Usage that a log does not tell, or cannot mean: the call stays, what is known of it is billed, and it is said."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import NO_LEVERS, Capture, logs_of, said
from logs import HAIKU, OPUS, Json, Line, assistant, message, pair, progress, streamed, usage, usd, write
from seen import see, see_each

pytestmark = pytest.mark.usefixtures("bill_only")

IN, OUT = 1000, 100
WHOLE = usd(OPUS, **{"in": IN}, out=OUT)
FORMATS: dict[str, Callable[[str, Any], Json]] = {
    "transcript": assistant,
    "stream": lambda name, used: streamed(name, used, stop_reason="end_turn"),
    "pairs": lambda name, used: pair(message(name, used), run_id="s1"),
}


def used(**more: Any) -> Json:
    return usage(IN, out=OUT) | more


def with_usage(line: Json, told: Any) -> Json:
    """Return a line with another usage in its message."""
    (line["message"] if "message" in line else line["response"])["usage"] = told
    return line


def without(*names: str) -> Json:
    return {name: value for name, value in used().items() if name not in names}


# What is billed of each: nothing (None), or the counters that are known.
UNKNOWN: dict[str, tuple[Any, Decimal | None]] = {
    "null": (None, None),
    "empty": ({}, None),
    "text": ("x", None),
    "a list": ([1], None),
    "zeros beside text": (usage(0, out=0), None),
    "names of OpenAI Chat": ({"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": IN + OUT}, None),
    "names of OpenAI Responses": (
        {"input_tokens": IN, "input_tokens_details": {"cached_tokens": 900}, "output_tokens": OUT},
        None,
    ),
    "camel case": ({"inputTokens": IN, "outputTokens": OUT}, None),
    "no output": (without("output_tokens"), usd(OPUS, **{"in": IN})),
    "output null": (used(output_tokens=None), usd(OPUS, **{"in": IN})),
    "output zero beside text": (used(output_tokens=0), usd(OPUS, **{"in": IN})),
    "more output than the model writes": (used(output_tokens=10**6), usd(OPUS, **{"in": IN})),
    "no input": (without("input_tokens"), usd(OPUS, out=OUT)),
    "input null": (used(input_tokens=None), usd(OPUS, out=OUT)),
    "an empty prompt": (usage(0, out=OUT), usd(OPUS, out=OUT)),
    "less than no input": (used(input_tokens=-1), usd(OPUS, out=OUT)),
    "a prompt over the context": (used(input_tokens=1_000_001), usd(OPUS, out=OUT)),
    "a damaged cache counter": (used(cache_read_input_tokens=[5]), WHOLE),
    "more searches than can be": (used(server_tool_use={"web_search_requests": 10**5}), WHOLE),
}


@pytest.fixture(scope="module")
def turns(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the turns of a healthy call and one of each kind of damage, in each format."""
    cases: dict[str, list[Line]] = {
        f"{name} in {kind}": [
            make("msg_0", used()),
            with_usage(make("msg_1", used()), damage),
            make("msg_2", used()),
        ]
        for kind, make in FORMATS.items()
        for name, (damage, _) in UNKNOWN.items()
    }
    return see_each(tmp_path_factory.mktemp("unreported"), cases)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", UNKNOWN)
def test_a_call_without_usage_stays_and_bills_what_is_known(turns: Any, name: str, kind: str) -> None:
    _, known = UNKNOWN[name]
    found = turns[f"{name} in {kind}"].sort("turn")
    assert found["usage_from"].to_list() == ["reported", "unreported", "reported"]
    assert found["usd"].to_list() == [WHOLE, known, WHOLE]


def test_what_is_not_told_is_null_and_never_zero(turns: Any) -> None:
    row = turns["no output in transcript"].row(1, named=True)
    assert (row["input_tokens"], row["output_tokens"]) == (IN, None)
    row = turns["null in transcript"].row(1, named=True)
    assert {row[name] for name in ("input_tokens", "cache_read_tokens", "output_tokens")} == {None}


def test_no_usage_at_all(tmp_path: Path) -> None:
    line = assistant("msg_1")
    del line["message"]["usage"]
    answer = message("msg_2")
    del answer["usage"]
    seen = see(write(tmp_path / "s.jsonl", line), write(tmp_path / "p.jsonl", pair(answer)))
    assert seen.column("usage_from") == ["unreported"] * 2
    assert seen.analysis.turns["usd"].null_count() == 2


# Each of the calls inside a request is one that may tell nothing.
INSIDE: list[Any] = [
    None,
    {},
    5,
    {"type": "compaction", "input_tokens": 0, "output_tokens": 0},
    {"promptTokens": 5},
]


def test_a_call_inside_a_request_may_tell_nothing(tmp_path: Path) -> None:
    first = used(type="message")
    cases: dict[str, list[Line]] = {
        repr(odd): [assistant("msg_1", used(iterations=[first, odd]))] for odd in INSIDE
    }
    for name, found in see_each(tmp_path, cases).items():
        assert found["usage_from"].to_list() == ["reported", "unreported"], name
        assert found["usd"].to_list() == [WHOLE, None], name


@pytest.mark.parametrize("odd", [[None], [{}], "x", 5, {"a": 1}])
def test_calls_inside_that_cannot_be_read_leave_a_lower_bound(tmp_path: Path, odd: Any) -> None:
    seen = see(write(tmp_path / "s.jsonl", assistant("msg_1", used(iterations=odd))))
    assert (seen.column("usage_from"), seen.usd) == (["placeholder"], WHOLE)


def test_cache_writes_that_contradict_themselves_are_billed_by_the_smaller_bill(tmp_path: Path) -> None:
    split = {"ephemeral_5m_input_tokens": 5000, "ephemeral_1h_input_tokens": 100}
    odd = [
        used(cache_creation_input_tokens=200, cache_creation=split),
        used(cache_creation_input_tokens=200, cache_creation=None),
    ]
    for nth, damage in enumerate(odd):
        seen = see(write(tmp_path / f"{nth}.jsonl", assistant(f"msg_{nth}", damage)))
        assert seen.column("usage_from") == ["placeholder"]
        assert seen.usd == WHOLE + usd(OPUS, w5m=200)


def test_how_much_a_model_takes_is_its_own(tmp_path: Path) -> None:
    # Haiku 4.5: 200,000 tokens of context, 64,000 of output.
    cases: dict[str, tuple[Json, str]] = {
        "fits": (usage(200_000, out=64_000), "reported"),
        "too long": (usage(150_000, read=50_001, out=5), "unreported"),
        "wrote too much": (usage(5, out=64_001), "unreported"),
        # Each search samples anew, and counts the prompt again.
        "searches": (usage(400_000, out=5, server_tool_use={"web_search_requests": 2}), "reported"),
    }
    lines: dict[str, list[Line]] = {n: [assistant("msg_1", u, model=HAIKU)] for n, (u, _) in cases.items()}
    told = see_each(tmp_path, lines)
    for name, (_, expected) in cases.items():
        assert told[name]["usage_from"].to_list() == [expected], name


@pytest.mark.parametrize(
    "mode",
    [
        {"service_tier": "flex"},
        {"service_tier": "Batch"},
        {"service_tier": ["batch"]},
        {"speed": "turbo"},
        {"inference_geo": "eu"},
        {"inference_geo": 5},
    ],
)
def test_a_mode_that_is_not_known_has_no_price(tmp_path: Path, mode: Json) -> None:
    seen = see(write(tmp_path / "s.jsonl", assistant("msg_1", used(**mode))))
    assert seen.analysis.turns["usd"].to_list() == [None]


# The lines of one call, and the one whose counters hold: never a mixture of two.
SNAPSHOTS: dict[str, tuple[list[tuple[Json, str | None]], int]] = {
    "the finished one": ([(usage(5, out=1), None), (usage(7, read=3, out=9), "end_turn")], 1),
    "not an unfinished one behind it": ([(usage(5, out=90), "end_turn"), (usage(5, out=1), None)], 0),
    "the last of two finished ones": ([(usage(9, out=90), "end_turn"), (usage(5, out=80), "end_turn")], 1),
    "the complete one": ([(usage(5, out=9), None), ({"input_tokens": 6}, "end_turn")], 0),
    "the complete one behind": ([({"output_tokens": 500}, "end_turn"), (usage(5, out=9), None)], 1),
    "of unfinished ones that which counted more": ([(usage(5, out=30), None), (usage(6, out=2), None)], 0),
}


def test_of_the_lines_of_a_call_one_counts(tmp_path: Path) -> None:
    cases: dict[str, list[Line]] = {
        name: [assistant("msg_1", u, stop_reason=stop, requestId="req_1") for u, stop in lines]
        for name, (lines, _) in SNAPSHOTS.items()
    }
    for name, found in see_each(tmp_path, cases).items():
        lines, which = SNAPSHOTS[name]
        counts = lines[which][0]
        row = found.row(0, named=True)
        assert found.height == 1, name
        assert [row[c] for c in ("input_tokens", "cache_read_tokens", "output_tokens")] == [
            counts["input_tokens"],
            counts["cache_read_input_tokens"],
            counts["output_tokens"],
        ], name


def test_of_the_files_that_tell_a_call_one_counts(tmp_path: Path) -> None:
    told = [usage(5, w5m=40, out=3), usage(5, w1h=40, out=30), usage(5, w5m=40, out=20)]
    inner = [assistant("msg_1", u, isSidechain=True, agentId="a1", sessionId="s1") for u in told]
    files: dict[str, list[Line]] = {
        "s1/subagents/agent-a1.jsonl": [inner[0]],
        "s1.jsonl": [progress(inner[1])],
        "copy/s1/subagents/agent-a1.jsonl": [inner[2]],
    }
    for name, lines in files.items():
        write(tmp_path / name, *lines)
    assert see(tmp_path).tokens == (5, 0, 0, 40, 30)


def test_a_copy_without_usage_is_the_call_that_another_file_tells(tmp_path: Path) -> None:
    write(tmp_path / "a/s1.jsonl", assistant("msg_1", used(), requestId="req_1"))
    write(tmp_path / "b/s1.jsonl", assistant("msg_1", {}, requestId="req_1"))
    seen = see(tmp_path)
    assert (seen.column("usage_from"), seen.usd) == (["reported"], WHOLE)


def test_the_screen_counts_calls_without_usage(tmp_path: Path, capsys: Capture) -> None:
    # 3,000 characters of prose, about 1,000 tokens at $25 per million: 2 to 3 cents.
    words = "The harbour office opens at nine and closes at five. " * 57
    line = assistant("msg_1", {}, content=[{"type": "text", "text": words}])
    path = str(write(tmp_path / "s.jsonl", assistant("msg_0", used()), line))
    with logs_of(path, levers=False) as (_, summary):
        totals = summary.totals
        assert (totals.usd, totals.usd_exact) == (WHOLE, False)
        assert (totals.turns, totals.unreported_turns, totals.unpriced_turns) == (2, 1, 0)
        assert totals.unreported_usd is not None
        assert Decimal("0.02") < totals.unreported_usd < Decimal("0.04")
    text = " ".join(said(capsys, "analyze", path).split())
    assert "billed at least $0.0075 1 call without usage or with a part of it:" in text
    assert "what is missing is not in the total, about $0.0309 by the text" in text


def test_only_calls_without_usage_are_a_bill_that_is_not_known(tmp_path: Path, capsys: Capture) -> None:
    path = str(write(tmp_path / "s.jsonl", assistant("msg_0", None), assistant("msg_1", {})))
    path = str(write(tmp_path / "t.jsonl", assistant("msg_8", {}), assistant("msg_9", {})))
    text = " ".join(said(capsys, "analyze", path, *NO_LEVERS).split())
    assert "billed unknown 2 calls without usage" in text


def test_a_call_without_a_prompt_size_leaves_the_growth_of_the_others(tmp_path: Path) -> None:
    lines = [
        assistant("msg_0", usage(1000, out=100)),
        assistant("msg_1", {}),
        assistant("msg_2", usage(1500, out=100)),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.growth.select("turn", "prompt_tokens", "carried_tokens").rows() == [
        (0, 1000, 0),
        (2, 1500, 1000),
    ]


@pytest.mark.usefixtures("kept_here")
def test_a_check_over_calls_without_usage_is_not_decided(tmp_path: Path, capsys: Capture) -> None:
    before = [pair(message(f"msg_{n}", used()), run_id=f"r{n}", task="t") for n in range(8)]
    after = [pair(message(f"msg_a{n}", used() if n else {}), run_id=f"r{n}", task="t") for n in range(8)]
    old, new = (str(write(tmp_path / f"{n}.jsonl", *lines)) for n, lines in enumerate((before, after)))

    def checked(limit: str, *more: str, code: int) -> str:
        told = said(capsys, "check", new, *more, "--fail-on", limit, *NO_LEVERS, code=code)
        return " ".join(told.split())

    assert "1 call has no usage in the log" in checked("usd:+5%", "--baseline", old, code=3)
    assert "1 call has no usage in the log" in checked("usd:9", code=3)
    # What is over with what is known is over; the calls themselves can be counted.
    checked("usd:0.01", code=1)
    checked("turns:8", code=0)


def test_a_run_is_told_turn_by_turn_where_one_tells_no_usage(tmp_path: Path, capsys: Capture) -> None:
    lines = [
        assistant("msg_0", usage(1000, out=100)),
        assistant("msg_1", {}),
        assistant("msg_2", usage(1500, out=9)),
    ]
    log = str(write(tmp_path / "s.jsonl", *lines))
    text = said(capsys, "explain", "worst", log, *NO_LEVERS).splitlines()
    assert [line.split()[:4] for line in text if line.split()[:1] == ["1"]] == [["1", "-", "-", "-"]]
    report = tmp_path / "r.html"
    said(capsys, "analyze", log, "-o", str(report))
    assert report.stat().st_size > 0
