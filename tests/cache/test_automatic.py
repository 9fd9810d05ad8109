"""Caches without breakpoints: what is fitted on a log, what is expected of a call, what a fix would save."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import costscan
import openai_pairs as oai
from command import Capture, said
from costscan.cache.automatic import AutomaticCaches, fitted
from costscan.cache_policy import automatic_of, policy_of
from costscan.report import Report
from logs import Json, write

MODEL = "gpt-5.4"
PLAIN, READ, OUT = Decimal("2.5"), Decimal("0.25"), Decimal(15)
"""gpt-5.4 at list price, USD per million tokens."""
LONG = "alpha beta gamma delta epsilon zeta eta theta iota kappa " * 1200


def calls(model: str, *read: int, could: int = 10_000, written: int = 0) -> AutomaticCaches:
    rows = {"req": range(len(read)), "model": model, "gap_s": 20.0, "cache_read_tokens": read}
    turns = pl.DataFrame(rows, schema_overrides={"cache_read_tokens": pl.Int64}).with_columns(
        cache_write_tokens=pl.lit(written, pl.Int64)
    )
    foreseen = turns.select("req", read_tokens=pl.lit(could, pl.Int64))
    return fitted(turns, foreseen)


def share(caches: AutomaticCaches) -> Json:
    return caches.shares.row(0, named=True)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "openai"),
        ("gpt-5", "openai"),
        ("gpt-5.4-mini", "openai"),
        ("gpt-5.5", "openai-5-5"),
        ("gpt-5.6-sol", "openai-30m"),
        ("gpt-5.10", "openai-30m"),
        ("gpt-6.1-sol", "openai-30m"),
        ("o3", "openai"),
        ("deepseek-chat", "deepseek"),
        ("gemini-2.5-pro", None),
        ("gpt-oss-120b", None),
        ("claude-opus-4-6", None),
    ],
)
def test_which_rules_a_model_has(model: str, name: str | None) -> None:
    policy = automatic_of(model)
    assert (policy and policy.name) == name
    assert policy_of(model) is None or name is None


def test_the_prior_weighs_as_much_as_forty_calls() -> None:
    """60 calls read all of 10,000 tokens, 20 nothing: (600,000 + 40 x 9,500) of (800,000 + 400,000)."""
    own = share(calls(MODEL, *[10_000] * 60, *[0] * 20))
    assert own["calls"] == 80
    assert own["read_share"] == pytest.approx((600_000 + 380_000) / 1_200_000)
    assert own["hit_rate"] == pytest.approx((60 + 40 * 0.92) / 120)
    assert own["is_fitted"]


def test_a_call_that_read_nearly_all_is_a_hit() -> None:
    own = share(calls(MODEL, 10_000 - 1024, 10_000 - 1025, 9_500, 9_500))
    assert own["hit_rate"] == pytest.approx((3 + 40 * 0.92) / 44)


def test_many_calls_say_it_more_surely_than_few() -> None:
    few, many = (share(calls(MODEL, *[10_000, 10_000, 10_000, 5_000] * n)) for n in (5, 200))
    assert 0 < many["share_error"] < few["share_error"] < 0.1


def test_a_log_that_never_reads_has_no_cache() -> None:
    """The cache is off, or the log does not tell of it: the prior says nothing."""
    assert share(calls(MODEL, 0, 0, 0))["read_share"] == 0
    assert share(calls(MODEL, 0, 0))["read_share"] == pytest.approx(40 * 0.95 / 42)


def test_calls_after_a_pause_are_not_fitted_on() -> None:
    turns = pl.DataFrame(
        {"req": [0, 1, 2], "model": MODEL, "gap_s": [60.0, 61.0, None], "cache_read_tokens": [1280, 0, 1280]}
    ).with_columns(cache_write_tokens=pl.lit(0, pl.Int64))
    caches = fitted(turns, turns.select("req", read_tokens=pl.lit(1280, pl.Int64)))
    assert share(caches)["calls"] == 2


def test_a_maker_without_a_prior_needs_calls_enough() -> None:
    few, many = (calls("deepseek-chat", *[6_400] * n, could=6_400) for n in (199, 200))
    assert (few.fitted_models, many.fitted_models) == ([], ["deepseek-chat"])
    assert share(many)["read_share"] == 1


def test_what_is_read_is_a_multiple_of_128_tokens_and_a_share_of_them() -> None:
    """15,999 tokens hold 124 steps of 128: 15,872, of which 0.75 are expected; the rest is plain input."""
    caches = AutomaticCaches(calls(MODEL, *[3] * 3, could=4).shares.with_columns(read_share=pl.lit(0.75)))
    could = pl.DataFrame(
        {"read_tokens": [15_999], "write_5m_tokens": [4001], "write_1h_tokens": [0], "input_tokens": [7]}
    )
    row = caches.expected(could, could, pl.Series(["gpt-5.4"])).row(0, named=True)
    assert row == {
        "read_tokens": 11_904,
        "write_5m_tokens": 0,
        "write_1h_tokens": 0,
        "input_tokens": 20_007 - 11_904,
    }
    same = caches.expected(could, could, pl.Series(["claude-opus-4-6"]))
    assert same.equals(could)


def test_writes_have_a_price_where_the_log_bills_them() -> None:
    could = pl.DataFrame(
        {"read_tokens": [1280], "write_5m_tokens": [720], "write_1h_tokens": [0], "input_tokens": [0]}
    )
    for written, expected in ((500, (1280, 720, 0)), (0, (1280, 0, 720))):
        caches = calls("gpt-5.6-sol", *[10_000] * 5000, written=written)
        shares = caches.shares.with_columns(read_share=pl.lit(1.0))
        row = AutomaticCaches(shares).expected(could, could, pl.Series(["gpt-5.6-sol"])).row(0, named=True)
        assert (row["read_tokens"], row["write_5m_tokens"], row["input_tokens"]) == expected


def talk(volatile: str = "", runs: int = 4, turns: int = 4, gap_s: int = 20) -> list[Json]:
    """Runs of one task whose system prompt may begin with a time; a prompt grows by 300 tokens a call.

    volatile: "run" where the time is that of the run, "call" where it is that of the call, "end" where that
    stands behind all else.
    """
    lines, second = [], 0
    for run in range(runs):
        sent: list[Json] = [{"role": "system", "content": ""}, {"role": "user", "content": f"Task {run}"}]
        for turn in range(turns):
            second += gap_s
            clock = f"Time: 2026-11-02T10:{run:02}:{0 if volatile == 'run' else turn:02}Z."
            system = {"": LONG, "end": LONG + clock}.get(volatile, f"{clock} {LONG}")
            sent[0] = {"role": "system", "content": system}
            cached = _cached(run, turn, volatile) if gap_s <= 600 else 0
            answer = oai.chat(
                f"c-{run}-{turn}",
                oai.chat_usage(12_000 + 300 * turn, 50, cached=cached),
                said=f"answer {turn}",
                model=MODEL,
            )
            asked = {"model": MODEL, "messages": [*sent]}
            lines.append(oai.chat_pair(answer, second, request=asked, run_id=f"run-{run}", task="desk"))
            again = {"role": "user", "content": f"again {turn} " + "more words " * 120}
            sent += [{"role": "assistant", "content": f"answer {turn}"}, again]
    return lines


def _cached(run: int, turn: int, volatile: str) -> int:
    """Return whole steps of the prompt before, or of what both begin with."""
    if volatile == "call" or (volatile == "run" and not turn) or not run + turn:
        return 0
    if turn and volatile != "end":
        return (12_000 + 300 * (turn - 1)) // 128 * 128
    return 11_900 // 128 * 128


def analyzed(path: Path, lines: list[Json]) -> Report:
    return costscan.analyze(write(path / "runs.jsonl", *lines), workers=1)


def saved(report: Report, name: str) -> tuple[Any, Any, Any]:
    row = report.summary.scenario(name)
    assert row is not None
    return row.saved_usd, row.saved_low_usd, row.saved_high_usd


@pytest.mark.parametrize("volatile", ["run", "call"])
def test_a_value_taken_out_of_the_prefix_saves_what_the_log_without_it_costs_less(
    volatile: str, tmp_path: Path
) -> None:
    """The same runs with the fix really made are the oracle: the truth lies in the range."""
    before, after = (analyzed(tmp_path, talk(kind)).summary.totals.usd for kind in (volatile, ""))
    assert before is not None
    assert after is not None
    told, low, high = saved(analyzed(tmp_path, talk(volatile)), "caching/fix-prefix")
    assert low <= before - after <= high
    assert told == pytest.approx(before - after, rel=Decimal("0.07"))
    assert high - low < told / 2


def test_what_stands_before_a_value_that_varies_is_read_all_the_same(tmp_path: Path) -> None:
    """Moved from its end, it saves the few hundred tokens behind it: about a step of 128 a call from the truth."""
    before, after = (analyzed(tmp_path, talk(kind)).summary.totals.usd for kind in ("end", ""))
    assert before is not None
    assert after is not None
    told, _, _ = saved(analyzed(tmp_path, talk("end")), "caching/fix-prefix")
    step = 128 * (PLAIN - READ) / 10**6
    assert told == pytest.approx(before - after, abs=20 * step)
    assert told < before / 10


def test_what_is_fixed_promises_nothing(tmp_path: Path) -> None:
    report = analyzed(tmp_path, talk())
    for name in ("caching/fix-prefix", "caching/breakpoints", "caching/ttl"):
        assert saved(report, name)[0] == 0
    assert report.actions.is_empty()


def test_an_entry_is_gone_after_ten_minutes(tmp_path: Path) -> None:
    """Nothing is foreseen to be read after 601 s, and all but the first of a run after 599."""
    for gap_s, reads in ((601, 0), (599, 3)):
        growth = analyzed(tmp_path, talk("run", runs=1, gap_s=gap_s)).growth
        assert (growth["replay_read_tokens"] > 0).sum() == reads


def test_what_was_read_where_nothing_could_be_was_held_of_calls_outside_the_log(tmp_path: Path) -> None:
    """Of two calls of other prompts the second one read 3,840 tokens; 0.95 of them are expected."""
    lines = []
    for n, cached in enumerate((0, 3840)):
        answer = oai.chat(f"c-{n}", oai.chat_usage(5000, 10, cached=cached), model=MODEL)
        asked = {"model": MODEL, "messages": [{"role": "user", "content": f"{n}" + LONG[:20_000]}]}
        lines.append(oai.chat_pair(answer, 20 * n, request=asked, run_id=f"run-{n}", task=f"task {n}"))
    growth = analyzed(tmp_path, lines).growth.sort("run_id")
    assert growth["replay_read_tokens"].to_list() == [0, 3648]


def test_calls_are_not_counted_as_exact_or_wrong(tmp_path: Path) -> None:
    report = analyzed(tmp_path, talk())
    replay = report.to_dict()["replay"]
    assert replay["turns"] is replay["exact_share"] is None
    (policy,) = replay["policies"]
    assert (policy["policy"], policy["model"], policy["turns"]) == ("openai", MODEL, 16)
    assert policy["usd_billed"] == pytest.approx(float(report.summary.totals.usd or 0))
    assert report.growth["unexplained_tokens"].null_count() == 16


@pytest.mark.usefixtures("kept_analyses")
def test_the_screen_says_how_the_cache_fits(capsys: Capture, tmp_path: Path) -> None:
    log = write(tmp_path / "runs.jsonl", *talk())
    words = " ".join(said(capsys, "analyze", str(log), "-v").split())
    assert "cache gpt-5.4: 94% hits in 15 calls (±5%), replay" in words
    assert "not worked out" not in words
    told = json.loads(said(capsys, "analyze", str(log), "--json"))
    assert told["replay"]["policies"][0]["calls"] == 15
