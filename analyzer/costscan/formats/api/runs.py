"""The runs that requests belong to: by their run id, or by what they continue."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from msgspec import Struct

from costscan.formats.api.message import word
from costscan.formats.claude import people, task_names
from costscan.formats.interface import LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.call import Call, key_of
from costscan.reading.conversation.request_thread import RequestThread
from costscan.reading.io.row_types import CopyRow
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.prompt import Sent
from costscan.reading.prompt_diff.salt import Salt
from costscan.reading.prompt_diff.tracker import Prompts, WorkerMemory


class Names(NamedTuple):
    """What a line says of the run that it belongs to, each as the log has it."""

    run_id: Any = None
    task: Any = None
    agent: Any = None
    parent_run_id: Any = None

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """Return what a line says of its run under the names that wrappers of ours use."""
        return cls(line.get("run_id"), line.get("task"), line.get("agent"), line.get("parent_run_id"))


def task_of(asked: str, otherwise: object) -> str | None:
    """Return what a task is called: by what a person asked first, else by a name that the line has."""
    wanted = people.asked(asked)
    return task_names.template(wanted) if wanted else word(otherwise)


class PairRun(Struct):
    """A run as its requests are being read; `waited`: a person asked again after its first request."""

    run_id: str
    task: str
    thread: RequestThread
    agent: str | None = None
    parent: str | None = None
    user: str | None = None
    waited: bool = False

    def add(
        self, number: int, blocks: list[Sent], call: Call, written: Iterable[Block], salt: Salt | None = None
    ) -> tuple[int, int]:
        """Add a call whose prompt is logged whole, or is not logged.

        Args:
            number: its line.
            blocks: the prompt.
            call: the call.
            written: what the model wrote.
            salt: what else is part of the keys of its cache entries.

        Returns:
            its number in the run, and that of the first block that it wrote.
        """
        self.waited = self.waited or waited(self.thread, blocks)
        key = key_of(call) or f"line {number}"
        thread = self.thread
        salt = salt or Salt()
        n = thread.request(number, blocks, call, key, salt) if blocks else thread.call(call, key=key)
        first = thread.n_blocks
        thread.wrote(n, number, written)
        thread.remember_written(first)
        return n, first


class PairRuns:
    """The runs of a file.

    Where a line has no run id, a request whose messages extend those of an earlier one continues its run, and
    so does one that goes on from its response by name.
    """

    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file, self.rows = file, rows
        self.runs: dict[str, PairRun] = {}
        self._ends: dict[int, list[str]] = {}
        self._memory = WorkerMemory.of(rows)

    def of(
        self, number: int, own: Names, blocks: list[Sent], name: str | None, after: str | None = None
    ) -> PairRun:
        """Return the run of a request.

        Args:
            number: its line.
            own: what the line says of its run.
            blocks: the prompt.
            name: what its task is called where the line does not say.
            after: the run that it goes on from by name.
        """
        own_id = word(own.run_id) or (str(own.run_id) if type(own.run_id) is int else None) or after
        chain = _chain(blocks) if own_id is None else []
        run_id = own_id or self._extended(chain, blocks) or f"{self.file.path}:{number}"
        if chain:
            self._ends.setdefault(chain[-1], []).append(run_id)
        run = self.runs.get(run_id)
        if run is None:
            task = word(own.task) or name or "unnamed"
            thread = RequestThread(Prompts(run_id, task, self._memory))
            agent, parent = word(own.agent), word(own.parent_run_id)
            run = self.runs[run_id] = PairRun(run_id, task, thread, agent, parent)
        return run

    def _extended(self, chain: list[int], blocks: list[Sent]) -> str | None:
        """Return the run this request continues, or re-sends; the same first message may begin many runs."""
        for length in range(len(chain) if len(chain) > 1 else 0, 0, -1):
            ended = self._ends.get(chain[length - 1])
            if ended:
                run_id = next((r for r in ended if self.runs[r].thread.wrote_any_of(blocks)), ended[-1])
                ended.remove(run_id)
                return run_id
        return None

    def write(self, source: str) -> None:
        """Write the runs to the rows."""
        for run in self.runs.values():
            if run.thread.calls:
                with self.rows.run(self.file.path, run.run_id):
                    self._write(run, source)

    def _write(self, run: PairRun, source: str) -> None:
        copy = len(self.rows.copies)
        self.rows.copies.append(
            CopyRow(
                copy=copy,
                run_id=run.run_id,
                root_run_id=run.parent or run.run_id,
                parent_run_id=run.parent,
                source=source,
                path=self.file.path,
                task=run.task,
                agent=run.agent,
                interactive=run.waited,
                begins_late=False,
                user=run.user,
            )
        )
        run.thread.flush(self.rows, copy)


def _chain(blocks: list[Sent]) -> list[int]:
    """Return a hash for each message of what the messages up to it say."""
    out: list[int] = []
    so_far = 0
    last = -1
    for block in blocks:
        if block.layer != "messages" or block.measured.kind == "tool_def":
            continue
        so_far = hash((so_far, block.role, block.measured.kind, block.measured.content_hash))
        if block.message == last:
            out[-1] = so_far
        else:
            out.append(so_far)
        last = block.message
    return out


def waited(thread: RequestThread, blocks: list[Sent]) -> bool:
    """Whether the newest message of a later request is a human's, not a tool's or the client's."""
    if not thread.calls or not blocks or blocks[-1].role != "user":
        return False
    newest = [b.measured for b in blocks if b.message == blocks[-1].message]
    if any(measured.kind == "tool_result" for measured in newest):
        return False
    return any(not isinstance(measured.text, str) or people.asked(measured.text) for measured in newest)
