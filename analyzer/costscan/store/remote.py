"""A store in an object store: S3, Google Cloud Storage or Azure, reached as logs there are."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from costscan.remote.addresses import split
from costscan.remote.objects import object_store, told
from costscan.store.places import Entry

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_AT_ONCE: Final = 1000


class Objects:
    """A prefix of an object store. An object is there whole or not at all, and once it is, it is on disk."""

    def __init__(self, address: str) -> None:
        own = split(address)
        self._address = address.rstrip("/")
        self._store: ObjectStore = object_store(own.store)
        self._prefix = own.key.strip("/")

    @property
    def shown(self) -> str:
        """The address."""
        return self._address

    def entries(self, folder: str) -> list[Entry]:
        """Return the objects below a folder."""
        import obstore  # noqa: PLC0415 - an extra

        key = self._key(folder).rstrip("/") or None
        with told(self._address):
            found = [one for some in obstore.list(self._store, key, chunk_size=_AT_ONCE) for one in some]
        skip = len(self._prefix) + 1 if self._prefix else 0
        return [Entry(one["path"][skip:], one["size"], one["last_modified"].timestamp()) for one in found]

    def read(self, name: str) -> bytes:
        """Return an object.

        Raises:
            FileNotFoundError: there is none.
        """
        import obstore  # noqa: PLC0415 - an extra

        with told(self.address(name)):
            try:
                return bytes(obstore.get(self._store, self._key(name)).bytes())
            except FileNotFoundError as error:
                missing = error
        raise missing  # as itself: what it means is for the caller to say

    def write(self, name: str, content: bytes) -> None:
        """Put an object."""
        import obstore  # noqa: PLC0415 - an extra

        with told(self.address(name)):
            obstore.put(self._store, self._key(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Put an object where there is none."""
        import obstore  # noqa: PLC0415 - an extra
        from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415

        with told(self.address(name)):
            try:
                obstore.put(self._store, self._key(name), content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def settle(self) -> None:
        """Do nothing: what an object store took, it has."""

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects."""
        import obstore  # noqa: PLC0415 - an extra

        keys = [self._key(name) for name in names]
        with told(self._address):
            for start in range(0, len(keys), _AT_ONCE):
                obstore.delete(self._store, keys[start : start + _AT_ONCE])

    def address(self, name: str) -> str:
        """Return the address of an object."""
        return f"{self._address}/{name}"

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


__all__ = ["Objects"]
