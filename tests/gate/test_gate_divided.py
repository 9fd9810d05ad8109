"""What models, tools and actions of two sides come to: by hand."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from costscan.gate import compare
from costscan.gate.action_changes import action_changes
from costscan.gate.divided import divided
from sides import Run, Spent, side

CHEAP = Spent("small", turns=2, units=(1_000_000, 0, 0, 0, 0, 0), prices=(1, 0, 0, 0, 0, 0))
DEAR = Spent("large", turns=3, units=(1_000_000, 0, 0, 0, 0, 2), prices=(5, 0, 0, 0, 0, 10_000))


def test_models_and_tools_of_both_sides() -> None:
    """Small costs $1 on both sides, large $5.02 after only; what is searched counts too."""
    before = side(Run("a", spent=[CHEAP], parts=[("Read", "tool_result", 700), ("Bash", "tool_use", 50)]))
    after = side(Run("b", spent=[CHEAP, DEAR], parts=[("Read", "tool_result", 900), ("Read", "tool_use", 9)]))
    found = divided(before, after)
    assert found["model"].rows() == [
        ("large", 0, 3, Decimal(0), Decimal("5.02"), Decimal("5.02")),
        ("small", 2, 2, Decimal(1), Decimal(1), Decimal(0)),
    ]
    assert sorted(row[:3] for row in found["tool"].rows()) == [("Bash", 50, 0), ("Read", 700, 909)]
    assert found["model"]["usd_change"].sum() == compare(before, after).usd_change


def action(name: str, usd: str, title: str = "") -> dict[str, Any]:
    told = {"title": title or name, "risk": "none", "how": f"set {name}"}
    return {"id": name, **told, "saved_usd": Decimal(usd), "rank": 1, "findings": []}


def test_actions_of_both_sides() -> None:
    one = side(Run("a", spent=[CHEAP]))
    before = replace(one, actions=[action("stays", "3", "as it was"), action("done", "9")])
    after = replace(one, actions=[action("small", "1"), action("large", "2"), action("stays", "4")])
    found = action_changes(before, after)
    assert found is not None
    told = found.select("state", "title", "saved_before", "saved_after").rows()
    assert told == [
        ("new", "large", None, Decimal(2)),
        ("new", "small", None, Decimal(1)),
        ("gone", "done", Decimal(9), None),
        ("on both sides", "stays", Decimal(3), Decimal(4)),
    ]


def test_actions_that_nobody_knows_are_not_none() -> None:
    """A report of earlier logs tells no actions: none of the others is new because of that."""
    told, untold = replace(side(Run("a")), actions=[action("a", "1")]), side(Run("b"))
    assert action_changes(untold, told) is None
    assert action_changes(told, untold) is None
    assert action_changes(None, told) is None
    empty = action_changes(replace(told, actions=[]), replace(told, actions=[]))
    assert empty is not None
    assert empty.height == 0
    alone = compare(None, told)
    assert alone.actions is None
    assert alone.divisions == {}
