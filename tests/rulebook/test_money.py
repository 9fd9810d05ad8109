"""What findings cost: against a slow reference, never more than the run, and no matter how it is told."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import histories
from costscan.analysis import Analysis
from costscan.rulebook import Rule
from costscan.rulebook.pricing import Money
from diagnosed import findings_of, unpriced
from histories import Session, pairs, transcripts
from hypothesis_profile import examples
from logs import OPUS, SONNET, Json, assistant, at, tool_result, tool_use, usage, usd, user, write
from made_rules import QUERIES, made
from seen import analyzed
from slow_money import SlowRun, by_run, priced, slow_runs

CLOSE = Fraction(1, 10**9)
NOTHING = Fraction(0)
RANDOMS = st.randoms(use_true_random=False)


@contextmanager
def told(files: Mapping[str, Sequence[Json]]) -> Iterator[Analysis]:
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in files.items():
            write(Path(folder) / name, *lines)
        with analyzed(folder) as x:
            yield x


def close(found: Decimal | None, expected: Fraction | None) -> bool:
    if found is None or expected is None:
        return found is None and expected is None
    return abs(Fraction(found) - expected) <= CLOSE


def asked(how: str, runs: Mapping[str, SlowRun], random: Random) -> pl.DataFrame:
    """Ask for something in every run; of a block, turn or run once, so that nothing is left out."""
    rows: list[dict[str, Any]] = []
    for run_id, run in runs.items():
        last = len(run.turns) - 1
        turn, end = sorted((random.randint(0, last), random.randint(0, last)))
        one: dict[str, Any] = {"run_id": run_id, "turn": turn, "turn_end": end, "share": random.random()}
        if how in {"block", "ride"}:
            rows += [
                one | {"turn": random.randint(0, last + 1), "block": b["block"], "tokens": random.randint(-1, b["tokens"] + 2)}
                for b in run.blocks
            ]  # fmt: skip
        else:
            rows.append(one | {"block": 0, "tokens": random.randint(-5, 3000)})
    return pl.DataFrame(rows)


def agrees(x: Analysis, random: Random) -> None:
    money, runs = Money(unpriced(x), x.runs["run_id"]), slow_runs(x)
    for how in QUERIES:
        wanted = asked(how, runs, random)
        found = by_run(money.price(wanted, how))
        for run_id, rows in by_run(wanted).items():
            key = "block" if how in {"block", "ride"} else "turn"
            mine = {row[key]: row["usd"] for row in found[run_id]} if key == "block" else {}
            expected = priced(runs[run_id], how, rows)
            for row, cost in zip(rows, expected, strict=True):
                given = mine[row["block"]] if mine else found[run_id][0]["usd"]
                assert close(given, cost), (how, run_id, row, given, cost)


@examples(3)
@given(histories.WORLDS, RANDOMS)
def test_every_way_of_pricing_agrees_with_the_slow_reference(
    world: tuple[Session, ...], random: Random
) -> None:
    for files in (transcripts(world), pairs(world, named=True)):
        with told(files) as x:
            agrees(x, random)


def steady(turns: tuple[histories.Turn, ...]) -> Session:
    plain = [histories.Turn(OPUS, t.added, t.shares, t.out, t.tools, chars=t.chars) for t in turns]
    return Session(tuple(plain))


@examples(3)
@given(st.lists(histories.RUNS.map(steady), min_size=1, max_size=5).map(tuple))
def test_a_block_costs_what_its_tokens_cost_in_every_prompt(world: tuple[Session, ...]) -> None:
    with told(transcripts(world)) as x:
        money, runs = Money(unpriced(x), x.runs["run_id"]), slow_runs(x)
        blocks = x.blocks.filter(pl.col("turn_in") < pl.col("turn_out")).collect()
        frame = blocks.select("run_id", "block", "turn_in", "tokens", turn="turn_in")
        whole, again = (by_run(money.price(frame, how)) for how in ("block", "ride"))
        for run_id, run in runs.items():
            spent = {b["block"]: [run.of_block(b["block"], t) for t in range(b["turn_in"], b["turn_out"])]
                     for b in run.blocks}  # fmt: skip
            assert all(close(row["usd"], sum(spent[row["block"]], NOTHING)) for row in whole[run_id])
            # From its second prompt on a ride is exact; where nothing was paid again there is nothing to share.
            for row in again[run_id]:
                rest = sum(spent[row["block"]][1:], NOTHING)
                end = row["turn_in"] + len(spent[row["block"]])
                assert close(row["usd"], rest if run.again(row["turn_in"] + 1, end) else NOTHING)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> list[Rule]:
    return made(tmp_path_factory.mktemp("rules"))


@examples(3)
@given(histories.WORLDS)
def test_findings_of_a_rule_never_sum_to_more_than_the_run(
    rules: list[Rule], world: tuple[Session, ...]
) -> None:
    with told(transcripts(world)) as x:
        spent = dict(x.turns.group_by("run_id").agg(pl.col("usd").sum()).iter_rows())
        found = pl.concat([findings_of(x, [rule]) for rule in rules])
    sums = found.group_by("name", "run_id").agg(pl.col("usd").sum())
    assert set(sums["name"]) >= {"made-run", "made-output", "made-prompt"}
    for name, run_id, total in sums.iter_rows():
        assert 0 <= total <= spent[run_id] + Decimal("1e-9"), (name, run_id)


def counted(x: Analysis, rules: list[Rule]) -> Counter[tuple[Any, ...]]:
    """How often a finding of a rule, a cost and a fingerprint stands there."""
    return Counter(findings_of(x, rules).select("rule", "usd", "tokens", "fingerprint").iter_rows())


@examples(2)
@given(histories.WORLDS, RANDOMS)
def test_neither_names_nor_the_order_of_files_matter(
    rules: list[Rule], world: tuple[Session, ...], random: Random
) -> None:
    files = transcripts(world)
    with told(files) as x:
        expected = counted(x, rules)
        rows = findings_of(x, rules)
    assert expected
    names = [f"s{s}" for s in range(len(world))]
    new = dict(zip(names, random.sample([f"z{n}" for n in range(len(names))], len(names)), strict=True))

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: renamed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if not isinstance(value, str):
            return value
        first = next((name for name in sorted(names, reverse=True) if value.startswith(name)), None)
        return new[first] + value[len(first) :] if first else value

    with told({renamed(name): renamed(lines) for name, lines in files.items()}) as x:
        assert counted(x, rules) == expected
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / name, *lines) for name, lines in files.items()]
        random.shuffle(paths)
        with analyzed(*paths) as x:
            assert findings_of(x, rules).equals(rows)


def run_of(*models: str) -> list[Json]:
    """A session of a call per model, each of 1,000 tokens more, read from the cache but for the last 1,000."""
    lines: list[Json] = []
    for n, model in enumerate(models):
        said = [tool_result(f"t{n - 1}", "word " * 700)] if n else "go"
        used = usage(1000, read=1000 * n, out=10)
        lines.append(user(said, timestamp=at(100 * n)))
        lines.append(assistant(f"msg_{n}", used, model=model, content=[tool_use(f"t{n}", "Bash", n=n)]))
    return lines


def only(x: Analysis, how: str, **row: Any) -> list[Decimal | None]:
    plain = {"run_id": "s1", "turn": 0, "turn_end": 0, "block": 0, "tokens": 0, "share": 0.0}
    return Money(unpriced(x), x.runs["run_id"]).price(pl.DataFrame([plain | row]), how)["usd"].to_list()


def test_by_hand() -> None:
    with told({"a.jsonl": run_of(OPUS, OPUS, OPUS)}) as x:
        first, third = usd(OPUS, **{"in": 1000}, out=10), usd(OPUS, **{"in": 1000}, read=2000, out=10)
        assert only(x, "turns", turn=2, turn_end=2) == [third]
        assert only(x, "run", share=1.0) == [first + third + usd(OPUS, **{"in": 1000}, read=1000, out=10)]
        # 500 tokens that were sent before were read from the cache in the second and third turn.
        assert only(x, "prompt", turn=1, turn_end=2, tokens=500) == [usd(OPUS, read=1000)]
        assert only(x, "output", turn=1, tokens=4) == [usd(OPUS, out=4)]
        assert only(x, "output", turn=1, tokens=4000) == [usd(OPUS, out=10)]
        # In the first prompt nothing had been sent before: its tokens paid what it paid.
        assert only(x, "prompt", turn=0, turn_end=0, tokens=500) == [usd(OPUS, **{"in": 500})]


def test_what_has_no_price_costs_an_unknown_amount_and_what_follows_it_a_known_one() -> None:
    with told({"a.jsonl": run_of(OPUS, "nova-9", SONNET, SONNET)}) as x:
        assert only(x, "turns", turn=1, turn_end=2) == [None]
        assert only(x, "turns", turn=0, turn_end=0) == [usd(OPUS, **{"in": 1000}, out=10)]
        last = usd(SONNET, **{"in": 1000}, read=3000, out=10)
        assert only(x, "turns", turn=3, turn_end=3) == [last]
        assert only(x, "prompt", turn=3, turn_end=3, tokens=100) == [usd(SONNET, read=100)]
        assert only(x, "output", turn=1, tokens=3) == [None]
        assert only(x, "run", share=0.5) == [None]
        assert only(x, "block", block=0, tokens=10) == [None]


def test_a_run_without_any_price_has_findings_of_unknown_cost(rules: list[Rule]) -> None:
    with told({"a.jsonl": run_of("nova-9", "nova-9", "nova-9")}) as x:
        found = findings_of(x, rules)
    assert found.height > len(rules)
    # Two blocks are in the last prompt only: that they were never re-sent is known.
    known = found.filter(pl.col("usd").is_not_null())
    assert known.select("name", "usd", "turn").rows() == [("made-ride", 0, 4)] * 2


def test_turns_that_two_findings_share_are_paid_once() -> None:
    with told({"a.jsonl": run_of(OPUS, OPUS, OPUS)}) as x:
        spans = [(0, 1), (0, 2), (1, 2), (2, 2)]
        rows = [{"run_id": "s1", "turn": a, "turn_end": b} for a, b in spans]
        found = Money(unpriced(x), x.runs["run_id"]).price(pl.DataFrame(rows), "turns")
        assert found.select("turn", "turn_end").rows() == [(0, 2)]
        assert found["usd"].sum() == x.turns["usd"].sum()


def test_of_findings_on_one_block_the_most_expensive_counts(tmp_path: Path) -> None:
    sql = (
        "SELECT run_id, turn_in AS turn, turn_out - 1 AS turn_end, block, tokens FROM blocks WHERE turn_in < turn_out "
        "UNION ALL SELECT run_id, turn_in AS turn, turn_out - 1 AS turn_end, block, CAST(tokens / 2 AS BIGINT) AS tokens FROM blocks"
    )
    with told({"a.jsonl": run_of(OPUS, OPUS, OPUS)}) as x:
        found = findings_of(x, made(tmp_path, {"block": sql}))
        blocks = x.block_costs.filter(pl.col("entry_usd") + pl.col("carried_usd") > 0).collect()
    input_usd = (blocks["entry_usd"] + blocks["carried_usd"]).sum()
    assert found["usd"].sum() == input_usd
    assert found["block"].n_unique() == found.height


def test_columns_of_a_query_do_not_get_in_the_way_of_prices(tmp_path: Path) -> None:
    sql = (
        "SELECT b.run_id, b.turn_in AS turn, b.block, b.tokens, b.turn_in, 7 AS turn_out, c.skill, "
        "0 AS entry_usd, 0 AS carried_usd, 0 AS part, 1 AS usd, 2 AS all_tokens, 3 AS row "
        "FROM blocks b JOIN block_costs c ON b.run_id = c.run_id AND b.block = c.block WHERE b.kind = 'tool_result'"
    )
    with told({"a.jsonl": run_of(OPUS, OPUS, OPUS)}) as x:
        found = findings_of(x, made(tmp_path, {"block": sql}, message="{turn_out} {usd}"))
        results = x.block_costs.join(x.blocks.filter(pl.col("kind") == "tool_result"), on=["run_id", "block"])
        spent = results.select(pl.col("entry_usd") + pl.col("carried_usd")).sum().collect().item()
    assert found["usd"].sum() == spent > 0
    assert found["message"][0] == f"7 ${found['usd'][0]:,.2f}"
