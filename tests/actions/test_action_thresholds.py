"""The limits of actions, each with a case just within it and one just beyond."""

from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from costscan import actions
from costscan.actions import evidence, promised
from costscan.actions.apart import Apart
from costscan.actions.candidates import _common, _is_worth_it, _of_tools
from costscan.actions.ranked import Ranked, is_worth_it, ranked
from costscan.actions.setting import CAP, COMPACT, ROUTE, Setting
from costscan.schema.frames import empty

RUN = frozenset({"r"})


@pytest.mark.parametrize(("used", "risk"), [(0.1, "low"), (0.101, "needs-eval"), (None, "low")])
def test_a_cap_is_to_be_tested_where_more_than_a_tenth_of_what_it_cuts_was_used(
    used: float | None, risk: str
) -> None:
    """What nothing tells of was not seen to be used: the replay takes a share of it to be fetched all the same."""
    known: Any = SimpleNamespace(
        choices=pl.DataFrame({"scenario": [CAP], "tool": ["Read"], "setting": ["2000"]}),
        scenarios=pl.DataFrame({"scenario": [CAP], "saved_usd": [3.0]}),
        caps=pl.DataFrame({
            "tool": ["Read"], "saved_usd": [3.0], "used_again_share": [used], "is_chosen": [True],
        }),
        tool_calls=pl.DataFrame({"tool": ["Read"], "run_id": ["r"]}),
        runs=pl.DataFrame({"run_id": ["r"], "source": ["messages_api"]}),
    )  # fmt: skip
    (cap,) = _of_tools(known)
    assert cap.risk == risk


@pytest.mark.parametrize(("value", "window"), [("99999", "100000"), ("100001", "100001")])
def test_the_client_compacts_from_a_hundred_thousand_tokens_on(value: str, window: str) -> None:
    """Its settings take no smaller window: https://code.claude.com/docs/en/settings."""
    runs = pl.DataFrame({"run_id": ["r"], "source": ["claude_code"], "parent_run_id": [None]})
    known: Any = SimpleNamespace(runs=runs, scenarios=empty("scenarios"), lifetimes=empty("lifetimes"))
    one = Setting(COMPACT, RUN, "t", client="claude_code", value=value, saved_usd=2.0)
    assert [told.value for told in _common(known, [one])] == [window]


@pytest.mark.parametrize(("saved", "cost", "total", "is_action"), [
    (0.0201, 1.0, 1.0, True), (0.02, 1.0, 1.0, False),
    (0.026, 1.0, 10.0, True), (0.025, 1.0, 10.0, False),
    (1.0, 1000.0, 1000.0, True), (0.99, 1000.0, 1000.0, False),
])  # fmt: skip
def test_an_action_saves_a_dollar_or_more_than_2_percent(
    saved: float, cost: float, total: float, *, is_action: bool
) -> None:
    """Of the runs that it changes; of all, more than a quarter of a percent: else nobody would make it."""
    setting = Setting(ROUTE, RUN, saved_usd=saved)
    assert _is_worth_it(setting, {"r": cost}, total) == is_action


@pytest.mark.parametrize(("over", "said"), [(2, ""), (3, "3 of 4 results are longer")])
def test_three_results_are_told_by_their_number(over: int, said: str) -> None:
    """One or two a finding tells better."""
    known: Any = SimpleNamespace(
        tool_calls=pl.DataFrame({"tool": ["Read"] * 4, "result_tokens": [2001] * over + [2000] * (4 - over)}),
        caps=pl.DataFrame(schema={"tool": pl.String, "cap_tokens": pl.Int64, "used_again_share": pl.Float64}),
    )
    assert evidence._of_cap(known, Setting(CAP, RUN, tool="Read", value="2000")) == said


@pytest.mark.parametrize(("pico", "is_action"), [(1_000_000_000, True), (999_999_999, False)])
def test_what_saves_a_tenth_of_a_cent_after_the_others_is_an_action(pico: int, *, is_action: bool) -> None:
    """0.001 USD are 10^9 pico-USD: nobody sets anything for less."""
    nothing = pl.DataFrame(schema={"run_id": pl.String, "saved_pico": pl.Int64})
    one = Ranked(Setting(ROUTE, RUN), pico, pico, pico, nothing)
    assert is_worth_it(one) == is_action


@pytest.mark.parametrize(("turns", "kept"), [(50_000, 16), (50_001, 6)])
def test_sixteen_settings_are_ranked_and_six_of_many_turns(
    turns: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that save most alone: each is replayed with all before it, which takes longer with the turns."""
    seen: list[Setting] = []

    def alone(_: object, apart: Apart, settings: list[Setting]) -> list[Setting]:
        assert apart.part_of == {}
        seen.extend(settings)
        return []

    monkeypatch.setattr(import_module("costscan.actions.ranked"), "_alone", alone)
    monkeypatch.setattr(Apart, "among", lambda *_: Apart({}, {}))
    steps = SimpleNamespace(height=turns)
    known = {"logged": SimpleNamespace(runs=None), "costs": SimpleNamespace(off=None), "done": list}
    space: Any = SimpleNamespace(plan=SimpleNamespace(steps=steps), **known)
    settings = [Setting(ROUTE, RUN, f"t{n}") for n in range(20)]
    assert ranked(space, settings, empty("routes")) == []
    assert seen == settings[:kept]


@pytest.mark.parametrize(("share", "confidence"), [
    (None, "medium"), (0.8, "high"), (0.79, "medium"), (0.5, "medium"), (0.49, "low"),
])  # fmt: skip
def test_how_sure_an_action_is(share: float | None, confidence: str) -> None:
    """By what came true on later runs: sure with four fifths of what was promised, not with less than half."""
    assert actions._confidence(share) == confidence


@pytest.mark.parametrize(("share", "state"), [
    ("0.9", "done"), ("0.89", "partly"), ("0.11", "partly"), ("0.1", "open"), (None, "unknown"),
])  # fmt: skip
def test_what_became_of_a_promise(share: str | None, state: str) -> None:
    """The last tenth is what runs differ by: nobody gets all of it, and some of it comes by itself."""
    assert promised._state(None if share is None else Decimal(share)) == state
