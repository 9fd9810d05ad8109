"""Tables as logs: delimiters, headers, line numbers, broken quotes, cells of any size, Parquet's own types."""

import csv
import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costscan.errors import CostscanError
from costscan.reading.io import csv_rows, tables
from costscan.reading.io.rows import Rows
from tables_of import parquet_at


def read(path: Path, data: str | bytes | None = None) -> tuple[list[tuple[int, dict[str, Any]]], Rows]:
    if data is not None:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    rows, taken = Rows(), []

    def take(number: int, row: dict[str, Any]) -> bool:
        taken.append((number, row))
        return True

    tables.feed_rows(str(path), "shown", rows, take)
    return taken, rows


def skipped(rows: Rows) -> list[tuple[int | None, str]]:
    return [(row.line, row.reason) for row in rows.skipped]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_what_gives_the_header_most_columns(tmp_path: Path, mark: str, end: str) -> None:
    data = end.join([mark.join(row) for row in (["id", "start time", "cost"], ["a", "x, y" if mark != "," else "x", "1,5" if mark == ";" else "2"])])  # fmt: skip
    taken, rows = read(tmp_path / "t.csv", data)
    assert [list(row) for _, row in taken] == [["id", "start time", "cost"]]
    assert (rows.lines, rows.skipped_lines) == (2, 0)


def test_rows_are_numbered_by_the_line_on_which_they_begin(tmp_path: Path) -> None:
    data = '\ufeffid,text,n\n1,"two\nlines, ""quoted""",\n\n2,\\N,"x"\n'
    taken, rows = read(tmp_path / "t.csv", data)
    first = {"id": "1", "text": 'two\nlines, "quoted"', "n": None}
    assert taken == [(2, first), (5, {"id": "2", "text": None, "n": "x"})]
    assert (rows.lines, rows.bytes_read) == (5, len(data.encode()))


def test_packed_tables_and_joined_ones(tmp_path: Path) -> None:
    one = b"id,text,n\n1,a,b\n"
    taken, _ = read(tmp_path / "t.csv.gz", gzip.compress(one) + gzip.compress(one))
    assert taken == [(2, {"id": "1", "text": "a", "n": "b"}), (4, {"id": "1", "text": "a", "n": "b"})]


@pytest.mark.parametrize(
    ("broken", "line", "reason"),
    [
        ('1,"never closed,x', 2, "a quote that is never closed"),
        ('1,"a" b,x', 2, "text behind a closing quote"),
        ("1,x", 2, "2 cells where the header names 3"),
        ("1,x,y,z", 2, "4 cells where the header names 3"),
    ],
)
def test_a_broken_row_costs_itself_alone(tmp_path: Path, broken: str, line: int, reason: str) -> None:
    taken, rows = read(tmp_path / "t.csv", f"id,text,n\n{broken}\n2,a,b\n3,c,d\n")
    assert [(number, row["id"]) for number, row in taken] == [(3, "2"), (4, "3")]
    assert skipped(rows) == [(line, reason)]


def test_a_cell_of_any_size_is_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * 200_000
    taken, _ = read(tmp_path / "t.csv", f"id,text,n\n1,{long},y\n")
    assert taken[0][1]["text"] == long
    monkeypatch.setattr(csv_rows, "MAX_CELL_CHARS", 1000)
    limit = csv.field_size_limit()
    taken, rows = read(tmp_path / "t.csv", f"id,text,n\n1,{long},y\n2,a,b\n")
    assert [number for number, _ in taken] == [3]
    assert "a cell of more than" in skipped(rows)[0][1]
    assert csv.field_size_limit() == limit


def test_quotes_broken_everywhere_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_MOST_READ_AGAIN", 100)
    _, rows = read(tmp_path / "t.csv", "id,text,n\n" + '1,"x\n' * 100)
    assert "the rest of the file is not read" in skipped(rows)[-1][1]


@pytest.mark.parametrize(
    "data",
    [
        "one,two\n1,2\n",  # too few columns to be told from a sentence
        "id,text,id\n1,2,3\n",
        "1,2,3\n4,5,6\n",
        "hello, it is, me\n" + '{"a": 1}\n',
        '[{"a": 1},\n{"b": 2}]',
        "",
    ],
)
def test_what_is_no_table_is_read_as_objects(tmp_path: Path, data: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(data)
    assert tables.first_rows(str(path), 5) == []
    read(path)


def test_cells_of_parquet_are_as_json_has_them(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 2, 10, 0, 1, 5, UTC)
    columns = {
        "id": pa.array(["a"]),
        "at": pa.array([moment], pa.timestamp("us", "UTC")),
        "fine": pa.array([1_793_613_600_000_000_001], pa.timestamp("ns")),
        "usd": pa.array([Decimal("0.2500")]),
        "usage": pa.array([[("input", 3)]], pa.map_(pa.string(), pa.int64())),
        "parts": pa.array([[{"x": b"y"}]]),
        "n": pa.array([float("nan")]),
        "nothing": pa.array([None], pa.string()),
    }
    taken, rows = read(parquet_at(tmp_path / "t.parquet", columns))
    assert taken == [
        (
            1,
            {
                "id": "a",
                "at": "2026-11-02T10:00:01.000005+00:00",
                "fine": "2026-11-02T10:00:00",
                "usd": "0.2500",
                "usage": {"input": 3},
                "parts": [{"x": "y"}],
                "n": None,
                "nothing": None,
            },
        )
    ]
    assert rows.lines == 1


def test_parquet_cut_off_is_refused_by_name(tmp_path: Path) -> None:
    path = parquet_at(tmp_path / "t.parquet", {"id": pa.array(range(100))})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CostscanError, match="not a Parquet file that can be read"):
        tables.first_rows(str(path), 1)


def test_a_row_that_breaks_its_reader_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,text,n\n1,a,b\n2,c,d\n")
    rows = Rows()

    def take(_: int, row: dict[str, Any]) -> bool:
        if row["id"] == "1":
            raise ValueError
        return False

    tables.feed_rows(str(path), "shown", rows, take)
    assert [line for line, _ in skipped(rows)] == [2]
    assert [row["id"] for row, _ in rows.strange.values()] == ["2"]
