"""A store in an object store: S3, Google Cloud Storage or Azure, reached as logs there are."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from costscan.remote.addresses import split
from costscan.remote.objects import object_store, told
from costscan.store.places import Entry

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_LISTED: Final = 1000
_AT_ONCE: Final = 16
_WAITING: Final = 64
"""So many objects wait to be put."""


class Objects:
    """A prefix of an object store. An object is there whole or not at all, and once it is, it is on disk."""

    def __init__(self, address: str) -> None:
        own = split(address)
        self._address = address.rstrip("/")
        self._store: ObjectStore = object_store(own.store)
        self._prefix = own.key.strip("/")
        self._threads = ThreadPoolExecutor(_AT_ONCE)
        self._putting: deque[Future[None]] = deque()

    @property
    def shown(self) -> str:
        """The address."""
        return self._address

    @property
    def at_once(self) -> int:
        """Many: of a request, most is waiting."""
        return _AT_ONCE

    def entries(self, folder: str) -> list[Entry]:
        """Return the objects below a folder."""
        import obstore  # noqa: PLC0415 - an extra

        key = self._key(folder).rstrip("/") or None
        with told(self._address):
            found = [one for some in obstore.list(self._store, key, chunk_size=_LISTED) for one in some]
        skip = len(self._prefix) + 1 if self._prefix else 0
        return [Entry(one["path"][skip:], one["size"], one["last_modified"].timestamp()) for one in found]

    def read(self, name: str) -> bytes:
        """Return an object.

        Raises:
            FileNotFoundError: there is none.
        """
        import obstore  # noqa: PLC0415 - an extra

        self.settle()
        with told(self.address(name)):
            try:
                return bytes(obstore.get(self._store, self._key(name)).bytes())
            except FileNotFoundError as error:
                missing = error
        raise missing  # as itself: what it means is for the caller to say

    def write(self, name: str, content: bytes) -> None:
        """Have an object put, beside others."""
        if len(self._putting) >= _WAITING:
            self._putting.popleft().result()
        self._putting.append(self._threads.submit(self._put, name, content))

    def _put(self, name: str, content: bytes) -> None:
        import obstore  # noqa: PLC0415 - an extra

        with told(self.address(name)):
            obstore.put(self._store, self._key(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Put an object where there is none."""
        import obstore  # noqa: PLC0415 - an extra
        from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415

        self.settle()
        with told(self.address(name)):
            try:
                obstore.put(self._store, self._key(name), content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def settle(self) -> None:
        """Wait until all objects are put."""
        with suppress(IndexError):
            while True:
                self._putting.popleft().result()

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects."""
        import obstore  # noqa: PLC0415 - an extra

        wait(self._putting)  # what is being put may be among what is to go
        self._putting.clear()
        keys = [self._key(name) for name in names]
        with told(self._address):
            for start in range(0, len(keys), _LISTED):
                obstore.delete(self._store, keys[start : start + _LISTED])

    def address(self, name: str) -> str:
        """Return the address of an object."""
        return f"{self._address}/{name}"

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


__all__ = ["Objects"]
