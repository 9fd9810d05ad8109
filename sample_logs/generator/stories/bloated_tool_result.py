"""A search returns 40,000 tokens of log at the third turn, and 27 more turns carry them along."""

from generator import claude_code, long_log
from generator.billing import PromptCache
from generator.claude_code import Session
from generator.claude_tools import bash, mcp
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Run
from generator.story import Story

_ROOT = "/home/tomasz/gullwing"
_DISPATCHER = "internal/delivery/dispatcher.go"
_LEASE = "internal/delivery/lease.go"
_TEST = "internal/delivery/dispatcher_test.go"
_CLOCK = "internal/testdb/clock.go"
_METRICS = "internal/metrics/metrics.go"
_LOG_LINES = 344


def tell() -> Story:
    """One interactive session."""
    dice = Dice("bloated-tool-result")
    prop = Props.load("bloated-tool-result", _ROOT)
    setup = claude_code.setup("claude-opus-5-5", "5m", _ROOT, (12_870, 4_127, 2_418))
    session = Session(dice.uuid(), _ROOT, branch="fix/double-delivery", title="Webhooks delivered twice")
    run = Run(session.session_id, setup, PromptCache(), dice, parse("2026-10-27T09:40:18Z"))
    for part in (_look, _understand, _reproduce, _fix, _race, _write_down):
        part(run, prop)
    return Story({session.path: claude_code.transcript(run, session)}, [run])


def _look(run: Run, prop: Props) -> None:
    run.user(prop["ask"])
    run.step(
        "I'll begin with what the deploy changed.",
        bash("git log --oneline -4", "Recent commits", prop["git-log"]),
    )
    run.step("", prop.read(_DISPATCHER), thinking=74)
    query = {"query": 'svc:gullwing msg:"delivered"', "from": "2026-10-27T06:00:00Z", "limit": _LOG_LINES}
    log = long_log.delivery_log(run.dice, _LOG_LINES)
    run.step("Let me see which deliveries came twice.", mcp("logs", "search", query, log, 4.2), thinking=58)


def _log_of(run: Run) -> str:
    return str(run.messages[-1].parts[0].block.wire["content"][0]["text"])


def _understand(run: Run, prop: Props) -> None:
    run.step(
        f"{long_log.first_double(_log_of(run))} was posted by two pods 31.4 s apart, and so were the others;"
        " all of them go to slow endpoints. That smells of a lease.",
        prop.grep("[Ll]ease"),
        thinking=164,
    )
    run.step("", prop.read(_LEASE))
    run.step(
        "A lease of 30 s. What did the deploy do to the time a request may take?",
        bash("git show 3f0c1d7", "Show the deployed commit", prop["git-show"]),
        thinking=71,
    )
    run.step("", prop.read("internal/delivery/retry.go"))
    run.step(
        "Before I trust this, I want to see it in the numbers.",
        bash("psql gullwing_replica -f queries/doubles.sql", "Count double deliveries", prop["psql"], 5.5),
        thinking=83,
    )


def _reproduce(run: Run, prop: Props) -> None:
    run.step("Both banks, nobody else. Now the tests that exist.", prop.read(_TEST))
    run.step("", prop.edit(_TEST, "test"), thinking=132)
    red = bash("go test ./internal/delivery", "Run the delivery tests", prop["test-red"], 6.4, exit_code=1)
    run.step("", red)


def _fix(run: Run, prop: Props) -> None:
    run.step("Reproduced. The holder has to renew while it waits.", prop.edit(_LEASE, "lease"), thinking=148)
    run.step("", prop.edit(_DISPATCHER, "deliver"))
    lint = bash("golangci-lint run ./internal/...", "Lint", prop["build-red"], 9.0, exit_code=1)
    run.step("", lint)
    run.step("Fair: a renewal that fails should be seen.", prop.edit(_LEASE, "renew-call"))
    run.step("", prop.edit(_LEASE, "lease-struct"), prop.edit(_LEASE, "lease-imports"))
    still = bash(
        "go test ./internal/delivery", "Run the delivery tests", prop["test-still-red"], 15.1, exit_code=1
    )
    run.step("", still)
    run.step("The ticker runs on the wall clock, the test on its own.", prop.read(_CLOCK), thinking=96)
    run.step("", prop.edit(_LEASE, "ticker"), prop.edit(_TEST, "new-dispatcher"))
    run.step("", bash("go test ./internal/delivery", "Run the delivery tests", prop["test-green"], 6.2))


def _race(run: Run, prop: Props) -> None:
    red = bash(
        "go test -race ./internal/...",
        "Run tests with the race detector",
        prop["race-red"],
        21.0,
        exit_code=1,
    )
    run.step("Green. Since there is a goroutine now, the race detector should agree.", red)
    run.step("`Advance` writes the time without its lock.", prop.edit(_CLOCK, "clock"), thinking=52)
    run.step(
        "", bash("go test -race ./internal/...", "Run tests with the race detector", prop["race-green"], 20.3)
    )


def _write_down(run: Run, prop: Props) -> None:
    run.step("", prop.read("docs/runbook.md"))
    run.step("", prop.edit("docs/runbook.md", "runbook"))
    run.step("A lost lease should be counted too.", prop.read(_METRICS))
    run.step("", prop.edit(_METRICS, "metrics"))
    run.step("", bash("go vet ./... && go test ./...", "Vet and run all tests", prop["vet"], 14.8))
    run.step("", bash("git diff --stat", "Size of the change", prop["git-stat"]))
    run.step(prop["said-done"])
