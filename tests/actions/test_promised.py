"""What became of the actions of an earlier report: fixes really made, some for half of the calls, some not."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import polars as pl
import pytest

from command import NO_LEVERS, Capture, logs_of, said
from costscan.actions.promised import Promise, kept, read_promises
from costscan.errors import CostscanError
from logs import Json, write
from mishaps import varying
from workloads import OPUS48, Calls, lines, loops, marked, usd

FIX, CAP, ROUTE, TTL = "caching/fix-prefix", "trimming/cap-tool-results", "routing/runs", "caching/ttl"
COMPACT = "trimming/compact-history"
LABELS = Path("sample_logs/dearest-model-for-everything/ticket-label.jsonl")


def promise(**changed: Any) -> Promise:
    given = {
        "rank": 1,
        "id": "a1",
        "title": "Do it",
        "subject": "desk",
        "scenario": FIX,
        "setting": None,
        "risk": "none",
    }
    money: Json = {"calls": 10, "saved_usd": Decimal(3), "saved_alone_usd": Decimal(4)}
    return msgspec.convert(given | money | changed, Promise)


def told(calls: int = 10, saved: str | None = "4", scenario: str = FIX, **run: Any) -> Any:
    """A diagnosis of one run of so many calls, for which a scenario would save so much."""
    own = {"run_id": "r", "task": "desk", "agent": None, "source": "claude_code", "parent_run_id": None} | run
    text = dict.fromkeys(("agent", "parent_run_id"), pl.String)
    amount: Json = {"saved_usd": pl.Decimal(38, 12)}
    rows = [] if saved is None else [{"run_id": "r", "scenario": scenario, "saved_usd": Decimal(saved)}]
    cap = [] if saved is None else [{"tool": "Bash", "cap_tokens": 4000, "saved_usd": Decimal(saved)}]
    return SimpleNamespace(
        runs=pl.DataFrame([own], schema_overrides=text),
        turns=pl.DataFrame({"run_id": ["r"] * calls}),
        tool_calls=pl.DataFrame({"run_id": ["r"], "tool": ["Bash"]}),
        scenarios=pl.DataFrame(rows, schema={"run_id": pl.String, "scenario": pl.String} | amount),
        routes=pl.DataFrame({"run_id": ["r"], "to_model": ["small"]}),
        caps=pl.DataFrame(cap, schema={"tool": pl.String, "cap_tokens": pl.Int64} | amount),
        parts_off=frozenset(),
    )


def log(folder: Path, name: str, *workloads: Calls) -> str:
    return str(write(folder / name, *(line for calls in workloads for line in lines(calls))))


def advised(path: str, scenario: str) -> Promise:
    """The action of a log, as its report would tell it."""
    with logs_of(path) as (found, _):
        (row,) = found.actions.filter(scenario=scenario).to_dicts()
        return promise(**{name: row[name] for name in Promise.__struct_fields__})


def became(path: str, *promises: Promise) -> Sequence[Json]:
    with logs_of(path) as (found, _):
        return kept(list(promises), found).to_dicts()


@pytest.mark.parametrize(
    ("mended_runs", "state", "within"), [(0, "open", 0), (2, "partly", 0.1), (4, "done", 0.02)]
)
def test_a_value_that_was_taken_out_of_the_prompts_of_some_runs(
    mended_runs: int, state: str, within: float, tmp_path: Path
) -> None:
    """What came true is what the calls that were mended cost less, by the biller of whole requests.

    Where half of the runs were mended, the others would share their cache: more is left than half.
    """
    it = varying(loops("desk", model=OPUS48, runs=4, turns=6, system=6000), "timestamp", "system[0].text")
    before, mended = marked(it.before), it.mended(marked)
    runs = sorted({call.run for call in before})[:mended_runs]
    after = [new if new.run in runs else old for old, new in zip(before, mended, strict=True)]
    (row,) = became(log(tmp_path, "after.jsonl", after), advised(log(tmp_path, "before.jsonl", before), FIX))
    really = usd(lines(before)) - usd(lines(after))
    assert (row["state"], row["calls"]) == (state, 24)
    assert float(row["came_true_usd"]) == pytest.approx(float(really), rel=within, abs=1e-6)
    assert row["came_true_share"] == pytest.approx(mended_runs / 4, abs=within)


def test_what_is_promised_goes_with_the_number_of_calls() -> None:
    """Ten calls promised $4 alone and $3 after others; of 110 calls all, of which $11 are left."""
    (row,) = kept([promise(calls=10)], told(calls=110, saved="11")).to_dicts()
    assert (row["calls"], row["promised_usd"], row["left_usd"]) == (110, Decimal(44), Decimal(11))
    assert (row["state"], row["came_true_share"], row["came_true_usd"]) == ("partly", 0.75, Decimal("24.75"))


@pytest.mark.parametrize(("saved", "state", "share"), [
    ("0.4", "done", 0.9), ("0.41", "partly", 0.8975), ("3.59", "partly", 0.1025), ("3.6", "open", 0.1),
    # More is left than was promised, or the setting would cost something now.
    ("9", "open", 0.0), ("-1", "done", 1.0),
])  # fmt: skip
def test_nine_tenths_are_done(saved: str, state: str, share: float) -> None:
    (row,) = kept([promise()], told(calls=10, saved=saved)).to_dicts()
    assert (row["state"], row["came_true_share"]) == (state, pytest.approx(share))


@pytest.mark.parametrize(("subject", "scenario", "run", "is_own"), [
    ("desk", FIX, {}, True),
    ("other", FIX, {}, False),
    ("desk / reader", FIX, {"agent": "reader"}, True),
    ("desk", FIX, {"agent": "reader"}, False),
    ("all sessions", TTL, {}, True),
    ("all sessions", TTL, {"parent_run_id": "p"}, False),
    ("all sessions", TTL, {"source": "codex"}, False),
    ("sub-agents", TTL, {"parent_run_id": "p"}, True),
    ("sub-agents", TTL, {}, False),
    # Claude Code has one threshold for sessions and their sub-agents.
    ("all sessions", COMPACT, {"parent_run_id": "p"}, True),
    ("Bash", CAP, {}, True),
    ("Read", CAP, {}, False),
])  # fmt: skip
def test_whose_calls_they_are(subject: str, scenario: str, run: Json, *, is_own: bool) -> None:
    given = promise(subject=subject, scenario=scenario, setting="4000")
    (row,) = kept([given], told(scenario=scenario, **run)).to_dicts()
    expected = (10, "open", Decimal(4)) if is_own else (0, "not seen", None)
    assert (row["calls"], row["state"], row["left_usd"]) == expected


@pytest.mark.parametrize(("scenario", "setting", "left"), [
    (CAP, "4000", 4), (CAP, "8000", 0), (ROUTE, "small", 4), (ROUTE, "large", 0),
])  # fmt: skip
def test_what_is_left_is_left_of_the_same_setting(scenario: str, setting: str, left: int) -> None:
    given = promise(subject="Bash" if scenario == CAP else "desk", scenario=scenario, setting=setting)
    (row,) = kept([given], told(scenario=scenario.replace("/runs", ""))).to_dicts()
    assert row["left_usd"] == left


@pytest.mark.parametrize("scenario", [FIX, ROUTE])
def test_a_lever_that_was_not_worked_out_says_nothing(scenario: str) -> None:
    (row,) = kept([promise(scenario=scenario, setting="small")], told(saved=None)).to_dicts()
    assert (row["state"], row["left_usd"], row["came_true_share"], row["came_true_usd"]) == (
        "unknown",
        *[None] * 3,
    )


@pytest.mark.parametrize(("content", "what"), [
    (None, "cannot be read"),
    ("{", "is no JSON report"),
    ('{"actions": [{"rank": 1}]}', "is no JSON report"),
    ('{"actions": []}', "has no actions"),
    ('{"actions": null}', "has no actions"),
    ("[]", "is no JSON report"),
])  # fmt: skip
def test_a_report_without_promises(content: str | None, what: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(CostscanError, match=what):
        read_promises(path)


def test_the_command(tmp_path: Path, capsys: Capture) -> None:
    """Labels that went to the small model as promised: the same log with another model in it."""
    report, moved = tmp_path / "report.json", tmp_path / "moved.jsonl"
    moved.write_text(LABELS.read_text("utf-8").replace("claude-opus-4-8", "claude-haiku-5-5"), "utf-8")
    said(capsys, "analyze", str(LABELS), "-o", str(report), brief=True)
    shown = said(capsys, "compare", str(LABELS), str(moved), "--actions", str(report), "--json")
    (row,) = (r for r in json.loads(shown)["promises"] if r["scenario"] == ROUTE)
    (before,) = (a for a in json.loads(report.read_bytes())["actions"] if a["scenario"] == ROUTE)
    assert (row["state"], row["calls"]) == ("done", before["calls"])
    assert row["came_true_usd"] == pytest.approx(before["saved_usd"])
    page = said(capsys, "compare", str(LABELS), str(moved), "--actions", str(report))
    assert "promised before" in page
    assert " done " in page


def test_a_report_of_runs_does_not_tell(tmp_path: Path, capsys: Capture) -> None:
    report, runs = tmp_path / "report.json", tmp_path / "runs.parquet"
    report.write_text(json.dumps({"actions": [msgspec.to_builtins(promise())]}), "utf-8")
    said(capsys, "analyze", str(LABELS), "-o", str(runs), *NO_LEVERS, brief=True)
    assert "does not tell what is left to do" in said(
        capsys, "compare", str(LABELS), str(runs), "--actions", str(report), *NO_LEVERS, code=2
    )
