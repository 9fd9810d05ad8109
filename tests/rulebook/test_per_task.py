"""Findings that are told once per task: placed at the most expensive run, with sums; unknown prices apart."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from costscan.errors import CostscanError
from costscan.rulebook import load_rules
from costscan.rulebook.per_task import told_once, with_fingerprints
from costscan.rulebook.rule import Rule, read_rule
from costscan.rulebook.sql import compile_rule

RULE = next(rule for rule in load_rules(cases=False) if rule.name == "wrong-ttl")
NAMES = {"r1": ("task", None), "r2": ("task", None), "r3": ("task", None), "s1": ("task", "Explore")}


def told(*rows: tuple[str, int, str | None], rule: Rule = RULE) -> list[tuple[str, int, Decimal | None]]:
    found = pl.DataFrame(
        [(run, 0, n, "5m", None if usd is None else Decimal(usd)) for run, n, usd in rows],
        schema={"run_id": pl.String, "turn": pl.Int64, "tokens": pl.Int64, "cheaper": pl.String,
                "usd": pl.Decimal(38, 12)},
        orient="row",
    )  # fmt: skip
    made = replace(rule, summed=("tokens",) if rule.summed else ())
    return sorted(
        told_once(made, with_fingerprints(rule, found, NAMES)).select("run_id", "tokens", "usd").rows()
    )


def test_runs_of_a_task_are_summed_at_the_most_expensive() -> None:
    rows = (("r1", 5, "1"), ("r2", 3, "2"), ("s1", 7, "4"), ("r3", 1, "-0.5"))
    assert told(*rows) == [("r2", 9, Decimal("2.5")), ("s1", 7, Decimal(4))]


def test_what_has_no_price_is_told_apart() -> None:
    assert told(("r1", 5, "1"), ("r2", 3, None), ("r3", 4, None)) == [
        ("r1", 5, Decimal(1)),
        ("r3", 7, None),
    ]


def test_what_loses_in_sum_is_no_finding_and_what_costs_nothing_is() -> None:
    assert told(("r1", 5, "1"), ("r2", 3, "-2")) == []
    assert told(("r1", 5, "0")) == [("r1", 5, Decimal(0))]


def test_other_rules_tell_each_run() -> None:
    assert len(told(("r1", 5, "1"), ("r2", 3, "2"), rule=replace(RULE, summed=()))) == 2


def test_only_numbers_of_the_query_can_be_summed(tmp_path: Path) -> None:
    text = RULE.path.read_text(encoding="utf-8")
    for wrong in ('["no"]', '["cheaper"]'):
        path = tmp_path / "wrong-ttl.toml"
        path.write_text(text.replace('summed = ["runs",', f"summed = {wrong[:-1]},"), encoding="utf-8")
        with pytest.raises(CostscanError, match="summed names"):
            compile_rule(read_rule(path))


def test_what_a_client_is_set_for_is_one_fault_of_several_tasks() -> None:
    names = {"r1": ("task", None), "r2": ("other", None), "s1": ("task", "Explore")}
    found = pl.DataFrame(
        {
            "run_id": ["r1", "r2", "s1"],
            "turn": [0, 0, 0],
            "tokens": [5, 3, 7],
            "cheaper": ["5m"] * 3,
            "subject": ["sessions", "sessions", "sub-agents"],
        }
    )
    made = replace(RULE, summed=("tokens",))
    one = told_once(made, with_fingerprints(RULE, found, names))
    assert sorted(one.select("run_id", "tokens").rows()) == [("r1", 8), ("s1", 7)]
    apart = told_once(made, with_fingerprints(RULE, found.drop("subject"), names))
    assert apart.height == 3
