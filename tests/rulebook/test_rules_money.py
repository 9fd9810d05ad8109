"""What findings cost: never more than the run, no dollar twice, the same whatever runs are called."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import histories
from applied import alone
from costscan import ingest
from costscan.actions import Advised
from costscan.analysis import Analysis, analyze
from costscan.rulebook import Rule, load_rules
from costscan.rulebook.pricing import WAYS, Money
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from histories import Session, transcripts
from hypothesis_profile import examples
from logs import write

KEEP: Final = ("min_runs", "min_calls", "min_errors", "min_readers", "min_agents")
"""Parameters without which a rule would not mean what it says."""


def eager(rule: Rule) -> Rule:
    """Return a rule that fires at the least occasion."""
    limits = {
        name: type(param.value)(0)
        for name, param in rule.params.items()
        if name.startswith(("min_", "max_tokens", "level", "max_system", "max_hidden", "max_file"))
        and name not in KEEP
    }
    return replace(rule, values=limits)


WHAT: Final = {
    "block": ["run_id", "block"],
    "ride": ["run_id", "block"],
    "turns": ["run_id", "turn"],
    "prompt": ["run_id", "turn"],
    "output": ["run_id", "turn"],
    "run": ["run_id"],
    "lost": ["run_id", "cause", "turn"],
    "lost-in-run": ["run_id", "cause", "turn"],
    "lost-at": ["run_id", "cause", "path", "turn"],
    "unread": ["run_id", "turn"],
    "written": ["run_id", "turn"],
    "saved": ["run_id"],
    "fast": ["run_id", "turn"],
    "thinking": ["run_id", "turn"],
    "switched": ["run_id", "turn"],
    "lifetime": ["run_id"],
}
"""What a finding is about, by how it is priced: nothing is asked for twice."""
OWN: Final = load_rules()
RULES: Final = [eager(rule) for rule in OWN]
ROUNDING: Final = pl.lit("0.000001").cast(pl.Decimal(38, 12))


@contextmanager
def analysis_of(world: tuple[Session, ...]) -> Iterator[Analysis]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / name, *lines) for name, lines in transcripts(world).items()]
        with ingest.read([str(path) for path in paths]) as reading:
            yield analyze(reading)


ONCE_PER_TASK: Final = {rule.name for rule in OWN if rule.summed}


def hold_no_dollar_twice(x: Analysis, found: pl.DataFrame, by: Sequence[str] = ("run_id",)) -> None:
    costs = x.turns.group_by("run_id").agg(cost=pl.col("usd").sum())
    sums = found.group_by(by).agg(pl.col("usd").sum()).join(costs, on="run_id", how="left")
    if "name" in by:
        runs = x.runs.select("run_id", "task", pl.col("agent").fill_null("")).join(costs, on="run_id")
        of_tasks = runs.with_columns(cost=pl.col("cost").sum().over("task", "agent")).drop("task", "agent")
        once = sums.filter(pl.col("name").is_in(ONCE_PER_TASK)).drop("cost").join(of_tasks, on="run_id")
        sums = pl.concat([sums.filter(~pl.col("name").is_in(ONCE_PER_TASK)), once.select(sums.columns)])
    assert sums.filter(pl.col("usd") > pl.col("cost") + ROUNDING).is_empty()
    assert found.filter(pl.col("usd") < 0).is_empty()


@examples(10)
@given(histories.WORLDS)
def test_no_rule_counts_a_dollar_twice(world: tuple[Session, ...]) -> None:
    with analysis_of(world) as x:
        hold_no_dollar_twice(x, findings_of(x, RULES), ("run_id", "name"))


@examples(8)
@given(histories.WORLDS, st.data())
def test_whatever_a_query_gives(world: tuple[Session, ...], data: st.DataObject) -> None:
    with analysis_of(world) as x:
        known = x.blocks.select("run_id", "block", "turn_in").collect()
        places = st.sampled_from(known.rows() or [("none", 0, 0)])
        span = st.integers(0, 6)
        drawn = data.draw(
            st.lists(st.tuples(places, span, span, st.integers(0, 10**6), st.floats(0, 2)), max_size=12)
        )
        found = pl.DataFrame(
            [
                (run, turn + late, turn + late + more, block, tokens, share)
                for (run, block, turn), late, more, tokens, share in drawn
            ],
            schema={"run_id": pl.String, "turn": pl.Int64, "turn_end": pl.Int64, "block": pl.Int64,
                    "tokens": pl.Int64, "share": pl.Float64},
            orient="row",
        ).with_columns(cause=pl.lit("expired"), path=pl.lit("prompt"), scenario=pl.lit("caching"), cheaper=pl.lit("5m"))  # fmt: skip
        last = x.runs.select("run_id", last=pl.col("n_turns") - 1)
        inside = found.join(last, on="run_id").with_columns(
            pl.min_horizontal("turn", "last"), turn_end=pl.min_horizontal("turn_end", "last")
        )
        money = Money(price_scenarios(x, alone("caching")), inside["run_id"].unique())
        for how in WAYS:
            priced = money.price(inside.drop("last"), how)
            hold_no_dollar_twice(x, priced)
            assert not priced.select(WHAT[how]).is_duplicated().any()
            covered = priced.select("run_id", pl.int_ranges("turn", pl.col("turn_end") + 1).alias("turn"))
            assert (
                how not in {"turns", "prompt", "lost", "lost-in-run", "lost-at", "unread", "fast", "thinking"}
                or not covered.explode("turn").is_duplicated().any()
            )


def renamed(x: Analysis) -> Analysis:
    """Return the analysis with other names for its runs, in another order."""

    def anew(*columns: str) -> list[pl.Expr]:
        return [pl.col(column).str.reverse() + "~" for column in columns]

    frames: dict[str, Any] = {
        name: getattr(x, name).with_columns(anew("run_id"))
        for name in ("growth", "prefix_breaks", "tool_calls", "blocks", "block_costs")
    }
    frames["logged_requests"] = replace(
        x.logged_requests, steps=x.logged_requests.steps.with_columns(anew("run_id"))
    )
    turns = x.turns.with_columns(anew("run_id", "root_run_id"))
    runs = x.runs.with_columns(anew("run_id", "root_run_id", "parent_run_id"))
    return replace(x, runs=runs, turns=turns, **frames)


def told(found: pl.DataFrame) -> list[tuple[Any, ...]]:
    columns = ("name", "fingerprint", "tokens", "usd", "message")
    return sorted(found.select(columns).rows(), key=repr)


@examples(6)
@given(histories.WORLDS)
def test_the_names_of_runs_do_not_matter(world: tuple[Session, ...]) -> None:
    with analysis_of(world) as x:
        assert told(findings_of(renamed(x), RULES)) == told(findings_of(x, RULES))


@pytest.fixture(scope="module")
def told_of_samples(advised_samples: Advised) -> tuple[Analysis, pl.DataFrame]:
    x = advised_samples
    return x, findings_of(x, OWN).join(x.runs.select("run_id", log="path"), on="run_id")


@pytest.mark.parametrize(
    ("story", "names"),
    [
        ("healthy-cached-run", set()),
        ("bloated-tool-result", {"bloated-tool-result"}),
        ("loop-of-twelve", {"repeated-tool-call"}),
        ("sub-agents", {"duplicated-subagent-context"}),
        ("timestamp-in-system-prompt", {"volatile-prefix"}),
        ("idle-hour", {"cache-expired"}),
        ("one-item-per-run", {"no-caching", "one-item-per-run"}),
        ("dearest-model-for-everything", {"over-qualified-model"}),
        ("headless-stream", set()),
    ],
)
def test_sample_logs_give_the_findings_of_their_story(
    told_of_samples: tuple[Analysis, pl.DataFrame], story: str, names: set[str]
) -> None:
    found = told_of_samples[1].filter(pl.col("log").str.contains(f"/{story}/"))
    assert set(found["name"]) == names


def test_no_dollar_of_the_sample_logs_is_found_twice_and_what_is_accepted_is_gone(
    told_of_samples: tuple[Analysis, pl.DataFrame],
) -> None:
    x, found = told_of_samples
    hold_no_dollar_twice(x, found, ("run_id", "name"))
    assert findings_of(x, OWN, frozenset(found["fingerprint"])).is_empty()
