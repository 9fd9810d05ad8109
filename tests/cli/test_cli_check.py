"""`costscan check` and `costscan compare`: what they print, what they write, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from command import Capture, logs_of, said
from costscan.reports.endings import COMPARISON
from costscan.reports.outputs import target
from suites import suite

pytestmark = pytest.mark.usefixtures("kept_analyses")

Golden = Callable[[str, str], None]
LIMITS = ("--fail-on", "usd:+5%", "--fail-on", "volatile-prefix:0", "--fail-on", "usd_per_run.p95:1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the suites of before and after, and a report of the first."""
    folder = tmp_path_factory.mktemp("suites")
    suite(folder / "before/runs.jsonl")
    suite(folder / "after/runs.jsonl", changed=True, day="2026-11-03")
    with logs_of(str(folder / "before")) as (x, summary):
        target(str(folder / "baseline.parquet")).write(summary, x)
    return folder


@pytest.fixture(autouse=True)
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: Path) -> Path:
    """Make a copy of them the current folder."""
    copytree(recorded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, *arguments, "--json", code=code))
    return found


@pytest.mark.parametrize("width", ["80", "140"])
def test_a_check_that_fails(
    capsys: Capture, golden: Golden, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    text = said(capsys, "check", "after", "--baseline", "baseline.parquet", *LIMITS, code=1)
    assert max(map(len, text.splitlines())) <= int(width)
    golden(f"check-{width}", text)


def test_a_comparison(capsys: Capture, golden: Golden) -> None:
    golden("compare", said(capsys, "compare", "before", "after"))


def test_the_markdown_of_a_check(capsys: Capture, golden: Golden) -> None:
    said(capsys, "check", "after", "--baseline", "baseline.parquet", *LIMITS, "-o", "change.md", code=1)
    golden("check-markdown", Path("change.md").read_text(encoding="utf-8"))


def test_annotations_and_the_summary_of_a_job(
    capsys: Capture, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("summary.md").write_text("# what stood there\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    text = said(capsys, "check", "after", "--baseline", "baseline.parquet", *LIMITS, "--github", code=1)
    golden("check-github", "\n".join(line for line in text.splitlines() if line.startswith("::")) + "\n")
    summary = Path("summary.md").read_text(encoding="utf-8")
    said(capsys, "check", "after", "--baseline", "baseline.parquet", *LIMITS, "-o", "change.md", code=1)
    assert summary == "# what stood there\n" + Path("change.md").read_text(encoding="utf-8")


def test_the_same_logs_pass_whatever_they_are_compared_through(capsys: Capture) -> None:
    for baseline in ("baseline.parquet", "before", "before/runs.jsonl"):
        found = report(capsys, "check", "before", "--baseline", baseline)
        assert (found["verdict"], found["exit_code"], found["usd_change"]) == ("passed", 0, 0)
    found = report(capsys, "check", "baseline.parquet", "--baseline", "before")
    assert found["verdict"] == "passed"


def test_why_it_moved_adds_up_and_names_the_cache(capsys: Capture) -> None:
    """47,430 tokens a run that were read at 0.30 are written at 3.75 a million; ten runs differ in 37 tokens a step."""
    found = report(capsys, "compare", "baseline.parquet", "after")
    parts = sum(row["usd"] for row in found["causes"])
    assert parts == pytest.approx(found["usd_change"], abs=1e-9)
    causes = {row["cause"] for row in found["causes"]}
    assert causes == {"cache", "prompt_tokens"}
    assert max(found["causes"], key=lambda row: abs(row["usd"]))["cause"] == "cache"
    assert [row["name"] for row in found["new_findings"]].count("volatile-prefix") == 10


def test_the_same_input_gives_the_same_verdict(capsys: Capture) -> None:
    first, second = (report(capsys, "check", "after", "--baseline", "before", code=1) for _ in range(2))
    assert first | {"generated_at": ""} == second | {"generated_at": ""}


def test_settings_hold_limits(capsys: Capture) -> None:
    Path("costscan.toml").write_text(
        '[check]\nfail_on = ["usd:+300%", "usd[case-0]:+10%"]\nundecided = "pass"\n', encoding="utf-8"
    )
    found = report(capsys, "check", "after", "--baseline", "before")
    assert [(row["limit"], row["verdict"]) for row in found["limits"]] == [
        ("usd:+300%", "passed"),
        ("usd[case-0]:+10%", "undecided"),
    ]
    assert report(capsys, "check", "after", "--baseline", "before", "--fail-on", "usd:+5%", code=1)["limits"]
    said(capsys, "check", "after", "--baseline", "before", "--undecided", "fail", code=1)


def test_undecided_is_an_exit_code_of_its_own(capsys: Capture) -> None:
    suite(Path("one/runs.jsonl"), changed=True, cases=1)
    arguments = ("check", "one", "--baseline", "before")
    text = said(capsys, *arguments, code=3)
    assert "1 and 1 runs are too few to tell, about 5 a side would tell" in " ".join(text.split())
    said(capsys, *arguments, "--undecided", "pass", code=0)
    said(capsys, *arguments, "--undecided", "fail", code=1)


def test_accepted_findings_stay_quiet(capsys: Capture) -> None:
    found = report(capsys, "check", "after", "--baseline", "before", "--fail-on", "new-findings:0", code=1)
    marks = ",".join({row["fingerprint"] for row in found["new_findings"]})
    quiet = ("--set", f"findings.accepted={marks}")
    found = report(capsys, "check", "after", "--baseline", "before", "--fail-on", "new-findings:0", *quiet)
    assert found["new_findings"] == []


def test_budgets_need_no_baseline(capsys: Capture) -> None:
    text = said(capsys, "check", "after", "--fail-on", "usd_per_run:0.2", code=1)
    assert "usd_per_run is $0.21 (after-9), allowed is at most $0.20" in text
    assert "why it moved" not in text


def test_a_missing_baseline_may_be_skipped(capsys: Capture) -> None:
    limits = ("--fail-on", "usd:+5%", "--fail-on", "usd_per_run:0.2")
    skip = ("--baseline", "none.parquet", "--missing-baseline", "skip")
    text = said(capsys, "check", "after", *limits, *skip, code=1)
    assert "FAILED: 1 of 1 limits exceeded (1 limit not checked: no baseline)" in text
    found = report(capsys, "check", "before", *limits, *skip)
    assert (found["verdict"], found["unchecked"], found["before"]) == ("passed", ["usd:+5%"], None)
    assert report(capsys, "check", "after", *skip)["unchecked"] == ["usd:+5%"]
    # One that is there, or that is there and cannot be read, is no missing one.
    assert report(capsys, "check", "after", "--baseline", "before", *skip[2:], code=1)["unchecked"] == []
    Path("text.parquet").write_text("no Parquet", encoding="utf-8")
    said(capsys, "check", "after", "--baseline", "text.parquet", *skip[2:], code=2)
    said(capsys, "check", "after", "--baseline", "logs[1].parquet", "--missing-baseline", "skip", code=0)
    said(capsys, "check", "after", "--baseline", "none/*.jsonl", "--missing-baseline", "skip", code=2)


def test_a_folder_of_reports_is_a_baseline(capsys: Capture) -> None:
    said(capsys, "analyze", "before", "-o", "history/")
    Path("reports").mkdir()
    for name in ("a", "b"):
        said(capsys, "analyze", "before", "-o", f"reports/{name}.parquet")
    assert report(capsys, "check", "before", "--baseline", "reports")["before"]["runs"] == 10


def test_tasks_can_be_chosen(capsys: Capture) -> None:
    found = report(capsys, "compare", "baseline.parquet", "after", "--task", "case-3")
    assert (found["before"]["runs"], found["after"]["runs"]) == (1, 1)


ERRORS = [
    "check after",
    "check after --baseline none.parquet",
    "check after --baseline baseline.parquet --fail-on costs:+5%",
    "check after --fail-on usd:+5%",
    "check after --fail-on new-findings:0",
    "check after --baseline text.parquet",
    "check after --baseline other.parquet",
    "check after --baseline old.parquet",
    "check after --baseline baseline.parquet -o x.txt",
    "check baseline.parquet --baseline before -o x.sarif",
    "check baseline.parquet --baseline before --since 7d",
    "check after --baseline baseline.parquet --task nightly",
    "compare before none",
    "compare baseline.parquet after --set check.undecided=maybe",
    "compare baseline.parquet after --set check.false_alarm=5",
]


def test_errors(capsys: Capture, golden: Golden) -> None:
    import polars as pl  # noqa: PLC0415

    Path("text.parquet").write_text("no Parquet", encoding="utf-8")
    pl.DataFrame({"a": [1]}).write_parquet("other.parquet")
    pl.DataFrame({"run_id": ["a"]}).write_parquet("old.parquet", metadata={"schema_version": "1"})
    golden("errors-check", "\n".join(f"$ costscan {c}\n{said(capsys, *c.split(), code=2)}" for c in ERRORS))


@pytest.mark.parametrize("ending", list(COMPARISON))
def test_every_report_is_there_whole_or_not_at_all(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """The disk is full when the report is put in its place: what stood there still does, and nothing else."""
    target = Path(f"out/report{ending}")
    target.parent.mkdir()
    target.write_text("what stood there", encoding="utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    text = said(capsys, "check", "after", "--baseline", "baseline.parquet", "-o", str(target), code=2)
    assert "cannot be written: No space left on device" in text
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    assert target.read_text(encoding="utf-8") == "what stood there"


def test_the_report_of_a_check_is_the_next_baseline(capsys: Capture) -> None:
    said(capsys, "check", "after", "--baseline", "before", "-o", "next.parquet", code=1)
    assert report(capsys, "check", "after", "--baseline", "next.parquet")["verdict"] == "passed"
