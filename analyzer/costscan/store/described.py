"""The columns of a store in words, for its documents."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from costscan.prices import COST_COLUMNS
from costscan.reading.io.row_types import BlockColumns
from costscan.reading.io.rows import TABLES, Tables
from costscan.schema.tables.runs import RUNS, TURNS
from costscan.store.layout import OWN_NAMES
from costscan.store.turns import COLUMNS

ROW_TYPES: Final[Mapping[str, Any]] = {
    name: BlockColumns if rows is BlockColumns else get_args(rows)[0]
    for name, rows in Tables.__annotations__.items()
}
"""What a row of each table is declared as."""
TYPES: Final[Mapping[str, str]] = {
    "int": "INT64",
    "float": "DOUBLE",
    "str": "STRING",
    "bool": "BOOL",
    "time": "TIMESTAMP",
}
_OWN: Final[Mapping[str, tuple[str, str]]] = {
    "file": ("Int64", "the number of the file that keeps the call, as the manifest has it"),
    "usd": ("Decimal(38, 12)", "what the call cost, USD; null where its price is unknown"),
    "path": ("String", "the file that keeps the call"),
    "folder": ("String", "the project, whole, where the name of its partition is cut"),
    "task": ("String", "what the run at the top is compared by"),
    **{name: ("Int64", f"what its {meter} cost, in 1e-12 USD") for meter, name in COST_COLUMNS.items()},
}


def told_turns() -> list[tuple[str, str, str]]:
    """Return the columns of `turns` with type and meaning, those of the partition last."""
    declared = {**RUNS.columns, **TURNS.columns}
    own = [
        (name, *_OWN[name]) if name in _OWN else (name, declared[name].type, declared[name].meaning)
        for name in COLUMNS
    ]
    partition = [
        ("day", "Date", "the day of the call, UTC"),
        ("project", "String", "the folder that its root run ran in"),
    ]
    return [(name, str(kind), meaning) for name, kind, meaning in (*own, *partition)]


def shown_columns(table: str) -> dict[str, str]:
    """Return the columns of a table as its files have them, with their types in a word."""
    return {"file": "int", **{OWN_NAMES.get(name, name): kind for name, kind in TABLES[table].items()}}


__all__ = ["ROW_TYPES", "TYPES", "shown_columns", "told_turns"]
