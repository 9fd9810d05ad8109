"""Random small agent histories, what they cost, and the logs that tell them."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from hypothesis import strategies as st

from logs import (
    HAIKU,
    OPUS,
    SONNET,
    Json,
    assistant,
    at,
    message,
    progress,
    text,
    tool_result,
    tool_use,
    usage,
    usd,
    user,
)

UNKNOWN: Final = "model-of-another-maker"
Cut: TypeAlias = Literal["", "compacted", "cleared", "shrunk"]
Place: TypeAlias = Literal["own", "inline", "progress", "both"]
Files: TypeAlias = dict[str, list[Json]]


@dataclass(frozen=True)
class Turn:
    """A call: what its prompt adds, how the prompt splits into token classes, what it writes."""

    model: str
    added: int
    shares: tuple[int, int, int, int]
    out: int
    tools: int
    cut: Cut = ""
    searches: int = 0
    lines: int = 1
    chars: int = 0

    def used(self, prompt: int) -> Json:
        """The usage of the call, its prompt split by `shares`."""
        whole = sum(self.shares) or 1
        read, w5m, w1h = (prompt * share // whole for share in self.shares[1:])
        plain = prompt - read - w5m - w1h
        return usage(plain, read=read, w5m=w5m, w1h=w1h, out=self.out,
                     server_tool_use={"web_search_requests": self.searches})  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """A sub-agent: its calls and where the log tells them."""

    turns: tuple[Turn, ...]
    place: Place


@dataclass(frozen=True)
class Session:
    """A session, its sub-agents, and after how many turns copies of it were taken as new sessions."""

    turns: tuple[Turn, ...]
    agents: tuple[Agent, ...] = ()
    forks: tuple[int, ...] = ()


small = st.integers(0, 40)
TURNS: Final = st.builds(
    Turn,
    model=st.sampled_from((OPUS, OPUS, OPUS, SONNET, HAIKU, UNKNOWN)),
    added=st.integers(0, 3000),
    shares=st.tuples(small, small, small, small),
    out=st.integers(0, 500),
    tools=st.integers(0, 3),
    cut=st.sampled_from(("", "", "", "", "", "compacted", "cleared", "shrunk")),
    searches=st.sampled_from((0, 0, 0, 2)),
    lines=st.integers(1, 3),
    chars=st.integers(0, 2000),
)
RUNS: Final = st.lists(TURNS, min_size=1, max_size=7).map(tuple)
AGENTS: Final = st.builds(
    Agent, turns=st.lists(TURNS, min_size=1, max_size=3).map(tuple),
    place=st.sampled_from(("own", "inline", "progress", "both")),
)  # fmt: skip
SESSIONS: Final = st.builds(
    Session, turns=RUNS, agents=st.lists(AGENTS, max_size=2).map(tuple), forks=st.lists(st.integers(0, 7), max_size=2).map(tuple),
)  # fmt: skip
WORLDS: Final = st.lists(SESSIONS, min_size=1, max_size=8).map(tuple)
"""Several sessions at once: an analysis takes about as long as one of a single session."""


def prompts(turns: tuple[Turn, ...]) -> Iterator[tuple[Turn, int]]:
    """Yield each turn with the size of its prompt: the one before, what that wrote, and what is new."""
    size = 100
    for n, turn in enumerate(turns):
        if n and turn.cut:
            size = size // 3
        size += turn.added + (turns[n - 1].out if n and not turn.cut else 0)
        yield turn, size


def all_turns(world: tuple[Session, ...]) -> Iterator[tuple[Turn, int]]:
    """Yield every call of all sessions and sub-agents once."""
    for session in world:
        yield from prompts(session.turns)
        for agent in session.agents:
            yield from prompts(agent.turns)


def usd_of(turn: Turn, prompt: int) -> Decimal:
    """Return what a call costs, nothing where its model has no price."""
    if turn.model == UNKNOWN:
        return Decimal(0)
    used = turn.used(prompt)
    split = used["cache_creation"]
    w5m, w1h = split["ephemeral_5m_input_tokens"], split["ephemeral_1h_input_tokens"]
    read, plain = used["cache_read_input_tokens"], {"in": used["input_tokens"]}
    return usd(turn.model, read=read, out=turn.out, w5m=w5m, w1h=w1h, **plain) + Decimal(turn.searches) / 100


def cost(world: tuple[Session, ...]) -> Decimal:
    """Return what the known models of these histories cost, worked out call by call."""
    return sum((usd_of(turn, prompt) for turn, prompt in all_turns(world)), Decimal(0))


def transcripts(world: tuple[Session, ...]) -> Files:
    """Tell histories as Claude Code does, a file a session; the copies come after their originals."""
    files: Files = {}
    for s, session in enumerate(world):
        name = f"s{s}"
        main = list(_lines(session.turns, name, name))
        for a, agent in enumerate(session.agents):
            own = list(_lines(agent.turns, name, f"{name}a{a}"))
            if agent.place in {"own", "both"}:
                files[f"{name}/subagents/agent-a{a}.jsonl"] = [_sidechain(line, f"a{a}") for line in own]
            if agent.place == "inline":
                main[2:2] = [_sidechain(line, f"a{a}") for line in own]
            if agent.place in {"progress", "both"}:
                shown = [line for line in own if line["type"] in {"assistant", "user"}]
                main[2:2] = [progress(line, f"a{a}", sessionId=name) for line in shown]
        files[f"{name}.jsonl"] = main
        for f, turns in enumerate(session.forks):
            copied = list(_lines(session.turns[:turns], f"{name}f{f}", name))
            if copied:
                files[f"{name}f{f}.jsonl"] = copied
    return files


def _sidechain(line: Json, agent: str) -> Json:
    return line | {"isSidechain": True, "agentId": agent}


def _lines(turns: tuple[Turn, ...], session: str, ids: str) -> Iterator[Json]:
    results: list[Json] = []
    for n, (turn, prompt) in enumerate(prompts(turns)):
        place = {"sessionId": session, "timestamp": at(100 * n)}
        parent: Any = f"{ids}-{n - 1}-a0" if n else None
        if n and turn.cut == "compacted":
            yield {"type": "system", "subtype": "compact_boundary", "uuid": f"{ids}-{n}-b"} | place
            yield user("in short: " + "s" * turn.chars, isCompactSummary=True, uuid=f"{ids}-{n}-u", **place)
        else:
            cleared = n and turn.cut == "cleared"
            said: Any = [text("next " + "t" * turn.chars)] if cleared or not results else results
            yield user(said, uuid=f"{ids}-{n}-u", parentUuid=None if cleared else parent, **place)
        wrote = [
            text("w" * turn.chars),
            *(tool_use(f"{ids}-{n}-t{i}", "Bash", n=i) for i in range(turn.tools)),
        ]
        results = [tool_result(block["id"], "r" * turn.chars) for block in wrote[1:]]
        yield from _call(turn, prompt, f"{ids}-{n}", wrote, place)


def _call(turn: Turn, prompt: int, ids: str, wrote: list[Json], place: Json) -> Iterator[Json]:
    """The lines of a call: its blocks over `lines` lines, the output growing to its end."""
    for i in range(turn.lines):
        last = i == turn.lines - 1
        used = turn.used(prompt) | ({} if last else {"output_tokens": turn.out * i // turn.lines})
        yield assistant(f"msg_{ids}", used, model=turn.model, requestId=f"req-{ids}", uuid=f"{ids}-a{i}",
                        parentUuid=f"{ids}-u", content=wrote[i:] if last else wrote[i : i + 1],
                        stop_reason="end_turn" if last else None, **place)  # fmt: skip


def pairs(world: tuple[Session, ...], *, named: bool) -> Files:
    """Tell histories as request/response pairs, a file for all; `named`: with run ids."""
    lines: list[Json] = []
    for s, session in enumerate(world):
        lines.extend(_pairs(session.turns, f"s{s}", {"run_id": f"s{s}"} if named else {}))
        for a, agent in enumerate(session.agents):
            name = f"s{s}/a{a}"
            told = {"run_id": name, "parent_run_id": f"s{s}", "agent": "helper"} if named else {}
            lines.extend(_pairs(agent.turns, name, told))
    return {"pairs.jsonl": lines}


def _pairs(turns: tuple[Turn, ...], ids: str, told: Json) -> Iterator[Json]:
    messages: list[Json] = [{"role": "user", "content": f"start {ids}"}]
    for n, (turn, prompt) in enumerate(prompts(turns)):
        if n and turn.cut:
            messages = [*messages[:1], {"role": "user", "content": f"in short {n}"}]
        asked = {
            "model": turn.model,
            "system": "be brief",
            "tools": [{"name": "Bash"}],
            "messages": list(messages),
        }
        wrote = [
            text(f"w{n}" + "w" * turn.chars),
            *(tool_use(f"{ids}-{n}-t{i}", "Bash", n=i) for i in range(turn.tools)),
        ]
        answer = message(f"msg_{ids}-{n}", turn.used(prompt), model=turn.model, content=wrote)
        yield {"timestamp": at(100 * n), "duration_ms": 900, "request": asked, "response": answer} | told
        results = [tool_result(block["id"], "r" * turn.chars) for block in wrote[1:]]
        messages += [
            {"role": "assistant", "content": wrote},
            {"role": "user", "content": results or f"go on {n}"},
        ]
