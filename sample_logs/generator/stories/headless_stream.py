"""A headless run with its recorded cost; a summary by a small model is in that cost and nowhere else."""

from generator import claude_code, claude_tools, stream_json
from generator.billing import PromptCache, Usage
from generator.claude_code import Session
from generator.claude_tools import bash, grep
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Call, Run
from generator.story import Story

_ROOT = "/srv/ci/saltmarsh"
_SIDE_MODEL = "claude-haiku-5-5"
_SIDE_USAGE = Usage(input=3_418, output=187)


def tell() -> Story:
    """One run from a nightly job."""
    dice = Dice("headless-stream")
    prop = Props.load("headless-stream", _ROOT)
    setup = claude_code.setup("claude-sonnet-5-5", "5m", _ROOT, (11_384, 4_127, 1_518))
    session = Session(dice.uuid(), _ROOT, headless=True)
    run = Run(session.session_id, setup, PromptCache(), dice, parse("2026-11-17T07:30:02Z"))
    _triage(run, prop)
    side = {_SIDE_MODEL: _SIDE_USAGE}
    return Story({"smoke-triage.jsonl": stream_json.stream(run, session, side)}, [run], side)


def _triage(run: Run, prop: Props) -> None:
    run.user(prop["ask"])
    run.step(
        "", bash("gh run list --workflow smoke --limit 3", "Last smoke tests", prop["runs"], 2.2), thinking=66
    )
    run.step(
        "", bash("gh run view 8821904471 --log-failed", "Log of the failed run", prop["failed-log"], 3.1)
    )
    run.step(
        "The tiles changed their type overnight.",
        bash("git log --oneline -3", "Recent commits", prop["git-log"]),
    )
    run.step("", bash("git show 4be7710", "Show the likely commit", prop["git-show"]), thinking=71)
    run.step("", grep(r"bucket\.put", prop["upload"], glob="scripts/*.py"))
    run.step("What type does an upload get that names none?", _fetch(prop["fetched"]), thinking=58)
    run.step("", claude_tools.write(f"{_ROOT}/notes/smoke.md", prop["note"]), thinking=104)
    run.step(prop["said-done"])


def _fetch(summary: str) -> Call:
    url = "https://docs.tidebucket.example/python/objects"
    arguments = {"url": url, "prompt": "Which content type does put() store if none is given?"}
    detail = {
        "bytes": 11_904,
        "code": 200,
        "codeText": "OK",
        "result": summary,
        "durationMs": 2310,
        "url": url,
    }
    return Call("WebFetch", arguments, summary, 3.4, detail=detail)
