"""Logs in which runs are trees: sub-agents of sub-agents, calls that no line tells, agents without their run."""

from decimal import Decimal
from pathlib import Path

from logs import HAIKU, OPUS, Json, assistant, at, message, pair, result, usage, usd, user, write
from recording import SIDE, SIDE_TOTAL, TRUE, main_total, stream

MAIN = usd(OPUS, **{"in": 1000}, out=100)
SUB = usd(HAIKU, **{"in": 2000}, out=300)
UNKNOWN = "nova-9"
TREES: dict[str, tuple[str, int, int, Decimal | None]] = {
    "s1": ("sort the invoices", 4, 2, 2 * MAIN + SUB),
    "s2": ("sort the invoices", 1, 0, MAIN),
    "s3": ("unnamed", 4, 0, 2 * TRUE + SIDE),
    "s9": ("agent:sub-agent", 1, 1, SUB),
    "top": ("nightly", 3, 2, MAIN + 2 * SUB),
    "again": ("nightly", 1, 0, SUB),
    "around": ("circle", 2, 1, 2 * SUB),
    "nova": ("nova", 1, 0, None),
}
"""By run: its task, its turns, its sub-agents and what it cost, worked out from the price list."""


def write_trees(folder: Path) -> Path:
    """Write the logs into a folder."""
    for name in ("s1", "s2"):
        write(folder / f"{name}.jsonl", *_session(name, 2 if name == "s1" else 1))
    write(folder / "s1" / "subagents" / "agent-a1.jsonl", _sub("s1", "a1", HAIKU))
    write(folder / "s1" / "subagents" / "agent-a2.jsonl", _sub("s1", "a2", UNKNOWN))
    recorded = result(2 * TRUE + SIDE, {OPUS: main_total(2), HAIKU: SIDE_TOTAL}, "s3")
    write(folder / "s3.jsonl", *stream(2, session="s3"), recorded)
    write(folder / "agent-b9.jsonl", _sub("s9", "b9", HAIKU))
    write(folder / "pairs.jsonl", *_pairs())
    return folder


def _session(name: str, calls: int) -> list[Json]:
    return [
        line | {"sessionId": name, "timestamp": at(60 * n)}
        for n in range(calls)
        for line in (
            user("sort the invoices" if not n else "go on"),
            assistant(f"msg_{name}_{n}", usage(1000, out=100)),
        )
    ]


def _sub(session: str, agent: str, model: str) -> Json:
    used = usage(2000, out=300)
    told = {"agentId": agent, "sessionId": session, "isSidechain": True, "timestamp": at(9)}
    return assistant(f"msg_{session}_{agent}", used, model=model) | told


def _pairs() -> list[Json]:
    return [
        _pair("top", OPUS, task="nightly"),
        _pair("middle", HAIKU, parent_run_id="top", agent="planner", task="plan"),
        _pair("leaf", HAIKU, parent_run_id="middle", agent="worker", task="work"),
        _pair("again", HAIKU, task="nightly"),
        _pair("around", HAIKU, parent_run_id="back", task="circle"),
        _pair("back", HAIKU, parent_run_id="around", task="other"),
        _pair("nova", UNKNOWN, task="nova"),
    ]


def _pair(run_id: str, model: str, **more: str) -> Json:
    used = usage(1000, out=100) if model == OPUS else usage(2000, out=300)
    return pair(message(f"msg_{run_id}", used, model=model), model=model, run_id=run_id, **more)
