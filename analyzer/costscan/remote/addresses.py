"""Addresses of logs: where a store is, and what of it is meant."""

import re
from typing import Final, NamedTuple

STORES: Final = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
WEB: Final = ("https", "http")
SIGN_OF_STORE: Final = "_manifest"
"""The folder by which a place is known as one that `costscan ingest` fills: what is in it are no logs."""
_MAGIC: Final = re.compile(r"[*?[]")
_WILD: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PIECES: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


class Address(NamedTuple):
    """A store, and a key, a prefix or a pattern of keys in it."""

    store: str
    key: str

    @property
    def is_pattern(self) -> bool:
        """Whether the key has `*`, `?` or `[`."""
        return _MAGIC.search(self.key) is not None

    @property
    def prefix(self) -> str:
        """The folder that everything stands in that a pattern can match."""
        match = _MAGIC.search(self.key)
        return self.key if match is None else self.key[: match.start()].rpartition("/")[0]

    def path(self, key: str) -> str:
        """Return the address of an object of the store."""
        return f"{self.store}/{key}"


def is_remote(path: str) -> bool:
    """Whether a path is an address, and no file of this machine.

    >>> [is_remote(path) for path in ("s3://logs/2026/", "https://a.com/runs.jsonl", "C://logs", "s3/a")]
    [True, True, False, False]
    """
    return path.partition("://")[0].lower() in {*STORES, *WEB} and "://" in path


def is_web(path: str) -> bool:
    """Whether an address is that of one file in the web, and of no store whose objects can be listed."""
    return path.partition("://")[0].lower() in WEB


def split(path: str) -> Address:
    """Return the store and the key of an address.

    >>> split("s3://logs/2026/*.jsonl.gz")
    Address(store='s3://logs', key='2026/*.jsonl.gz')
    >>> split("az://account/container/runs.jsonl")
    Address(store='az://account/container', key='runs.jsonl')
    """
    scheme, _, rest = path.partition("://")
    parts = rest.split("/")
    depth = 2 if scheme.lower() in {"az", "azure"} else 1
    return Address(f"{scheme}://{'/'.join(parts[:depth])}", "/".join(parts[depth:]))


def shown(path: str) -> str:
    """Return an address as it may be printed: without what is signed or secret in it.

    >>> shown("https://me:secret@example.com/runs.jsonl?sig=abc")
    'https://example.com/runs.jsonl'
    """
    if not is_web(path):
        return path
    scheme, _, rest = re.split(r"[?#]", path, maxsplit=1)[0].partition("://")
    host, slash, name = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{name}"


def matching(pattern: str) -> re.Pattern[str]:
    """Return what the keys match that a pattern means, and those in the folders that it means.

    >>> bool(matching("2026-*/**/a.jsonl").fullmatch("2026-10/x/y/a.jsonl"))
    True
    """
    pieces = (_WILD.get(piece) or _literal(piece) for piece in _PIECES.findall(pattern.rstrip("/")))
    return re.compile(f"({''.join(pieces)})(?P<within>/.*)?", re.DOTALL)


def _literal(piece: str) -> str:
    if not piece.startswith("[") or len(piece) == 1:
        return re.escape(piece)
    inner = piece[1:-1].replace("\\", r"\\")
    return f"[{'^' + inner[1:] if inner.startswith('!') else inner}]"


__all__ = ["SIGN_OF_STORE", "STORES", "WEB", "Address", "is_remote", "is_web", "matching", "shown", "split"]
