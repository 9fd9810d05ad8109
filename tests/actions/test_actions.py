"""Actions: what each saves adds up, is what a replay of that setting alone has, and is told once."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billed import ROOT
from costscan.actions import Advised, advise
from costscan.actions.candidates import candidates
from costscan.actions.clients import LEAST_WINDOW, is_settable, limit_of
from costscan.actions.composed import Composer
from costscan.actions.fixes import how
from costscan.actions.ranked import Ranked, is_worth_it, judged
from costscan.actions.setting import ASYNC, CAP, COMPACT, ROUTE, TTL, Setting
from costscan.actions.words import KINDS
from costscan.levers.catalogue import CATALOGUE
from costscan.rulebook import find, load_rules
from costscan.scenarios import price_scenarios
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from costscan.summary.actions import actions
from costscan.summary.cost_of import is_test
from diagnosed import diagnosed
from seen import analyzed

STORIES = {
    "bloated-tool-result": "trimming/cap-tool-results",
    "timestamp-in-system-prompt": "caching/fix-prefix",
    "one-item-per-run": "caching/breakpoints",
    "idle-hour": "caching/ttl",
    "dearest-model-for-everything": "routing/runs",
}
"""By sample, what is to be done first."""


def advised(*paths: Path) -> Iterator[Advised]:
    with analyzed(*paths) as x:
        yield advise(find(price_scenarios(x), load_rules(cases=False)))


@pytest.fixture(scope="module")
def samples(advised_samples: Advised) -> Advised:
    return advised_samples


def test_what_they_save_adds_up_to_what_is_left(samples: Advised) -> None:
    rows = samples.actions
    assert rows.height >= 6
    left = Decimal(samples.turns["usd"].sum())
    for rank, (number, saved, after) in enumerate(rows.select("rank", "saved_usd", "usd_after").rows(), 1):
        left -= saved
        assert (number, after) == (rank, left)
        assert saved > 0
    assert rows["id"].n_unique() == rows.height


def test_what_changes_answers_comes_after_what_does_not(samples: Advised) -> None:
    told = actions(samples)
    able = [action for action in told if action["is_settable"]]
    assert told[: len(able)] == able
    tests = [is_test(action) for action in able]
    assert tests == sorted(tests)
    assert any(tests)
    assert not all(tests)


def test_what_saves_most_after_those_before_it_comes_first(samples: Advised) -> None:
    """Two that mend the same waste: the second saves what the first leaves of it, and stands where that is."""
    saved = {False: list[Decimal](), True: list[Decimal]()}
    for action in actions(samples):
        if action["is_settable"]:
            saved[is_test(action)].append(action["saved_usd"])
    assert all(some == sorted(some, reverse=True) for some in saved.values())
    assert any(action["saved_usd"] < action["saved_alone_usd"] for action in actions(samples))


def test_a_saving_lies_in_its_range(samples: Advised) -> None:
    rows = actions(samples)
    assert all(row["saved_low_usd"] <= row["saved_usd"] <= row["saved_high_usd"] for row in rows)
    by_part = {row["scenario"]: row for row in rows}
    # A lifetime changes no token; what a cut result holds is estimated.
    assert by_part[TTL]["saved_low_usd"] == by_part[TTL]["saved_high_usd"]
    assert by_part[CAP]["saved_low_usd"] < by_part[CAP]["saved_usd"] < by_part[CAP]["saved_high_usd"]


def test_a_batch_that_may_lose_is_not_proposed(samples: Advised) -> None:
    """With its cache hits at their worst, a batch of these cached requests costs more than they did."""
    low = samples.scenarios.filter(scenario=ASYNC).select(pl.col("saved_usd", "saved_low_usd").sum()).row(0)
    assert low[0] > 0
    assert ASYNC not in samples.actions["scenario"]


def test_one_setting_is_told_once(samples: Advised) -> None:
    rows = samples.actions
    assert rows.select("scenario", "subject").is_unique().all()


@pytest.mark.parametrize(("story", "part"), STORIES.items())
def test_a_story_ends_in_its_action(story: str, part: str) -> None:
    (found,) = advised(ROOT / "sample_logs" / story)
    first = found.actions.row(0, named=True)
    assert first["scenario"] == part
    assert first["how"]


def test_a_healthy_run_has_none() -> None:
    (found,) = advised(ROOT / "sample_logs/healthy-cached-run")
    assert found.actions.is_empty()


def test_a_setting_for_all_runs_costs_what_its_scenario_says(samples: Advised) -> None:
    """Each part set for all runs, by the composition of actions, is what the scenario of that part replays."""
    x = samples
    workspace = Workspace(x, Settings())
    chosen = x.choices
    every = frozenset(x.runs["run_id"])
    routed = {"routing": [Setting(ROUTE, every)]}
    for part, settings in (as_set(chosen, every) | routed).items():
        (outcome,) = workspace.done([Composer(workspace, x.routes).outcome_of(settings)])
        rows = x.scenarios.filter(scenario=part)
        base = workspace.logged.runs.select("run_id", was="known_pico_usd")
        of_group = x.runs.select("run_id", "task", "agent")
        both = outcome.runs.join(base, on="run_id").join(rows, on="run_id").join(of_group, on="run_id")
        # Where a task would cost more it stays as it was in the scenario.
        changed = both.filter((pl.col("saved_usd") != 0).any().over(pl.struct("task", "agent")))
        saved = int((changed["was"] - changed["known_pico_usd"]).sum())
        assert changed.height, part
        assert abs(saved - int(changed["saved_usd"].sum() * 10**12)) <= changed.height, part


def as_set(chosen: pl.DataFrame, every: frozenset[str]) -> dict[str, list[Setting]]:
    caps = [Setting(CAP, every, tool=tool, value=value)
            for tool, value in chosen.filter(scenario=CAP).select("tool", "setting").rows()]  # fmt: skip
    by_run = {
        part: [Setting(part, frozenset({run}), value=value)
               for run, value in chosen.filter(scenario=part).select("run_id", "setting").rows()]
        for part in (TTL, COMPACT)
    }  # fmt: skip
    plain = (
        "caching/fix-prefix",
        "caching/breakpoints",
        "trimming/drop-repeated-results",
        "batching/pack-items",
    )
    return {CAP: caps, **by_run, **{part: [Setting(part, every)] for part in plain}}


def test_there_is_a_word_for_each_part_of_a_lever() -> None:
    parts = {f"{lever.name}/{part.name}" for lever in CATALOGUE for part in lever.parts}
    assert parts - set(KINDS) == {"routing/effort", "caching/explicit-cache"}
    names = {rule.name for rule in load_rules(cases=False)}
    assert {name for kind in KINDS.values() for name in kind.rules} <= names


def test_where_nothing_saves_there_is_nothing_to_do() -> None:
    with analyzed(ROOT / "sample_logs/healthy-cached-run") as x:
        assert advise(diagnosed(x)).actions.is_empty()


def test_a_failure_leaves_the_rest_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such run")

    monkeypatch.setattr("costscan.actions.candidates", broken)
    with analyzed(ROOT / "sample_logs/healthy-cached-run") as x:
        found = advise(diagnosed(x))
    assert found.actions.is_empty()
    assert "no such run" in found.reasons["actions"]


@pytest.mark.parametrize(("tool", "limit"), [
    ("mcp__logs__search", ("MAX_MCP_OUTPUT_TOKENS", 4000)), ("Bash", ("BASH_MAX_OUTPUT_LENGTH", 16000)),
    ("Read", ("CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS", 4000)), ("WebFetch", None),
])  # fmt: skip
def test_what_limits_a_tool_of_claude_code(tool: str, limit: tuple[str, int] | None) -> None:
    setting = Setting(CAP, frozenset(), tool=tool, value="4000")
    assert limit_of(setting) == limit
    assert is_settable(setting, "claude_code") == (limit is not None)
    assert is_settable(setting, "messages_api")


def test_a_client_that_is_set_as_a_whole_has_one_threshold_and_no_smaller_one_than_it_takes(
    samples: Advised,
) -> None:
    found = candidates(find(samples, ()))
    of_client = [one for one in found if one.part == COMPACT and one.client == "claude_code"]
    assert len(of_client) <= 1
    assert all(int(one.value or 0) >= LEAST_WINDOW for one in of_client)


def test_without_the_rule_that_explains_it_an_action_still_says_what_to_do() -> None:
    with analyzed(ROOT / "sample_logs/bloated-tool-result") as x:
        found = advise(find(price_scenarios(x), ()))
    (first,) = found.actions.head(1).to_dicts()
    assert (first["rule"], first["how"]) == (None, first["title"])
    assert "actions" not in found.reasons


@pytest.mark.parametrize(
    ("agent", "key"), [(None, "promptCacheTtl"), ("sub-agent", "subagentPromptCacheTtl")]
)
def test_a_lifetime_is_set_where_its_prompts_are_sent(agent: str | None, key: str) -> None:
    rule = next(rule for rule in load_rules(cases=False) if rule.name == "wrong-ttl")
    setting = Setting(TTL, frozenset(), agent=agent, client="claude_code", value="5m")
    assert how(rule, setting, "claude_code", None) == f'"{key}": "5m" in .claude/settings.json'


def test_a_batch_isjudged_at_the_middle_of_what_it_may_save() -> None:
    nothing = pl.DataFrame(schema={"run_id": pl.String, "saved_pico": pl.Int64})
    batch = Ranked(Setting(ASYNC, frozenset({"r"})), 3 * 10**9, 10**9, 3 * 10**9, nothing)
    assert judged(batch) == 2 * 10**9
    assert is_worth_it(batch)
    assert not is_worth_it(batch._replace(low_pico=0))
    route = batch._replace(setting=Setting(ROUTE, frozenset({"r"})), low_pico=0)
    assert judged(route) == 3 * 10**9
    assert is_worth_it(route)
