"""`costscan trial` and `analyze --trial`: what is asked before anything is sent, and what comes of it."""

import json
import re
import socket
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from billed import ROOT
from command import Capture, said
from costscan.schema.frames import check
from trial_server import TrialServer, trial_server, words

LOG = str(ROOT / "sample_logs/dearest-model-for-everything")
pytestmark = pytest.mark.usefixtures("kept_analyses")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("ANTHROPIC_CONFIG_DIR", raising=False)


@pytest.fixture
def reached(api: TrialServer, monkeypatch: pytest.MonkeyPatch) -> TrialServer:
    """The stand-in, as the variables of the SDK name it; it labels as the log does, but for one word."""
    recorded: dict[str, str] = {}
    for line in Path(LOG, "ticket-label.jsonl").read_text("utf-8").splitlines():
        pair = json.loads(line)
        recorded[json.dumps(pair["request"]["messages"])] = pair["response"]["content"][0]["text"]
    api.answer = lambda body: words(recorded[json.dumps(body["messages"])].replace("warranty", "other"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0123456789")
    return api


def ranks(capsys: Capture) -> dict[str, int]:
    told = json.loads(said(capsys, "analyze", LOG, "--json"))
    return {one["subject"]: one["rank"] for one in told["actions"]}


def test_the_whole_way(capsys: Capture, reached: TrialServer) -> None:
    rank = str(ranks(capsys)["ticket-label"])
    text = said(capsys, "trial", LOG, "--action", rank, "--yes", "--max-usd", "1")
    assert (
        "19 requests, 5 of them to the model that served the call, as message batches, at half price" in text
    )
    assert re.search(r"COST +about \$0\.\d+, never more than \$0\.\d+", text)
    frame = check("trial", pl.read_parquet("trial.parquet"))
    of_target = frame.filter(role="target")
    assert of_target.height == 14
    wrong = of_target.filter(~pl.col("agrees"))
    assert set(wrong["why"]) == {"1 of 2 fields differ"}
    agreement = f"{1 - wrong.height / 14:.0%}"
    assert f"AGREES      {agreement} (" in text
    assert '"label":"warranty"' in text
    assert '"label":"other"' in text
    # The log and what it costs are those of before.
    screen = said(capsys, "analyze", LOG, "--trial", "trial.parquet", "-o", "report.json", brief=True)
    told = json.loads(Path("report.json").read_bytes())
    row = next(one for one in told["actions"] if one["subject"] == "ticket-label")
    assert row["risk"].startswith(f"measured: {agreement} (")
    assert row["risk"].endswith(f"itself {_share(frame.filter(role='itself')):.0%}")
    assert row["risk"] in screen
    # Again: all is known, and nothing is sent.
    asked = len(reached.bodies)
    assert "AGREES" in said(capsys, "trial", LOG, "--action", rank, "--max-usd", "1")
    assert len(reached.bodies) == asked
    whole = Path("trial.parquet").read_bytes()
    assert b"urgent" not in whole
    assert b"sk-ant-test" not in whole + Path("trial.state").read_bytes()


def _share(frame: pl.DataFrame) -> float:
    return int(frame["agrees"].sum()) / frame.height


def test_by_evidence_and_live(capsys: Capture, reached: TrialServer) -> None:
    reached.usage = lambda _: {"input_tokens": 300, "output_tokens": 12}
    only = ("--task", "ticket-label", "--rule", "single-shot-label", "--model", "sonnet")
    text = said(
        capsys, "trial", LOG, *only, "--yes", "--live", "--sample", "6", "--itself", "0", "-o", "s.parquet"
    )
    assert "6 requests, one by one" in text
    assert {body["model"] for body in reached.bodies} == {"claude-sonnet-5-5"}
    assert not reached.batches
    assert "LATENCY" in text
    # 300 tokens at $2 and 12 at $10 a million.
    assert pl.read_parquet("s.parquet")["usd"].to_list() == [Decimal("0.00072")] * 6


def test_nothing_is_sent_without_a_yes(
    capsys: Capture, reached: TrialServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ("trial", LOG, "--action", str(ranks(capsys)["ticket-label"]))
    assert (
        "error: trial: nothing was sent: there is no terminal to ask on\nhint: --yes sends what is said above"
        in said(capsys, *ask, code=2)
    )
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n")
    said(capsys, *ask, code=130)
    assert (reached.paths, list(Path().iterdir())) == ([], [])


def test_without_a_key(capsys: Capture) -> None:
    text = said(capsys, "trial", LOG, "--action", str(ranks(capsys)["ticket-label"]), "--yes", code=2)
    assert "error: trial: no key for the API\nhint: set ANTHROPIC_API_KEY " in text
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("words_of", "error", "hint"),
    [
        ((), "give --action N, or --rule NAME and --model NAME", ""),
        (("--action", "1", "--rule", "x", "--model", "y"), "give --action N, or --rule", ""),
        (("--rule", "single-shot-label"), "give --action N, or --rule NAME and --model NAME", ""),
        (
            ("--rule", "single-shot", "--model", "haiku"),
            "no evidence that routing goes by",
            "single-shot-label",
        ),
        (("--rule", "single-shot-label", "--model", "haikku"), "haikku: no model", ""),
        (("--action", "99"), "there is no such action", "these do: --action "),
        (("--action", "1", "--judge", "opus"), "--judge and --rubric belong together", ""),
        (("--action", "1", "-o", "x.json"), "a trial is a .parquet file", ""),
    ],
)
def test_what_cannot_be(capsys: Capture, words_of: tuple[str, ...], error: str, hint: str) -> None:
    text = said(capsys, "trial", LOG, *words_of, "--yes", code=2)
    assert error in text
    assert hint in text


def test_logs_without_whole_requests(capsys: Capture) -> None:
    log = str(ROOT / "sample_logs/loop-of-twelve")
    text = said(capsys, "trial", log, "--rule", "mechanical-tool-step", "--model", "haiku", code=2)
    assert "logs of the format claude_code do not hold the whole requests of these calls" in text
    assert "docs/capture.md" in text


def test_a_file_that_is_no_trial(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    for name, why in (("none.parquet", "No such file"), ("x.parquet", "no Parquet file")):
        assert why in said(capsys, "analyze", LOG, "--trial", name, code=2)
    pl.DataFrame({"a": [1]}).write_parquet("other.parquet")
    assert "other.parquet: no trial" in said(capsys, "analyze", LOG, "--trial", "other.parquet", code=2)


@pytest.mark.parametrize("live", [(), ("--live",)])
def test_keys_and_prompts_go_nowhere_else(
    capsys: Capture, reached: TrialServer, live: tuple[str, ...]
) -> None:
    rank = str(ranks(capsys)["ticket-label"])
    with trial_server() as other:
        reached.elsewhere = other.url
        text = said(capsys, "trial", LOG, "--action", rank, "--yes", *live, code=0 if live else 2)
        assert (other.paths, other.bodies) == ([], [])
    assert "307" in text


def test_analyze_opens_no_socket(
    capsys: Capture, reached: TrialServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = str(ranks(capsys)["ticket-label"])
    said(capsys, "trial", LOG, "--action", rank, "--yes", "--sample", "3", "--max-usd", "1")

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "bind", refused)
    assert "measured: " in said(capsys, "analyze", LOG, "--trial", "trial.parquet")
    # So does a trial of which all is known.
    assert "AGREES" in said(capsys, "trial", LOG, "--action", rank, "--sample", "3", "--max-usd", "1")
