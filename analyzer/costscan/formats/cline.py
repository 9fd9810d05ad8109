"""Tasks of Cline, Roo Code and Kilo Code: `tasks/<id>/ui_messages.json` and what is beside it, or sessions.

What the numbers mean, and what is counted once:
- A message with `say: "api_req_started"` is one model call; its `text` is JSON with the counters. An
  `api_req_finished` of old versions completes the one before it.
- A request that tells neither what came out nor a cost is still running, or was cancelled or refused: it is
  no call, and counted among the lines that are not read. Counters that are all zero say the same.
- In Cline `tokensIn` leaves out what was cached, but for providers that speak OpenAI's language. Roo Code and
  Kilo Code (`apiProtocol`) count it in since version 3.29.5, and before left it out for Claude: where less
  went in than was cached, it is taken as left out. Where no provider is told and the model is no Claude
  model, the least is taken, as a lower bound.
- Cache writes are one class, taken as 5-minute ones; DeepSeek's are what its cache missed, and input. What
  Gemini thought is in no counter: such a call is a lower bound.
- `cost` is what the client makes of it by its own price list, kept as recorded and never billed.
- `deleted_api_reqs` (in Roo Code `api_req_deleted`: requests that a person went back from) and
  `subagent_usage` are sums of calls that are in no file, and what Roo Code paid for a summary is dollars
  alone: billed as `unlogged`, as far as the dollars of the task show it.
- The model is in `modelInfo`, in older versions in `task_metadata.json`, in Roo Code in what it adds to the
  messages of `api_conversation_history.json`, which has what was sent and answered as well. Without that file
  only what the window showed is known. The system prompt and the tool definitions are in none of them.
- Cline 4, its CLI and its SDK write `sessions/<id>/<id>.messages.json` instead: an answer with `metrics` is
  one call. Its `inputTokens` hold what was cached, as the AI SDK counts; where less went in, it was left out.
  The system prompt is there, the tool definitions are not. A sub-agent or teammate has a file of its own in
  the folder of the session. A fork copies messages with their ids, and a call is counted once.
- An answer without `metrics` is no call and said so; where no answer of a session has any, the `usage` of its
  manifest `<id>.json` is billed as `unlogged`. `<id>.compaction.json` copies messages and is not read.
- Kilo Code 7 and the Kilo CLI keep a store of OpenCode's kind: see `opencode`.

Layouts: `sdk/packages/core/src/services/session-data.ts` and `sdk/packages/llms/src/providers/ai-sdk.ts` of
cline/cline; `src/shared/globalFileNames.ts` and `src/core/task-persistence/` of RooCodeInc/Roo-Code.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Final, NamedTuple

from costscan.formats.agents import blocks, cline_sessions, task_history, task_usage
from costscan.formats.agents.cline_sessions import Sessions
from costscan.formats.agents.runs import Run, Runs, ToldCall, usd
from costscan.formats.agents.task_history import Asked, Entry, millis
from costscan.formats.agents.task_totals import TaskTotals
from costscan.formats.claude import task_names
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.io import lenient_json
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import UnknownRow
from costscan.reading.io.rows import Rows

_HISTORIES: Final = ("api_conversation_history.json", "claude_messages.json")
_METADATA: Final = "task_metadata.json"
_SUMS: Final = frozenset({"deleted_api_reqs", "api_req_deleted", "subagent_usage"})
_ASKS: Final = ("<task>", "<feedback>", "<user_message>", "<answer>")
"""How texts begin that a person wrote."""
UNANSWERED: Final = "a request without an answer"
_SLACK_MS: Final = 1000
"""The message that a request sends is written just after the request."""


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are messages of a task, or a session."""
    kinds = (_is_message, cline_sessions.is_session, cline_sessions.is_beside)
    return any(is_own(line) for line in objects for is_own in kinds)


def _is_message(line: Mapping[str, Any]) -> bool:
    kind = line.get("type")
    return kind in ("say", "ask") and isinstance(line.get(str(kind)), str) and "ts" in line


def read(file: LogFile, rows: Rows) -> None:
    """Read one task, or a session."""
    task, sessions = _Task(file, rows), Sessions(file, rows, FORMAT.name)
    feed_objects(
        file.on_disk, file.path, rows, lambda at, line: task.take(at, line) or sessions.take(at, line)
    )
    sessions.finish()
    if task.is_there:
        task.finish()


_EDITORS: Final = ("Code", "Code - Insiders", "Cursor", "VSCodium")
_STORES: Final = (
    *(f"{place}/{editor}" for editor in _EDITORS for place in ("~/.config", "~/Library/Application Support")),
    *(f"$APPDATA/{editor}" for editor in _EDITORS),
    *("~/.vscode-server/data", "~/.cursor-server/data"),
)
_EXTENSIONS: Final = (
    *("saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code"),
    "zoocodeorganization.zoo-code",
)
_LISTS: Final = ("_index.json", "sessions.index.json", "subagent-spawn-queue.json")
"""Files in the folder above, which list tasks and sessions."""

FORMAT = Format(
    name="cline",
    expected='messages of Cline or Roo Code such as {"ts":…,"type":"say","say":"api_req_started","text":…}',
    sniff=sniff,
    read=read,
    beside=(*_HISTORIES, _METADATA, "history_item.json", "context_history.json", *_LISTS),
    roots=(
        *("$CLINE_DATA_DIR/tasks", "$CLINE_DIR/data/tasks", "~/.cline/data/tasks"),
        *("$CLINE_SESSION_DATA_DIR", "$CLINE_DATA_DIR/sessions", "$CLINE_DIR/data/sessions"),
        *("~/.cline/data/sessions", "~/.vscode-mock/global-storage/tasks"),
        *(f"{store}/User/globalStorage/{name}/tasks" for store in _STORES for name in _EXTENSIONS),
    ),
)


class _Request(NamedTuple):
    line: int
    message: Mapping[str, Any]
    info: dict[str, Any]
    shown: list[Block]


class _Task:
    """A task as it is being read."""

    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._file, self._rows = file, rows
        self._requests: list[_Request] = []
        self._sums: list[Mapping[str, Any]] = []
        self._summaries: list[object] = []
        self._first: str | None = None
        self.is_there = False
        self._last: tuple[int, float | None] = (1, None)

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one message; False for what is none."""
        if not _is_message(line):
            return False
        self.is_there = True
        self._last = at, millis(line.get("ts")) or self._last[1]
        said = blocks.word(line.get("say")) if line.get("type") == "say" else None
        text = blocks.word(line.get("text")) or ""
        if said == "api_req_started":
            self._requests.append(_Request(at, line, lenient_json.mapping(text) or {}, []))
        elif said == "api_req_finished" and self._requests:
            self._requests[-1].info.update(lenient_json.mapping(text) or {})
        elif said in _SUMS:
            self._sums.append(lenient_json.mapping(text) or {})
        elif said == "condense_context":
            self._summaries.append(blocks.mapping_in(line, "contextCondense").get("cost"))
        elif said in ("task", "text") and self._first is None:
            self._first = text
        elif said in ("text", "reasoning", "completion_result") and self._requests:
            shown = blocks.thinking(text) if said == "reasoning" else blocks.text_block(text)
            self._requests[-1].shown.append(shown)
        return True

    def finish(self) -> None:
        """Write the task to the rows."""
        answered = [r for r in self._requests if task_usage.is_answered(r.info)]
        if len(answered) < len(self._requests):
            lost = len(self._requests) - len(answered)
            self._rows.unknown.append(
                UnknownRow(path=self._file.path, kind=UNANSWERED, lines=lost, other=False)
            )
        runs = Runs(self._file, self._rows, FORMAT.name)
        run = runs.of(_id_of(self._file.path))
        entries = self._history()
        run.task = task_names.template(self._first) if self._first else None
        run.project = task_history.folder_of(entries)
        models = _Models(task_history.models_of(entries), self._beside(_METADATA))
        totals, like, provider = TaskTotals(), {}, None
        shares = task_history.shared_out(entries, [_asked(r) for r in answered])
        for request, share in zip(answered, shares, strict=True):
            model, provider = models.of(request)
            like = {key: request.info[key] for key in ("apiProtocol",) if key in request.info}
            told = _told(run.run_id, request, model, provider)
            totals.add(told)
            _add(run, told, request, share)
        runs.finish()
        for sums in self._sums:
            totals.add_sums(sums, task_usage.counters_of({**like, **sums}, provider, totals.only_model))
        for cost in self._summaries:
            totals.add_usd(cost)
        self._rows.recorded.extend(totals.rows(run.run_id, self._file.path, self._last))

    def _history(self) -> list[Entry]:
        found = (task_history.entries_of(self._beside(name)) for name in _HISTORIES)
        return next((entries for entries in found if entries), [])

    def _beside(self, name: str) -> list[dict[str, Any]]:
        return [] if self._file.is_alone else task_history.objects_beside(self._file.on_disk, name)


class _Models:
    """The models of a task, as the files beside it tell them; `tags` are those that its messages name."""

    def __init__(self, tags: Sequence[tuple[float, str]], metadata: Sequence[Mapping[str, Any]]) -> None:
        usage = [u for m in metadata for u in blocks.list_in(m, "model_usage") if isinstance(u, dict)]
        used = [(at, u) for u in usage if (at := millis(u.get("ts"))) is not None]
        told = [
            (at, blocks.word(u.get("model_id")), blocks.word(u.get("model_provider_id"))) for at, u in used
        ]
        self._told = [(at, model, None) for at, model in tags] if tags else told

    def of(self, request: _Request) -> tuple[str | None, str | None]:
        """Return the model of a request, and its provider."""
        info = blocks.mapping_in(request.message, "modelInfo")
        own = blocks.word(info.get("modelId")), blocks.word(info.get("providerId"))
        if own[0] is not None:
            return own
        at = (millis(request.message.get("ts")) or 0) + _SLACK_MS
        before = [one for one in self._told if one[0] <= at] or self._told[:1]
        return (before[-1][1], own[1] or before[-1][2]) if before else own


def _id_of(path: str) -> str:
    folder = PurePath(path).parent.name or Path(path).absolute().parent.name
    return folder if PurePath(path).name.startswith("ui_messages.") and folder else path


def _asked(request: _Request) -> Asked:
    index = request.message.get("conversationHistoryIndex")
    return Asked(millis(request.message.get("ts")), index if type(index) is int else None)


def _told(task: str, request: _Request, model: str | None, provider: str | None) -> ToldCall:
    info, at = request.info, request.message.get("ts")
    return ToldCall(
        line=request.line,
        model=model,
        counters=task_usage.counters_of(info, provider, model),
        began=None if (began := millis(at)) is None else str(began),
        message_id=f"{task} {at}",
        stop_reason=blocks.word(info.get("cancelReason")) or "end_turn",
        recorded_usd=usd(info.get("cost")),
    )


def _add(run: Run, told: ToldCall, request: _Request, share: Sequence[Entry]) -> None:
    """Add a call between what it was sent and what the next one is."""
    answer = next((n for n, entry in enumerate(share) if entry.role == "assistant"), len(share))
    for entry in share[:answer]:
        _ask(run, request.line, entry.blocks)
    wrote = [block for entry in share if entry.role == "assistant" for block in entry.blocks]
    sent = blocks.word(request.info.get("request"))
    if not share and sent:
        _ask(run, request.line, [blocks.text_block(sent)])
    run.called(told, wrote if share else request.shown)
    for entry in share[answer:]:
        if entry.role == "user":
            _ask(run, request.line, entry.blocks)


def _ask(run: Run, line: int, said: Sequence[Block]) -> None:
    for block in said:
        text = block.text or ""
        run.asks(line, [block], by_person=text.lstrip().startswith(_ASKS))
