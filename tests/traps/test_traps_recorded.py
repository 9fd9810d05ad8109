"""Costs the log records itself: the bill is the recorded one, whatever the lines leave out, and never twice."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from logs import (
    HAIKU,
    OPUS,
    Json,
    assistant,
    at,
    cost_state,
    result,
    streamed,
    totals,
    usage,
    usd,
    user,
    write,
)
from recording import LOGGED, SIDE, SIDE_TOTAL, TRUE, USED, main_total, stream
from seen import Seen, see, see_each


def unlogged(seen: Seen, session: str = "s1") -> list[dict[str, Any]]:
    return seen.turns.filter(run_id=f"{session}/unlogged").to_dicts()


def test_unfinished_output_is_completed(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", *stream(2), result(2 * TRUE, {OPUS: main_total(2)})))
    assert seen.usd == 2 * TRUE
    assert [(t["output_tokens"], t["input_tokens"], t["cache_write_1h_tokens"]) for t in unlogged(seen)] == [
        (174, 0, 0)
    ]
    row = seen.run("s1/unlogged")
    assert (row["parent_run_id"], row["root_run_id"], row["agent"]) == ("s1", "s1", "unlogged")
    assert seen.analysis.recorded[0].usd == 2 * TRUE


def test_nothing_is_missing(tmp_path: Path) -> None:
    exact = totals(10, read=1000, write=200, out=3, cost=LOGGED)
    seen = see(write(tmp_path / "s.jsonl", *stream(1), result(LOGGED, {OPUS: exact})))
    assert (seen.usd, seen.run_ids()) == (LOGGED, ["s1"])


def test_a_hidden_call_to_another_model(tmp_path: Path) -> None:
    lines = [*stream(1), result(TRUE + SIDE, {OPUS: main_total(), HAIKU: SIDE_TOTAL})]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.usd == TRUE + SIDE
    assert sorted(t["model"] for t in unlogged(seen)) == ["claude-haiku-4-5", OPUS]
    assert seen.column("turn", "s1/unlogged") == [0, 1]


def test_a_result_without_models_completes_nothing_and_is_told(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s.jsonl", *stream(1), result(TRUE)))
    assert (seen.usd, seen.analysis.recorded[0].usd) == (LOGGED, TRUE)


def test_a_total_below_what_was_logged_takes_nothing_away(tmp_path: Path) -> None:
    lines = [*stream(3), result(TRUE, {OPUS: main_total(1)})]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd >= 3 * LOGGED


def hidden_writes(turns: pl.DataFrame) -> list[tuple[int, ...]]:
    """Return the tokens written for five minutes and for an hour in the calls that were not logged."""
    unlogged = turns.filter(pl.col("run_id").str.ends_with("/unlogged"))
    return unlogged.select("cache_write_5m_tokens", "cache_write_1h_tokens").rows()


def test_lifetimes_of_hidden_writes_follow_from_the_dollars(tmp_path: Path) -> None:
    splits = {f"{w5m} {500 - w5m}": (w5m, 500 - w5m) for w5m in (0, 500, 120, 499, 1)}
    costs = {name: LOGGED + usd(OPUS, w5m=w5m, w1h=w1h, out=87) for name, (w5m, w1h) in splits.items()}
    recorded = {name: totals(10, read=1000, write=700, out=90, cost=cost) for name, cost in costs.items()}
    told = see_each(
        tmp_path, {name: [*stream(1), result(costs[name], {OPUS: recorded[name]})] for name in costs}
    )
    for name, turns in told.items():
        assert (turns["usd"].sum(), hidden_writes(turns)) == (costs[name], [splits[name]]), name


def test_without_dollars_they_follow_the_logged_ones(tmp_path: Path) -> None:
    splits = {(0, 200): (0, 500), (200, 0): (500, 0), (50, 150): (125, 375), (0, 0): (500, 0)}
    cases = {}
    for w5m, w1h in splits:
        used = usage(10, w5m=w5m, w1h=w1h, out=3)
        recorded = totals(10, write=w5m + w1h + 500, out=3)
        cases[f"{(w5m, w1h)}"] = [streamed("msg_1", used), result(1, {OPUS: recorded})]
    told = see_each(tmp_path, cases)
    for logged, hidden in splits.items():
        assert hidden_writes(told[f"{logged}"]) == [hidden], logged


def transcript(n: int, **more: Any) -> list[Json]:
    lines = [user("go", timestamp=at(0))]
    lines += [
        assistant(f"msg_s1_{i}", USED | more, timestamp=at(10 * i), requestId=f"req_{i}") for i in range(n)
    ]
    return lines


def test_transcript_and_stream_of_one_session(tmp_path: Path) -> None:
    # The transcript has the final outputs, the stream the total with the hidden side call.
    streamed_too = [*stream(3), result(3 * TRUE + SIDE, {OPUS: main_total(3), HAIKU: SIDE_TOTAL})]
    cases = {
        names: {f"{names[0]}.jsonl": transcript(3, output_tokens=90), f"{names[1]}.jsonl": streamed_too}
        for names in ("ts", "ab", "ba")
    }
    told = see_each(tmp_path, cases)
    for n, (names, turns) in enumerate(told.items()):
        assert turns["usd"].sum() == 3 * TRUE + SIDE, names
        run = f"s1-{n}"
        assert told.seen.column("output_tokens", run) == [90, 90, 90]
        assert told.seen.column("usage_from", run) == ["reported"] * 3
        assert told.seen.run(run)["source"] == "claude_code"
        assert [t["model"] for t in unlogged(told.seen, run)] == ["claude-haiku-4-5"]


def test_transcript_that_goes_on_after_the_stream(tmp_path: Path) -> None:
    write(tmp_path / "t.jsonl", *transcript(5, output_tokens=90))
    write(tmp_path / "s.jsonl", *stream(3), result(3 * TRUE, {OPUS: main_total(3)}))
    assert see(tmp_path).usd == 5 * TRUE


def test_cost_state_of_a_transcript(tmp_path: Path) -> None:
    lines = [
        *transcript(2, output_tokens=90),
        cost_state(2 * TRUE + SIDE, {OPUS: main_total(2), HAIKU: SIDE_TOTAL}),
    ]
    seen = see(write(tmp_path / "s1.jsonl", *lines))
    assert seen.usd == 2 * TRUE + SIDE
    # A line without a time: the hidden call is dated like the last logged one, not like today.
    assert {t["at"].date().isoformat() for t in unlogged(seen)} == {"2026-07-01"}


def test_cost_state_without_models(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "s1.jsonl", *transcript(1, output_tokens=90), cost_state(TRUE + SIDE)))
    assert (seen.usd, seen.analysis.recorded[0].usd) == (TRUE, TRUE + SIDE)


def test_a_session_resumed_after_its_cost_state(tmp_path: Path) -> None:
    whole = transcript(3, output_tokens=90)
    lines = [*whole[:2], cost_state(TRUE + SIDE, {OPUS: main_total(1), HAIKU: SIDE_TOTAL}), *whole[2:]]
    assert see(write(tmp_path / "s1.jsonl", *lines)).usd == 3 * TRUE + SIDE
    more = cost_state(3 * TRUE + SIDE, {OPUS: main_total(3), HAIKU: SIDE_TOTAL})
    assert see(write(tmp_path / "s1.jsonl", *lines, more)).usd == 3 * TRUE + SIDE


def test_cost_state_covers_the_sub_agents(tmp_path: Path) -> None:
    sub = usage(7, out=4)
    both = {OPUS: totals(17, read=1000, write=200, out=94, cost=TRUE + usd(OPUS, **{"in": 7}, out=4))}
    write(tmp_path / "s1.jsonl", *transcript(1, output_tokens=90),
          cost_state(TRUE + usd(OPUS, **{"in": 7}, out=4), both))  # fmt: skip
    write(
        tmp_path / "s1" / "subagents" / "agent-a.jsonl",
        assistant("msg_a", sub, isSidechain=True, agentId="a"),
    )
    seen = see(tmp_path)
    assert (seen.usd, seen.run_ids()) == (TRUE + usd(OPUS, **{"in": 7}, out=4), ["s1", "s1/agent-a"])


def test_other_spellings_of_a_model_are_the_same_model(tmp_path: Path) -> None:
    line = result(TRUE, {"claude-opus-4-8[1m]": main_total()})
    seen = see(write(tmp_path / "s.jsonl", *stream(1), line))
    assert (seen.usd, [t["model"] for t in unlogged(seen)]) == (TRUE, [OPUS])


def test_an_unknown_model_stays_unpriced(tmp_path: Path) -> None:
    lines = [*stream(1), result(TRUE, {OPUS: main_total(), "my-model": totals(50, out=5, cost="0.1")})]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.usd == TRUE
    assert seen.analysis.turns.filter(model="my-model")["usd"].to_list() == [None]


ODD: list[Any] = [None, True, "x", "0.5", [], {}, float("nan"), float("inf"), -5, 10**40]


def test_odd_totals_hide_nothing(tmp_path: Path) -> None:
    cases = {}
    for kind in ("result", "cost-state"):
        for where in (
            "costUSD",
            "inputTokens",
            "webSearchRequests",
            "entry",
            "modelUsage",
            "total",
            "session",
        ):
            for odd in ODD:
                entry = totals(10, read=1000, write=200, out=3, cost=LOGGED)
                line = (
                    result(LOGGED, {OPUS: entry}) if kind == "result" else cost_state(LOGGED, {OPUS: entry})
                )
                if where in entry:
                    entry[where] = odd
                elif where == "entry":
                    line["modelUsage"][OPUS] = odd
                elif where == "modelUsage":
                    line["modelUsage"] = odd
                elif where == "total":
                    line["total_cost_usd" if kind == "result" else "totalCostUSD"] = odd
                elif not isinstance(odd, str):
                    line["session_id" if kind == "result" else "sessionId"] = odd
                logged = [*stream(1), line, *stream(1, 1)] if kind == "result" else [*transcript(1), line]
                cases[f"{kind} {where} {odd!r}"] = logged
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == LOGGED * (2 if name.startswith("result") else 1), name


def test_costs_beside_single_lines(tmp_path: Path) -> None:
    odd: list[Any] = [0.5, 1e-7, "0.5", True, float("nan"), None, []]
    told = see_each(tmp_path, {repr(cost): [assistant("msg_1", USED, costUSD=cost)] for cost in odd})
    for cost in odd:
        expected = Decimal(str(cost)) if cost in (0.5, 1e-7) else None
        assert told[repr(cost)].select("usd", "recorded_usd").rows() == [(LOGGED, expected)], cost
