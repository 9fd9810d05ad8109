"""Files read by the workers of a Ray cluster: the tasks of this machine, their tables sent back as Arrow.

A task whose worker dies is given to another one by Ray, a few times; what fails then is given out again in
halves, as on this machine.
"""

import logging
import os
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Final

from costscan.defects import described
from costscan.errors import CostscanError
from costscan.formats.interface import LogFile
from costscan.ingest import pool
from costscan.ingest.pool import Answer, Order, Orders, orders_of

TRIES: Final = 3
"""So often a task is given out anew where its worker died."""
AHEAD: Final = 2
"""So many tasks a core are given out at a time: what comes back waits in memory until it is written down."""
_CONNECT_S: Final = 10
_USAGE_STATS: Final = "RAY_USAGE_STATS_ENABLED"
"""Ray reports its use over the network where nobody says that it may not."""

Tables = dict[str, bytes]


def is_installed() -> bool:
    """Whether Ray is there."""
    return find_spec("ray") is not None


def must_be_installed() -> None:
    """Refuse to go on without Ray.

    Raises:
        CostscanError: it is not installed.
    """
    if not is_installed():
        raise CostscanError("--engine ray: Ray is not installed", "pip install 'costscan[ray]'")


def read_all(
    files: Sequence[LogFile],
    kind: Order,
    out: Path,
    *,
    address: str | None,
    workers: int | None,
    on_answer: Callable[[Answer], None],
) -> None:
    """Read files into tables in `out`, calling `on_answer` with the counts of each finished task.

    What came through a pipe lies on this machine alone, and is read here. Nothing is kept on the machines of
    a cluster that ran before.

    Args:
        files: what to read; each machine must be able to.
        kind: how, as for `pool.read_all`.
        out: where the tables go.
        address: of a cluster that runs; None to start one on this machine, for this time.
        workers: the cores of a cluster that is started; by default all.
        on_answer: called with the counts of each finished task.

    Raises:
        CostscanError: the cluster cannot be reached, or the tables cannot be written.
    """
    own = [file for file in files if file.spooled is not None]
    if own:
        pool.read_all(files, kind, out, workers=workers, on_answer=on_answer)
        return
    orders = orders_of(files, kind if address is None else {**kind, "kept_in": None}, out)
    with cluster(address, workers) as ray:
        _read_on(ray, orders, out, on_answer)


@contextmanager
def cluster(address: str | None, workers: int | None) -> Iterator[Any]:
    """Connect to a cluster, or start one, until the body ends.

    Raises:
        CostscanError: that does not work.
    """
    os.environ.setdefault(_USAGE_STATS, "0")
    import ray  # noqa: PLC0415 - takes longer to import than a small log to read

    logging.getLogger("ray").setLevel(logging.ERROR)
    how: dict[str, Any] = {"address": address, "log_to_driver": False, "configure_logging": False}
    if address is None:
        how |= {"address": "local", "num_cpus": workers, "include_dashboard": False}
    try:
        _knock(address)
        ray.init(**how)
    except Exception as error:  # Ray raises its own, those of gRPC and of the system
        where = f"ray:{address}" if address else "ray"
        raise CostscanError(
            f"--engine {where}: {described(error)}", "see that the cluster runs, with the same Ray"
        ) from error
    # What Ray says of dead workers is no part of what a command prints.
    with redirect_stdout(StringIO()):
        try:
            yield ray
        finally:
            ray.shutdown()


def _knock(address: str | None) -> None:
    """Connect to an address that has a port, for a moment: Ray itself tries for more than a minute.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()


def _read_on(ray: Any, orders: Orders, out: Path, on_answer: Callable[[Answer], None]) -> None:
    """Have the orders done by a cluster, a bounded number of them at a time."""
    read = ray.remote(num_cpus=1, num_returns=2, max_retries=TRIES)(answered_with_tables)
    at_once = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    todo, running = deque(orders.first), dict[Any, tuple[Order, Any]]()
    while todo or running:
        while todo and len(running) < at_once:
            told, tables = read.remote(todo[0])
            running[told] = todo.popleft(), tables
        (told, *_), _ = ray.wait([*running], num_returns=1)
        order, tables = running.pop(told)
        answer = _taken(ray, told, tables, out)
        todo.extend(orders.again(order, answer))
        if "failed" not in answer:
            on_answer(answer)


def _taken(ray: Any, told: Any, tables: Any, out: Path) -> Answer:
    """Write down the tables of a task and return its answer; where it failed, that says why."""
    try:
        answer: Answer = ray.get(told)
        made: Tables = ray.get(tables)
    except ray.exceptions.RayError as error:
        return {"failed": f"the cluster gave up on it: {described(error)}"}
    try:
        for name, content in made.items():
            (out / name).write_bytes(content)
    except OSError as error:
        return {"error": f"{error.filename or out}: {error.strerror or error}"}
    return answer


def answered_with_tables(order: Order) -> tuple[Answer, Tables]:
    """Return the answer to an order, and the tables that came of it by the names of their files."""
    from costscan.ingest.worker import answered  # noqa: PLC0415 - workers import it themselves

    with tempfile.TemporaryDirectory(prefix="costscan-") as folder:
        answer = answered({**order, "out": folder})
        tables = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
    return answer, tables


__all__ = ["answered_with_tables", "cluster", "is_installed", "must_be_installed", "read_all"]
