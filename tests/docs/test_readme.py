"""The table of the README names every format that is read, and where its client keeps its logs."""

import re
from typing import Final

import pytest

from costscan import formats
from workflow import ROOT

ROW: Final = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TABLE: Final = {
    name: where
    for name, _, where in ROW.findall(
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## What it reads")[2]
        .partition("\n## ")[0]
    )
}


def test_every_format_has_a_row() -> None:
    assert sorted(TABLE) == formats.names()


@pytest.mark.parametrize("name", [name for name, one in formats.available().items() if one.roots])
def test_the_row_names_where_logs_are_looked_for(name: str) -> None:
    at_home = [root for root in formats.named(name).roots if root.startswith("~")]
    assert f"`{at_home[0]}" in TABLE[name]
