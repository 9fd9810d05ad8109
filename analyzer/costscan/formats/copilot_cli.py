"""GitHub Copilot CLI: `~/.copilot/session-state/*/events.jsonl` and the table of usage in `session-store.db`.

What the numbers mean, and what is counted once:
- From about version 1.0.100 on a `session.usage_record` is one model call; `inputTokens` holds what was read
  from and written to the cache, writes are one class, taken as 5-minute ones. A row of the store is the same
  call, known by its session and its counters, and is there where the process died.
- Before, an `assistant.message` is one call and tells its output alone. What its prompt was stands in the
  totals of `session.shutdown`, which fill the gap; where a session was killed it is unknown. Totals that are
  all zero were never counted.
- `cost` is a multiplier of premium requests and no dollars; none are recorded.
- Tool definitions are not in the log, nor are the calls that sum up a conversation.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.token_classes import OPENAI, Told, classes_of
from costscan.reading.conversation.usage import Counters, nothing_known, number
from costscan.reading.io import containers
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

_STARTS: Final = ("session.", "assistant.", "user.message", "hook.", "tool.", "system.message", "permission.")
_ROWS: Final = "assistant_usage_events"
_COLUMNS: Final = (
    *("session_id", "agent_id", "model", "input_tokens", "output_tokens", "cache_read_tokens"),
    *("cache_write_tokens", "reasoning_tokens", "reasoning_effort", "duration_ms", "created_at"),
)


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
            for at, row in enumerate(store.rows(_ROWS, _COLUMNS, "id"), 1):
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
        self._session = file.path
        self._seen: Counter[str] = Counter()
        self._calls: dict[str, int] = {}
        self._system: str | None = None

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one event; False for what is none."""
        if not isinstance(line.get("data"), dict) or not isinstance(line.get("type"), str):
            return False
        self._events.append((at, line, line["data"]))
        return True

    def add_row(self, at: int, row: Mapping[str, Any]) -> None:
        """Add a row of the store."""
        session, agent = str(row.get("session_id")), blocks.word(row.get("agent_id"))
        run = self._runs.of(session if agent is None else f"{session}/{agent}")
        run.parent = None if agent is None else session
        counters = _counters({
            "inputTokens": row.get("input_tokens"),
            "outputTokens": row.get("output_tokens"),
            "cacheReadTokens": row.get("cache_read_tokens"),
            "cacheWriteTokens": row.get("cache_write_tokens"),
            "reasoningTokens": row.get("reasoning_tokens"),
        })  # fmt: skip
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
        recorded = {_usage(data).get("apiCallId") for _, line, data in self._events if _is_record(line)}
        exact = {} if recorded else self._single_calls()
        for at, line, data in self._events:
            self._add(at, line, data, recorded, exact)
        self._runs.finish()

    def _single_calls(self) -> dict[str, Counters]:
        """Return, by model, the counters of the one call that a session without records made."""
        made = Counter(str(data.get("model")) for _, line, data in self._events if _is_message(line))
        totals = [data for _, line, data in self._events if line["type"] == "session.shutdown"]
        if len(totals) != 1:
            return {}
        metrics = blocks.mapping_in(totals[0], "modelMetrics")
        return {
            model: counters
            for model, own in metrics.items()
            if made[model] == 1 and blocks.mapping_in(own, "requests").get("count") == 1
            if not (counters := _counters(blocks.mapping_in(own, "usage"))).is_zero
        }

    def _add(
        self,
        at: int,
        line: Mapping[str, Any],
        data: Mapping[str, Any],
        recorded: set[Any],
        exact: Mapping[str, Counters],
    ) -> None:
        run = self._runs.of(self._session)
        kind = line["type"]
        if kind in {"session.start", "session.resume"}:
            self._session = blocks.word(data.get("sessionId")) or self._session
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
            run.asks(at, [_result(data)], by_person=False)
        elif _is_record(line):
            self._record(run, at, line, _usage(data))
        elif _is_message(line):
            self._message(run, at, line, data, exact if data.get("apiCallId") not in recorded else None)
        elif kind == "session.shutdown" and not recorded and not exact:
            self._totals(at, line, blocks.mapping_in(data, "modelMetrics"))

    def _record(self, run: Run, at: int, line: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
        counters = _counters(usage)
        told = ToldCall(
            line=at,
            model=usage.get("model"),
            counters=counters,
            ended=blocks.word(line.get("timestamp")),
            message_id=self._id(self._session, counters),
            stop_reason=blocks.word(usage.get("finishReason")) or "end_turn",
            effort=blocks.word(usage.get("reasoningEffort")),
        )
        self._calls[str(usage.get("apiCallId"))] = run.called(told)

    def _message(
        self,
        run: Run,
        at: int,
        line: Mapping[str, Any],
        data: Mapping[str, Any],
        exact: Mapping[str, Counters] | None,
    ) -> None:
        """Add what a call wrote and, with `exact`, the call, for which no record stands."""
        made = self._calls.get(str(data.get("apiCallId")))
        if exact is None:
            if made is not None:
                run.thread.wrote(made, at, _wrote(data))
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
        run.called(told, _wrote(data))

    def _totals(self, at: int, line: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Add the totals of a session, which tell what its calls do not."""
        for model, own in metrics.items():
            counters = _counters(blocks.mapping_in(own, "usage"))
            if counters.is_zero:
                continue
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


def _is_record(line: Mapping[str, Any]) -> bool:
    return str(line.get("type")) == "session.usage_record"


def _is_message(line: Mapping[str, Any]) -> bool:
    return str(line.get("type")) == "assistant.message"


def _usage(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return blocks.mapping_in(data, "usage")


def _counters(usage: Mapping[str, Any]) -> Counters:
    told = Told(
        input_tokens=number(usage.get("inputTokens")),
        output_tokens=number(usage.get("outputTokens")),
        cache_read_tokens=number(usage.get("cacheReadTokens")),
        cache_write_5m_tokens=number(usage.get("cacheWriteTokens")),
        reasoning_tokens=number(usage.get("reasoningTokens")),
    )
    return classes_of(told, OPENAI)


def _wrote(data: Mapping[str, Any]) -> list[Block]:
    thought, text = blocks.word(data.get("reasoningText")), blocks.word(data.get("content"))
    out = [] if thought is None else [blocks.thinking(thought)]
    out += [] if text is None else [blocks.text_block(text)]
    requests = [r for r in blocks.list_in(data, "toolRequests") if isinstance(r, dict)]
    return out + [blocks.tool_use(r.get("name"), r.get("toolCallId"), r.get("arguments")) for r in requests]


def _result(data: Mapping[str, Any]) -> Block:
    failed = data.get("success") is False
    content = blocks.mapping_in(data, "error" if failed else "result")
    return blocks.tool_result(
        data.get("toolCallId"), content.get("message" if failed else "content"), is_error=failed
    )
