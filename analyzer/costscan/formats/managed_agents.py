"""Sessions of Claude Managed Agents: their events, an object a line or a page, beside the session itself.

What the numbers mean, and what is counted once:
- A `span.model_request_end` is one model call. `model_usage.input_tokens` leaves out what was read from and
  written to the cache. A request that failed and used nothing is no call; an event listed twice is one.
- The model is that of the agent in the session (or its thread); events alone do not tell it, and without it a
  call has no price.
- How long cache writes live is told of the session as a whole: where all live for five minutes, or all for an
  hour, so do those of each call; where both occur it is unknown; where nothing is told they are taken as
  5-minute ones.
- `usage` of the session, of its threads and of `session.usage` events are running totals. What they hold
  beyond the logged calls (searches, calls of other files) is billed as `unlogged`; of a session with several
  agents only what its threads tell, for a total does not say which model used it. The `usage` of an outcome
  evaluation is a call of a model that is not told.
- `list_cost`, in whole cents, is kept as recorded. It has the running time of the session in it, which is no
  part of the bill here.
- A session is a run; a thread of another agent one under it, told by a file of its own. The system prompt and
  own tools are those of the session; those of the platform, and what was thought, are not in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costscan.formats.agents import blocks, managed_events
from costscan.formats.agents.managed_usage import Total, counters_of, forget_searches, time_writes, used
from costscan.formats.agents.runs import Run, Runs, ToldCall, usd
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

_END: Final = "span.model_request_end"
_EVALUATED: Final = "span.outcome_evaluation_end"
_PREVIEWS: Final = frozenset({"event_start", "event_delta"})
"""Parts of an event that follows whole."""
_CENTS: Final = 100


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are sessions of Managed Agents, or their events."""
    return any(_is_own(one) for line in objects for one in _listed(line))


def _listed(line: Mapping[str, Any]) -> list[Any]:
    """Return what a page or a dump holds, else the object itself."""
    inside = [line.get("session")]
    for key in ("threads", "events", "data"):
        inside += blocks.list_in(line, key)
    return [one for one in inside if _is_own(one)] or [line]


def _is_own(line: object) -> bool:
    return isinstance(line, dict) and (_is_head(line) or managed_events.is_event(line))


def _is_head(line: Mapping[str, Any]) -> bool:
    """Whether a line is a session, or a thread of one."""
    known = {"session": "environment_id", "session_thread": "session_id"}
    return isinstance(line.get("agent"), dict) and known.get(str(line.get("type"))) in line


def read(file: LogFile, rows: Rows) -> None:
    """Read the events of a session, or of several."""
    found: list[tuple[int, Mapping[str, Any]]] = []

    def take(at: int, line: Mapping[str, Any]) -> bool:
        own = [(at, one) for one in _listed(line) if _is_own(one)]
        found.extend(own)
        return bool(own) or str(line.get("type")) in _PREVIEWS

    feed_objects(file.on_disk, file.path, rows, take)
    reading = _Reading(file, rows, last=max((at for at, _ in found), default=0))
    heads = [(at, line) for at, line in found if _is_head(line)]
    if len({str(head.get("id")) for _, head in heads}) == 1:
        found = [*heads, *(one for one in found if not _is_head(one[1]))]
    for at, line in found:
        reading.take(at, line)
    reading.finish()


FORMAT = Format(
    name="managed_agents",
    expected='Managed Agents events such as {"type":"span.model_request_end","model_usage":{…}}',
    sniff=sniff,
    read=read,
    totals=("session",),
)


class _Thread:
    """A thread of a session as its events are read; `root` is the id of the session."""

    def __init__(self, run: Run, root: str) -> None:
        self.run, self.root = run, root
        self.model: str | None = None
        self.speed: str | None = None
        self.began: dict[str, str | None] = {}
        self.wrote: list[Block] = []
        self.last: int | None = None
        self.searched: set[int] = set()
        self.total: Total | None = None


class _Reading:
    def __init__(self, file: LogFile, rows: Rows, last: int) -> None:
        self._file, self._rows, self._last = file, rows, last
        self._runs = Runs(file, rows, FORMAT.name)
        self._threads: dict[str, _Thread] = {}
        self._totals: dict[str, Total] = {}
        self._shared: set[str] = set()
        self._seen: set[object] = set()
        self._now = self._of(file.path, file.path)

    def _of(self, run_id: str, root: str) -> _Thread:
        if run_id not in self._threads:
            self._threads[run_id] = _Thread(self._runs.of(run_id), root)
        return self._threads[run_id]

    def _begin(self, at: int, head: Mapping[str, Any]) -> None:
        """Begin a session, or a thread of one; the first thread is the session itself."""
        own = blocks.word(head.get("id")) or self._file.path
        root = blocks.word(head.get("session_id")) or own
        run_id = own if head.get("parent_thread_id") is not None else root
        is_new = run_id not in self._threads
        thread = self._now = self._of(run_id, root)
        agent, run = blocks.mapping_in(head, "agent"), thread.run
        thread.model = _model_of(agent) or thread.model
        thread.speed = blocks.word(blocks.mapping_in(agent, "model").get("speed"))
        usage = blocks.mapping_in(head, "usage")
        # It was asked for when all else had happened, wherever it stands.
        total = Total(self._last, blocks.word(head.get("updated_at")), thread.model, usage)
        if head.get("type") == "session":
            run.task = run.task or blocks.word(head.get("title"))
            self._keep(root, total)
            if agent.get("multiagent") is not None:
                self._shared.add(root)
        else:
            thread.total = total
            if run_id != root:
                run.parent = run.root = root
                run.agent = blocks.word(agent.get("name"))
        if is_new:
            managed_events.send_fixed(run, at, agent)

    def _keep(self, root: str, total: Total) -> None:
        """Keep the running total of a session that has counted most."""
        before = self._totals.get(root)
        if before is None or total.output_tokens >= before.output_tokens:
            self._totals[root] = total

    def take(self, at: int, line: Mapping[str, Any]) -> None:
        """Add one object."""
        if _is_head(line):
            self._begin(at, line)
            return
        kind, event_id, thread = line.get("type"), blocks.word(line.get("id")), self._now
        if event_id in self._seen:
            return
        if event_id is not None:
            self._seen.add(event_id)
        if kind == "span.model_request_start":
            thread.began[str(event_id)] = blocks.word(line.get("processed_at"))
            thread.last = None
        elif kind == _END:
            _called(thread, at, line)
        elif kind == _EVALUATED:
            self._evaluated(thread, at, line)
        elif str(kind).startswith("session."):
            self._note(thread, at, line)
        elif not blocks.word(line.get("session_thread_id")):  # else it is of another thread, shown here too
            _said(thread, at, line)

    def _note(self, thread: _Thread, at: int, line: Mapping[str, Any]) -> None:
        """Take what an event tells of the session."""
        kind = line.get("type")
        if kind == "session.usage":
            usage, when = blocks.mapping_in(line, "usage"), blocks.word(line.get("processed_at"))
            self._keep(thread.root, Total(at, when, thread.model, usage))
        elif kind == "session.thread_created":
            self._shared.add(thread.root)
        elif kind == "session.updated":
            thread.model = _model_of(blocks.mapping_in(line, "agent")) or thread.model

    def _evaluated(self, thread: _Thread, at: int, line: Mapping[str, Any]) -> None:
        usage = blocks.mapping_in(line, "usage")
        if usage and not counters_of(usage).is_zero:
            run = self._of(f"{thread.run.run_id}/outcome_evaluation", thread.root).run
            run.parent, run.root, run.agent = thread.run.run_id, thread.root, "outcome_evaluation"
            run.called(_told(at, line, usage, None))

    def finish(self) -> None:
        """Write the runs, and what was recorded of each session."""
        for thread in self._threads.values():
            total = thread.total or self._totals.get(thread.root)
            if total is not None and total.usage:
                time_writes(thread.run, blocks.mapping_in(total.usage, "cache_creation"))
            else:
                forget_searches(thread.run, thread.searched)
        for root, total in self._totals.items():
            if total.usage:
                self._rows.recorded.extend(self._recorded(root, total))
        self._runs.finish()

    def _recorded(self, root: str, total: Total) -> Iterator[RecordedRow]:
        """Yield what a session used by model, as far as its models are known, and its list cost."""
        own = [t.total for t in self._threads.values() if t.root == root and t.total is not None]
        parts = own if root in self._shared else [total]
        row = RecordedRow(
            session=root, path=self._file.path, line=total.at, at=time_of(total.when), event="session"
        )
        for part in parts:
            if part.model is not None and part.usage:
                yield used(row, part.model, part.usage)
        cost = blocks.mapping_in(total.usage, "list_cost")
        cents = usd(cost.get("amount")) if cost.get("currency", "USD") == "USD" else None
        if cents is not None:
            yield row._replace(part="total", usd=str(Decimal(cents) / _CENTS))


def _told(at: int, line: Mapping[str, Any], usage: Mapping[str, Any], model: object) -> ToldCall:
    ended = blocks.word(line.get("processed_at"))
    return ToldCall(
        line=at,
        model=model,
        counters=counters_of(usage),
        ended=ended,
        message_id=blocks.word(line.get("id")) or f"line {at} {ended}",
        stop_reason="end_turn",
        speed=blocks.word(usage.get("speed")),
    )


def _called(thread: _Thread, at: int, line: Mapping[str, Any]) -> None:
    usage = blocks.mapping_in(line, "model_usage") or blocks.mapping_in(line, "usage")
    wrote, thread.wrote = thread.wrote, []
    if not usage or counters_of(usage).is_zero:
        return
    told = _told(at, line, usage, usage.get("model") or thread.model)
    told.speed = told.speed or thread.speed
    told.began = thread.began.get(str(line.get("model_request_start_id")))
    thread.last = thread.run.called(told)
    _add(thread, thread.last, at, wrote)


def _said(thread: _Thread, at: int, line: Mapping[str, Any]) -> None:
    """Add what was written, before its request ends or behind it, or what was sent."""
    wrote = managed_events.written(line)
    if wrote and thread.last is not None:
        _add(thread, thread.last, at, wrote)
    elif wrote:
        thread.wrote += wrote
    else:
        managed_events.send(thread.run, at, line)


def _add(thread: _Thread, call: int, at: int, wrote: Sequence[Block]) -> None:
    thread.run.thread.wrote(call, at, wrote)
    for block in wrote:
        if block.type == "tool_use":
            thread.run.thread.calls[call].stop_reason = "tool_use"
            if block.name == "web_search":
                thread.searched.add(call)


def _model_of(agent: Mapping[str, Any]) -> str | None:
    return blocks.word(agent.get("model")) or blocks.word(blocks.mapping_in(agent, "model").get("id"))
