"""The limits of routing, each with a case that is just within it and one that is just beyond."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from costscan.levers.routing.apply import served_by
from costscan.levers.routing.cache_links import relinked
from costscan.levers.routing.retokenized import sizes
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import empty
from costscan.settings.keys import Settings
from logs import write
from seen import analyzed
from workloads import HAIKU45, OPUS45, OPUS48, lines, loops, marked


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


@pytest.mark.parametrize(("model", "growth", "spread"), [
    ("claude-opus-5", 0.5, 0.0), (HAIKU45, 0.0, 0.12), ("gpt-5.4-mini", 0.0, 0.25),
])  # fmt: skip
def test_what_another_model_may_take_and_write(
    tmp_path: Path, model: str, growth: float, spread: float
) -> None:
    """One that thinks by default may write half as much more (assumed); that of another maker counts a quarter
    more or fewer tokens (docs/accuracy.md)."""
    log = write(tmp_path / "calls.jsonl", *lines(loops("other", model=OPUS48, runs=1, turns=2)))
    with analyzed(log) as x:
        bench = Workspace(x, Settings())
        steps, known = bench.plan.steps, bench.sizes
    told = served_by(steps, steps.select("req", to_model=pl.lit(model)), known)
    assert told["output_growth"].to_list() == [growth] * 2
    assert told["size_spread"].to_list() == pytest.approx([spread] * 2)
