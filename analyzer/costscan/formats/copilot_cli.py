"""GitHub Copilot CLI: `~/.copilot/session-state/*/events.jsonl` and the table of usage in `session-store.db`.

What the numbers mean, and what is counted once:
- From about version 1.0.100 on a `session.usage_record` is one model call; `inputTokens` holds what was read
  from and written to the cache, writes are one class, taken as 5-minute ones. A row of the store is the same
  call, known by its session and its counters, and is there where the process died.
- Before, an `assistant.message` is one call and tells its output alone. What its prompt was stands in the
  totals of `session.shutdown`, which fill the gap; where a session was killed it is unknown. Totals that are
  all zero were never counted.
- In what `--output-format json` or the SDK told, an `assistant.usage` is one call: the same figures, and a
  record of the same `apiCallId` is not counted again.
- To sum a conversation up is a call, which `session.compaction_complete` tells where no record does.
- Events with an `agentId` are those of a sub-agent, a run under the session.
- `cost` is a multiplier of premium requests and no dollars; none are recorded.
- Tool definitions are not in the log.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.formats.agents import blocks
from costscan.formats.agents.copilot_events import (
    COLUMNS,
    STREAMED,
    agent_of,
    counters_of,
    ids_of,
    is_message,
    result_of,
    single_calls,
    summing_up,
    totals_of,
    usage_of,
    usage_of_row,
    wrote_by,
)
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.conversation.usage import Counters, nothing_known, number
from costscan.reading.io import containers
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

_STARTS: Final = ("session.", "assistant.", "user.message", "hook.", "tool.", "system.message", "permission.")
_ROWS: Final = "assistant_usage_events"


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are events of a session."""
    return any(map(_is_event, objects))


def _is_event(line: Mapping[str, Any]) -> bool:
    kind = line.get("type")
    return isinstance(line.get("data"), dict) and isinstance(kind, str) and kind.startswith(_STARTS)


def owns(path: str) -> bool:
    """Whether a file is the store."""
    if containers.kind_of(path) != containers.SQLITE:
        return False
    try:
        with containers.store(path) as store:
            return _ROWS in store.tables()
    except CostscanError:
        return False


def read(file: LogFile, rows: Rows) -> None:
    """Read the events of a session, or the store."""
    reading = _Reading(file, rows)
    if containers.kind_of(file.on_disk) == containers.SQLITE:
        with containers.store(file.on_disk) as store:
            for at, row in enumerate(store.rows(_ROWS, COLUMNS, "id"), 1):
                reading.add_row(at, row)
                rows.lines += 1
        rows.bytes_read += Path(file.on_disk).stat().st_size
    else:
        feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.finish()


FORMAT = Format(
    name="copilot_cli",
    expected='events of Copilot CLI such as {"type":"assistant.message","data":{"model":…,"outputTokens":…}}',
    sniff=sniff,
    read=read,
    owns=owns,
    endings=("session-store.db",),
    beside=(".db-wal",),
    roots=("~/.copilot/session-state", "~/.copilot/session-store.db"),
)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._file, self._rows = file, rows
        self._runs = Runs(file, rows, FORMAT.name)
        self._events: list[tuple[int, Mapping[str, Any], Mapping[str, Any]]] = []
        self._sessions: dict[int, str] = {}
        self._since = 0
        self._session = file.path
        self._agents: dict[str, str | None] = {}
        self._model: object = None
        self._seen: Counter[str] = Counter()
        self._calls: dict[str, tuple[Run, int]] = {}
        self._system: str | None = None
        # By run: the last call of which it is not told yet what it wrote, and what was told before its call.
        self._silent: dict[str, tuple[Run, int]] = {}
        self._early: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one event; False for what is none. What a stream ends with names its session."""
        if line.get("type") == "result" and (session := blocks.word(line.get("sessionId"))):
            self._sessions[self._since], self._since = session, len(self._events)
            return True
        if not isinstance(line.get("data"), dict) or not isinstance(line.get("type"), str):
            return False
        self._events.append((at, line, line["data"]))
        return True

    def add_row(self, at: int, row: Mapping[str, Any]) -> None:
        """Add a row of the store."""
        session = str(row.get("session_id"))
        run = self._run(session, blocks.word(row.get("agent_id")))
        counters = counters_of(usage_of_row(row))
        run.called(
            ToldCall(
                line=at,
                model=row.get("model"),
                counters=counters,
                ended=blocks.word(row.get("created_at")),
                message_id=self._id(session, counters),
                effort=blocks.word(row.get("reasoning_effort")),
            )
        )

    def _id(self, session: str, counters: Counters) -> str:
        """Return what tells a call in the events and in the store, which have no id in common."""
        told = f"copilot {session} {counters.prompt_side} {counters.output_tokens}"
        self._seen[told] += 1
        return f"{told} {self._seen[told]}"

    def finish(self) -> None:
        """Write what the events tell to the rows."""
        told = [usage for _, line, _ in self._events if (usage := usage_of(line)) is not None]
        ids = {known for usage in told for known in ids_of(usage)}
        is_streamed = any(line["type"] == STREAMED for _, line, _ in self._events)
        exact = {} if told else single_calls([line for _, line, _ in self._events])
        for place, (at, line, data) in enumerate(self._events):
            if place in self._sessions:
                self._enter(self._sessions[place])
            run = self._run(self._session, agent_of(line))
            if (usage := usage_of(line)) is not None:
                self._record(run, at, line, usage)
            elif is_message(line):
                is_told = is_streamed or bool(ids & ids_of(data))
                self._message(run, at, line, data, None if is_told else exact)
            elif line["type"] == "session.compaction_complete":
                self._sum_up(run, at, line, summing_up(data, told))
            elif line["type"] == "session.shutdown" and not told and not exact:
                self._totals(at, line, blocks.mapping_in(data, "modelMetrics"))
            else:
                self._hear(run, at, line, data)
        self._runs.finish()

    def _enter(self, session: str) -> None:
        self._system = self._system if session == self._session else None
        self._session = session

    def _run(self, session: str, agent: str | None) -> Run:
        if agent is None:
            return self._runs.of(session)
        run = self._runs.of(f"{session}/{agent}")
        run.parent, run.agent = session, self._agents.get(agent)
        return run

    def _hear(self, run: Run, at: int, line: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """Add an event that tells no call."""
        kind = line["type"]
        if kind in {"session.start", "session.resume", "session.created"}:
            self._enter(blocks.word(data.get("sessionId")) or self._session)
            run = self._runs.of(self._session)
            context = blocks.mapping_in(data, "context")
            run.project, run.branch = blocks.word(context.get("cwd")), blocks.word(context.get("branch"))
        elif kind == "system.message" and data.get("content") != self._system:
            self._system = blocks.word(data.get("content"))
            run.thread.forget(layers=("system",))
            run.system(at, self._system or "")
        elif kind == "user.message":
            run.asks(at, [blocks.text_block(blocks.text_of(data.get("content")))])
        elif kind == "tool.execution_complete":
            run.asks(at, [result_of(data)], by_person=False)
        elif kind == "subagent.started":
            for known in (blocks.word(line.get("agentId")), blocks.word(data.get("toolCallId"))):
                if known is not None:
                    self._agents[known] = blocks.word(data.get("agentName"))

    def _sum_up(self, run: Run, at: int, line: Mapping[str, Any], counters: Counters | None) -> None:
        """Begin anew with the summary of a conversation, and add the call that made it."""
        data = line["data"]
        if counters is not None:
            made = blocks.mapping_in(data, "compactionTokensUsed").get("model") or self._model
            told = ToldCall(
                line=at,
                model=made,
                counters=counters,
                ended=blocks.word(line.get("timestamp")),
                message_id=self._id(self._session, counters),
            )
            run.called(told)
        summary = blocks.word(data.get("summaryContent"))
        if data.get("success") is not False:
            run.thread.forget()
            run.asks(at, [blocks.text_block(summary)] if summary else [], by_person=False)

    def _record(self, run: Run, at: int, line: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
        known = blocks.word(usage.get("apiCallId"))
        if known is not None and known in self._calls:
            return
        counters = counters_of(usage)
        self._model = usage.get("model")
        told = ToldCall(
            line=at,
            model=usage.get("model"),
            counters=counters,
            ended=blocks.word(line.get("timestamp")),
            message_id=self._id(self._session, counters),
            stop_reason=blocks.word(usage.get("finishReason")) or "end_turn",
            effort=blocks.word(usage.get("reasoningEffort")),
        )
        made = run.called(told)
        self._calls[known or f"line {at}"] = run, made
        early = self._early.pop(run.run_id, [])
        for before, wrote in early:
            run.thread.wrote(made, before, wrote_by(wrote))
        if not early:
            self._silent[run.run_id] = run, made

    def _message(
        self,
        run: Run,
        at: int,
        line: Mapping[str, Any],
        data: Mapping[str, Any],
        exact: Mapping[str, Counters] | None,
    ) -> None:
        """Add what a call wrote and, with `exact`, the call, for which no record stands."""
        if exact is None:
            known = blocks.word(data.get("apiCallId")) or ""
            made = self._calls.get(known, self._silent.get(run.run_id))
            if made is None:
                self._early.setdefault(run.run_id, []).append((at, data))
            else:
                made[0].thread.wrote(made[1], at, wrote_by(data))
            self._silent.pop(run.run_id, None)
            return
        counters = exact.get(str(data.get("model"))) or nothing_known()
        if not counters.is_known:
            counters.output_tokens = number(data.get("outputTokens"))
        told = ToldCall(
            line=at,
            model=data.get("model"),
            counters=counters,
            ended=blocks.word(line.get("timestamp")),
            message_id=blocks.word(data.get("apiCallId")) or blocks.word(data.get("messageId")),
            stop_reason="tool_use" if data.get("toolRequests") else "end_turn",
        )
        run.called(told, wrote_by(data))

    def _totals(self, at: int, line: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Add the totals of a session, which tell what its calls do not."""
        for model, counters in totals_of(metrics):
            self._rows.recorded.append(
                RecordedRow(
                    session=self._session,
                    path=self._file.path,
                    line=at,
                    at=time_of(blocks.word(line.get("timestamp"))),
                    event="shutdown",
                    part="model",
                    model_raw=model,
                    input_tokens=counters.input_tokens,
                    cache_read_tokens=counters.cache_read_tokens,
                    cache_write_tokens=counters.cache_write_5m_tokens,
                    output_tokens=counters.output_tokens,
                    web_searches=0,
                )
            )
