"""Which run a call belongs to: by its headers, by the `with costscan.run(...)` around it, or by default."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

RUN_HEADER: Final = "x-costscan-run-id"
TASK_HEADER: Final = "x-costscan-task"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that a program is in; `agent` and `parent_run_id` where it is inside another one."""

    run_id: str | None = None
    task: str | None = None
    agent: str | None = None
    parent_run_id: str | None = None


_current: ContextVar[Run | None] = ContextVar("costscan_run", default=None)


@contextmanager
def run(task: str, *, run_id: str | None = None) -> Iterator[Run]:
    """Have the calls made inside belong to one run, in asyncio tasks started inside, too.

    Threads do not take part in it unless they are started with a copy of the context
    (`contextvars.copy_context().run`, `asyncio.to_thread`). A run inside a run is an agent of the outer one.

    Args:
        task: what runs are compared by.
        run_id: what the run is called; a new name where there is none.

    Yields:
        the run, with its id.
    """
    outer = _current.get()
    own_id = run_id or uuid.uuid4().hex
    inner = Run(own_id, task) if outer is None else Run(own_id, outer.task, task, outer.run_id)
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


def run_of(headers: Mapping[str, object], otherwise: Run) -> Run:
    """Return the run of a call: what its headers name, then that which the program is in, then a default.

    Args:
        headers: those that the call was given.
        otherwise: the default.
    """
    current = _current.get() or otherwise
    own = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    run_id, task = own.get(RUN_HEADER), own.get(TASK_HEADER)
    if run_id is not None and run_id != current.run_id:
        return Run(run_id, task or current.task)
    return Run(current.run_id, task or current.task, current.agent, current.parent_run_id)
