"""The table of levers, held against what does the work, what is set, and what is documented."""

from pathlib import Path

import pytest

from costscan.cli.analyze import Rank
from costscan.levers import ALL, LEVERS
from costscan.levers.catalogue import CATALOGUE, RISKS, ROUTING, TRIMMING, risk_of
from costscan.levers.trimming import CAP, REWRITING, SHORTENING
from costscan.scenarios.route_choice import SCOPES
from costscan.settings.keys import Settings
from costscan.summary.assumptions import ASSUMED

LEVERS_TOLD = (Path(__file__).parents[2] / "docs/levers.md").read_text(encoding="utf-8")


def rows(title: str) -> list[str]:
    """Return the first cells of the first table below a heading, or below the head of a table."""
    below = LEVERS_TOLD.partition(title)[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip(" `") for line in below.splitlines()]


def test_each_part_is_done_by_something() -> None:
    assert (CAP, *SHORTENING, *REWRITING) == TRIMMING.part_names
    assert set(SCOPES) < set(ROUTING.part_names)


def test_each_lever_can_be_set_and_ranked_by() -> None:
    assert all(getattr(Settings(), lever).enabled for lever in LEVERS)
    assert {rank.value for rank in Rank} == {"cost", "waste", *LEVERS}


@pytest.mark.parametrize(("name", "risk"), [
    ("caching", "none"), ("caching/ttl", "none"), ("trimming", "low"), ("trimming/resize-images", "low"),
    ("trimming/drop-repeated-results", "none"), ("trimming/compact-history", "needs-eval"),
    ("trimming/context-editing", "needs-eval"),
    ("routing/effort", "needs-eval"), ("batching", "latency"), ("batching/pack-items", "needs-eval"),
    (ALL, "needs-eval"),
])  # fmt: skip
def test_a_part_has_the_risk_of_its_lever_unless_it_has_its_own(name: str, risk: str) -> None:
    assert risk_of(name) == risk


def test_parts_that_are_set_are_on() -> None:
    every = {f"trimming/{name}" for name in TRIMMING.part_names}
    assert TRIMMING.parts_off(("resize-images",)) == every - {"trimming/resize-images"}
    assert TRIMMING.parts_off() == every - {"trimming/cap-tool-results", "trimming/defer-unused-tools"}
    assert [lever.name for lever in CATALOGUE if lever.parts_off()] == ["caching", "trimming", "routing"]


def test_documents_tell_of_each_part_and_risk() -> None:
    assert tuple(rows("## Trimming")) == TRIMMING.part_names
    assert [name.replace(" ", "-") for name in rows("| risk | what may change")] == list(RISKS)


def test_what_is_taken_for_granted_is_of_a_scenario() -> None:
    parts = {f"{lever.name}/{name}" for lever in CATALOGUE for name in lever.part_names}
    assert {one.lever for one in ASSUMED} <= {*LEVERS, *parts}
