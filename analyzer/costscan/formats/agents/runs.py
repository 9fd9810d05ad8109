"""Runs told message by message: what was asked, what each call used and wrote, what tools answered."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Struct

from costscan.formats.agents.chat import Prompt
from costscan.formats.claude import people, task_names
from costscan.formats.interface import LogFile
from costscan.reading.content.block import Block, encode, hash_of, text_block
from costscan.reading.content.measure import definition, measure
from costscan.reading.conversation.call import Call, key_of, make_call
from costscan.reading.conversation.thread import Thread
from costscan.reading.conversation.usage import Counters, Usage
from costscan.reading.io.row_types import CopyRow
from costscan.reading.io.rows import Rows

MAX_USD: Final = Decimal(10**9)
"""More dollars than any call can cost: a larger number is damage."""


class ToldCall(Struct, kw_only=True):
    """A model call as a log tells it; a counter that the log does not tell is None."""

    line: int
    model: object
    counters: Counters
    began: str | None = None
    ended: str | None = None
    first_token_s: float | None = None
    message_id: str | None = None
    request_id: str | None = None
    stop_reason: object = "end_turn"
    tier: str | None = None
    speed: str | None = None
    geo: str | None = None
    effort: str | None = None
    recorded_usd: object = None


class Run:
    """One run of a file. `root` is the topmost run above it, `parent` the one that started it."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.parent: str | None = None
        self.root: str | None = None
        self.agent: str | None = None
        self.project: str | None = None
        self.branch: str | None = None
        self.user: str | None = None
        self.task: str | None = None
        self.begins_late = False
        self.thread = Thread()
        self._first: str | None = None
        self._waited = False
        self._prompt: list[int] = []
        self._fixed: int | None = None

    def system(self, line: int, text: str) -> None:
        """Add a part of the system prompt."""
        self._send(line, [text_block(text)], "system", "system")

    def asks(self, line: int, blocks: Iterable[Block], *, by_person: bool = True) -> None:
        """Add what a user says; `by_person` is False for what the client says in his name."""
        for block in blocks:
            wanted = people.asked(block.text or "") if block.type == "text" and by_person else ""
            if wanted:
                self._waited = self._waited or (self._first is not None and bool(self.thread.calls))
                self._first = self._first or wanted
            self._send(line, [block], "messages", "user")

    def called(self, told: ToldCall, wrote: Iterable[Block] = ()) -> int:
        """Add a call and what it wrote; give its number."""
        call = call_of(told)
        key = key_of(call) or f"{call.request_id or f'line {told.line}'} {call.counters.prompt_side}"
        number = self.thread.call(call, key=key)
        self.thread.wrote(number, told.line, wrote)
        return number

    def carries(self, line: int, blocks: Iterable[Block]) -> None:
        """Add what a model wrote in no call of this run, and the next one is sent."""
        self._send(line, blocks, "messages", "assistant")

    def prompt(self, line: int, prompt: Prompt) -> None:
        """Add what of a whole prompt was not in the one before.

        Messages that do not go on from those before begin anew. What the last call wrote is in the thread
        already.
        """
        self._fix(line, prompt)
        hashes = [hash_of(encode([m.role, [_identity(b) for b in m.blocks]])) for m in prompt.messages]
        before = len(self._prompt)
        if hashes[:before] != self._prompt:
            self.thread.forget()
            before = 0
        elif before and hashes[before:] and prompt.messages[before].role == "assistant":
            before += 1
        for role, blocks in prompt.messages[before:]:
            if role == "user":
                self.asks(line, blocks)
            else:
                self._send(line, blocks, "messages", role)
        self._prompt = hashes

    def _fix(self, line: int, prompt: Prompt) -> None:
        """Add tools and system prompt, where they are not those of the prompt before."""
        fixed = hash_of(encode([prompt.tools, prompt.system]))
        if fixed == self._fixed or not (prompt.tools or prompt.system):
            return
        if self._fixed is not None:
            self.thread.forget(layers=("tools", "system"))
        self._fixed = fixed
        for tool in prompt.tools:
            self.thread.sent(line, definition(tool), layer="tools", role="system")
        for text in prompt.system:
            self.system(line, text)

    def _send(self, line: int, blocks: Iterable[Block], layer: str, role: str) -> None:
        for measured in filter(None, map(measure, blocks)):
            if layer == "system":
                measured.kind = "system"
            self.thread.sent(line, measured, layer=layer, role=role)

    def row(self, copy: int, source: str, path: str) -> CopyRow:
        """Return its row in the table of copies."""
        task = self.task or (task_names.template(self._first) if self._first else None)
        return CopyRow(
            copy=copy,
            run_id=self.run_id,
            root_run_id=self.root or self.parent or self.run_id,
            parent_run_id=self.parent,
            source=source,
            path=path,
            task=task if task or self.parent else "unnamed",
            agent=self.agent,
            interactive=self._waited,
            begins_late=self.begins_late,
            project=self.project,
            branch=self.branch,
            user=self.user,
        )


class Runs:
    """The runs of one file by their ids."""

    def __init__(self, file: LogFile, rows: Rows, source: str) -> None:
        self._file, self._rows, self._source = file, rows, source
        self._runs: dict[str, Run] = {}

    def of(self, run_id: str) -> Run:
        """Return the run of that id, a new one where there is none."""
        if run_id not in self._runs:
            self._runs[run_id] = Run(run_id)
        return self._runs[run_id]

    def finish(self) -> None:
        """Write all that made a call to the rows."""
        for run in self._runs.values():
            if run.thread.calls:
                with self._rows.run(self._file.path, run.run_id):
                    copy = len(self._rows.copies)
                    self._rows.copies.append(run.row(copy, self._source, self._file.path))
                    run.thread.flush(self._rows, copy)


def call_of(told: ToldCall) -> Call:
    """Return the call that a log tells."""
    call = make_call(
        line=told.line,
        end_at=told.ended,
        model=told.model,
        usage=Usage(service_tier=told.tier, speed=told.speed, inference_geo=told.geo),
        message_id=told.message_id,
        request_id=told.request_id,
        stop_reason=told.stop_reason,
        effort=told.effort,
    )
    call.at, call.first_token_s = told.began, told.first_token_s
    call.counters = told.counters
    call.says_unfinished = False
    call.recorded_usd = usd(told.recorded_usd)
    return call


def usd(value: object) -> str | None:
    """Return dollars as a log writes them as a plain decimal; None where they are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return f"{amount:f}" if amount.is_finite() and 0 <= amount < MAX_USD else None


def _identity(block: Block) -> object:
    measured = measure(block)
    return None if measured is None else [measured.kind, measured.call_id, measured.content_hash]
