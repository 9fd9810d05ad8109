"""The action for GitHub, run step by step in plain bash with a `gh` that only writes down what it is asked."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from answering import answering
from as_command import COSTSCAN
from costscan.cli.app import run
from suites import suite
from workflow import ACTION, EXPRESSION, ROOT, STEPS, Job

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the scripts of the action are for bash"),
    pytest.mark.usefixtures("kept_analyses"),
]
SCRIPTS = sorted((ROOT / "ci" / "action").glob("*.sh"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the logs of both suites and the report of the first."""
    folder = tmp_path_factory.mktemp("recorded")
    suite(folder / "after/runs.jsonl", changed=True, day="2026-11-03")
    before = suite(folder / "before/runs.jsonl")
    assert run(["analyze", str(before), "-o", str(folder / "costscan-baseline.parquet")]) == 0
    return folder


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with answering(tmp_path_factory.mktemp("answered")) as script:
        yield script


@pytest.fixture
def job(tmp_path: Path, recorded: Path, answered: str) -> Job:
    """Return a job whose checkout holds what was recorded."""
    return Job(Path(shutil.copytree(recorded, tmp_path / "check out")), costscan=answered)


def test_inputs_reach_scripts_through_their_environment_alone() -> None:
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        if "run" in step:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"]
            assert step["run"] == f'bash "$GITHUB_ACTION_PATH/ci/action/{step["id"]}.sh"'
    used = {name for step in STEPS for value in _values(step) for name in EXPRESSION.findall(value)}
    assert {name for name in used if name.startswith("inputs.")} == {f"inputs.{n}" for n in ACTION["inputs"]}


def _values(step: dict[str, dict[str, object]]) -> list[str]:
    return [str(value) for part in ("env", "with") for value in step.get(part, {}).values()]


def test_only_actions_of_github_are_used() -> None:
    assert [step["uses"].partition("@")[0] for step in STEPS if "uses" in step] == ["actions/setup-python"]


def test_there_is_a_script_for_each_step_and_none_else() -> None:
    assert {script.stem for script in SCRIPTS} == {step["id"] for step in STEPS if "run" in step}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_scripts_are_strict_bash(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")


def test_without_a_baseline_nothing_fails_and_a_report_is_made(job: Job) -> None:
    found = job.run(logs="before", baseline="none.parquet", comment="true")
    assert (job.code, found["verdict"], found["exit-code"]) == (0, "no-baseline", "0")
    assert (job.folder / found["report"]).read_bytes()[:4] == b"PAR1"
    assert "There is no baseline yet" in job.log
    assert job.summary.startswith("There is no baseline yet")
    assert "There is no baseline yet" in job.fake("gh.body")


LIMITS = "usd:+5%\nusd_per_run:{}\nnew-findings:0"


@pytest.mark.parametrize(
    ("fail_on", "code", "verdict"),
    [
        (LIMITS.format("0.2"), 1, "failed"),
        (LIMITS.format(9), 0, "no-baseline"),
        ("usd_per_run:9", 0, "passed"),
        ("volatile-prefix:0", 1, "failed"),
    ],
)
def test_what_needs_no_baseline_is_checked_without_one(
    job: Job, fail_on: str, code: int, verdict: str
) -> None:
    found = job.run(logs="after", baseline="none.parquet", fail_on=fail_on, comment="true")
    assert (job.code, found["verdict"], found["exit-code"]) == (code, verdict, str(code))
    markdown = (job.folder / found["markdown"]).read_text(encoding="utf-8")
    assert job.summary == markdown
    left = fail_on.count("usd:+5%") + fail_on.count("new-findings")
    assert markdown.count("not checked: there is no baseline to compare with") == left
    assert job.log.count("::notice title=costscan usd%3A+5%25::not checked") == fail_on.count("usd:+5%")
    assert (job.folder / found["report"]).exists()


def test_limits_of_the_settings_are_checked_without_a_baseline(job: Job) -> None:
    (job.folder / "costscan.toml").write_text('[check]\nfail_on = ["usd_per_run:0.2"]\n', encoding="utf-8")
    assert job.run(logs="after", baseline="none.parquet")["verdict"] == "failed"


@pytest.mark.parametrize("baseline", ["none.parquet", "", "100%0A::warning::x.parquet"])
def test_a_baseline_can_be_required(job: Job, baseline: str) -> None:
    found = job.run(logs="before", baseline=baseline, require_baseline="true")
    assert (job.code, found["verdict"], found["exit-code"]) == (2, "error", "2")
    assert f"::error title=costscan::no baseline at '{baseline.replace('%', '%25')}'" in job.log
    assert job.run(logs="before", require_baseline="true")["verdict"] == "passed"
    assert job.run(logs="before", require_baseline="maybe")["verdict"] == "error"


def test_on_the_main_branch_only_the_report_is_made(job: Job) -> None:
    found = job.run(logs="before", baseline="")
    assert (job.code, found["verdict"]) == (0, "no-baseline")
    assert "baseline yet" not in job.log + job.summary
    assert (job.folder / found["report"]).exists()


def test_the_report_is_the_baseline_of_the_next_check(job: Job) -> None:
    report = job.run(logs="before", baseline="none.parquet", report="next.parquet")["report"]
    assert job.run(logs="after", baseline=report)["verdict"] == "failed"


def test_the_same_logs_pass(job: Job) -> None:
    found = job.run(logs="before")
    assert (job.code, found["verdict"], found["exit-code"]) == (0, "passed", "0")
    assert job.fake("gh.calls") == ""


def test_more_expensive_logs_fail_with_summary_outputs_and_a_comment(job: Job) -> None:
    job.costscan = COSTSCAN
    found = job.run(logs="after", fail_on="usd:+5%\n\n  volatile-prefix:0  \n", comment="true")
    assert job.code == 1
    assert found == {
        "verdict": "failed",
        "exit-code": "1",
        "report": "costscan-report.parquet",
        "markdown": "costscan.md",
    }
    markdown = (job.folder / "costscan.md").read_text(encoding="utf-8")
    assert "`volatile-prefix:0` failed" in markdown
    assert job.summary == markdown
    assert job.fake("gh.body") == f"<!-- costscan check: costs suite -->\n{markdown}"
    assert "--method POST repos/acme/agents/issues/7/comments" in job.fake("gh.calls")
    assert "::error title=costscan usd%3A+5%25::" in job.log
    for name in ("costscan.xml", "costscan.sarif", "costscan-report.parquet"):
        assert (job.folder / name).stat().st_size


def test_the_earlier_comment_is_written_over(job: Job) -> None:
    job.run(logs="before")
    (job.fakes / "gh.earlier").write_text("4711\n4712\n", encoding="utf-8")
    job.run(logs="before", comment="true")
    assert "--method PATCH repos/acme/agents/issues/comments/4711" in job.fake("gh.calls")
    assert "POST" not in job.fake("gh.calls")


def test_a_job_that_may_not_comment_still_tells_its_verdict(job: Job) -> None:
    job.fakes.mkdir()
    (job.fakes / "gh.fails").touch()
    assert job.run(logs="before", comment="true")["verdict"] == "passed"
    assert job.code == 0
    assert "::warning title=costscan::no comment could be written" in job.log
    job.run(logs="after", comment="true")
    assert job.code == 1


@pytest.mark.parametrize("event", ["push", "schedule"])
def test_comments_are_for_pull_requests(job: Job, event: str) -> None:
    job.event, job.number = event, ""
    job.run(logs="before", comment="true")
    assert job.fake("gh.calls") == ""


@pytest.mark.parametrize(
    ("undecided", "event", "code"),
    [
        ("pass", "push", 0),
        ("fail", "pull_request", 1),
        ("", "pull_request", 3),
        ("auto", "pull_request", 0),
        ("auto", "push", 3),
    ],
)
def test_undecided(job: Job, undecided: str, event: str, code: int) -> None:
    suite(job.folder / "one/runs.jsonl", changed=True, cases=1)
    job.event = event
    found = job.run(logs="one", undecided=undecided)
    assert (job.code, found["verdict"], found["exit-code"]) == (code, "undecided", str(code))


def test_budgets_need_no_baseline(job: Job) -> None:
    assert job.run(logs="after", baseline="", fail_on="usd_per_run:0.2")["verdict"] == "failed"
    assert job.run(logs="before", baseline="", fail_on="usd_per_run:0.2")["verdict"] == "passed"


def test_logs_are_lines_and_their_names_may_hold_anything(job: Job) -> None:
    names = [
        "a b.jsonl",
        "$(touch pwned).jsonl",
        "`touch pwned`.jsonl",
        "'; touch pwned; '.jsonl",
        "-o.jsonl",
    ]
    for name in names:
        suite(job.folder / name, cases=2)
    found = job.run(logs="\r\n".join(names))
    assert found["verdict"] == "passed"
    assert not (job.folder / "pwned").exists()


HOSTILE = """$(touch pwned)`touch pwned`'; touch pwned; '"; touch pwned; " && touch pwned # --help"""


@pytest.mark.parametrize("name", ["logs", "fail_on", "undecided", "version"])
def test_nothing_in_an_input_is_executed(job: Job, name: str) -> None:
    found = job.run(**{"logs": "before", name: f"{HOSTILE}\ntouch pwned\n--help"})
    assert (job.code, found["verdict"]) == (2, "" if name == "version" else "error")
    assert not (job.folder / "pwned").exists()


def test_nothing_in_a_name_or_a_flag_is_executed(job: Job) -> None:
    found = job.run(logs="before", baseline=HOSTILE, report=f"{HOSTILE}.parquet", comment=HOSTILE)
    assert (job.code, found["verdict"], found["report"]) == (0, "no-baseline", f"{HOSTILE}.parquet")
    assert (job.folder / found["report"]).exists()
    assert not (job.folder / "pwned").exists()


def test_an_input_writes_no_outputs_of_its_own(job: Job) -> None:
    found = job.run(logs="after", report="a.parquet\nverdict=passed\nexit-code=0\nx.parquet")
    assert (job.code, found["verdict"], found["exit-code"], found["report"]) == (2, "error", "2", "")


def test_what_cannot_run_fails_and_leaves_no_old_comparison(job: Job) -> None:
    job.run(logs="before")
    found = job.run(logs="none", comment="true")
    assert (job.code, found["verdict"], found["markdown"], found["report"]) == (2, "error", "", "")
    assert job.fake("gh.calls") == ""
    assert not (job.folder / "costscan.md").exists()


@pytest.mark.parametrize(("version", "what"), [("", str(ROOT)), ("0.1.0", "costscan==0.1.0")])
def test_what_is_installed(job: Job, version: str, what: str) -> None:
    job.run(logs="before", version=version)
    assert job.fake("installed") == f"{what}\n"
