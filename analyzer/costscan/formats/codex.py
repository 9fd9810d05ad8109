"""Codex CLI rollouts: `sessions/<year>/<month>/<day>/rollout-*.jsonl`, a thread each.

What the numbers mean, and what is counted once:
- `input_tokens` holds what was read from and written to the cache, `output_tokens` what was reasoned;
  writes have one lifetime, and stand with the 5-minute ones.
- From 0.153 on a `token_usage_record` tells each call, by its `response_id`; `token_count` lines then count
  nothing. What the total of the thread grew by between two records beyond the second is a call of its own,
  whose record is lost. A thread that an older version began keeps what it had counted by then.
- Before, a `token_count` line tells the last call and a running total. The same total again is the same call.
  What the total grew by beyond the last call was billed and never announced, as when a turn is interrupted:
  it is a call of its own. A total that falls belongs to a resumed thread: the last call counts. The final
  total is never taken.
- A forked thread begins with a copy of the thread it came from, and some sub-agents do, up to a place, a
  turn or a time that the log tells. Of that copy nothing is billed: it is what the first prompt holds.
- A sub-agent has a file of its own and is a run of its own under the thread that started it.
- The model stands in `turn_context` and may change; the tier in `thread_settings_applied`, until the next
  one, or beside the counters of a call. It is the tier that was asked for: no line says which one was served,
  and with a subscription nothing is billed by the token at all. The bill is what the API would charge.
- A web search has a fee beside its tokens; opening a page has none.
- The instructions are in the log; tool definitions are, from the versions on that log `additional_tools`.
  What a hidden side call cost (titles, summaries of memory) is not.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Raw, Struct

from costscan.formats.api.message import word
from costscan.formats.claude import task_names
from costscan.formats.interface import Format, LogFile
from costscan.formats.openai import items
from costscan.formats.openai.copied import Copied
from costscan.formats.openai.running_total import RunningTotal, is_first
from costscan.formats.openai.usage import counters
from costscan.formats.openai.who import asked, parent_of
from costscan.reading.content.block import raw_json
from costscan.reading.content.measure import definition, measure, text
from costscan.reading.conversation.call import Call, make_call
from costscan.reading.conversation.thread import Thread
from costscan.reading.conversation.usage import Counters, Usage
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.row_types import CopyRow
from costscan.reading.io.rows import Rows

_EVENTS: Final = "event_msg"
_KINDS: Final = frozenset(
    {"session_meta", "response_item", _EVENTS, "turn_context", "token_usage_record", "compacted"}
)
_NO_CALL: Final = frozenset({"world_state", "ghost_snapshot", "session_state"})


class Line(Struct, gc=False):
    """A line of a rollout."""

    type: Any = None
    timestamp: Any = None
    ordinal: Any = None
    payload: Raw = Raw()


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are lines of a rollout."""
    return any(isinstance(o.get("payload"), dict) and word(o.get("type")) in _KINDS for o in objects)


def read(file: LogFile, rows: Rows) -> None:
    """Read one rollout."""
    reading = _Reading(file, rows)
    with open_log(file.on_disk) as stream:
        Reader(Line, _lenient, rows).feed(stream, file.path, reading.take)
    reading.finish()


FORMAT = Format(
    name="codex",
    expected='Codex CLI lines such as {"type":"event_msg","payload":{"type":"token_count","info":{…}}}',
    sniff=sniff,
    read=read,
    # https://developers.openai.com/codex/local-config: CODEX_HOME defaults to ~/.codex.
    roots=(
        *("$CODEX_HOME/sessions", "$CODEX_HOME/archived_sessions"),
        *("~/.codex/sessions", "~/.codex/archived_sessions"),
    ),
)


def _lenient(value: dict[str, Any]) -> Line | None:
    payload = value.get("payload")
    if not isinstance(payload, dict):
        return None
    return Line(value.get("type"), value.get("timestamp"), value.get("ordinal"), raw_json(payload))


class _Reading:
    """One rollout as it is being read.

    What the model writes stands before the line that counts its call, and what the tools gave often too: both
    wait for that line.
    """

    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file, self.rows = file, rows
        self.thread = Thread()
        self.labels = task_names.Labels()
        self.meta: dict[str, Any] = {}
        self._total, self._recorded = RunningTotal(), RunningTotal()
        self._has_records = False
        self._copied = Copied()
        self._turn: str | None = None
        self._model: str | None = None
        self._effort: str | None = None
        self._tier: str | None = None
        self._served: str | None = None
        self._searches = 0
        self._written: list[tuple[int, dict[str, Any], str | None]] = []
        self._sent_since: list[tuple[int, dict[str, Any], str | None]] = []
        self._take: dict[str, Callable[[int, str | None, dict[str, Any]], None]] = {
            "session_meta": self._session_meta,
            "response_item": self._item,
            _EVENTS: self._event,
            "turn_context": self._turn_context,
            "token_usage_record": self._record,
            "compacted": self._compacted,
        }

    def take(self, number: int, line: Line) -> bool:
        """Add one line; False when it is none of a rollout."""
        take = self._take.get(word(line.type) or "")
        payload = lenient_json.mapping(bytes(line.payload))
        if take is None or payload is None:
            return take is None and payload is not None and word(line.type) in _NO_CALL
        at = word(line.timestamp)
        self._copied.line(line.ordinal)
        self._copied.at(at)
        take(number, at, payload)
        return True

    def _session_meta(self, number: int, _: str | None, payload: dict[str, Any]) -> None:
        if self.meta:
            self._copied.meta(payload.get("id"))
            return
        self.meta = payload
        self._copied.begin(payload)
        git = payload.get("git")
        branch = word(git.get("branch")) if isinstance(git, dict) else None
        self.labels.ran(word(payload.get("cwd")), branch, headless=payload.get("source") == "exec")
        told = payload.get("base_instructions")
        if instructions := word(told.get("text") if isinstance(told, dict) else told):
            self.thread.sent(number, text(instructions, "system"), layer="system", role="system")
        self._define(number, payload.get("dynamic_tools"))

    def _define(self, number: int, tools: object) -> None:
        for tool in items.definitions(tools):
            self.thread.sent(number, definition(tool), layer="tools", role="system")

    def _turn_context(self, _: int, __: str | None, payload: dict[str, Any]) -> None:
        self._begin_turn(payload)
        mode = payload.get("collaboration_mode")
        settings = mode.get("settings") if isinstance(mode, dict) else None
        self._model = word(payload.get("model")) or self._model
        self._effort = word(payload.get("effort")) or (
            word(settings.get("reasoning_effort")) if isinstance(settings, dict) else None
        )

    def _begin_turn(self, payload: dict[str, Any]) -> None:
        turn = word(payload.get("turn_id"))
        self._turn = turn or self._turn
        self._copied.turn(turn)

    def _item(self, number: int, at: str | None, item: dict[str, Any]) -> None:
        if items.is_definitions(item):
            self._define(number, item.get("tools"))
        elif self._copied.is_copy:
            self._send(number, item, at)
        elif items.is_written(item):
            self._searches += items.searches(item)
            self._written.append((number, item, at))
        elif self._written:
            self._sent_since.append((number, item, at))
        else:
            self._send(number, item, at)
        if not self._copied.is_copy and (question := asked(item)):
            self.labels.asked(question)

    def _send(self, number: int, item: dict[str, Any], at: str | None) -> None:
        self.thread.last_at = at or self.thread.last_at
        role = (
            "assistant" if items.is_written(item) else "user" if item.get("role") != "developer" else "system"
        )
        for block in () if self.rows.bill_only else items.blocks_of(item):
            if (measured := measure(block)) is not None:
                self.thread.sent(number, measured, role=role)

    def _event(self, number: int, at: str | None, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "task_started":
            self._begin_turn(event)
        elif kind == "thread_settings_applied" and isinstance(event.get("thread_settings"), dict):
            settings = event["thread_settings"]
            self._tier = word(settings.get("service_tier"))
            self._model = self._model or word(settings.get("model"))
        elif kind == "token_count" and not self._has_records and not self._copied.counts(at):
            self._served = word(event.get("service_tier"))
            self._token_count(number, at, event.get("info"))

    def _token_count(self, number: int, at: str | None, info: object) -> None:
        if not isinstance(info, dict):
            return
        calls = self._total.take(info.get("total_token_usage"), info.get("last_token_usage"))
        for unannounced, usage in calls:
            name = f"turn {self._turn} total {self._total.tokens}{' unannounced' * unannounced}"
            self._call(number, at, counters(usage, searches=0 if unannounced else self._searches), None, name)

    def _record(self, number: int, at: str | None, record: dict[str, Any]) -> None:
        if self._copied.counts(at):
            return
        if not self._has_records and is_first(record):
            # What was counted before stands in the lines of another thread.
            for n in range(len(self.thread.calls)):
                self.thread.drop(n)
        self._has_records = True
        self._turn = word(record.get("turn_id")) or self._turn
        self._served = word(record.get("service_tier"))
        for unannounced, usage in self._recorded.take(record.get("thread_token_usage"), record.get("usage")):
            if unannounced:
                name = f"turn {self._turn} total {self._recorded.tokens} unannounced"
                self._call(number, at, counters(usage, searches=0), None, name)
        counted = counters(record.get("usage"), searches=self._searches)
        self._call(number, at, counted, word(record.get("response_id")), f"line {number}")

    def _call(self, number: int, at: str | None, counted: Counters, response: str | None, name: str) -> None:
        """Add a call, what it wrote, and what is sent behind that."""
        tier = self._served or self._tier
        is_fast = tier == "fast"
        call: Call = make_call(
            line=number,
            end_at=next((t for _, _, t in reversed(self._written) if t), at),
            model=self._model,
            usage=Usage(service_tier=None if is_fast else tier, speed="fast" if is_fast else None),
            message_id=response,
            request_id=None if response is not None or self._turn is None else name,
            stop_reason=None,
            effort=self._effort,
        )
        call.counters, call.says_unfinished = counted, False
        n = self.thread.call(call, key=response or name)
        written, self._written = self._written, []
        sent, self._sent_since = self._sent_since, []
        self._searches = 0
        for line, item, _ in written:
            self.thread.wrote(n, line, items.blocks_of(item))
        for line, item, sent_at in sent:
            self._send(line, item, sent_at)

    def _compacted(self, number: int, at: str | None, payload: dict[str, Any]) -> None:
        self.thread.forget()
        history = payload.get("replacement_history")
        kept = history if isinstance(history, list) else [{"role": "user", "content": payload.get("message")}]
        for item in kept:
            if isinstance(item, dict):
                self._send(number, item, at)

    def finish(self) -> None:
        """Write the thread to the rows."""
        if self.thread.calls:
            run = word(self.meta.get("id")) or self.file.path
            with self.rows.run(self.file.path, run):
                self._write(run)

    def _write(self, run: str) -> None:
        copy = len(self.rows.copies)
        parent, agent = parent_of(self.meta)
        self.rows.copies.append(
            CopyRow(
                copy=copy,
                run_id=run,
                root_run_id=(word(self.meta.get("session_id")) or parent or run) if parent else run,
                parent_run_id=parent,
                source=FORMAT.name,
                path=self.file.path,
                task=None if parent else self.labels.task(),
                agent=agent,
                interactive=parent is None and self.labels.interactive(),
                begins_late=False,
                project=self.labels.project,
                branch=self.labels.branch,
            )
        )
        self.thread.flush(self.rows, copy)
