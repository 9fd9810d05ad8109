"""Log formats, one a file. The folder listing is the registry: a module with a `NAME` is a format."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from costscan.errors import CostscanError
from costscan.formats.interface import Source


@cache
def available() -> dict[str, Source]:
    """Return every format by its name."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {m.NAME: cast("Source", m) for m in modules if hasattr(m, "NAME")}


def named(name: str) -> Source:
    """Return the format called `name`.

    Raises:
        CostscanError: there is no such format.
    """
    try:
        return available()[name]
    except KeyError:
        raise CostscanError(
            f"unknown format {name!r}",
            f"formats: {', '.join(sorted(available()))}",
        ) from None
