"""Claude Code transcripts: `<project>/<sessionId>.jsonl` and `<sessionId>/subagents/agent-*.jsonl`.

What the numbers mean, and what is counted once:
- A model call is one to many `assistant` lines, one a content block, with the same `message.id` and a
  repeated `usage`; it is counted once, with the counters of one of them: the last complete one.
- `input_tokens` leaves out what was read from or written to the cache; the cache counters are disjoint.
- `output_tokens` beside `stop_reason: null` before version 2.1.60 is what had been counted when the line was
  written, often 1 to 8: such a call is marked `placeholder`.
- Lines of model `<synthetic>` are written by the client and have no tokens.
- A sub-agent is a run of its own under its session, whether its lines stand in a file of their own, inline
  (`isSidechain`), or inside `progress` lines of the parent; the same call in two of these is billed once.
- The system prompt and the tool definitions are not in a transcript unless a `prompt_snapshot` shows them
  (first without its tools, it may be: they count from the beginning); neither are compaction calls and side
  calls. A `cost-state` line records the cost of the whole session up to it, from which they follow.
- Reminders and other attachments count as they were sent (`rendered`), in older versions by the texts that
  are sent of their kind: of hooks what they answer, not what they print. Of a result that was replaced by a
  preview (`content-replacement`) the preview counts.
- The time of a line is when its block was complete; a call is taken to start at the line before it, but at
  most ten minutes before its own.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from msgspec import UNSET, Raw

from costscan.formats.api.message import word
from costscan.formats.claude import attachments, recorded_cost, subagents, task_names
from costscan.formats.claude.agent import Agent
from costscan.formats.claude.bill_lines import feed, holds_content
from costscan.formats.claude.line_kinds import NO_CALL, STATE, has_no_call, is_journal
from costscan.formats.claude.lines import (
    Line,
    call_of,
    holds_usage,
    is_answer,
    lost_call,
    timestamp,
)
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.measure import measure, text
from costscan.reading.conversation import refusals
from costscan.reading.conversation.bill_thread import BillThread
from costscan.reading.conversation.thread import Thread
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log
from costscan.reading.io.row_types import AgentRow
from costscan.reading.io.rows import Rows

_ENDS_OF_ANSWERS: Final = frozenset({"stop_hook_summary", "turn_duration"})
"""What the client writes behind an answer: where it comes first, the answer is not in the log."""


def _is_of_fork(line: Mapping[str, Any]) -> bool:
    """Whether a line is of a client that names its lines alike and writes contents as Gemini's API does."""
    message = line.get("message")
    return "systemPayload" in line or (isinstance(message, dict) and "parts" in message)


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are transcript lines."""
    return any(
        "session_id" not in o
        and not _is_of_fork(o)
        and (
            is_journal(o)
            or word(o.get("type")) in STATE
            or (
                word(o.get("type")) in {"assistant", "user", "system"}
                and (
                    "sessionId" in o
                    or "uuid" in o
                    or "parentUuid" in o
                    or (isinstance(o.get("message"), dict) and "parent_tool_use_id" not in o)
                )
            )
        )
        for o in objects
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one transcript."""
    reading = _Reading(file, rows)
    with open_log(file.on_disk) as stream:
        feed(stream, file.path, rows, reading.take)
    reading.finish()


FORMAT = Format(
    name="claude_code",
    expected="Claude Code transcript lines such as "
    '{"type":"assistant","sessionId":…,"message":{"id":…,"usage":{…}}}',
    sniff=sniff,
    read=read,
    repeats_calls=True,
    beside=(".meta.json",),
    parts=re.compile(r"custom-title\.json|wf_[0-9a-f]{8}-[0-9a-f]{3}\.json"),
    # https://code.claude.com/docs/en/claude-directory; some versions kept them below ~/.config.
    roots=("$CLAUDE_CONFIG_DIR/projects", "~/.claude/projects", "~/.config/claude/projects"),
)


class _Reading:
    """One transcript file as it is being read."""

    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file, self.rows = file, rows
        self._thread = BillThread if rows.bill_only else Thread
        self.agents: dict[str, Agent] = {}
        self.session: str | None = None
        self._agent_types: dict[str, str] = {}
        self._launches: dict[str, str] = {}
        self._sidechains = subagents.Sidechains()
        self._seen: dict[str, int] = {}

    def take(self, number: int, line: Line) -> bool:
        """Add one line; False when it is none of a transcript."""
        if line.data and (problem := lost_call(line)) is not None:
            self.rows.skip(self.file.path, number, problem)
        kind = line.type
        if line.session_id is not None and line.sessionId is None:
            return False
        if kind == "user" or kind == "assistant":  # noqa: PLR1714 - twice as fast as a membership test
            if type(line.sessionId) is str:
                self.session = line.sessionId or self.session
            uuid = line.uuid
            if type(uuid) is str and uuid:
                if uuid in self._seen and not self._is_other_call(line):
                    return True
                self._seen[uuid] = -1
            agent = self._agent("" if line.isSidechain is not True else self._key(line))
            if kind == "user" and not is_answer(line):
                self._user(number, line, agent)
                return True
            return self._assistant(number, line, agent)
        if kind == "cost-state":
            recorded_cost.cost_state(self.rows, (self.file.path, number), line, self.session)
        elif has_no_call(line) and not is_answer(line):
            self._without_call(number, line)
        else:
            return is_answer(line) and self._assistant(number, line, self._agent(self._key(line)))
        return True

    def _without_call(self, number: int, line: Line) -> None:
        """Add a line that bills nothing itself."""
        if line.type == "progress":
            self._progress(number, line)
        elif line.type == "attachment":
            self._attachment(number, line)
        elif line.type == "system":
            self._system(line)
        elif line.type == "content-replacement" and not self.rows.bill_only:
            attachments.replace_results(self._agent(self._key(line)).thread, bytes(line.replacements))

    def _is_other_call(self, line: Line) -> bool:
        """Whether a line that has the uuid of an earlier one tells a call that no line has told."""
        name = line.message.id if line.type == "assistant" and line.message is not None else None
        return isinstance(name, str) and not any(a.thread.knows(name) for a in self.agents.values())

    def _agent(self, key: str) -> Agent:
        """Return the session ("") or a sub-agent."""
        agent = self.agents.get(key)
        if agent is None:
            agent = self.agents[key] = Agent(self._thread())
        return agent

    def _key(self, line: Line) -> str:
        if line.isSidechain is not True:
            return ""
        if agent := word(line.agentId):
            return agent
        return self._sidechains.name(line, uuids=self._seen)

    def _assistant(self, number: int, line: Line, agent: Agent) -> bool:
        message = line.message
        if message is None:
            return False
        thread = agent.thread
        call = thread.repeats(message.id, message.usage, timestamp(line), message.stop_reason)
        if call is None:
            keyed_call = call_of(line, number)
            if keyed_call is None:
                return True
            call = thread.call(keyed_call[0], key=keyed_call[1])
            agent.chained = agent.chained or type(line.parentUuid) is str
            agent.labels.assistant(line)
        if type(line.uuid) is str and line.uuid:
            self._seen[line.uuid] = call
        if line.supersedes is not None:
            self._supersede(thread, line.supersedes)
        if not self.rows.bill_only:
            self._launches |= task_names.launches(message.content)
        thread.wrote_content(call, number, message.content)
        if message.stop_reason == refusals.REFUSAL:
            refusals.note(thread.calls[call], message.stop_reason, message.stop_details)
        return True

    def _user(self, number: int, line: Line, agent: Agent) -> None:
        thread = agent.thread
        if line.parentUuid is None and agent.chained and line.isCompactSummary is not True:
            thread.forget()
        thread.last_at = timestamp(line) or thread.last_at
        message = line.message
        if self.rows.bill_only:
            if message is not None and holds_content(message.content):
                agent.labels.place(line)
            return
        if message is None or message.content is None:
            return
        agent.labels.user(line)
        agent.asked = agent.asked or not thread.calls
        content = message.content
        skill = thread.skill_of(line.sourceToolUseID)
        if isinstance(content, str):
            whole = text(content)
            whole.skill = skill
            thread.sent(number, whole)
            return
        for block in content:
            if (measured := measure(block)) is not None:
                measured.skill = skill
                agent.late = agent.late or (measured.kind == "tool_result" and not thread.calls)
                thread.sent(number, measured)
                if line.toolUseResult and measured.call_id in self._launches:
                    self._launched(measured.call_id or "", line.toolUseResult)

    def _launched(self, call_id: str, raw: Raw) -> None:
        agent_id = task_names.agent_id(bytes(raw))
        if agent_id is not None:
            self._agent_types.setdefault(agent_id, self._launches[call_id])

    def _progress(self, number: int, line: Line) -> None:
        data = bytes(line.data)
        event = subagents.progress(data, bill_only=self.rows.bill_only)
        if event is None:
            if subagents.is_progress(data) or holds_usage(data) or not subagents.has_kind(data):
                self.rows.skip(self.file.path, number, "a line of a sub-agent that cannot be read")
            return
        agent, inner = event
        is_known = True
        if inner.type == "assistant" or is_answer(inner):
            is_known = self._assistant(number, inner, self._agent(agent))
        elif inner.type == "user":
            self._user(number, inner, self._agent(agent))
        else:
            is_known = word(inner.type) in NO_CALL
        if (problem := lost_call(inner)) is not None or not is_known:
            self.rows.skip(self.file.path, number, problem or "a line of a sub-agent that cannot be read")

    def _attachment(self, number: int, line: Line) -> None:
        agent = self._agent(self._key(line))
        agent.thread.last_at = timestamp(line) or agent.thread.last_at
        if self.rows.bill_only:
            return
        if question := attachments.read(agent.thread, number, line):
            agent.labels.asked(question)

    def _system(self, line: Line) -> None:
        if word(line.subtype) in _ENDS_OF_ANSWERS:
            agent = self._agent(self._key(line))
            agent.late = agent.late or not agent.thread.calls
        if line.subtype == "compact_boundary":
            self._agent(self._key(line)).thread.forget()
        elif line.subtype == "model_refusal_fallback" and line.apiRefusalCategory is not UNSET:
            self._agent(self._key(line)).thread.categorise(line.requestId, line.apiRefusalCategory)
        elif line.subtype == "microcompact_boundary" and line.microcompactMetadata:
            ids = (lenient_json.mapping(bytes(line.microcompactMetadata)) or {}).get("compactedToolIds")
            if isinstance(ids, list):
                self._agent(self._key(line)).thread.clear_results({i for i in ids if isinstance(i, str)})

    def _supersede(self, thread: Thread, names: object) -> None:
        for name in names if isinstance(names, list) else [names]:
            call = self._seen.get(name, -1) if isinstance(name, str) else -1
            if call >= 0:
                thread.drop(call)

    def finish(self) -> None:
        """Write the threads to the rows."""
        session = self.session or PurePath(self.file.path).name.split(".")[0]
        for key, agent in self.agents.items():
            if not all(call.dropped for call in agent.thread.calls):
                with self.rows.run(self.file.path, f"{session}/agent-{key}" if key else session):
                    self._write(session, key, agent)
        self.rows.agents += [
            AgentRow(session=session, agent_id=key, agent=kind) for key, kind in self._agent_types.items()
        ]

    def _write(self, session: str, key: str, agent: Agent) -> None:
        copy = len(self.rows.copies)
        self.rows.copies.append(agent.copy(copy, session, key, self.file, FORMAT.name))
        agent.thread.flush(self.rows, copy)
