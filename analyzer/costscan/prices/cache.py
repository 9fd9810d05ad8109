"""Finished frames kept between runs, since making them means importing genai-prices.

A kept frame is named after everything it is made from, so a new version never reads an old one, and begins
with the digest of its content, so damage is noticed. The cache is never needed: whatever goes wrong with it,
the frame is made again (see `cache_folder`).
"""

import hashlib
import io
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl

from costscan import __version__, cache_folder

_DIGEST_BYTES: Final = 32


def kept(
    name: str, schema: pl.Schema, made_from: tuple[Path, ...], make: Callable[[], pl.DataFrame]
) -> pl.DataFrame:
    """Return the frame `make` gives, from the user's cache directory where it is there already.

    Args:
        name: what the frame is, the start of the file's name.
        schema: its columns; a kept frame with others is not used.
        made_from: files whose content decides the frame, besides this package and genai-prices.
        make: makes the frame.
    """
    if cache_folder.is_off():
        return make()
    path = None
    # Any failure at all: a cache that cannot be used must not be worse than none.
    with suppress(Exception):
        path = cache_folder.folder() / f"{name}-{_key(made_from)}.arrow"
        frame = _read(path)
        if frame.schema == schema and frame.height:
            return frame
    frame = make()
    with suppress(Exception):
        if path:
            _write(frame, path)
    return frame


def _key(made_from: tuple[Path, ...]) -> str:
    code = sorted(Path(__file__).parent.glob("*.py"))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (*made_from, *code)]
    versions = [__version__, version("genai-prices"), pl.__version__]
    return hashlib.sha256("\n".join(versions + digests).encode()).hexdigest()[:16]


def _read(path: Path) -> pl.DataFrame:
    content = path.read_bytes()
    if hashlib.sha256(content[_DIGEST_BYTES:]).digest() != content[:_DIGEST_BYTES]:
        raise ValueError(f"{path}: damaged")
    return pl.read_ipc(io.BytesIO(content[_DIGEST_BYTES:]))


def _write(frame: pl.DataFrame, path: Path) -> None:
    content = io.BytesIO()
    frame.write_ipc(content)
    cache_folder.write(path, hashlib.sha256(content.getvalue()).digest() + content.getvalue())
