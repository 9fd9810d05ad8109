"""Claude Code's transcript: one line per content block, usage repeated on each line of a request."""

from collections.abc import Iterator
from dataclasses import dataclass

from generator import blocks
from generator.billing import Ttl, Usage
from generator.blocks import Json, dump
from generator.clock import iso
from generator.run import Message, Part, Run, Setup, Turn

VERSION = "2.1.296"


@dataclass(frozen=True)
class Session:
    """Where and how Claude Code was started."""

    session_id: str
    cwd: str
    branch: str = "main"
    title: str = ""
    headless: bool = False

    @property
    def path(self) -> str:
        """Path of the transcript below `.claude`."""
        return f"projects/{self.cwd.replace('/', '-')}/{self.session_id}.jsonl"

    def agent_path(self, agent_id: str, suffix: str = ".jsonl") -> str:
        """Path of a file of one of its sub-agents."""
        return f"{self.path.removesuffix('.jsonl')}/subagents/agent-{agent_id}{suffix}"


def setup(model: str, ttl: Ttl, project: str, sizes: tuple[int, int, int], agent: str = "main") -> Setup:
    """The three parts of the prompt that no transcript shows: tools, general and project instructions."""
    tools, general, own = sizes
    system = (
        blocks.hidden(f"{agent} instructions {VERSION}", general),
        blocks.hidden(f"{agent} instructions for {project}", own),
    )
    return Setup(
        model=model,
        tools=(blocks.hidden(f"{agent} tools {VERSION}", tools),),
        system=lambda _: system,
        ttl=ttl,
        marked=(1, 2),
    )


def transcript(run: Run, session: Session, agent_id: str | None = None) -> str:
    """The file Claude Code writes for a run."""
    return "".join(f"{dump(line)}\n" for line in _Writer(run, session, agent_id).lines())


def usage_json(usage: Usage) -> Json:
    """The usage object of a finished request."""
    counters = {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_input_tokens": usage.read,
        "cache_creation_input_tokens": usage.written,
        "cache_creation": cache_creation(usage),
    }
    return {
        **counters,
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": "not_available",
        "iterations": [{**counters, "type": "message"}],
        "speed": "standard",
    }


def cache_creation(usage: Usage) -> Json:
    """Cache writes by lifetime."""
    return {"ephemeral_5m_input_tokens": usage.write_5m, "ephemeral_1h_input_tokens": usage.write_1h}


class _Writer:
    def __init__(self, run: Run, session: Session, agent_id: str | None) -> None:
        self._run = run
        self._session = session
        self._agent_id = agent_id
        self._parent: str | None = None
        self._call_lines: dict[str, str] = {}
        self._asked_at = 0
        self._prompt_id = ""

    def lines(self) -> Iterator[Json]:
        for message in self._run.messages:
            if message.turn:
                yield from self._assistant_lines(message, message.turn)
            else:
                yield from self._user_lines(message)
        if self._session.title and self._agent_id is None:
            yield {
                "type": "ai-title",
                "aiTitle": self._session.title,
                "sessionId": self._session.session_id,
            }

    def _assistant_lines(self, message: Message, turn: Turn) -> Iterator[Json]:
        for part in message.parts:
            body = {
                "model": self._run.setup.model,
                "id": turn.message_id,
                "type": "message",
                "role": "assistant",
                "content": [part.block.wire],
                "stop_reason": turn.stop_reason,
                "stop_sequence": None,
                "usage": usage_json(turn.usage),
            }
            line = self._line("assistant", part.at, message=body, requestId=turn.request_id)
            self._call_lines[str(part.block.wire.get("id"))] = line["uuid"]
            yield line
        if turn.stop_reason == "end_turn" and self._agent_id is None and not self._session.headless:
            took = turn.ended - self._asked_at
            yield self._line(
                "system", turn.ended + 40, subtype="turn_duration", durationMs=took, isMeta=False
            )

    def _user_lines(self, message: Message) -> Iterator[Json]:
        if message.parts[0].block.wire["type"] == "text":
            self._asked_at = message.parts[0].at
            self._prompt_id = self._run.dice.uuid()
            yield self._prompt_line(message.parts)
            return
        for part in message.parts:
            self._parent = self._call_lines[part.block.wire["tool_use_id"]]
            body = {"role": "user", "content": [part.block.wire]}
            more = {"toolUseResult": part.detail, "sourceToolAssistantUUID": self._parent}
            yield self._line("user", part.at, promptId=self._prompt_id, message=body, **more)

    def _prompt_line(self, parts: tuple[Part, ...]) -> Json:
        content = parts[0].block.wire["text"] if len(parts) == 1 else [part.block.wire for part in parts]
        more: Json = {}
        if self._agent_id is None:
            source = "sdk" if self._session.headless else "typed"
            more = {"permissionMode": "acceptEdits", "origin": {"kind": "human"}, "promptSource": source}
        body = {"role": "user", "content": content}
        return self._line("user", parts[0].at, promptId=self._prompt_id, message=body, **more)

    def _line(self, kind: str, at: int, **fields: object) -> Json:
        agent = {"agentId": self._agent_id} if self._agent_id else {}
        uuid = self._run.dice.uuid()
        line: Json = {
            "parentUuid": self._parent,
            "isSidechain": self._agent_id is not None,
            **agent,
            "type": kind,
            **fields,
            "uuid": uuid,
            "timestamp": iso(at),
            "userType": "external",
            "entrypoint": "sdk-cli" if self._session.headless else "cli",
            "cwd": self._session.cwd,
            "sessionId": self._session.session_id,
            "version": VERSION,
            "gitBranch": self._session.branch,
        }
        self._parent = uuid
        return line
