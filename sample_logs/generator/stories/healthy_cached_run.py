"""A bug fixed in two exchanges: small results, a warm cache, nothing to gain."""

from generator import claude_code
from generator.billing import PromptCache
from generator.claude_code import Session
from generator.claude_tools import bash
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Run
from generator.story import Story

_ROOT = "/home/ines/tidewater"
_WINDOWS = "src/tidewater/windows.py"
_QUAYS = "src/tidewater/quays.py"


def tell() -> Story:
    """One interactive session."""
    dice = Dice("healthy-cached-run")
    prop = Props.load("healthy-cached-run", _ROOT)
    setup = claude_code.setup("claude-sonnet-5-5", "5m", _ROOT, (11_384, 4_127, 1_962))
    session = Session(dice.uuid(), _ROOT, branch="fix/turn-of-tide", title="Bookings at the turn of the tide")
    run = Run(session.session_id, setup, PromptCache(), dice, parse("2026-10-14T09:12:07Z"))
    _find_the_cause(run, prop)
    _fix_and_test(run, prop)
    _look_at_the_quays(run, prop)
    return Story({session.path: claude_code.transcript(run, session)}, [run])


def _find_the_cause(run: Run, prop: Props) -> None:
    run.user(prop["ask"])
    run.step(
        "I'll find where the refusal is raised.",
        prop.grep("outside tide window"),
        thinking=61,
    )
    run.step("", prop.read(_WINDOWS))
    run.step(
        "`holds` excludes the opening moment. What did the release change, and what do the tests cover?",
        bash(
            "git log --oneline -3 -- src/tidewater/windows.py && git show a41c9e2 -U1 | head -40",
            "History of the window code",
            f"{prop['git-log']}\n\n{prop['git-show']}",
        ),
        prop.read("tests/test_windows.py"),
        thinking=138,
    )


def _fix_and_test(run: Run, prop: Props) -> None:
    run.step(
        "First a test that fails for the reported reason.",
        prop.edit("tests/test_windows.py", "test"),
        thinking=94,
    )
    run.step(
        "",
        bash(
            "pytest -q tests/test_windows.py -k turn",
            "Run the new test",
            prop["pytest-red"],
            2.3,
            exit_code=1,
        ),
    )
    run.step(
        "It fails as reported. Both the comparison and the early raise need to go.",
        prop.edit(_WINDOWS, "holds"),
        prop.edit(_WINDOWS, "check"),
        thinking=112,
    )
    run.step("", bash("pytest -q tests/test_windows.py", "Run the window tests", prop["pytest-green"], 2.1))
    run.step(prop["said-done"])


def _look_at_the_quays(run: Run, prop: Props) -> None:
    run.user(prop["ask-quays"], after_s=96)
    run.step("", prop.grep(r"\.frees <"))
    run.step("", prop.read(_QUAYS))
    run.step(
        "Line 24 has the same mistake; line 33 asks a different question and is right as it is.",
        prop.edit(_QUAYS, "quay"),
        prop.edit("tests/test_quays.py", "quay-test"),
        thinking=87,
    )
    run.step(
        "",
        bash(
            "pytest -q && git diff --stat", "Run all tests", f"{prop['pytest-all']}\n{prop['git-stat']}", 4.0
        ),
    )
    run.step(prop["said-quays"])
