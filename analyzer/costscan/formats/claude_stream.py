"""`claude -p --output-format stream-json` and Agent SDK messages, one a line.

What the numbers mean, and what is counted once:
- A model call is one to many `assistant` lines with the same `message.id`, counted once.
- Input and cache counters are right; `output_tokens` on these lines is what had been counted when the block
  was complete, so calls are marked `placeholder` unless a `stream_event` shows the final count.
- A `result` line records tokens and dollars of the whole client process, sub-agents, hidden side calls and
  compaction included, as a running total: of several, the last of each process counts. With
  `--output-format json` every `result` is a process of its own.
- `usage` on a `result` line is that of the main loop since the one before it; it stands for what `modelUsage`
  leaves out.
- Counters of Qwen Code's streams, which have this form: where a total says so, the input holds what the cache
  read. An answer of zero tokens before another one, with nothing sent between, is the first part of it.
- Lines with a `parent_tool_use_id` belong to the sub-agent which that tool call started, a run of its own.
- Lines without a time take that of the line before them.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from costscan.formats.api.message import word
from costscan.formats.claude import recorded_cost, task_names
from costscan.formats.claude.bill_lines import feed, holds_content
from costscan.formats.claude.lines import Line, call_of, is_answer, lost_call, timestamp
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.measure import measure, text
from costscan.reading.conversation import refusals
from costscan.reading.conversation.bill_thread import BillThread
from costscan.reading.conversation.thread import Thread
from costscan.reading.conversation.usage import Usage, counters, of_raw
from costscan.reading.io.files import open_log
from costscan.reading.io.row_types import CopyRow
from costscan.reading.io.rows import Rows

_TYPES: Final = frozenset({"system", "assistant", "user", "result", "stream_event", "rate_limit_event"})
_NO_CALL: Final = _TYPES | {
    "tool_progress",
    "tool_use_summary",
    "auth_status",
    "control_request",
    "control_response",
    "control_cancel_request",
    "keep_alive",
    "prompt_suggestion",
}


class _EventMessage(Struct, gc=False):
    id: Any = None


class _Delta(Struct, gc=False):
    stop_reason: Any = None
    stop_details: Any = UNSET


class _Event(Struct, gc=False):
    type: Any = None
    message: _EventMessage | None = None
    usage: Usage | None = None
    delta: _Delta | None = None


_NO_INPUT: Final = re.compile(rb'"input_tokens"\s*:\s*0\b')
_decode_event = msgspec.json.Decoder(_Event).decode


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are lines of a stream."""
    return any("session_id" in o and word(o.get("type")) in _TYPES for o in objects)


def read(file: LogFile, rows: Rows) -> None:
    """Read one stream."""
    reading = _Reading(file, rows)
    with open_log(file.on_disk) as stream:
        feed(stream, file.path, rows, reading.take)
    reading.finish()


FORMAT = Format(
    name="claude_stream",
    expected='stream-json lines such as {"type":"assistant","session_id":…,"message":{"usage":{…}}}',
    sniff=sniff,
    read=read,
    precedence=1,
    repeats_calls=True,
    totals=("result",),
)


def _is_zero(usage: bytes) -> bool:
    """Whether all counters of a usage are zero; few lines are decoded for it."""
    return _NO_INPUT.search(usage) is not None and counters(of_raw(usage)).is_zero


def _tells_total(usage: bytes) -> bool:
    """Whether a usage tells a total, as that of Qwen Code does, and Claude's does not."""
    return of_raw(usage).total_tokens is not None


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file, self.rows = file, rows
        self.threads: dict[tuple[str, str], Thread] = {}
        self.labels: dict[tuple[str, str], task_names.Labels] = {}
        self._streaming: dict[tuple[str, str], str] = {}
        self._launches: dict[str, str] = {}
        self._asked: dict[str, str] = {}
        self._used: dict[str, dict[str, None]] = {}
        self._held: dict[tuple[str, str], tuple[int, Line]] = {}
        self._session = ""
        self._at: str | None = None

    def take(self, number: int, line: Line) -> bool:
        """Add one line; False when it is none of a stream."""
        if line.session_id is None and (line.sessionId is not None or line.parentUuid is not UNSET):
            return False
        self._session = word(line.session_id) or self._session
        if (now := timestamp(line)) is not None:
            self._at = now
        elif self._at is not None:
            line.timestamp = self._at
        key = (self._session, word(line.parent_tool_use_id) or "")
        if (problem := lost_call(line)) is not None:
            self.rows.skip(self.file.path, number, problem)
        if line.type == "assistant" or is_answer(line):
            return self._answered(number, line, key)
        self._release(key)
        self._without_call(number, line, key)
        return word(line.type) in _NO_CALL

    def _without_call(self, number: int, line: Line, key: tuple[str, str]) -> None:
        """Add a line that shows no model call."""
        if line.type == "user":
            self._user(number, line, key)
        elif line.type == "stream_event":
            self._event(line, key)
        elif line.type == "result" and not key[1]:
            self._result(number, line)
            self._thread((self._session, "")).ended(line.stop_reason)
        elif line.type == "system":
            self._system(line, key)

    def _system(self, line: Line, key: tuple[str, str]) -> None:
        thread = self._thread(key)
        if line.subtype == "init" and (model := word(line.model)):
            self._asked[self._session] = model
        self.labels[key].context(line)
        if line.subtype == "compact_boundary":
            thread.forget()

    def _thread(self, key: tuple[str, str]) -> Thread:
        if key not in self.threads:
            thread = BillThread() if self.rows.bill_only else Thread()
            self.threads[key], self.labels[key] = thread, task_names.Labels()
        return self.threads[key]

    def _answered(self, number: int, line: Line, key: tuple[str, str]) -> bool:
        """Add a line of an answer; one of no tokens waits for the line after it, whose call it may be."""
        self._release(key, line)
        if line.message is not None and _is_zero(bytes(line.message.usage)):
            self._held[key] = number, line
            return True
        return self._assistant(number, line, key)

    def _release(self, key: tuple[str, str], after: Line | None = None) -> None:
        """Add the line that waits, as one of the answer after it where that is of the same model."""
        number, held = self._held.pop(key, (0, None))
        if held is None or held.message is None:
            return
        answer = None if after is None else after.message
        if answer is not None and answer.model == held.message.model and _tells_total(bytes(answer.usage)):
            held.message.id, held.message.usage = answer.id, answer.usage
        self._assistant(number, held, key)

    def _assistant(self, number: int, line: Line, key: tuple[str, str]) -> bool:
        message = line.message
        if message is None:
            return False
        thread = self._thread(key)
        call = thread.repeats(message.id, message.usage, timestamp(line), message.stop_reason)
        if call is None:
            keyed_call = call_of(line, number)
            if keyed_call is None:
                return True
            call = thread.call(keyed_call[0], key=keyed_call[1])
            if not key[1]:
                self._used.setdefault(self._session, {})[keyed_call[0].model_raw] = None
        if not self.rows.bill_only:
            self._launches |= task_names.launches(message.content)
        thread.wrote_content(call, number, message.content)
        refusals.note(thread.calls[call], message.stop_reason, message.stop_details)
        self.labels[key].assistant(line)
        return True

    def _user(self, number: int, line: Line, key: tuple[str, str]) -> None:
        thread = self._thread(key)
        thread.last_at = timestamp(line) or thread.last_at
        content = line.message.content if line.message is not None else None
        if self.rows.bill_only:
            if holds_content(content):
                self.labels[key].place(line)
            return
        if content is None:
            return
        self.labels[key].user(line)
        if isinstance(content, str):
            thread.sent(number, text(content))
            return
        for block in content:
            if (measured := measure(block)) is not None:
                thread.sent(number, measured)

    def _result(self, number: int, line: Line) -> None:
        model = self._asked.get(self._session)
        models = self._used.pop(self._session, None) or ([model] if model else [])
        session = self._session or self.file.path
        recorded_cost.result(self.rows, (self.file.path, number), line, session, tuple(models))

    def _event(self, line: Line, key: tuple[str, str]) -> None:
        try:
            event = _decode_event(line.event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if event.type == "message_start" and event.message is not None:
            self._streaming[key] = word(event.message.id) or ""
        elif event.type == "message_delta" and event.usage is not None and key in self._streaming:
            self._thread(key).finished(self._streaming[key], event.usage)
            if event.delta is not None:
                delta = event.delta
                self._thread(key).refused(self._streaming[key], delta.stop_reason, delta.stop_details)

    def finish(self) -> None:
        """Write the threads to the rows."""
        for key in list(self._held):
            self._release(key)
        for (session, parent_call), thread in self.threads.items():
            if not thread.calls:
                continue
            run_id = session or self.file.path
            with self.rows.run(self.file.path, f"{run_id}/agent-{parent_call}" if parent_call else run_id):
                self._write(run_id, parent_call, thread, self.labels[session, parent_call])

    def _write(self, run_id: str, parent_call: str, thread: Thread, label: task_names.Labels) -> None:
        copy = len(self.rows.copies)
        agent = self._launches.get(parent_call) or label.agent if parent_call else None
        self.rows.copies.append(
            CopyRow(
                copy=copy,
                run_id=f"{run_id}/agent-{parent_call}" if parent_call else run_id,
                root_run_id=run_id,
                parent_run_id=run_id if parent_call else None,
                source=FORMAT.name,
                path=self.file.path,
                task=None if parent_call else label.task(),
                agent=agent,
                interactive=False,
                begins_late=False,
                project=label.project,
                branch=label.branch,
            )
        )
        thread.flush(self.rows, copy)
