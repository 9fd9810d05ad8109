"""Who reads the files: processes of this machine, or those of a cluster."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from costscan.errors import CostscanError
from costscan.formats.interface import LogFile
from costscan.ingest import pool
from costscan.ingest.pool import Answer, Order

LOCAL: Final = "local"
_CLUSTER: Final = "ray"


class ReadAll(Protocol):
    """Reads files into tables in `out`; see `pool.read_all`."""

    def __call__(
        self, files: Sequence[LogFile], kind: Order, out: Path, *, on_answer: Callable[[Answer], None]
    ) -> None:
        """Read the files.

        Raises:
            CostscanError: the tables cannot be written, or the cluster cannot be reached.
        """


def engine_named(name: str, workers: int | None) -> ReadAll:
    """Return who reads files: `local`, `ray`, or `ray:ADDRESS` of a cluster that runs.

    Raises:
        CostscanError: there is no engine of this name, or it is not installed.
    """
    kind, _, address = name.partition(":")
    if name == LOCAL:
        return partial(pool.read_all, workers=workers)
    if kind == _CLUSTER:
        from costscan.ingest import ray_cluster  # noqa: PLC0415 - seldom needed

        ray_cluster.must_be_installed()
        return partial(ray_cluster.read_all, address=address or None, workers=workers)
    raise CostscanError(
        f"--engine {name}: there is no such engine", "use local, ray, or ray:ADDRESS of a cluster that runs"
    )


__all__ = ["LOCAL", "ReadAll", "engine_named"]
