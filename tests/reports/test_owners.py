"""Whose a run is: the project, branch and user that logs tell, what they do not, and the bill by them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billed import Billed, billed
from command import NO_LEVERS, Capture, said
from costscan.formats.api.user import user_of
from costscan.reports.analysis.tables import NOT_LOGGED
from logs import OPUS, assistant, at, message, pair, progress, usage, usd, user, write

SHOP, DOCS = "/home/dev/shop", "C:\\work\\docs"
ACCOUNT = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
SESSION = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"


def session(name: str, **told: Any) -> list[dict[str, Any]]:
    """Return a session of one call of 1,000 tokens and 10 of output."""
    asked = user("please", sessionId=name, timestamp=at(1), uuid=f"{name}-u", **told)
    said_back = assistant(
        f"msg_{name}", usage(1_000, out=10), sessionId=name, timestamp=at(2), uuid=name, **told
    )
    return [asked, said_back]


ONE = usd(OPUS, **{"in": 1_000, "out": 10})


@pytest.fixture
def found(tmp_path: Path) -> Billed:
    logs = {
        "a": session("a", cwd=SHOP, gitBranch="fix/pay"),
        "b": session("b", cwd=SHOP, gitBranch="HEAD"),
        "c": session("c", cwd=DOCS, gitBranch=""),
        "d": session("d"),
    }
    for name, lines in logs.items():
        write(tmp_path / f"{name}.jsonl", *lines)
    asked = [
        pair(message(f"msg_p{n}", usage(1_000, out=10)), run_id=f"p{n}", timestamp=at(n)) for n in range(2)
    ]
    asked[0]["request"]["metadata"] = {"user_id": "team-7"}
    write(tmp_path / "pairs.jsonl", *asked)
    return billed([tmp_path])


def bill(found: Billed, name: str) -> dict[str | None, Decimal]:
    return dict(found.summary.breakdowns[name].select(name, "usd").iter_rows())


def test_the_bill_by_what_logs_tell(found: Billed) -> None:
    assert bill(found, "project") == {SHOP: 2 * ONE, DOCS: ONE, None: 3 * ONE}
    assert bill(found, "branch") == {"fix/pay": ONE, None: 5 * ONE}
    assert bill(found, "user") == {"team-7": ONE, None: 5 * ONE}
    assert bill(found, "session") == dict.fromkeys(("a", "b", "c", "d", "p0", "p1"), ONE)
    assert bill(found, "hour") == {"2026-07-01 00:00": 6 * ONE}
    assert bill(found, "week") == {"2026-06-29": 6 * ONE}
    assert bill(found, "month") == {"2026-07": 6 * ONE}


def test_runs_tell_it_in_every_table_of_runs(found: Billed) -> None:
    runs = {row["run_id"]: row for row in found.summary.runs.iter_rows(named=True)}
    assert [runs[name]["branch"] for name in "abcd"] == ["fix/pay", None, None, None]
    assert [runs[name]["user"] for name in ("a", "p0", "p1")] == [None, "team-7", None]
    assert found.x.frame("runs").filter(run_id="c")["project"].to_list() == [DOCS]


def test_a_sub_agent_is_of_the_project_of_its_session_wherever_it_works(tmp_path: Path) -> None:
    own = assistant("msg_own", usage(1_000, out=10), timestamp=at(3), uuid="own", cwd=DOCS)
    silent = assistant("msg_silent", usage(1_000, out=10), timestamp=at(4), uuid="silent")
    lines = [
        *session("s1", cwd=SHOP, gitBranch="main"),
        progress({"type": "assistant"} | own, agent="x"),
        progress({"type": "assistant"} | silent, agent="y"),
    ]
    found = billed([write(tmp_path / "s1.jsonl", *lines)])
    assert bill(found, "project") == {SHOP: 3 * ONE}
    assert bill(found, "branch") == {"main": 3 * ONE}


def test_a_sub_agent_without_the_log_of_its_session_tells_its_own(tmp_path: Path) -> None:
    own = assistant("msg_own", usage(1_000, out=10), timestamp=at(3), cwd=DOCS, isSidechain=True, agentId="x")
    assert bill(billed([write(tmp_path / "s1" / "subagents" / "agent-x.jsonl", own)]), "project") == {
        DOCS: ONE
    }


def test_another_copy_tells_what_the_fullest_does_not(tmp_path: Path) -> None:
    """A copy with fewer calls, of which none is billed, may be the only one that tells the branch."""
    write(tmp_path / "short.jsonl", *session("a", gitBranch="fix/pay"))
    more = assistant("msg_more", usage(1_000, out=10), sessionId="a", timestamp=at(5), uuid="more")
    write(tmp_path / "whole.jsonl", *session("a"), more)
    assert bill(billed([tmp_path]), "branch") == {"fix/pay": 2 * ONE}


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("team-7", "team-7"),
        (f"user_0a1b_account_{ACCOUNT}_session_{SESSION}", f"user_0a1b_account_{ACCOUNT}"),
        (json.dumps({"device_id": "d1", "account_uuid": ACCOUNT, "session_id": SESSION}), ACCOUNT),
        (json.dumps({"device_id": "d1", "account_uuid": "", "session_id": SESSION}), "d1"),
        ("{broken", "{broken"),
        ("x" * 300, "x" * 200),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_user_is_the_same_in_all_sessions(identifier: object, expected: str | None) -> None:
    assert user_of({"user_id": identifier}) == expected


def test_users_that_are_addresses_stay_apart() -> None:
    told = {user_of({"user_id": f"{name}@example.org"}) for name in ("zelda", "link", "ganon")}
    assert len(told) == 3
    assert not any("@" in str(one) or "example" in str(one) for one in told)


@pytest.mark.parametrize("metadata", [None, "team-7", ["user_id"], {}])
def test_what_names_no_user_is_no_error(metadata: object) -> None:
    assert user_of(metadata) is None


def test_what_is_not_in_the_log_is_said(capsys: Capture, tmp_path: Path) -> None:
    log = str(write(tmp_path / "a.jsonl", *session("a")))
    for name in ("project", "branch", "user"):
        shown = said(capsys, "analyze", log, "--by", name, *NO_LEVERS)
        assert f"by {name}" in shown
        assert NOT_LOGGED in shown
    told = json.loads(said(capsys, "analyze", log, "--json", *NO_LEVERS))
    assert [row["branch"] for row in told["breakdowns"]["branch"]] == [None]


def test_usage_sums_by_the_same(capsys: Capture, tmp_path: Path) -> None:
    log = str(write(tmp_path / "a.jsonl", *session("a", cwd=SHOP, gitBranch="fix/pay"), *session("b")))
    for name, named in (
        ("branch", "fix/pay"),
        ("project", SHOP),
        ("user", "unknown"),
        ("hour", "2026-07-01 00:00"),
    ):
        rows = json.loads(said(capsys, "usage", log, "--by", name, "--json"))["rows"]
        assert named in {row[name] for row in rows}
        assert sum(row["usd"] for row in rows) == pytest.approx(float(2 * ONE))
