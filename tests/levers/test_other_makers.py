"""Calls that go to models of other makers: what they cost there by hand, and how sure that is."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import costscan
import gemini_pairs as gemini
import openai_pairs as oai
from costscan.levers.routing.candidates import candidates, cheapest_of_classes, class_of, model_named
from costscan.levers.routing.other_makers import ACROSS_SPREAD, between_makers
from costscan.other_models import other_models
from costscan.prices import price_table
from costscan.report import Report
from costscan.reports.listings.model_matrix import encoded, matrix
from costscan.scenarios.whatif import what_if
from logs import Json, message, pair, text, usage, write

NOVEMBER = date(2026, 11, 2)
GPT, MINI, OPUS = "gpt-5.5", "gpt-5.4-mini", "claude-opus-4-6"


def labels(model: str, n: int = 6, prompt: int = 4000, out: int = 20) -> list[Json]:
    """Requests of one task, each by itself, with another prompt; nothing is cached."""
    lines = []
    for nth in range(n):
        asked = [{"role": "user", "content": f"{nth} label this: " + f"word{nth} " * 3000}]
        answer = oai.chat(f"c-{nth}", oai.chat_usage(prompt, out), model=model)
        request = {"model": model, "messages": asked}
        lines.append(oai.chat_pair(answer, 60 * nth, request=request, run_id=f"run-{nth}", task="labels"))
    return lines


def analyzed(path: Path, lines: list[Json]) -> Report:
    return costscan.analyze(write(path / "runs.jsonl", *lines), workers=1)


def on(report: Report, model: str) -> list[tuple[Any, ...]]:
    """Return what each run would have cost on a model: as expected, at least, at most."""
    told = what_if(report.diagnosis, [model]).sort("run_id")
    return told.select(model, f"least {model}", f"most {model}").rows()


def test_all_models_have_a_price_and_a_class() -> None:
    priced = set(price_table()["model"].unique())
    assert set(other_models()) <= priced
    assert {one.model_class for one in other_models().values()} == {"haiku", "sonnet", "opus", "fable"}


def test_a_model_is_offered_those_of_its_maker_that_were_there() -> None:
    there = candidates("gpt-5.5", NOVEMBER, "haiku")
    assert {"gpt-6-luna", "gpt-5.6-terra", "gpt-5.4-mini"} <= set(there)
    assert {class_of(model) for model in there} == {"haiku", "sonnet"}
    assert "gpt-6-luna" not in candidates("gpt-5.5", date(2026, 9, 21), "haiku")
    assert "gpt-6-luna" in candidates("gpt-5.5", date(2026, 9, 22), "haiku")
    assert not [m for m in candidates(OPUS, NOVEMBER, "haiku") if m in other_models()]
    assert candidates("gemini-2.5-pro", NOVEMBER, "haiku") == ()


def test_of_equal_prices_the_newest() -> None:
    assert cheapest_of_classes(["gpt-6-luna", "gpt-5.4-nano"], {"gpt-6-luna": 1, "gpt-5.4-nano": 1}) == (
        "gpt-6-luna",
    )


def test_a_model_may_be_spelled_as_its_maker_or_a_gateway_does() -> None:
    assert model_named("openai/gpt-5.5") == model_named("gpt-5.5-2026-04-23") == GPT


def test_within_a_maker_tokens_stay_and_the_cost_is_exact(tmp_path: Path) -> None:
    """4,000 tokens at 0.75 and 20 at 4.50 USD per million; at 5 and 30 that was 0.0206."""
    report = analyzed(tmp_path, labels(GPT))
    cost = (4000 * Decimal("0.75") + 20 * Decimal("4.5")) / 10**6
    assert on(report, MINI) == [(cost, cost, cost)] * 6


def test_to_another_maker_tokens_are_taken_at_the_usual_ratio_within_a_range(tmp_path: Path) -> None:
    """Sonnet 4.6 counts with the older tokenizer: text is 1 / 0.87 times as long; 3 in, 15 out."""
    report = analyzed(tmp_path, labels(GPT))
    ratio = Decimal(1) / Decimal("0.87")
    cost = (4000 * ratio * 3 + 20 * ratio * 15) / 10**6
    for told, least, most in on(report, "claude-sonnet-4-6"):
        assert told == pytest.approx(cost, rel=Decimal("0.001"))
        assert least == pytest.approx(cost * (1 - Decimal(ACROSS_SPREAD)), rel=Decimal("0.002"))
        assert most >= cost * (1 + Decimal(ACROSS_SPREAD)) * Decimal("0.998")


def talk(model: str, turns: int = 4) -> list[Json]:
    """One conversation that grows by 1,000 tokens a call; nothing was marked to be cached."""
    messages: list[Json] = []
    lines = []
    for turn in range(turns):
        messages.append({"role": "user", "content": [text(f"question {turn} " + "and more words " * 600)]})
        answer = message(f"m-{turn}", usage(10_000 + 1000 * turn, out=50), model=model)
        lines.append(pair(answer, [*messages], run_id="run", timestamp=f"2026-11-02T10:00:{20 * turn:02}Z"))
        messages.append({"role": "assistant", "content": answer["content"]})
    return lines


def test_a_cache_without_breakpoints_caches_what_was_not_marked(tmp_path: Path) -> None:
    """Of Opus 4.6 (older tokenizer) each prompt has 0.87 as many tokens, whole steps of 128 of the one before
    are read at a tenth of 2.50 USD, 0.95 of them as long as the log tells of no such call."""
    report = analyzed(tmp_path, talk(OPUS))
    sizes = [round(n * 0.87) for n in (10_000, 11_000, 12_000, 13_000)]
    read = [0, *(round(n // 128 * 128 * 0.95) for n in sizes[:-1])]
    fresh = sum(sizes) - sum(read)
    out = 4 * round(50 * 0.87) * 15
    ((told, _, _),) = on(report, "gpt-5.4")
    assert told == pytest.approx(
        (Decimal(fresh) * Decimal("2.5") + sum(read) * Decimal("0.25") + out) / 10**6
    )


FLASH = "gemini-3.8-flash"


def test_a_cache_that_promises_nothing_is_taken_to_read_nothing(tmp_path: Path) -> None:
    """Of Opus 4.6 each prompt has 0.98 as many tokens: at 0.75 USD a million, 49 written at 3.75.

    At the low end each reads what the one before sent, at 0.075, and all is a quarter shorter.
    """
    report = analyzed(tmp_path, talk(OPUS))
    sizes = [round(n * 0.98) for n in (10_000, 11_000, 12_000, 13_000)]
    whole = (sum(sizes) * Decimal("0.75") + 4 * 49 * Decimal("3.75")) / 10**6
    read = sum(sizes[:-1]) * (Decimal("0.75") - Decimal("0.075")) / 10**6
    ((told, least, most),) = on(report, FLASH)
    assert told == whole
    assert least == pytest.approx((whole - read) * Decimal("0.75"), rel=Decimal("0.0001"))
    assert most == pytest.approx(whole * Decimal("1.25"), rel=Decimal("0.0001"))


def test_between_two_other_makers_too(tmp_path: Path) -> None:
    """From OpenAI's 0.87 to Gemini's 0.98; each prompt of its own, so that none repeats: 0.75 in, 3.75 out."""
    report = analyzed(tmp_path, labels(GPT))
    ratio = Decimal("0.98") / Decimal("0.87")
    cost = (round(4000 * ratio) * Decimal("0.75") + round(20 * ratio) * Decimal("3.75")) / 10**6
    for told, least, most in on(report, FLASH):
        assert told == cost
        assert least == pytest.approx(cost * Decimal("0.75"), rel=Decimal("0.0001"))
        assert most == pytest.approx(cost * Decimal("1.25"), rel=Decimal("0.0001"))


def test_what_was_forgotten_there_may_be_read_here(tmp_path: Path) -> None:
    """Forty minutes are too long for OpenAI's cache of gpt-5.5, and a day is the most that Gemini's may hold.

    What the replay of OpenAI's may be off makes the range no narrower.
    """
    messages: list[Json] = []
    lines: list[Json] = []
    for turn in range(2):
        messages = [*messages, {"role": "user", "content": f"question {turn} " + "and more words " * 600}]
        answer = oai.chat(
            f"chatcmpl-{turn}-0123456789abcdef", oai.chat_usage(5000 + 1000 * turn, 50), model=GPT
        )
        request = {"model": GPT, "messages": messages}
        lines.append(oai.chat_pair(answer, 2400 * turn, request=request, run_id="run"))
        messages = [*messages, {"role": "assistant", "content": "Porto."}]
    ratio = Decimal("0.98") / Decimal("0.87")
    sizes = [round(n * ratio) for n in (5000, 6000)]
    whole = (sum(sizes) * Decimal("0.75") + 2 * round(50 * ratio) * Decimal("3.75")) / 10**6
    read = sizes[0] * (Decimal("0.75") - Decimal("0.075")) / 10**6
    ((told, least, _),) = on(analyzed(tmp_path, lines), FLASH)
    assert told == whole
    assert least <= (whole - read) * Decimal("0.75") * Decimal("1.001")


@pytest.mark.parametrize(("prompt", "usd_in", "usd_out"), [(170_000, "1.25", "10"), (180_000, "2.5", "15")])
def test_long_prompts_cost_what_their_length_there_does(
    tmp_path: Path, prompt: int, usd_in: str, usd_out: str
) -> None:
    """191,494 and 202,759 tokens: over 200,000 the whole request of gemini-2.5-pro costs more."""
    report = analyzed(tmp_path, labels(GPT, n=1, prompt=prompt))
    ratio = Decimal("0.98") / Decimal("0.87")
    ((told, _, _),) = on(report, "gemini-2.5-pro")
    assert told == (round(prompt * ratio) * Decimal(usd_in) + 23 * Decimal(usd_out)) / 10**6


def test_what_does_not_fit_into_a_million_stays(tmp_path: Path) -> None:
    """A million times 0.98 / 0.87 is more than 1,048,576; 930,000 times it is 1,047,586."""
    for prompt, stays in ((1_000_000, 1), (930_000, 0)):
        report = analyzed(tmp_path, labels(GPT, n=1, prompt=prompt))
        assert what_if(report.diagnosis, ["gemini-2.5-pro"])["staying gemini-2.5-pro"].to_list() == [stays]


def test_calls_of_a_model_whose_cache_promises_nothing_stay_as_they_were(tmp_path: Path) -> None:
    report = analyzed(tmp_path, [gemini.pair(gemini.answer(gemini.usage(1000, 10, cached=600)))])
    there = what_if(report.diagnosis, [FLASH, "claude-sonnet-4-6"])
    for model in (FLASH, "claude-sonnet-4-6"):
        assert there[f"staying {model}"].to_list() == [1]
        for name in (model, f"least {model}", f"most {model}"):
            assert there[name].to_list() == [report.summary.totals.usd]


def test_routing_by_force_has_the_same_range(tmp_path: Path) -> None:
    log = write(tmp_path / "runs.jsonl", *talk(OPUS))
    report = costscan.analyze(log, workers=1, settings={"routing.force": FLASH})
    ((told, least, most),) = on(report, FLASH)
    (forced,) = (
        report.scenarios.filter(scenario="routing").select("usd", "saved_low_usd", "saved_high_usd").rows()
    )
    billed = report.summary.totals.usd or Decimal(0)
    assert forced == (told, billed - most, billed - least)


def test_who_reads_a_matrix_is_told_what_is_taken_for_granted(tmp_path: Path) -> None:
    runs = what_if(analyzed(tmp_path, talk(OPUS)).diagnosis, [FLASH, MINI])
    said = " ".join(line.plain.strip() for line in matrix(runs, [FLASH, MINI], top=None, width=100))
    assert f"the cache of {FLASH} promises no hits: none are expected;" in said
    assert json.loads(encoded(runs, [FLASH, MINI]))["models_without_promised_hits"] == [FLASH]
    assert "promises" not in " ".join(line.plain for line in matrix(runs, [MINI], top=None, width=100))


def test_what_does_not_fit_stays(tmp_path: Path) -> None:
    report = analyzed(tmp_path, labels(GPT, n=1, prompt=120_000))
    assert what_if(report.diagnosis, ["gpt-4o"])["staying gpt-4o"].to_list() == [0]
    report = analyzed(tmp_path, labels(GPT, n=1, prompt=128_000))
    assert what_if(report.diagnosis, ["gpt-4o"])["staying gpt-4o"].to_list() == [1]


def test_single_short_answers_are_offered_a_small_model_of_the_maker(tmp_path: Path) -> None:
    report = analyzed(tmp_path, labels("gpt-5.4", n=8))
    (model,) = report.routes["to_model"].unique()
    assert class_of(model) == "haiku"
    assert other_models()[model].provider == "openai"
    row = report.summary.scenario("routing/runs")
    assert row is not None
    assert row.saved_usd
    assert row.saved_low_usd == row.saved_usd == row.saved_high_usd


def test_the_ratio_is_that_of_the_pair() -> None:
    moves = pl.DataFrame(
        {"model": [OPUS, "claude-opus-4-8", GPT, GPT], "to_model": [GPT, GPT, OPUS, MINI], "size_ratio": 9.0}
    )
    told = between_makers(moves)
    assert told["is_across"].to_list() == [True, True, True, False]
    assert told["size_ratio"].to_list() == pytest.approx([0.87, 0.87 / 1.3, 1 / 0.87, 9.0])
