"""The front door: what `import costscan` offers, and that it is what the command line does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

import costscan
from billed import ROOT
from command import said
from costscan import Report, Settings
from costscan.schema.frames import OF_LOGS, check
from logs import assistant, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")


@pytest.fixture(scope="module")
def report(kept_analyses: None) -> Iterator[Report]:
    with chdir(ROOT):
        yield costscan.analyze("sample_logs/loop-of-twelve", workers=1)


def test_importing_loads_nothing_slow() -> None:
    code = "import sys, costscan; costscan.analyze; print({'polars', 'typer', 'rich', 'pyarrow'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
    assert {"analyze", "read", "compare", "check"} <= {*dir(costscan)}
    with pytest.raises(AttributeError, match="analyse"):
        costscan.analyse  # noqa: B018 - that is what is tested


def test_the_package_runs_as_a_module() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "costscan", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"costscan {costscan.__version__}\n"


def test_a_report_is_what_the_command_prints(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    printed = json.loads(said(capsys, "analyze", "sample_logs/loop-of-twelve", "--json"))
    told = json.loads(json.dumps(report.to_dict()))
    for name in ("generated_at", "prices"):
        assert printed.pop(name) is not None
        assert told.pop(name) is not None
    assert told == printed


def test_every_frame_is_an_attribute(report: Report) -> None:
    assert {*report.frames()} == {*OF_LOGS} <= {*dir(report)}
    for name in OF_LOGS:
        assert_frame_equal(getattr(report, name), check(name, report.diagnosis.frame(name)))
    assert report.turns.height == report.summary.totals.turns
    with pytest.raises(AttributeError, match="did you mean turns"):
        report.turnss  # noqa: B018 - that is what is tested


@pytest.mark.parametrize(
    "name", ["run", "task", "model", "tool", "day", "server", "skill", "kind", "agent", "rule", "lever"]
)
def test_the_bill_by(report: Report, name: str) -> None:
    assert report.by(name).height > 0


def test_the_bill_by_model_sums_to_the_bill(report: Report) -> None:
    assert report.by("model")["usd"].sum() == report.summary.totals.usd == report.bill["usd"].sum()
    with pytest.raises(costscan.CostscanError, match="not divided") as error:
        report.by("modell")
    assert error.value.hint == "did you mean model?"


def test_a_notebook_shows_the_first_screen_and_nothing_of_a_log_as_html(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user("<img src=x onerror=alert(1)>"), assistant("msg_1"))
    shown = costscan.analyze(log, workers=1)._repr_html_()
    assert shown.startswith("<pre")
    assert "costscan" in shown
    assert "<img" not in shown


def test_times_of_every_kind_choose_the_same(tmp_path: Path) -> None:
    lines = [
        user(),
        assistant("msg_1", timestamp="2026-03-01T10:00:00Z"),
        user(),
        assistant("msg_2", timestamp="2026-03-02T10:00:00Z"),
    ]
    log = write(tmp_path / "a.jsonl", *lines)
    for since in ("2026-03-02", date(2026, 3, 2), datetime(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC)):  # noqa: DTZ001
        assert costscan.read(log, since=since, workers=1).turns["message_id"].to_list() == ["msg_2"]
    for until in ("2026-03-01", date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC)):
        assert costscan.read(log, until=until, workers=1).turns["message_id"].to_list() == ["msg_1"]


def test_settings_by_key_stand_on_top_of_the_file(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant("msg_1"))
    (tmp_path / "costscan.toml").write_text("[prices]\ndiscount = 0.5\n")
    (tmp_path / ".git").mkdir()

    def usd(settings: Settings | dict[str, object] | None) -> Decimal:
        with chdir(tmp_path):
            return Decimal(costscan.read(log, settings=settings, workers=1).turns["usd"].sum())

    whole = usd(Settings())
    assert usd(None) == whole / 2
    assert usd({"prices.discount": 0.25}) == whole * Decimal("0.75")


def test_sides_are_logs_reports_or_files(report: Report, tmp_path: Path) -> None:
    file = report.write(tmp_path / "report.parquet")
    for side in (report, file, ROOT / "sample_logs" / "loop-of-twelve"):
        assert costscan.check(report, baseline=side, fail_on=["usd:+1%"]).verdict == "passed"
        assert costscan.compare(side, report).usd_change == 0
    assert costscan.check(report, fail_on=["usd_per_run:0.001"]).exit_code == 1
    with pytest.raises(costscan.CostscanError, match="none of the runs of"):
        costscan.check(report, fail_on=["usd_per_run:0.001"], tasks=["nothing"])
