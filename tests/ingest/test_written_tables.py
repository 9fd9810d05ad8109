"""The two ways to write tables: the same columns, types and values, whoever writes them."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from costscan.formats import claude_code, messages_api
from costscan.formats.interface import LogFile
from costscan.ingest import arrow_tables, polars_tables
from costscan.reading.io.row_types import AgentRow
from costscan.reading.io.rows import OF_BILL, TABLES, Rows
from samples import SAMPLES


def everything(*, bill_only: bool = False) -> Rows:
    rows = Rows(bill_only=bill_only)
    for path in sorted(SAMPLES.rglob("*.jsonl")):
        module = claude_code if "projects" in path.parts else messages_api
        module.read(LogFile(str(path)), rows)
    rows.agents.append(AgentRow(session="lone \ud800 surrogate", agent_id="a", agent="b"))
    rows.skip("p", None, "r")
    return rows


@pytest.mark.parametrize("bill_only", [False, True])
def test_polars_and_pyarrow_write_the_same(tmp_path: Path, bill_only: bool) -> None:
    rows = everything(bill_only=bill_only)
    for folder, write in (("a", arrow_tables.write), ("p", polars_tables.write)):
        (tmp_path / folder).mkdir()
        write(rows, tmp_path / folder, 7)
    written = {path.name for path in (tmp_path / "a").iterdir()}
    assert written == {path.name for path in (tmp_path / "p").iterdir()}
    assert written == {f"{name}-7.arrow" for name in (OF_BILL if bill_only else TABLES)}
    for name in sorted(written):
        assert_frame_equal(pl.read_ipc(tmp_path / "p" / name), pl.read_ipc(tmp_path / "a" / name))
    assert pl.read_ipc(tmp_path / "p" / "agents-7.arrow")["session"][-1] == "lone ? surrogate"
    assert pl.read_ipc(tmp_path / "p" / "calls-7.arrow").height == len(rows.calls) > 100
