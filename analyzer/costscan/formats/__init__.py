"""Log formats, one a file. The folder listing is the registry: a module with a `FORMAT` is a format."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from costscan.errors import CostscanError
from costscan.formats.interface import Format

_HELPERS: Final = frozenset({"interface", "foreign"})


def names() -> list[str]:
    """Return the name of every format, without importing any."""
    return sorted(m.name for m in iter_modules(__path__) if not m.ispkg and m.name not in _HELPERS)


@cache
def available() -> dict[str, Format]:
    """Return every format by its name."""
    modules = [import_module(f"{__name__}.{name}") for name in names()]
    return {module.FORMAT.name: module.FORMAT for module in modules}


def named(name: str) -> Format:
    """Return the format called `name`.

    Raises:
        CostscanError: there is no such format.
    """
    try:
        return available()[name]
    except KeyError:
        raise CostscanError(f"unknown format {name!r}", f"formats: {', '.join(names())}") from None


def with_whole_prompts() -> list[str]:
    """Return the names of the formats that log every prompt whole."""
    return [name for name, log_format in available().items() if log_format.logs_whole_prompts]
