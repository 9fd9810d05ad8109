"""--task and --project choose runs by names and wildcards, the same in every command, and say what they miss."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import NO_LEVERS, Capture, said
from costscan.names import last_part, meant, meant_folders
from logs import assistant, at, usage, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

WINDOWS = "C:\\work\\shop docs\\"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["label"], ["label"]),
        (["lab*"], ["label", "label-2"]),
        (["label?2"], ["label-2"]),
        (["why?"], ["why?"]),  # a name as it is written means that alone
        (["wh??"], ["why?", "whys"]),
        (["*"], ["label", "label-2", "why?", "whys", "a[b]*"]),
        (["a[b]*"], ["a[b]*"]),
        (["a[*"], ["a[b]*"]),
        (["LABEL"], []),
        (["whys", "lab?l"], ["label", "whys"]),
        ([], []),
    ],
)
def test_which_names_are_meant(patterns: list[str], expected: list[str]) -> None:
    assert meant(patterns, ["label", "label-2", "why?", "whys", "a[b]*", "label"]) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("shop", ["/home/dev/shop", "/srv/shop/"]),
        ("/home/*", ["/home/dev/shop", "/home/dev/docs"]),
        ("shop docs", [WINDOWS]),
        ("*work*", [WINDOWS]),
        ("dev", []),
        ("/", ["/"]),
    ],
)
def test_which_folders_are_meant(pattern: str, expected: list[str]) -> None:
    folders = ["/home/dev/shop", "/home/dev/docs", "/srv/shop/", WINDOWS, "/"]
    assert meant_folders([pattern], folders) == expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_name_of_its_own_and_what_no_star_is_in_means_no_other_length(
    name: str, other: str
) -> None:
    assert meant([name], [name, other])[:1] == [name]
    if "*" not in name and len(name) != len(other):
        assert other not in meant([name], [other])
    assert last_part(name) or not name


def session(name: str, asked: str, **told: str) -> list[dict[str, object]]:
    question = user(asked, sessionId=name, timestamp=at(1), uuid=f"{name}-u", entrypoint="sdk-cli", **told)
    return [
        question,
        assistant(f"msg_{name}", usage(1_000, out=10), sessionId=name, timestamp=at(2), uuid=name, **told),
    ]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "logs" / "a.jsonl", *session("a", "sort the mail", cwd="/home/dev/shop"))
    write(tmp_path / "logs" / "b.jsonl", *session("b", "sort the bills", cwd="/home/dev/shop"))
    write(tmp_path / "logs" / "c.jsonl", *session("c", "write a poem", cwd="/home/dev/docs"))
    write(tmp_path / "logs" / "d.jsonl", *session("d", "write a poem"))
    return tmp_path


CHOSEN = [
    (("--task", "sort*"), {"a", "b"}),
    (("--task", "sort the mail", "--task", "write*"), {"a", "c", "d"}),
    (("--project", "shop"), {"a", "b"}),
    (("--project", "/home/dev/*"), {"a", "b", "c"}),
    (("--project", "shop", "--task", "*bills"), {"b"}),
]


@pytest.mark.parametrize(
    ("asked", "runs"), CHOSEN, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_the_same_runs_in_every_command(
    capsys: Capture, logs: Path, asked: tuple[str, ...], runs: set[str]
) -> None:
    told = json.loads(said(capsys, "analyze", "logs", "--json", *asked, *NO_LEVERS))
    assert {run["run_id"] for run in told["runs"]} == runs
    rows = json.loads(said(capsys, "usage", "logs", "--by", "session", "--json", *asked))["rows"]
    assert {row["session"] for row in rows} == runs
    said(capsys, "analyze", "logs", "-o", "all.parquet", *NO_LEVERS)
    of_report = json.loads(said(capsys, "compare", "all.parquet", "logs", "--json", *asked, *NO_LEVERS))
    assert {row["state"] for row in of_report["tasks"]} == {"same"}
    assert of_report["before"]["runs"] == of_report["after"]["runs"] == len(runs)
    series = json.loads(said(capsys, "trend", "all.parquet", "--json", *asked))
    assert sum(task["runs"] for task in series["tasks"]) == len(runs)


@pytest.mark.parametrize(
    ("asked", "what", "hint"),
    [
        (("--task", "sort the mial"), "--task sort the mial: none of", "did you mean sort the mail"),
        (("--project", "shup"), "--project shup: none of", "did you mean shop"),
        (("--project", "shop", "--project", "dogs"), "--project dogs: none of", "did you mean docs"),
        (("--task", "sort*", "--task", "poems*"), "--task poems*: none of", "known: "),
        (("--project", "docs", "--task", "sort*"), "no model call", "without --since"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_a_filter_that_nothing_fits_names_what_is_near(
    capsys: Capture, logs: Path, asked: tuple[str, ...], what: str, hint: str
) -> None:
    for command in ("analyze", "usage", "findings"):
        text = said(capsys, command, "logs", *asked, code=2)
        assert what in text
        assert hint in text


def test_logs_that_tell_no_project_say_so(capsys: Capture, logs: Path) -> None:
    text = said(capsys, "usage", "logs/d.jsonl", "--project", "shop", code=2)
    assert "--project shop: none of these logs has it" in text
    assert "they tell no project" in text


def test_a_task_that_is_new_is_no_error_against_a_baseline_without_it(capsys: Capture, logs: Path) -> None:
    said(capsys, "analyze", "logs/a.jsonl", "-o", "before.parquet", *NO_LEVERS)
    asked = ("--task", "sort the mail", "--task", "write*")
    for baseline in ("before.parquet", "logs/a.jsonl"):
        told = json.loads(said(capsys, "compare", baseline, "logs", "--json", *asked, *NO_LEVERS))
        assert {row["task"]: row["state"] for row in told["tasks"]} == {
            "sort the mail": "same", "write a poem": "new",
        }  # fmt: skip
    text = said(capsys, "compare", "before.parquet", "logs", "--task", "sort the mial", code=2)
    assert "did you mean sort the mail?" in text
