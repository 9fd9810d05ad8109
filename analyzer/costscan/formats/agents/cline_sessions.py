"""Sessions of Cline 4: `sessions/<id>/<id>.messages.json`, beside it those of its sub-agents and teammates.

Source: `sdk/packages/core/src/services/session-data.ts`, `…/session-artifacts.ts` and
`sdk/packages/shared/src/llms/messages.ts` of github.com/cline/cline.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from msgspec.structs import replace

from costscan.formats.agents import blocks, task_history
from costscan.formats.agents.runs import Run, Runs, ToldCall, usd
from costscan.formats.agents.task_history import Entry
from costscan.formats.agents.task_totals import TaskTotals
from costscan.formats.claude import task_names
from costscan.formats.interface import LogFile
from costscan.reading.conversation.token_classes import OPENAI, Told, classes_of
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.row_types import UnknownRow
from costscan.reading.io.rows import Rows

UNMEASURED: Final = "an answer without usage"
_SESSION: Final = frozenset({"updated_at", "agent", "sessionId"})
_MANIFEST: Final = frozenset({"session_id", "workspace_root", "pid"})
_ENDING: Final = ".messages.json"
_LEAD: Final = "lead"
_NAME: Final = re.compile(r"[\w.-]{1,200}")
_INPUT: Final = re.compile(r"\s*<user_input\b[^>]{0,200}>(.*?)(?:</user_input>|\Z)", re.DOTALL)


def is_session(line: Mapping[str, Any]) -> bool:
    """Whether this is a session with its messages."""
    return line.keys() >= _SESSION and isinstance(line.get("messages"), list)


def is_beside(line: Mapping[str, Any]) -> bool:
    """Whether this is what stands beside a session and tells no call of its own.

    That is its manifest, or the shortened copy of its messages that takes their place after a compaction.
    """
    return line.keys() >= _MANIFEST or ("source_message_count" in line and "messages" in line)


class Sessions:
    """The sessions of one file."""

    def __init__(self, file: LogFile, rows: Rows, source: str) -> None:
        self._file, self._rows = file, rows
        self._runs = Runs(file, rows, source)

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one session; False for what is none."""
        if not is_session(line):
            return is_beside(line)
        root = blocks.word(line.get("sessionId")) or self._file.path
        manifest = self._manifest(root)
        run = self._run(root, line)
        run.project = blocks.word(manifest.get("workspace_root")) or blocks.word(manifest.get("cwd"))
        if prompt := blocks.word(line.get("system_prompt")):
            run.system(at, prompt)
        messages = [m for m in blocks.list_in(line, "messages") if isinstance(m, dict) and "role" in m]
        unmeasured = _add_messages(run, at, messages)
        if unmeasured:
            row = UnknownRow(path=self._file.path, kind=UNMEASURED, lines=unmeasured, other=False)
            self._rows.unknown.append(row)
        if unmeasured and not run.thread.calls and run.parent is None:
            self._add_totals(run.run_id, at, manifest, messages)
        return True

    def finish(self) -> None:
        """Write the sessions to the rows."""
        self._runs.finish()

    def _run(self, root: str, line: Mapping[str, Any]) -> Run:
        """Return the run: the session, or a sub-agent of it, which is known by the name of its file."""
        role = blocks.word(line.get("agent")) or _LEAD
        if role == _LEAD:
            return self._runs.of(root)
        name = PurePath(self._file.path).name.partition(_ENDING)[0]
        run = self._runs.of(f"{root}__{name}")
        run.parent, run.agent = root, name.partition("__")[0] if role == "teammate" else role
        return run

    def _manifest(self, root: str) -> Mapping[str, Any]:
        if self._file.is_alone or not _NAME.fullmatch(root):
            return {}
        found = task_history.objects_beside(self._file.on_disk, f"{root}.json")
        return next((one for one in found if one.keys() >= _MANIFEST), {})

    def _add_totals(
        self, run_id: str, at: int, manifest: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add what a session used whose messages do not tell it; a fork tells that of its origin as well."""
        metadata = blocks.mapping_in(manifest, "metadata")
        usage = blocks.mapping_in(metadata, "usage")
        if not usage or "fork" in metadata:
            return
        model = blocks.word(manifest.get("model"))
        totals = TaskTotals()
        totals.add_sums({"cost": usage.get("totalCost")}, counters_of(usage, model), model)
        times = [at_ms for m in messages if (at_ms := task_history.millis(m.get("ts"))) is not None]
        self._rows.recorded.extend(totals.rows(run_id, self._file.path, (at, max(times, default=None))))


def counters_of(metrics: Mapping[str, Any], model: object) -> Counters:
    """Return the counters of an answer; what went in holds what was cached.

    Thoughts of Gemini are not counted in every version.
    """
    told = Told(
        input_tokens=number(metrics.get("inputTokens")),
        output_tokens=number(metrics.get("outputTokens")),
        cache_read_tokens=number(metrics.get("cacheReadTokens", 0)),
        cache_write_5m_tokens=number(metrics.get("cacheWriteTokens", 0)),
    )
    counted = replace(classes_of(told, OPENAI), thinking_tokens=None)
    return replace(counted, contradictory=True) if "gemini" in str(model).lower() else counted


def _add_messages(run: Run, at: int, messages: Sequence[Mapping[str, Any]]) -> int:
    """Add the messages of a run; return how many answers tell no usage."""
    unmeasured, asked_ms = 0, None
    for n, message in enumerate(messages):
        entry = task_history.entry_of(message)
        metrics = blocks.mapping_in(message, "metrics")
        if entry.role != "assistant":
            _ask(run, at, entry)
            asked_ms = entry.at_ms
        elif metrics:
            told = _told(run.run_id, at, n, message, asked_ms)
            if told is None:
                run.carries(at, entry.blocks)
            else:
                run.called(told, entry.blocks)
        else:
            unmeasured += 1
            run.carries(at, entry.blocks)
    return unmeasured


def _ask(run: Run, at: int, entry: Entry) -> None:
    """Add what was sent; a person says what no result of a tool is sent with."""
    by_person = run.parent is None and not any(block.type == "tool_result" for block in entry.blocks)
    run.asks(at, entry.blocks, by_person=by_person)
    text = next((block.text for block in entry.blocks if block.text), None)
    if by_person and text and run.task is None:
        found = _INPUT.match(text)
        run.task = task_names.template((found[1] if found else text).strip()) or None


def _told(
    run_id: str, at: int, n: int, message: Mapping[str, Any], asked_ms: float | None
) -> ToldCall | None:
    """Return the call that a message of the model tells, None where it used nothing."""
    metrics = blocks.mapping_in(message, "metrics")
    model = blocks.word(blocks.mapping_in(message, "modelInfo").get("id"))
    counted = counters_of(metrics, model)
    if counted.is_zero and not metrics.get("cost"):
        return None
    wrote_ms = task_history.millis(message.get("ts"))
    began_ms = wrote_ms if asked_ms is None or (wrote_ms is not None and asked_ms > wrote_ms) else asked_ms
    return ToldCall(
        line=at,
        model=model,
        counters=counted,
        began=None if began_ms is None else str(began_ms),
        ended=None if wrote_ms is None else str(wrote_ms),
        message_id=blocks.word(message.get("id")) or f"{run_id} {n}",
        recorded_usd=usd(metrics.get("cost")),
    )
