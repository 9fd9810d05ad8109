"""What stands behind an action: the sums that it was chosen by, or what it mends."""

import polars as pl
import pytest

from costscan.actions import Advised
from costscan.actions.evidence import evidence_of
from costscan.actions.setting import BREAKPOINTS, CAP, COMPACT, TTL, Setting
from costscan.rulebook import Diagnosis


@pytest.fixture(scope="module")
def x(advised_samples: Advised) -> Diagnosis:
    return advised_samples


def told(x: Diagnosis, setting: Setting, found: pl.DataFrame | None = None) -> str:
    return evidence_of(x, setting, x.findings.clear() if found is None else found)


def test_a_lifetime_tells_what_each_of_them_costs(x: Diagnosis) -> None:
    runs = frozenset(x.runs.filter(pl.col("source") == "claude_code")["run_id"])
    usd = float(x.turns.filter(pl.col("run_id").is_in(list(runs)))["usd"].sum())
    said = told(x, Setting(TTL, runs, value="5m"))
    assert said.startswith(f"these calls cost ${usd:,.2f}; with five minutes $")
    assert ", an hour $" in said


def test_a_threshold_tells_how_many_prompts_are_longer(x: Diagnosis) -> None:
    runs = frozenset(x.runs["run_id"])
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    prompts = [sum(row) for row in x.turns.select(names).fill_null(0).rows()]
    over = sum(tokens > 40_000 for tokens in prompts)
    assert 0 < over < len(prompts)
    assert told(x, Setting(COMPACT, runs, value="40000")) == (
        f"{over} of {len(prompts)} prompts are longer, the longest has {max(prompts):,} tokens"
    )


def test_a_cap_tells_how_many_results_are_longer_unless_a_finding_tells_the_one(x: Diagnosis) -> None:
    runs, some = frozenset(x.runs["run_id"]), x.findings.head(1)
    results = x.tool_calls.filter(tool="Read")["result_tokens"].to_list()
    over = sum(tokens is not None and tokens > 1000 for tokens in results)
    assert over >= 3
    of_reads = told(x, Setting(CAP, runs, tool="Read", value="1000"), some)
    assert of_reads.startswith(f"{over} of {len(results)} results are longer")
    search = Setting(CAP, runs, tool="mcp__logs__search", value="4000")
    assert told(x, search, some) == some["message"][0]
    assert told(x, search).startswith("1 of 1 results are longer")


def test_of_several_findings_one_is_an_example(x: Diagnosis) -> None:
    setting = Setting(BREAKPOINTS, frozenset(x.runs["run_id"]))
    assert told(x, setting, x.findings.head(2)) == f"e.g. {x.findings['message'][0]}"
    read = x.turns["cache_read_tokens"].sum()
    assert told(x, setting).startswith(f"{read:,} of ")
