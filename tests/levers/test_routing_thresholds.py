"""The limits of routing, each with a case that is just within it and one that is just beyond."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from costscan.levers import routing
from costscan.levers.routing.apply import served_by
from costscan.levers.routing.cache_links import relinked
from costscan.levers.routing.cheapest_path import Stretch, cost_of
from costscan.levers.routing.retokenized import sizes
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import empty
from costscan.settings.keys import Settings
from logs import write
from seen import analyzed
from workloads import HAIKU45, OPUS45, OPUS48, lines, loops, marked

ONE = Stretch(
    begins_us=0, ends_us=0, context=0, begins_block=0, ends_block=0, ttl_us=300_000_000, usable=[True, True],
    warm=[1000, 900], cold=[1000, 900], per_read=[0, 0], read=[0, 0], shared=[0, 0], cached=[0, 0],
)  # fmt: skip
"""A run of one stretch that costs 1,000 on its own model, and less by a tenth on another."""


@pytest.mark.parametrize(("usd", "models"), [(900, [1]), (901, [0])])
def test_a_run_moves_where_that_saves_a_tenth(usd: int, models: list[int]) -> None:
    """To try a model out takes work, which less than a tenth of the bill does not pay."""
    run = [replace(ONE, warm=[1000, usd], cold=[1000, usd])]
    assert routing._worthwhile(run, shares=False) == models


@pytest.mark.parametrize(("crowd", "moves"), [(2, 0), (3, 1)])
def test_three_runs_that_share_a_prefix_write_it_once(crowd: int, moves: int) -> None:
    """One of two would write it for a single other: not before the third is it taken to be there already."""
    told: dict[str, Any] = {name: getattr(ONE, name) for name in ONE.__slots__}
    # Cold it is as expensive as its own model: the 500 tokens that it shares decide.
    told |= {"cold": [1000, 1000], "warm": [1000, 500], "per_read": [1, 1], "shared": [500, 500]}
    rows = pl.DataFrame([
        told | {"run_id": "r", "crowd": crowd, "from_req": 0, "to_req": 9, "models": ["", HAIKU45]}
    ])  # fmt: skip
    assert routing._decided(rows, {}).height == moves


@pytest.mark.parametrize(("block", "found"), [(19, 500), (20, 0)])
def test_a_mark_looks_back_over_twenty_positions_itself_included(block: int, found: int) -> None:
    """Of a prompt that ended with block 0, block 19 is the last from which it is found."""
    before = replace(ONE, warm=[9, 9], cold=[9, 9], cached=[500, 500])
    between = replace(before, ends_block=block)
    again = replace(before, begins_block=block, read=[500, 500], cold=[900, 900], per_read=[1, 1])
    assert cost_of([before, between, again], [1, 0, 1], shares=False) == 9 + 9 + 900 - found


@pytest.mark.parametrize(("blocks", "is_linked"), [(19, True), (20, False)])
def test_a_routed_turn_looks_back_over_twenty_positions_too(
    tmp_path: Path, blocks: int, *, is_linked: bool
) -> None:
    """Where a transcript does not show prompts, the end of that before is looked for as far as a mark reaches."""
    with analyzed(
        write(tmp_path / "calls.jsonl", *lines(marked(loops("far", runs=1, turns=2, system=6000))))
    ) as x:
        plan = Workspace(x, Settings()).plan
    unseen = replace(plan, steps=plan.steps.with_columns(is_shown=pl.lit(value=False)))
    bare = unseen.changed(
        unseen.steps, lambda points, _: replace(points, positions=_own_ends(points.positions))
    )
    counts = plan.steps.select("req", block_end=pl.Series([1, 1 + blocks]))
    linked = relinked(bare, plan.steps["domain"], plan.steps["run_id"].unique(), counts).breakpoints.positions
    end = plan.steps["key"][0]
    assert linked.filter(req=1, key=end).height == is_linked


def _own_ends(positions: pl.DataFrame) -> pl.DataFrame:
    """Keep of each request what it marks: nothing that it would only look back for."""
    return positions.filter(pl.col("ttl_us").is_not_null())


def test_what_is_not_in_the_log_is_a_third_shorter_or_longer_elsewhere() -> None:
    """Anthropic says of its newer tokenizer: "approximately 30% more tokens"."""
    steps = pl.DataFrame({
        "req": [0, 1], "run_id": ["a", "b"], "turn": [0, 0], "model": [OPUS45, OPUS48], "prompt_tokens": [1000, 1000]
    })  # fmt: skip
    blocks = empty("blocks").with_columns(other_tokens=pl.lit(None, pl.Int64)).lazy()
    told = sizes(steps, blocks)
    for column in ("size_ratio", "fixed_ratio", "output_ratio"):
        assert told[column].to_list() == pytest.approx([1.3, 1 / 1.3]), column


@pytest.mark.parametrize(("share", "spread"), [(0.0, 0.12), (0.5, 0.16), (1.0, 0.2)])
def test_how_far_the_length_in_another_family_may_be_off(tmp_path: Path, share: float, spread: float) -> None:
    """Nine of ten texts are within 12 % (docs/token-weights.md), documents within 20 %."""
    log = write(tmp_path / "calls.jsonl", *lines(loops("spread", model=OPUS48, runs=1, turns=2)))
    with analyzed(log) as x:
        bench = Workspace(x, Settings())
        known = bench.sizes.with_columns(attached_share=pl.lit(share))
    choice = bench.plan.steps.select("req", to_model=pl.lit(HAIKU45))
    told = served_by(bench.plan.steps, choice, known)
    assert told["size_spread"].to_list() == pytest.approx([spread] * 2)
