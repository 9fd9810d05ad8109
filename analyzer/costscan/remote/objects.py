"""The objects of a store: listed, and fetched to a file of this machine.

How a store is reached is said by the environment, as its own tools have it (AWS_ACCESS_KEY_ID, AWS_ENDPOINT,
GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME, ...).
Source: https://developmentseed.org/obstore/latest/authentication/
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from costscan.errors import CostscanError
from costscan.formats.interface import LogFile, RemoteFile
from costscan.remote.addresses import is_web, matching, shown, split

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_CHUNK: Final = 1000
_TOOK: Final = re.compile(r" in [\d.]+(?:µs|ms|s)\b")
_RETRIES: Final[dict[str, Any]] = {"max_retries": 5, "retry_timeout": timedelta(minutes=2)}
"""Of a request that fails for no fault of its own: throttled, cut off, an error of the server."""
_PIECE_BYTES: Final = 1 << 20
_Objects = list[Mapping[str, Any]]


def found(path: str, is_log: Callable[[str], bool], beside: Sequence[str]) -> tuple[list[LogFile], bool]:
    """Return the logs that an address means, sorted, and whether it names one.

    Args:
        path: the address of an object, of a folder, or a pattern of both.
        is_log: whether an object of a folder is a log, by its name.
        beside: the endings, or the whole names, of objects that are read with the log that they stand beside.

    Raises:
        CostscanError: the store cannot be reached, or has no such object.
    """
    if is_web(path):
        return [LogFile(shown(path), remote=RemoteFile(0, None, (), path))], True
    address = split(path)
    with told(path):
        store = object_store(address.store)
        if not address.is_pattern and address.key and not address.key.endswith("/"):
            named = _named(store, address.key)
            if named is not None:
                folder = _listed(store, address.key.rpartition("/")[0], deep=False)
                return _files(address.path(""), [named], folder, beside), True
        objects = _listed(store, address.prefix)
        chosen = [one for one in objects if _is_meant(one["path"], address.key, address.is_pattern, is_log)]
    return _files(address.path(""), chosen, objects, beside), False


def _is_meant(key: str, pattern: str, is_pattern: bool, is_log: Callable[[str], bool]) -> bool:  # noqa: FBT001
    name = key.rpartition("/")[2]
    if not is_pattern:
        return is_log(name)
    match = matching(pattern).fullmatch(key)
    return match is not None and (match["within"] is None or is_log(name))


def fetch(file: LogFile, folder: Path) -> LogFile:
    """Return a remote log as a file in a folder, with what stands beside it.

    The object may be another by now than it was when it was listed; then it is read as it is, and its version
    is none that anything could be kept for.

    Raises:
        CostscanError: it cannot be fetched.
        OSError: it cannot be written.
    """
    remote = file.remote
    assert remote is not None  # noqa: S101 - only remote logs are fetched
    with told(file.path):
        if remote.url is not None:
            store, key, above = object_store(remote.url), "", ""
        else:
            address = split(file.path)
            store, key, above = object_store(address.store), address.key, address.key.rpartition("/")[0]
        target = folder / _name(file.path)
        version = _fetched(store, key, target)
        for name, _ in remote.beside:
            _fetched(store, f"{above}/{name}".lstrip("/"), folder / _name(name))
    is_same = remote.url is not None or version == remote.version
    return LogFile(file.path, str(target), remote if is_same else remote._replace(version=None))


def _name(path: str) -> str:
    name = path.rpartition("/")[2]
    return "object" if name in {"", os.curdir, os.pardir} else name


def _fetched(store: "ObjectStore", key: str, target: Path) -> str:
    import obstore  # noqa: PLC0415 - an extra

    result = obstore.get(store, key)
    with target.open("wb") as out:
        for piece in result.stream(min_chunk_size=_PIECE_BYTES):
            out.write(piece)
    return _version(result.meta)


def _version(meta: Mapping[str, Any]) -> str:
    return f"{meta['e_tag'] or meta['last_modified']} {meta['size']}"


def _named(store: "ObjectStore", key: str) -> Mapping[str, Any] | None:
    import obstore  # noqa: PLC0415 - an extra

    try:
        return obstore.head(store, key)
    except FileNotFoundError:
        return None


def _listed(store: "ObjectStore", folder: str, *, deep: bool = True) -> _Objects:
    import obstore  # noqa: PLC0415 - an extra

    prefix = folder.rstrip("/") or None
    if not deep:
        return list(obstore.list_with_delimiter(store, prefix)["objects"])
    return [one for some in obstore.list(store, prefix, chunk_size=_CHUNK) for one in some]


def _files(
    store: str, chosen: Sequence[Mapping[str, Any]], all_objects: _Objects, beside: Sequence[str]
) -> list[LogFile]:
    neighbours: dict[str, dict[str, str]] = defaultdict(dict)
    for one in all_objects:
        folder, _, name = one["path"].rpartition("/")
        if name.endswith(tuple(beside)):
            neighbours[folder][name] = _version(one)
    out = []
    for one in sorted(chosen, key=lambda one: one["path"]):
        folder, _, name = one["path"].rpartition("/")
        wanted = (name.split(".")[0] + end if end.startswith(".") else end for end in beside)
        own = neighbours.get(folder, {})
        there = tuple((near, own[near]) for near in wanted if near in own and near != name)
        out.append(LogFile(store + one["path"], remote=RemoteFile(one["size"], _version(one), there)))
    return out


@cache
def object_store(url: str) -> "ObjectStore":
    """Return a store.

    Raises:
        CostscanError: the extra is not installed, or the address is none.
    """
    try:
        from obstore.store import from_url  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise CostscanError(
            f"{shown(url)}: obstore is not installed", "pip install 'costscan[remote]'"
        ) from None
    options: dict[str, Any] = {"retry_config": _RETRIES, **_credentials(url)}
    if url.startswith("http://"):
        options["client_options"] = {"allow_http": True}
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        return from_url(url, **options)
    except (BaseError, ValueError) as error:
        # What is signed in an address of the web would stand in the reason.
        reason = "" if is_web(url) else f": {str(error).partition(chr(10))[0]}"
        raise CostscanError(
            f"{shown(url)}: no address of a store{reason}",
            "like s3://bucket/folder/, gs://bucket/*.jsonl, az://account/container/runs.jsonl, https://host/file",
        ) from None


def _credentials(url: str) -> dict[str, Any]:
    """Return who signs requests where the environment has no key: profiles and logins as boto3 knows them."""
    if not url.startswith(("s3://", "s3a://")) or "AWS_ACCESS_KEY_ID" in os.environ:
        return {}
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 - only where boto3 is installed

        return {"credential_provider": Boto3CredentialProvider()}
    except (ImportError, ValueError):
        return {}


@contextmanager
def told(path: str) -> Iterator[None]:
    """Say what a store answers as an error of costscan.

    Raises:
        CostscanError: something about the store, or the address, is wrong.
    """
    try:
        yield
    except FileNotFoundError:
        raise CostscanError(f"{shown(path)}: no such object", "check the address") from None
    except (OSError, CostscanError):
        raise
    except Exception as error:  # those of obstore are known only where it is installed
        if type(error).__name__ in {"PermissionDeniedError", "UnauthenticatedError"}:
            raise CostscanError(f"{shown(path)}: permission denied", "check the credentials") from None
        if not type(error).__module__.startswith("obstore"):
            raise
        what = _TOOK.sub("", str(error).partition("\n")[0].partition("Debug source")[0].partition(": <")[0])
        raise CostscanError(
            f"{shown(path)}: {what.strip()}", "check the address, the network and the credentials"
        ) from None


__all__ = ["fetch", "found", "object_store", "told"]
