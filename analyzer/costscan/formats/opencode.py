"""OpenCode: its store `opencode.db` (SQLite), what `opencode export` writes, message files of old versions.

So are the stores and exports of Kilo Code 7 and the Kilo CLI (`kilo.db`), which are made from it.

What the numbers mean, and what is counted once:
- An assistant message is one model call; of older versions, in which it may hold several, each `step-finish`
  is one. `tokens.input` leaves out what was read from or written to the cache; writes are one class, taken as
  5-minute ones.
- `tokens.output` holds what was reasoned in some versions (1.2) and leaves it out in others (1.18): where
  `tokens.total` is told, it decides.
- Version 2 has messages of its own (`session_message`), an assistant message a step, in which `output` leaves
  out what was reasoned; those that it took over from before count once. What titles and compactions used
  stands in its events where it tells it, of no known model.
- `cost` is what the client makes of it, kept as recorded; 1.2 charges reasoning twice in it. Zero dollars
  beside tokens say that the client has no price.
- The store is opened read-only, with what stands in its write-ahead log. A message is the same call in the
  store, an export and a file of its own.
- A session that is forked copies messages under new ids: in a store, an answer of the same model that began
  and ended in the same milliseconds and used the same tokens is the same call.
- Of what `opencode run --format json` prints, a `step_finish` is one call, of no known model: read with the
  store, it is the same call.
- A sub-session is a run under its `parent_id`. The call that makes the title of a session is billed and
  stands nowhere, neither do the system prompt and the tool definitions.

Kilo: `packages/core/src/database/database.ts` (its place) and `packages/opencode/src/session/session.ts` (its
usage, where `output` leaves out what was reasoned, and its forks) of Kilo-Org/kilocode.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.formats.agents import blocks, session_messages, step_stream
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.token_classes import ANTHROPIC
from costscan.reading.io import containers, lenient_json
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows

_TABLES: Final = frozenset({"session", "message", "part"})
_MESSAGES: Final = "session_message"
"""The table of messages of OpenCode 2."""
_SESSIONS: Final = ("session", "session_v2")
_SESSION: Final = ("id", "parent_id", "directory", "agent")


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are exports of sessions, single messages, or events of a run."""
    return any(_is_export(line) or _is_message(line) or step_stream.is_event(line) for line in objects)


def owns(path: str) -> bool:
    """Whether a file is OpenCode's store."""
    if containers.kind_of(path) != containers.SQLITE:
        return False
    try:
        with containers.store(path) as store:
            tables = store.tables()
            return tables >= _TABLES or (_MESSAGES in tables and not tables.isdisjoint(_SESSIONS))
    except CostscanError:
        return False


def _is_export(line: Mapping[str, Any]) -> bool:
    info = blocks.mapping_in(line, "info")
    return isinstance(line.get("messages"), list) and "id" in info and ("projectID" in info or "slug" in info)


def _is_message(line: Mapping[str, Any]) -> bool:
    return {"sessionID", "modelID", "tokens", "role"} <= line.keys()


def read(file: LogFile, rows: Rows) -> None:
    """Read a store, an export or a message."""
    runs = Runs(file, rows, FORMAT.name)
    if containers.kind_of(file.on_disk) == containers.SQLITE:
        with containers.store(file.on_disk) as store:
            _read_store(store, runs, rows)
        rows.bytes_read += Path(file.on_disk).stat().st_size
    else:
        steps = step_stream.Steps()
        feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(runs, steps, at, line))
    runs.finish()


FORMAT = Format(
    name="opencode",
    expected='an OpenCode store or export such as {"info":{"id":…,"projectID":…},"messages":[…]}',
    sniff=sniff,
    read=read,
    owns=owns,
    endings=("opencode.db", "opencode-next.db", "kilo.db"),
    beside=(".db-wal",),
    roots=(
        *("$XDG_DATA_HOME/opencode/opencode.db", "~/.local/share/opencode/opencode.db"),
        *("$KILO_DB", "$XDG_DATA_HOME/kilo/kilo.db", "~/.local/share/kilo/kilo.db"),
    ),
)


def _read_store(store: containers.Store, runs: Runs, rows: Rows) -> None:
    tables = store.tables()
    for table in filter(tables.__contains__, _SESSIONS):
        for row in store.rows(table, _SESSION, "time_created, id"):
            _name(runs.of(str(row["id"])), row.get("parent_id"), row.get("directory"), row.get("agent"))
    known = _read_messages(store, runs, rows) if tables >= _TABLES else set()
    if _MESSAGES in tables:
        _read_newer(store, runs, rows, known)
    if "event" in tables:
        _read_events(store, runs)


def _read_messages(store: containers.Store, runs: Runs, rows: Rows) -> set[str]:
    """Read the messages of versions before 2 and return their ids."""
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in store.rows("part", ("id", "message_id", "data"), "id"):
        parts[str(row["message_id"])].append(_data(row))
    first: dict[str, str] = {}
    known = set()
    for at, row in enumerate(store.rows("message", ("id", "session_id", "data"), "time_created, id"), 1):
        data, number = _data(row), str(row["id"])
        told = {**data, "id": first.setdefault(_identity(data, data.get("role")) or number, number)}
        _add(runs.of(str(row["session_id"])), at, told, parts[number])
        rows.lines += 1
        known.add(number)
    return known


def _read_newer(store: containers.Store, runs: Runs, rows: Rows, known: Collection[str]) -> None:
    """Read the messages of version 2, but those that it took over from versions before."""
    columns = ("id", "session_id", "type", "data")
    first: dict[str, str] = {}
    for at, row in enumerate(store.rows(_MESSAGES, columns, "time_created, seq, id"), 1):
        data, number = _data(row), str(row["id"])
        rows.lines += 1
        if number not in known:
            told = {**data, "id": first.setdefault(_identity(data, row.get("type")) or number, number)}
            session_messages.add(runs.of(str(row["session_id"])), at, row.get("type"), told)


def _read_events(store: containers.Store, runs: Runs) -> None:
    """Read what titles and compactions used, where versions tell it."""
    columns = ("id", "aggregate_id", "created", "data")
    told = store.rows("event", columns, "id", begins=("type", session_messages.USAGE_EVENT))
    for at, row in enumerate(told, 1):
        ended = session_messages.moment(row.get("created"))
        run = runs.of(str(row.get("aggregate_id")))
        session_messages.add_usage(run, at, str(row.get("id")), _data(row), ended)


def _identity(info: Mapping[str, Any], kind: object) -> str | None:
    """Return what an answer and its copies in forks have in common, None where it is not finished."""
    times = blocks.mapping_in(info, "time")
    if kind != "assistant" or None in (times.get("created"), times.get("completed")):
        return None
    model = info.get("modelID", info.get("model"))
    return blocks.text_of([times["created"], times["completed"], model, info.get("tokens"), info.get("cost")])


def _data(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return lenient_json.mapping(row["data"]) or {} if isinstance(row["data"], str) else {}


def _taken(runs: Runs, steps: step_stream.Steps, at: int, line: Mapping[str, Any]) -> bool:
    if step_stream.is_event(line):
        if (step := steps.take(line)) is not None:
            _call(runs.of(step.session), at, step.message, step.parts)
        return True
    if _is_export(line):
        info = blocks.mapping_in(line, "info")
        run = runs.of(str(info["id"]))
        folder = info.get("directory", blocks.mapping_in(info, "location").get("directory"))
        _name(run, info.get("parentID"), folder, info.get("agent"))
        for message in blocks.list_in(line, "messages"):
            if isinstance(message, dict) and session_messages.is_message(message):
                session_messages.add(run, at, message["type"], message)
                continue
            parts = [part for part in blocks.list_in(message, "parts") if isinstance(part, dict)]
            _add(run, at, blocks.mapping_in(message, "info"), parts)
        return True
    if not _is_message(line):
        return False
    _add(runs.of(str(line["sessionID"])), at, line, [])
    return True


def _name(run: Run, parent: object, folder: object, agent: object) -> None:
    run.parent, run.project = blocks.word(parent), blocks.word(folder)
    run.agent = blocks.word(agent) if run.parent else None


def _add(run: Run, at: int, info: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> None:
    if info.get("role") == "user":
        for part in parts:
            run.asks(at, _said(part), by_person=part.get("synthetic") is not True)
    elif info.get("role") == "assistant":
        _add_calls(run, at, info, parts)


def _add_calls(run: Run, at: int, info: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> None:
    """Add a call, or several that one message holds, what they wrote, and what tools answered."""
    steps = [part for part in parts if part.get("type") == "step-finish"]
    several = len(steps) > 1
    wrote: list[Mapping[str, Any]] = []
    for part in parts:
        if several and part in steps:
            step = {
                **info,
                "tokens": part.get("tokens"),
                "cost": part.get("cost"),
                "finish": part.get("reason"),
            }
            _call(run, at, {**step, "id": f"{info.get('id')} {steps.index(part)}"}, wrote)
            wrote = []
        else:
            wrote.append(part)
    if not several:
        _call(run, at, info, wrote)
    if info.get("summary") is True:
        run.thread.forget()
        run.asks(at, [block for part in parts for block in _said(part)], by_person=False)


def _call(run: Run, at: int, info: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> None:
    counters = session_messages.counters_of(blocks.mapping_in(info, "tokens"), ANTHROPIC)
    if counters.is_zero:
        return
    times = blocks.mapping_in(info, "time")
    told = ToldCall(
        line=at,
        model=info.get("modelID"),
        counters=counters,
        began=session_messages.moment(times.get("created")),
        ended=session_messages.moment(times.get("completed")),
        message_id=blocks.word(info.get("id")),
        stop_reason=info.get("finish") or "end_turn",
        recorded_usd=info.get("cost") or None,
    )
    run.called(told, [block for part in parts for block in _wrote(part)])
    run.asks(at, [block for part in parts for block in _answered(part)], by_person=False)


def _wrote(part: Mapping[str, Any]) -> list[Block]:
    if part.get("type") == "tool":
        return [
            blocks.tool_use(
                part.get("tool"), part.get("callID"), blocks.mapping_in(part, "state").get("input")
            )
        ]
    if part.get("type") == "reasoning":
        return [blocks.thinking(part.get("text"))]
    return _said(part)


def _answered(part: Mapping[str, Any]) -> list[Block]:
    state = blocks.mapping_in(part, "state")
    if part.get("type") != "tool" or state.get("status") not in {"completed", "error"}:
        return []
    failed = state.get("status") == "error"
    return [
        blocks.tool_result(part.get("callID"), state.get("error" if failed else "output"), is_error=failed)
    ]


def _said(part: Mapping[str, Any]) -> list[Block]:
    text = part.get("text") if part.get("type") == "text" else None
    return [blocks.text_block(text)] if isinstance(text, str) and text else []
