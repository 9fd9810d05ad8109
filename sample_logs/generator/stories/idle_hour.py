"""A session with two pauses: the one-hour cache outlives the first, the second costs a whole rewrite."""

from generator import claude_code, claude_tools
from generator.billing import PromptCache
from generator.claude_code import Session
from generator.claude_tools import bash
from generator.clock import parse
from generator.crud_code import entity_module
from generator.dice import Dice
from generator.props import Props
from generator.run import Run
from generator.story import Story

_ROOT = "/home/mikkel/copperline"
_COFFEE_S = 22 * 60
_MEETING_S = 74 * 60


def tell() -> Story:
    """One interactive session."""
    dice = Dice("idle-hour")
    prop = Props.load("idle-hour", _ROOT)
    modules = []
    for line in prop["entities"].split("\n"):
        modules.append(f"copperline/{line.split('|')[1]}.py")
        prop[modules[-1]] = entity_module(prop["module-template"], line)
    setup = claude_code.setup("claude-opus-5-5", "1h", _ROOT, (12_870, 4_127, 3_061))
    session = Session(dice.uuid(), _ROOT, branch="soft-deletes", title="Soft deletes for all entities")
    run = Run(session.session_id, setup, PromptCache(), dice, parse("2026-11-05T10:02:11Z"))
    _plan(run, prop, modules)
    _change_two(run, prop)
    _restore(run, prop)
    return Story({session.path: claude_code.transcript(run, session)}, [run])


def _plan(run: Run, prop: Props, modules: list[str]) -> None:
    run.user(prop["ask"])
    run.step(
        "I'll read them one after the other.", claude_tools.glob("copperline/*.py", *modules), thinking=52
    )
    for module in modules:
        run.step("", prop.read(module))
    run.step(prop["plan"], thinking=640)


def _change_two(run: Run, prop: Props) -> None:
    run.user(prop["ask-go"], after_s=_COFFEE_S)
    run.step(
        "Base class and migration first.",
        claude_tools.write(f"{_ROOT}/copperline/soft_deletes.py", prop["soft-deletes"]),
        claude_tools.write(f"{_ROOT}/migrations/0041_soft_deletes.sql", prop["migration"]),
        thinking=181,
    )
    for name, module in (("wagon", "copperline/wagons.py"), ("siding", "copperline/sidings.py")):
        run.step("", prop.edit(module, f"class-{name}"), prop.edit(module, f"remove-{name}"))
        run.step("", prop.edit(module, f"route-{name}"))
    run.step("", bash("pytest -q", "Run all tests", prop["tests-green"], 5.6))
    run.step(prop["said-go"])


def _restore(run: Run, prop: Props) -> None:
    run.user(prop["ask-restore"], after_s=_MEETING_S)
    run.step(
        "How are planners told apart?", claude_tools.grep("PLANNER|def requires", prop["roles"]), thinking=77
    )
    run.step("", prop.edit("copperline/soft_deletes.py", "soft"))
    run.step("", prop.edit("copperline/wagons.py", "restore-route"))
    tests = claude_tools.write(f"{_ROOT}/tests/test_restore.py", prop["tests"])
    run.step(
        "Three cases: a planner may, the yard may not, and a number that has been given away.",
        tests,
        thinking=93,
    )
    run.step("", bash("pytest -q", "Run all tests", prop["restored-green"], 5.9))
    run.step(prop["said-restore"])
