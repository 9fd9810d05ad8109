"""What the declaration of a column comes to, and what the check at every hand-over lets through."""

import polars as pl
import pytest

from costscan.errors import CostscanError
from costscan.schema.column import BOOL, OF_TURN, REAL, TEXT, TIME, USD, WHOLE, Column, table
from costscan.schema.frames import NULLABLE, OF_LOGS, SCHEMAS, check, empty
from costscan.schema.tables import TABLES

BILLED = {"run_id": "a", "turn": 0, "meter": "input", "units": 3, "usd": None}


def bill(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMAS["bill"])


def test_a_table_is_derived_from_its_columns() -> None:
    made = table("a row", **OF_TURN, cost=Column(USD, "dollars", nullable=True), name=Column(TEXT, "a name"))
    assert list(made.schema.items()) == [
        ("run_id", pl.String()),
        ("turn", pl.Int64()),
        ("cost", pl.Decimal(38, 12)),
        ("name", pl.String()),
    ]
    assert made.nullable == {"cost"}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_and_column_says_what_it_means(name: str) -> None:
    assert TABLES[name].meaning.strip()
    for column in TABLES[name].columns.values():
        assert column.meaning.strip()
        assert column.type in {TEXT, WHOLE, REAL, BOOL, USD, TIME}
    assert empty(name).schema == SCHEMAS[name]


def test_the_tables_of_logs_are_all_but_the_comparison_and_the_trial() -> None:
    assert set(TABLES) - set(OF_LOGS) == {"comparison", "trial"}


def test_a_null_passes_where_it_may_be() -> None:
    frame = bill(BILLED)
    assert NULLABLE["bill"] == {"usd"}
    assert check("bill", frame) is frame


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (bill(BILLED | {"units": None}), "frame bill: null in units"),
        (bill(BILLED | {"units": None, "run_id": None}), "frame bill: null in run_id, units"),
        (bill(BILLED).drop("usd"), "frame bill: wrong columns or types: usd"),
        (bill(BILLED).with_columns(tax=1), "frame bill: wrong columns or types: tax"),
        (bill(BILLED).cast({"turn": pl.Int32}), "frame bill: wrong columns or types: turn"),
        (
            bill(BILLED).select("turn", "run_id", "meter", "units", "usd"),
            "wrong columns or types: their order",
        ),
    ],
)
def test_what_breaks_the_contract_is_named(frame: pl.DataFrame, told: str) -> None:
    with pytest.raises(CostscanError, match=told):
        check("bill", frame)
