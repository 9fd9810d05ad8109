"""Changes of a store that others may change, too: worked out again until nobody came before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from costscan.errors import CostscanError
from costscan.store import garbage
from costscan.store.manifest import Manifest, committed, newest
from costscan.store.parts import GoneError, Parts
from costscan.store.places import Place

_TRIES: Final = 100
Work = Callable[[Parts, Manifest], Manifest | None]
"""Writes parts, and returns the manifest that names them; None where there is nothing to do."""


def commit(where: Place, base: Manifest, work: Work) -> Manifest:
    """Change a store, and return what it is then.

    Where another changes it meanwhile, what is to be done is worked out again from what is there then.

    Args:
        where: the store.
        base: what it was when it was looked at.
        work: what is to be done.

    Raises:
        CostscanError: the store is damaged, or others do not stop changing it.
        OSError: it cannot be written.
    """
    manifest = base
    for _ in range(_TRIES):
        with _pending(where) as note:
            after = _tried(where, manifest, work)
            if after is not None:
                garbage.remove_superseded(where, manifest, after)
                garbage.tidy(where, after, note)
                return after
        manifest = newest(where)
    raise CostscanError(f"{where.shown}: others change this store all the time", "try again later")


def _tried(where: Place, manifest: Manifest, work: Work) -> Manifest | None:
    """Return the store as it is after the work, None where another changed it; then nothing is left of it."""
    parts = Parts(where)
    try:
        after = work(parts, manifest)
        if after is None:
            return manifest
        if committed(where, after):
            return after
    except GoneError:
        if newest(where).number == manifest.number:
            parts.remove()
            raise
    except BaseException:
        parts.remove()
        raise
    parts.remove()
    return None


@contextmanager
def _pending(where: Place) -> Iterator[str]:
    """Leave a note while parts are written that no manifest names: that of a killed process stays."""
    note = garbage.note(uuid4().hex)
    where.write(note, b"")
    try:
        yield note
    finally:
        where.remove([note])


__all__ = ["commit"]
