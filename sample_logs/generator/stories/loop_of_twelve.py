"""Eight nights of one job: seven take three turns, one repeats a failing command until the twelfth."""

from generator import claude_code
from generator.billing import PromptCache
from generator.claude_code import Session
from generator.claude_tools import bash
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Call, Run
from generator.story import Story

_ROOT = "/srv/ci/ferrywire"
_NIGHTS = 8
_NIGHT_OF_THE_LOOP = 5
_NIGHTS_WITH_NEWS = (0, 3)
_MAKE = "make client && git status --short client/"


def tell() -> Story:
    """One headless session per night."""
    dice = Dice("loop-of-twelve")
    prop = Props.load("loop-of-twelve", _ROOT)
    setup = claude_code.setup("claude-sonnet-5-5", "5m", _ROOT, (11_384, 4_127, 1_206))
    cache = PromptCache()
    files, runs = {}, []
    for night in range(_NIGHTS):
        session = Session(dice.uuid(), _ROOT, branch="nightly/client", headless=True)
        run = Run(session.session_id, setup, cache, dice, parse(f"2026-11-{2 + night:02}T02:30:01Z"))
        run.user(prop["ask"])
        _work(run, prop, night)
        files[session.path] = claude_code.transcript(run, session)
        runs.append(run)
    return Story(files, runs)


def _make(output: str, exit_code: int = 0) -> Call:
    return bash(_MAKE, "Regenerate the client", output, 10.6, exit_code)


def _work(run: Run, prop: Props, night: int) -> None:
    if night == _NIGHT_OF_THE_LOOP:
        for excuse in ["", *prop["excuses"].split("\n")]:
            run.step(excuse, _make(prop["failed"], exit_code=2))
        run.step(prop["said-failed"])
    elif night in _NIGHTS_WITH_NEWS:
        run.step("", _make(prop["changed"]))
        commit = "make test && git add client && git commit -m 'Regenerate API client'"
        run.step("", bash(commit, "Run the tests and commit", prop["tested"], 8.9))
        run.step("updated")
    else:
        run.step("", _make(prop["unchanged"]))
        run.step("", bash("git log --oneline -3 -- client", "Last change of the client", prop["log"]))
        run.step("unchanged")
