"""What reports hold of the texts of a log: secrets planted in each place of it come out of none of them."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from command import Capture, said
from costscan.cli.app import run
from costscan.reports.endings import ANALYSIS, COMPARISON
from logs import assistant, at, message, pair, streamed, text, tool_result, tool_use, usage, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

SECRETS: Final[Mapping[str, str]] = {
    "e-mail": "zelda.fitz@example.org",
    "key": "sk-ant-api03-PLANTED0123456789",
    "card": "4111 1111 1111 1111",
    "phone": "+49 171 8675309",
    "name": "My name is Zelda Fitzgerald",
}
TRACES: Final = re.compile(
    r"zelda|fitz|example\.org|PLANTED|4111.?1111|1111.?1111|171.?8675309|8675309", re.IGNORECASE
)
"""What would be left of them where they were not taken out."""
PLACES: Final = ("system", "tool", "user", "answer", "thinking", "input", "result", "later")
"""The places of a request that have texts."""
WHERE: Final = "Ledger"
"""A word behind each planted secret, which may come out."""


def planted(place: str, secret: str, number: int, *, of: str) -> str:
    """Return a text with the secret in the one place that is meant, beside a number that changes."""
    return f"{number} {secret} {WHERE} {place}" if of == place else f"{place} of it"


def request(secret: str, of: str, turn: int) -> dict[str, Any]:
    """Return what goes into a request: all texts of earlier turns are written anew, each with another number."""

    def of_place(place: str, number: int = turn) -> str:
        return planted(place, secret, number, of=of)

    messages: list[Any] = [{"role": "user", "content": of_place("user")}]
    for k in range(turn):
        thought = {"type": "thinking", "thinking": of_place("thinking"), "signature": "sig"}
        call = tool_use(f"t{k}", "Bash", command=of_place("input"))
        messages.append({"role": "assistant", "content": [thought, text(of_place("answer")), call]})
        result = tool_result(f"t{k}", f"{of_place('result')} {'out ' * 600}")
        messages.append({"role": "user", "content": [result, text(of_place("later"))]})
    system = [text(f"{of_place('system')} {'rule ' * 2000}") | {"cache_control": {"type": "ephemeral"}}]
    tool = {"name": "Bash", "description": f"{of_place('tool')} {'does ' * 300}", "input_schema": {}}
    return {"messages": messages, "system": system, "tools": [tool]}


def pairs(secret: str, of: str, run_id: str) -> Iterator[Any]:
    for turn in range(4):
        wrote = [text(planted("answer", secret, turn, of=of)), tool_use(f"t{turn}", "Bash", command="ls")]
        answer = message(f"{run_id}-{turn}", usage(5, w5m=9_000 + 1_000 * turn, out=40), content=wrote)
        line = pair(answer, run_id=run_id, timestamp=at(60 * turn), **request(secret, of, turn))
        line["request"]["metadata"] = {"user_id": secret}
        yield line


def transcript(secret: str, session: str) -> Iterator[Any]:
    """Yield a session with the secret in every field that has text, whether costscan reads it or not."""
    where = {"sessionId": session, "cwd": "/home/shop"}
    yield user(f"{secret} {WHERE} fix the till", uuid=f"{session}u", gitBranch=secret, **where)
    for n in range(4):
        thought = {"type": "thinking", "thinking": f"{secret} {n}"}
        call = tool_use(f"c{n}", "Read", file_path=f"/{secret}/a.py")
        content = [thought, text(f"{secret} {n}"), call]
        yield assistant(
            f"{session}{n}", usage(5, w5m=30_000, out=30), content=content, timestamp=at(60 * n), **where
        )
        yield user(
            [tool_result(f"c{n}", f"{secret} {n}" + " line" * 600)],
            toolUseResult={"stdout": secret},
            **where,
        )
    attached = {"type": "queued_command", "prompt": secret}
    for line in ({"type": "summary", "summary": secret}, {"type": "custom-title", "customTitle": secret},
                 {"type": "last-prompt", "lastPrompt": secret}, {"type": "attachment", "attachment": attached},
                 {"type": "system", "subtype": "api_error", "error": secret}):  # fmt: skip
        yield line | where


def stream(secret: str, session: str) -> Iterator[Any]:
    yield {"type": "user", "session_id": session, "message": {"role": "user", "content": f"{secret} go"}}
    yield streamed(f"{session}0", usage(20_000, out=10), session_id=session, content=[text(secret)])
    yield {
        "type": "result",
        "session_id": session,
        "total_cost_usd": 0.5,
        "result": secret,
        "errors": [secret],
    }


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with logs: each secret in each place, and in lines that are no JSON."""
    folder = tmp_path_factory.mktemp("privacy")
    for kind, secret in SECRETS.items():
        every = [line for place in PLACES for line in pairs(secret, place, f"{kind}-{place}")]
        write(folder / "logs" / f"{kind}.jsonl", *every, f'{{"broken": "{secret}", ', f"no JSON {secret}")
        write(folder / "logs" / f"{kind}-session.jsonl", *transcript(secret, f"{kind}-session"))
        write(folder / "logs" / f"{kind}-stream.jsonl", *stream(secret, f"{kind}-stream"))
    with chdir(folder):
        reports = [f"report{ending}" for ending in ANALYSIS] + ["frames/"]
        assert run(["analyze", "logs", *(part for name in reports for part in ("-o", name))]) == 0
    return folder


def read(path: Path) -> str:
    """Return all that a report holds as text."""
    if path.suffix == ".parquet":
        return json.dumps(pl.read_parquet(path).to_dicts(), default=str, ensure_ascii=False)
    return path.read_text(encoding="utf-8")


def test_no_report_holds_a_planted_secret(logs: Path) -> None:
    files = [file for file in logs.rglob("*") if file.is_file() and file.parent.name != "logs"]
    assert {file.suffix for file in files} == set(ANALYSIS)
    for file in files:
        assert not TRACES.search(read(file)), file.name


def test_what_stood_beside_the_secrets_comes_out(logs: Path) -> None:
    """Otherwise the test above would prove nothing: a secret of each place stood within an excerpt or a name."""
    breaks = pl.read_parquet(logs / "frames" / "prefix_breaks.parquet").drop_nulls("after")
    covered = breaks.filter(pl.col("after").str.contains("▮"))["run_id"].unique()
    assert set(covered) == {f"{kind}-{place}" for kind in SECRETS for place in PLACES}
    assert breaks.filter(pl.col("after").str.len_chars() > 60).is_empty()
    tasks = set(pl.read_parquet(logs / "frames" / "runs.parquet")["task"])
    assert {
        "# … Ledger user",
        "# My name is… user",
        "# # # # # Ledger user",
        "# +# # # Ledger user",
    } <= tasks
    assert max(map(len, tasks)) <= 60


def test_no_command_prints_a_planted_secret(
    logs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(logs)
    monkeypatch.setenv("COLUMNS", "140")
    told = [said(capsys, "analyze", "logs", "--by", by) for by in ("run", "task")]
    for kind in ("name", "phone"):
        session = (f"{kind}-session", f"logs/{kind}-session.jsonl")
        told += [said(capsys, "explain", *session, "--show-content")]
    told.append(said(capsys, "explain", "card-result", "logs/card.jsonl", "--show-content"))
    outputs = [part for ending in COMPARISON for part in ("-o", f"check{ending}")]
    limits = ("--fail-on", "volatile-prefix:9")
    told.append(
        said(
            capsys, "check", "logs/card.jsonl", "--baseline", "report.parquet", "--github", *outputs, *limits
        )
    )
    told += [read(Path(f"check{ending}")) for ending in COMPARISON]
    told.append(said(capsys, "trend", "report.parquet", "--json"))
    for shown in told:
        assert not TRACES.search(shown)
