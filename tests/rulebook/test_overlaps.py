"""What several rules find in one run: one block is told once, and the bill is shared out once."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from costscan.rulebook import Rule
from costscan.rulebook.rule import read_rule
from diagnosed import findings_of
from logs import assistant, at, tool_result, tool_use, usage, user, write
from made_rules import toml
from seen import analyzed

WHOLE = "SELECT run_id, turn FROM turns WHERE turn = 1"
BLOCK = "SELECT run_id, turn_in AS turn, block, tool, tokens FROM blocks WHERE kind = 'tool_result'"
RUN = "SELECT run_id, CAST(0.9 AS DOUBLE) AS share FROM runs"
WRITTEN = "SELECT run_id, turn, CAST(5000 AS BIGINT) AS tokens FROM turns WHERE turn = 1"
UNREAD = "SELECT run_id, turn, turn AS turn_end, CAST(5000 AS BIGINT) AS tokens FROM turns WHERE turn = 1"


def rule(folder: Path, name: str, price: str, sql: str, query: str = "") -> Rule:
    text = toml(price, sql, name=name, id=name).replace("[query]\n", f"[query]\n{query}")
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_rule(path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    calls = [
        assistant(f"m{n}", usage(0, read=0 if n == 1 else 6000 * n, w5m=6000, out=10),
                  content=[tool_use(f"t{n}", "Bash", n=n)], timestamp=at(9 * n))
        for n in range(3)
    ]  # fmt: skip
    results = [user([tool_result(f"t{n}", f"answer{n} " * 900)], timestamp=at(9 * n + 5)) for n in range(3)]
    lines = [line for both in zip(calls, results, strict=True) for line in both]
    return write(tmp_path / "s.jsonl", user("go", timestamp=at(0)), *lines)


def told(log: Path, *rules: Rule) -> dict[str, Decimal]:
    with analyzed(log) as x:
        found = findings_of(x, rules)
    return dict(found.group_by("name").agg(pl.col("usd").sum()).iter_rows())


def test_a_block_is_told_by_the_rule_that_finds_it_more_expensive(log: Path, tmp_path: Path) -> None:
    whole, half = (
        rule(tmp_path, "whole", "block", BLOCK),
        rule(
            tmp_path,
            "part",
            "block",
            BLOCK.replace("tokens FROM", "CAST(tokens / 2 AS BIGINT) AS tokens FROM"),
        ),
    )
    assert set(told(log, half)) == {"part"}
    assert told(log, half, whole) == told(log, whole)


def test_what_the_cache_lost_is_shared_out_once(log: Path, tmp_path: Path) -> None:
    unread, written = (
        rule(tmp_path, "unread", "unread", UNREAD),
        rule(tmp_path, "written", "written", WRITTEN),
    )
    alone = told(log, unread)["unread"] + told(log, written)["written"]
    both = told(log, unread, written)
    with analyzed(log) as x:
        price = x.turns.filter(turn=1)["usd"].item()
    assert sum(both.values(), Decimal(0)) < alone
    assert sum(both.values(), Decimal(0)) <= price


def test_a_share_of_a_run_is_priced_last_and_all_sum_to_the_bill(log: Path, tmp_path: Path) -> None:
    run, turn = rule(tmp_path, "run", "run", RUN), rule(tmp_path, "turn", "turns", WHOLE)
    with analyzed(log) as x:
        bill = x.turns["usd"].sum()
    both = told(log, run, turn)
    assert both["turn"] == told(log, turn)["turn"]
    assert both["turn"] < both["run"] < told(log, run)["run"]
    assert sum(both.values(), Decimal(0)) <= Decimal(bill) + Decimal("1e-9")


def test_what_another_rule_found_is_left_to_it(log: Path, tmp_path: Path) -> None:
    turn = rule(tmp_path, "turn", "turns", WHOLE)
    leaves = rule(tmp_path, "leaves", "block", BLOCK, 'leaves_to = ["turn"]\n')
    assert set(told(log, leaves)) == {"leaves"}
    with analyzed(log) as x:
        found = findings_of(x, [turn, leaves]).filter(name="leaves")
    assert found["turn"].to_list() == []


def test_of_a_share_of_a_run_that_others_explain_nearly_all_nothing_is_told(
    log: Path, tmp_path: Path
) -> None:
    every = rule(tmp_path, "every", "turns", "SELECT run_id, turn FROM turns")
    run = rule(tmp_path, "run", "run", RUN)
    assert set(told(log, run)) == {"run"}
    assert set(told(log, run, every)) == {"every"}


def test_turns_of_which_half_are_in_a_loop_are_left_to_the_loop(log: Path, tmp_path: Path) -> None:
    """A loop is told from its second round on, a row of failures from one turn before."""
    loop = rule(tmp_path, "loop", "turns", "SELECT run_id, turn FROM turns WHERE turn = 1")
    span = "SELECT run_id, turn, turn + {more} AS turn_end FROM turns WHERE turn = 0"
    half, third = (
        rule(tmp_path, name, "turns", span.format(more=more), 'leaves_to = ["loop"]\n')
        for name, more in (("half", 1), ("third", 2))
    )
    assert set(told(log, loop, half)) == {"loop"}
    assert "third" in told(log, loop, third)
