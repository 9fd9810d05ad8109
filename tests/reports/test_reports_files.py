"""Reports as files: what is in them, and that each is there whole or not at all."""

import csv
import json
import os
import re
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from billed import NOW, Billed, billed, sample_logs
from costscan import __version__
from costscan.errors import CostscanError
from costscan.report import Report
from costscan.reports.endings import ANALYSIS, COMPARISON, FOLDER, TREND
from costscan.reports.outputs import comparison_target, target, whole
from costscan.schema.frames import OF_LOGS, USD, check
from logs import message, pair, write

OUTPUTS = ("report.parquet", "report.csv", "deep/frames/")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Billed, Path]:
    """What is made of the sample logs, and the folder of the reports that were written of it."""
    folder = tmp_path_factory.mktemp("reports")
    return sample_logs(outputs=[f"{folder}/{name}" for name in OUTPUTS]), folder


def test_parquet_has_a_row_per_run_and_says_what_it_is(written: tuple[Billed, Path]) -> None:
    found, path = written[0], written[1] / "report.parquet"
    table = pl.read_parquet(path)
    summary = found.summary
    assert table["usd"].dtype == USD
    assert table["usd"].sum() == summary.totals.usd
    assert table["run_id"].to_list() == summary.runs["run_id"].to_list()
    assert table["usd_as_billed"].equals(table["usd"].rename("usd_as_billed"))
    no_caching = summary.scenario("no_caching")
    assert no_caching is not None
    assert table["usd_no_caching"].sum() == no_caching.usd
    for lever in ("caching", "trimming", "routing", "batching", "all"):
        assert table[f"usd_{lever}"].null_count() == table.height
    assert table["findings"].sum() == 0
    said = {
        k.decode(): v.decode() for k, v in pq.read_metadata(path).metadata.items() if k != b"ARROW:schema"
    }
    assert said["schema_version"] == "2"
    assert said["costscan_version"] == __version__
    assert said["prices_as_of"] == summary.prices.as_of
    assert said["generated_at"] == NOW.isoformat()


def test_parquet_holds_what_each_run_is_made_of(written: tuple[Billed, Path]) -> None:
    """The lists of a row add up to it: dollars by model and meter, tokens by tool and kind."""
    for row in pl.read_parquet(written[1] / "report.parquet").iter_rows(named=True):
        meters = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search")
        assert sum(cell[f"{meter}_usd"] for cell in row["spend"] for meter in meters) == row["usd"]
        assert sum(cell["turns"] for cell in row["spend"]) == row["turns"]
        assert sum(cell["output_tokens"] for cell in row["spend"]) == row["output_tokens"]
        assert sum(part["sent_tokens"] for part in row["parts"]) == row["prompt_tokens"]
        assert sum(part["usd"] for part in row["parts"]) == row["usd"]


def test_csv_is_the_table_of_runs(written: tuple[Billed, Path]) -> None:
    found, path = written[0], written[1] / "report.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(Decimal(row["usd"]) for row in rows) == found.summary.totals.usd
    assert [row["run_id"] for row in rows] == found.summary.runs["run_id"].to_list()
    assert rows[0]["started_at"].endswith("Z")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path, begin: str) -> None:
    task = f'{begin}HYPERLINK("http://x.test","y")'
    log = write(tmp_path / "a.jsonl", pair(message(model=task), run_id=task, model=task, task=task))
    billed([log], outputs=[tmp_path / "report.csv"])
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell[:1] in "=+-@\t\r\n" for cell in cells if cell)


def test_json_is_what_is_printed(tmp_path: Path) -> None:
    sample_logs("idle-hour", outputs=[tmp_path / "report.json"])
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["totals"]["turns"] == 23


def test_a_folder_gets_every_frame(written: tuple[Billed, Path]) -> None:
    found, folder = written[0], written[1] / "deep" / "frames"
    assert {path.stem for path in folder.iterdir()} == set(OF_LOGS)
    for name in OF_LOGS:
        check(name, pl.read_parquet(folder / f"{name}.parquet"))
    bill = pl.read_parquet(folder / "bill.parquet")
    assert bill["usd"].sum() == found.summary.totals.usd
    assert pl.read_parquet(folder / "turns.parquet").height == found.summary.totals.turns
    assert pq.read_metadata(folder / "turns.parquet").metadata[b"costscan_version"] == __version__.encode()
    assert target(str(folder)).ending == FOLDER


def test_an_ending_that_no_report_has(tmp_path: Path) -> None:
    for asked, hint in ((target, ".json .parquet .csv .html"), (comparison_target, ".json .md .html .xml")):
        with pytest.raises(CostscanError, match="no report has this ending") as caught:
            asked(str(tmp_path / "report.txt"))
        assert hint in caught.value.hint


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(CostscanError, match="no folder"):
        target(str(tmp_path / "none" / "report.json"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CostscanError, match="there is a file of this name"):
        target(f"{tmp_path / 'file'}/")
    with pytest.raises(CostscanError, match="no folder"):
        target(f"{tmp_path / 'file' / 'below'}/")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CostscanError, match="no permission"):
        target(str(tmp_path / "report.json"))


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")

    def fail(unfinished: Path) -> None:
        unfinished.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(CostscanError, match=r"report\.json: cannot be written: No space left on device"):
        whole(path, fail)
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_failure_of_polars_is_one_of_writing(tmp_path: Path) -> None:
    def fail(unfinished: Path) -> None:
        pl.DataFrame({"a": [1]}).write_parquet(unfinished / "no" / "such" / "folder.parquet")

    with pytest.raises(CostscanError, match="cannot be written"):
        whole(tmp_path / "report.parquet", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_not_hidden(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        whole(tmp_path / "report.json", fail)


def test_a_link_and_its_permissions_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(real)
    whole(link, lambda path: path.write_text("new", encoding="utf-8"))
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_every_writer_is_a_module_of_the_folder() -> None:
    for ending in (*ANALYSIS.values(), FOLDER, *COMPARISON.values(), *TREND.values()):
        assert callable(import_module(f"costscan.reports.{ending.module}").write)


def test_documents_name_every_ending() -> None:
    usage, python = (Path(__file__).parents[2] / "docs" / name for name in ("usage.md", "python.md"))
    tables = usage.read_text(encoding="utf-8").split("| `-o` | what is in it |")[1:3]
    for table, endings in zip(tables, ({*ANALYSIS, FOLDER.name}, set(COMPARISON)), strict=True):
        rows = [line.split("|")[1] for line in table.strip().partition("\n\n")[0].splitlines()[1:]]
        assert {name.strip(" `") for row in rows for name in row.split(",")} == endings
    for told in (python.read_text(encoding="utf-8"), Report.write.__doc__ or ""):
        assert all(re.search(rf"[ `]\{ending}[`,]", told) for ending in ANALYSIS)
