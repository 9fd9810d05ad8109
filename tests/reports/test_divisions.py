"""Every division of the bill is the whole bill: blocks, parts, servers, skills, kinds, agents, tools; and skills."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given

import histories
from costscan.actions import Advised
from costscan.attribution import PARTS
from costscan.attribution.parts import UNSHOWN
from costscan.rulebook import Diagnosis
from costscan.summary.breakdowns import DIVISIONS, MAIN, NO_SERVER, NO_SKILL
from costscan.summary.story import KINDS, story
from costscan.summary.tables import by_tool
from diagnosed import diagnosed
from histories import Session, pairs, transcripts
from hypothesis_profile import examples
from logs import (
    OPUS,
    Json,
    assistant,
    at,
    progress,
    result,
    text,
    tool_result,
    tool_use,
    usage,
    usd,
    user,
    write,
)
from recording import SIDE_TOTAL, main_total, stream
from seen import analyzed, see_each

NO_BLOCK = (UNSHOWN, PARTS["search"], PARTS["unlogged"])
PICO = Decimal("1e-12")


@contextmanager
def told(files: Mapping[str, Sequence[Json]]) -> Iterator[Advised]:
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in files.items():
            write(Path(folder) / name, *lines)
        with analyzed(folder) as x:
            yield diagnosed(x)


def sums(frame: pl.DataFrame) -> dict[str, Decimal]:
    """Sum three columns of costs by run."""
    return {run: a + b + c for run, a, b, c in frame.group_by("run_id").agg(pl.all().sum()).iter_rows()}


def is_whole(x: Diagnosis) -> None:
    """Check every division of the bill, and every turn of the stories of its runs."""
    bill = Decimal(x.turns["usd"].sum())
    spent = dict(x.turns.group_by("run_id").agg(pl.col("usd").sum()).iter_rows())
    costs = ("run_id", "entry_usd", "carried_usd", "output_usd")
    blocks = sums(x.block_costs.select(costs).collect())
    pico = {n: (pl.col(n).cast(pl.Decimal(38, 12)) * PICO).alias(n) for n in ("pico_usd", "output_pico_usd")}
    parts = x.parts.with_columns(*pico.values(), none=pl.lit(Decimal(0)))
    shown, rest = (
        sums(parts.filter(only).select("run_id", "none", "pico_usd", "output_pico_usd"))
        for only in (~pl.col("kind").is_in(NO_BLOCK), pl.col("kind").is_in(NO_BLOCK))
    )
    for run_id, usd_of_run in spent.items():
        assert blocks.get(run_id, 0) == shown.get(run_id, 0), run_id
        assert blocks.get(run_id, 0) + rest.get(run_id, 0) == usd_of_run, run_id
    assert set(blocks) <= set(spent)
    for name, divided in {**DIVISIONS, "tool": by_tool}.items():
        table = divided(x)
        assert sum(table["usd"].drop_nulls(), Decimal(0)) == bill, name
        assert table[name].is_unique().all(), name
    for name, divided in DIVISIONS.items():
        table = divided(x)
        told_apart = table.filter(~pl.col(name).is_in([PARTS["unlogged"]]))
        whole = told_apart["entry_usd"] + told_apart["carried_usd"]
        assert whole.equals(told_apart["usd"].rename(whole.name)), name


@examples(4)
@given(histories.WORLDS)
def test_every_division_is_the_whole_bill(world: tuple[Session, ...]) -> None:
    for files in (transcripts(world), pairs(world, named=True)):
        with told(files) as x:
            is_whole(x)
            runs = x.runs["run_id"].to_list()
            for run_id in runs[:3]:
                tells_the_run(x, run_id)


def tells_the_run(x: Advised, run_id: str) -> None:
    """Check that a story has the turns of its run, and each prompt is made of its kinds up to the first cut."""
    found = story(x, run_id)
    turns = x.turns.filter(run_id=run_id).sort("turn")
    growth = x.growth.filter(run_id=run_id).sort("turn")
    assert found.turns["turn"].to_list() == turns["turn"].to_list()
    assert found.turns["usd"].equals(turns["usd"])
    assert found.blocks["usd"].is_sorted(descending=True)
    tools = found.blocks.filter(pl.col("tool").is_not_null())["usd"].sum()
    assert found.tools["usd"].sum() == tools
    model = turns["model"][0]
    for row, dropped, own in zip(
        found.turns.iter_rows(named=True), growth["dropped_tokens"], turns["model"], strict=True
    ):
        if dropped or own != model:
            break
        assert sum(row[kind] for kind in KINDS) == row["prompt_tokens"], (run_id, row["turn"])


def test_what_is_not_in_the_log_is_divided_too() -> None:
    told_of = [*stream(2), result(1, {OPUS: main_total(2), "claude-haiku-4-5-20251001": SIDE_TOTAL})]
    with told({"a.jsonl": told_of}) as x:
        is_whole(x)
        for name in ("agent", "kind"):
            row = DIVISIONS[name](x).row(by_predicate=pl.col(name) == PARTS["unlogged"], named=True)
            assert row["usd"] > 0
            assert row["entry_usd"] is row["carried_usd"] is None
        assert DIVISIONS["kind"](x).filter(kind=PARTS["unlogged"])["calls"].to_list() == [None]
        assert x.turns["usd"].sum() > sum(x.block_costs.collect()["entry_usd"], Decimal(0))


def test_hostile_names_do_not_take_what_is_not_theirs() -> None:
    """Names of logs that look like those of the rows that belong to nobody."""
    names = ["(user)", "(not in the log)", "(unlogged)", "mcp__(no server)__x", "mcp__a\nb__c", "mcp____", ""]
    lines: list[Json] = []
    for n, name in enumerate(names):
        lines += [user([tool_result(f"t{n - 1}", "r" * 900)] if n else "go", timestamp=at(n))]
        lines += [
            assistant(
                f"msg_{n}",
                usage(1000 + 100 * n, out=30),
                content=[tool_use(f"t{n}", name or "x", skill=name)],
            )
        ]
    with told({"a.jsonl": lines}) as x:
        is_whole(x)
        found = DIVISIONS["server"](x)
        assert found.filter(server=NO_SERVER).height == 1


def loading(call_id: str = "t1", **given: Any) -> list[Json]:
    """A session that loads a skill: its call, its result, and the text that the client adds for the call."""
    return [
        user("go", timestamp=at(0)),
        assistant("msg_1", usage(1000, out=50), content=[tool_use("t1", "Skill", **given)], timestamp=at(1)),
        user([tool_result("t1", "Launching skill")], timestamp=at(2)),
        user([text("guide " * 200)], timestamp=at(2), isMeta=True, sourceToolUseID=call_id),
        assistant("msg_2", usage(2000, out=5), timestamp=at(3)),
        assistant("msg_3", usage(2100, out=5), timestamp=at(4)),
    ]


CASES: dict[str, list[Json]] = {
    "named": loading(skill="pdf"),
    "by command": loading(command="pdf --fast"),
    "a word first": loading(skill="pdf", command="other"),
    "empty": loading(skill="  "),
    "no word": loading(skill=["pdf"]),
    "nothing": loading(),
    "of another call": loading("t9", skill="pdf"),
    "text, not blocks": [
        line | {"message": {"role": "user", "content": "guide " * 200}} if "sourceToolUseID" in line else line
        for line in loading(skill="pdf")
    ],
    "id that is no word": [line | {"sourceToolUseID": 7} if "sourceToolUseID" in line else line
                           for line in loading(skill="pdf")],
}  # fmt: skip
LOADED = {"named": 3, "by command": 3, "a word first": 3, "of another call": 2, "text, not blocks": 3,
          "id that is no word": 2}  # fmt: skip
"""How many blocks belong to the skill: the call, the result, the text."""


def test_what_belongs_to_a_skill(tmp_path: Path) -> None:
    each = see_each(tmp_path, CASES, blocks=True)
    for name, turns in each.items():
        run = turns["run_id"][0]
        own = each.seen.parts.filter(pl.col("run_id") == run, pl.col("skill").is_not_null())
        kinds = sorted(own["kind"].unique())
        assert own["skill"].unique().to_list() == (["pdf"] if name in LOADED else []), name
        expected = (
            ["text", "tool_result", "tool_use"] if LOADED.get(name) == 3 else ["tool_result", "tool_use"]
        )
        assert kinds == (expected if name in LOADED else []), name


def test_the_bill_by_skill() -> None:
    with told({"a.jsonl": CASES["named"]}) as x:
        is_whole(x)
        found = {row["skill"]: row for row in DIVISIONS["skill"](x).iter_rows(named=True)}
        blocks = x.blocks.join(x.block_costs, on=["run_id", "block"]).collect()
    assert set(found) == {"pdf", NO_SKILL}
    assert found["pdf"]["calls"] == LOADED["named"]
    assert found[NO_SKILL]["calls"] is found[NO_SKILL]["max_tokens"] is None
    own = blocks.filter(skill="pdf")
    # The 50 tokens of the call are input of the second turn, and all blocks were sent plain twice.
    assert own.filter(kind="tool_use")["tokens"].to_list() == [50]
    sent = int(own["tokens"].sum())
    assert found["pdf"]["usd"] == usd(OPUS, **{"in": 2 * sent}, out=50)
    assert found["pdf"]["carried_usd"] == usd(OPUS, **{"in": sent})


def test_a_skill_of_a_sub_agent_is_not_one_of_its_session() -> None:
    own = [line | {"isSidechain": True} for line in loading(skill="pdf")]
    main = [user("start"), assistant("msg_m", usage(10, out=1))]
    with told({"a.jsonl": [*main, *(progress(line) for line in own)]}) as x:
        found = x.parts.filter(pl.col("skill").is_not_null())
        assert found["run_id"].unique().to_list() == ["s1/agent-a1"]
        agents = {row["agent"]: row["usd"] for row in DIVISIONS["agent"](x).iter_rows(named=True)}
    assert agents == {
        MAIN: usd(OPUS, **{"in": 10}, out=1),
        "sub-agent": usd(OPUS, **{"in": 1000 + 2000 + 2100}, out=60),
    }


@pytest.mark.parametrize("name", DIVISIONS)
def test_nothing_selected_divides_into_nothing(name: str) -> None:
    with told({"a.jsonl": [user(), assistant(None, usage())]}) as x:
        assert DIVISIONS[name](x)["usd"].sum() == 0
