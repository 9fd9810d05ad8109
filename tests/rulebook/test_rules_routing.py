"""Rules on routing and batching on whole logs: what is planted is found and priced by hand, and nothing else is."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl

from applied import alone
from costscan import ingest
from costscan.analysis import Analysis, analyze
from costscan.rulebook import load_rules
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from logs import (
    HAIKU,
    OPUS,
    Json,
    Line,
    assistant,
    at,
    message,
    pair,
    tool_result,
    tool_use,
    usage,
    usd,
    user,
    write,
)

RULES = [rule for rule in load_rules() if rule.lever in {"routing", "batching"}]
CACHED = 100_000
LABELS = {"R001"}
"""What short steps on a large model are for, beside what is planted."""


def told(path: Path) -> tuple[Analysis, pl.DataFrame]:
    with ingest.read([str(path)]) as reading:
        x = price_scenarios(analyze(reading), alone("routing", "batching"))
        return x, findings_of(x, RULES).filter(~pl.col("rule").is_in(LABELS))


def switched(
    tmp_path: Path, cheap_turns: int, *, every_s: int = 10, pause_s: int = 0, expired: bool = False
) -> tuple[Analysis, pl.DataFrame]:
    """Two turns on Opus, some on Haiku, one on Opus: each adds 1,000 tokens to what was sent before."""
    models = [OPUS, OPUS, *[HAIKU] * cheap_turns, OPUS]
    lines: list[Line] = [user("do it", timestamp=at(0))]
    cached = {OPUS: 0, HAIKU: 0}
    for turn, model in enumerate(models):
        prompt = CACHED + 1000 * turn
        read = 0 if expired and turn == len(models) - 1 else cached[model]
        used = usage(0, read=read, w5m=prompt - read, out=100)
        cached[model] = prompt
        call = tool_use(f"t{turn}", "Bash", n=turn)
        begun = every_s * turn + (pause_s if turn > 1 else 0)
        lines += [
            assistant(f"msg_{turn}", used, model=model, content=[call], timestamp=at(begun + 5)),
            user([tool_result(f"t{turn}", "fine")], timestamp=at(begun + 8 + (pause_s if turn == 1 else 0))),
        ]
    return told(write(tmp_path / "s.jsonl", *lines))


def gained(*prompts: int) -> Decimal:
    """What turns with a warm cache cost less on Haiku."""
    warm = [{"read": prompt - 1000, "w5m": 1000, "out": 100} for prompt in prompts]
    return sum((usd(OPUS, **used) - usd(HAIKU, **used) for used in warm), Decimal(0))


THERE = usd(HAIKU, w5m=101_000) - usd(HAIKU, read=101_000)


def test_a_switch_that_does_not_pay_costs_what_it_lost_less_what_it_saved(tmp_path: Path) -> None:
    x, found = switched(tmp_path, cheap_turns=2)
    saved = gained(102_000, 103_000)
    switches = x.frame("model_switches").select("turn", "turn_end", "usd_lost", "usd_saved", "usd_lost_back")
    assert switches.row(0) == (2, 3, THERE, saved, 0)
    used = {"read": 101_000, "w5m": 3000, "out": 100}
    assert switches.row(1) == (4, 4, 0, usd(HAIKU, **used) - usd(OPUS, **used), 0)
    assert found.select("rule", "turn", "turn_end", "usd").rows() == [("R005", 2, 3, THERE - saved)]


def test_the_way_back_counts_where_the_cache_expired_meanwhile(tmp_path: Path) -> None:
    _, found = switched(tmp_path, cheap_turns=4, every_s=70, expired=True)
    back = usd(OPUS, w5m=101_000) - usd(OPUS, read=101_000)
    saved = gained(102_000, 103_000, 104_000, 105_000)
    assert found.select("rule", "turn", "turn_end", "usd").rows() == [("R005", 2, 5, THERE + back - saved)]


def test_after_a_long_pause_a_switch_loses_nothing(tmp_path: Path) -> None:
    x, found = switched(tmp_path, cheap_turns=1, pause_s=400)
    assert x.frame("model_switches").row(0, named=True)["usd_lost"] == 0
    assert found.is_empty()


def test_a_switch_that_pays_is_no_finding(tmp_path: Path) -> None:
    x, found = switched(tmp_path, cheap_turns=12)
    assert x.frame("model_switches").height == 2
    assert found.is_empty()


def test_a_switch_to_a_model_without_a_price_saves_nobody_knows_what(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines = [
        assistant(f"m{n}", usage(9, read=900, out=5), model=name)
        for n, name in enumerate([OPUS, "made-up-1", OPUS])
    ]
    x, found = told(write(path, *lines))
    assert x.frame("model_switches")["usd_saved"].to_list() == [None, None]
    assert found.is_empty()


def loop(used: Sequence[Json], **more: object) -> list[Line]:
    """A run of one request and tool calls, that nobody interrupts."""
    lines: list[Line] = [user("do it", timestamp=at(0), **more)]
    for turn, tokens in enumerate(used):
        call = tool_use(f"t{turn}", "Bash", n=turn)
        lines += [
            assistant(f"msg_{turn}", tokens, content=[call], timestamp=at(10 * turn + 5), **more),
            user([tool_result(f"t{turn}", "fine")], timestamp=at(10 * turn + 8), **more),
        ]
    return lines


def test_fast_mode_costs_what_standard_speed_does_not(tmp_path: Path) -> None:
    slow = usage(0, w5m=20_000, out=100)
    fast = usage(0, read=20_000, w5m=500, out=100, speed="fast")
    _, found = told(write(tmp_path / "s.jsonl", *loop([slow, fast, fast])))
    more = 2 * usd(OPUS, read=20_000, w5m=500, out=100)
    assert found.select("rule", "turn", "turn_end", "tokens", "usd").rows() == [("R003", 1, 2, 41_200, more)]


def test_fast_mode_where_a_person_writes_is_no_finding(tmp_path: Path) -> None:
    fast = usage(0, w5m=20_000, out=100, speed="fast")
    lines = [user("do it"), assistant("m1", fast), user("and that"), assistant("m2", fast)]
    assert told(write(tmp_path / "s.jsonl", *lines))[1].is_empty()


def thoughtful(tmp_path: Path, thinking: int) -> pl.DataFrame:
    plain = usage(0, w5m=20_000, out=100)
    details = {"thinking_tokens": thinking}
    long = usage(0, read=20_000, out=thinking + 80, output_tokens_details=details)
    return told(write(tmp_path / "s.jsonl", *loop([plain, *[long] * 5])))[1]


def test_thinking_before_short_steps_costs_its_output(tmp_path: Path) -> None:
    rows = thoughtful(tmp_path, 1200).select("rule", "turn", "turn_end", "tokens", "usd").rows()
    assert rows == [("R004", 1, 5, 6000, usd(OPUS, out=6000))]


def test_a_little_thinking_is_no_finding(tmp_path: Path) -> None:
    assert thoughtful(tmp_path, 900).is_empty()


def shots(days: int, each: int, tier: str = "standard") -> list[Json]:
    """Some single requests of a task at ten past three, on some days."""
    return [
        pair(
            message(f"m{day}-{n}", usage(20_000, out=100, service_tier=tier)),
            [{"role": "user", "content": f"item {day} {n}: " + "word " * 400}],
            timestamp=at(11_400 + 20 * n, f"2026-07-{day + 1:02}"), run_id=f"r{day}-{n}", task="report",
        )
        for day in range(days)
        for n in range(each)
    ]  # fmt: skip


def test_a_request_each_night_at_the_full_price(tmp_path: Path) -> None:
    _, found = told(write(tmp_path / "s.jsonl", *shots(days=3, each=1)))
    half = usd(OPUS, **{"in": 20_000}, out=100) / 2
    assert found.select("rule", "run_id", "usd").rows() == [("B003", "r0-0", 3 * half)]
    assert "at about 3:00 UTC on 3 days" in found["message"][0]


def test_a_wave_each_night_is_found_once(tmp_path: Path) -> None:
    _, found = told(write(tmp_path / "s.jsonl", *shots(days=3, each=5)))
    half = usd(OPUS, **{"in": 20_000}, out=100) / 2
    assert found.select("rule", "usd").rows() == [("B001", 15 * half)]


def test_two_nights_and_a_batch_are_no_findings(tmp_path: Path) -> None:
    assert told(write(tmp_path / "a.jsonl", *shots(days=2, each=4)))[1].is_empty()
    assert told(write(tmp_path / "b.jsonl", *shots(days=3, each=5, tier="batch")))[1].is_empty()
