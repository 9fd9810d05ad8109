"""The rows a source hands over: their types in words, their columns, and that a failed read leaves none."""

from typing import Any

import pytest

from costscan.reading.io.row_types import AgentRow, BlockColumns, SkippedRow, UnknownRow
from costscan.reading.io.rows import TABLES, Rows


def two_blocks() -> BlockColumns:
    columns: dict[str, Any] = {name: [name, n] for n, name in enumerate(BlockColumns._fields)}
    return BlockColumns(**columns)


def test_types_are_said_in_words() -> None:
    assert TABLES["skipped"] == {"path": "str", "line": "int", "reason": "str", "lost": "bool"}
    assert {TABLES["calls"][name] for name in ("at", "end_at")} == {"time"}
    told = TABLES["blocks"]
    assert [told[name] for name in ("copy", "made_by", "is_sized", "used_share", "skill")] == [
        "int",
        "int",
        "bool",
        "float",
        "str",
    ]


def test_every_table_is_empty_at_first_and_has_all_its_columns() -> None:
    rows = Rows()
    for name, columns in TABLES.items():
        assert [list(values) for values in rows.columns(name)] == [[]] * len(columns), name


def test_columns_stand_in_the_order_of_their_names() -> None:
    rows = Rows()
    rows.unknown.append(UnknownRow(other=True, lines=3, kind="x", path="a.jsonl"))
    rows.unknown.append(UnknownRow(path="b.jsonl", kind="y", lines=4, other=False))
    told = dict(zip(TABLES["unknown"], rows.columns("unknown"), strict=True))
    assert told == {
        "path": ("a.jsonl", "b.jsonl"),
        "kind": ("x", "y"),
        "lines": (3, 4),
        "other": (True, False),
    }


def test_blocks_are_added_under_the_names_of_their_columns() -> None:
    rows = Rows()
    rows.add_blocks(two_blocks())
    rows.add_blocks(two_blocks())
    for n, (name, values) in enumerate(zip(TABLES["blocks"], rows.columns("blocks"), strict=True)):
        assert values == [name, n, name, n]


def broken_read(rows: Rows) -> None:
    with rows.whole():
        rows.agents.append(AgentRow(session="s", agent_id="b", agent="writer"))
        rows.skip("a.jsonl", 3, "not JSON")
        rows.add_blocks(two_blocks())
        raise ZeroDivisionError


def test_of_a_read_that_fails_nothing_stays() -> None:
    rows = Rows()
    rows.agents.append(AgentRow(session="s", agent_id="a", agent="explorer"))
    rows.add_blocks(two_blocks())
    with pytest.raises(ZeroDivisionError):
        broken_read(rows)
    assert [row.agent_id for row in rows.agents] == ["a"]
    assert (rows.skipped, rows.skipped_lines) == ([], 0)
    assert {len(values) for values in rows.columns("blocks")} == {2}


def test_a_skipped_line_is_named() -> None:
    rows = Rows()
    rows.skip("a.jsonl", 3, "not JSON", lost=False)
    assert rows.skipped == [SkippedRow("a.jsonl", 3, "not JSON", lost=False)]
    assert (rows.skipped_lines, rows.repaired_lines) == (0, 1)
