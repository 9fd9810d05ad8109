"""Lists of findings, a format a file. The folder listing is the registry: a module prints one with `show`."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, Protocol, cast

from costscan import formats
from costscan.errors import CostscanError, near

if TYPE_CHECKING:
    from costscan.reports.findings.listing import Listing

DEFAULT: Final = "text"
_HELPERS: Final = frozenset({"listing", "places"})


class Printer(Protocol):
    """One format; the module itself is the object."""

    def show(self, listing: "Listing", *, top: int | None) -> None:
        """Print findings on standard output, of `top` the most expensive."""


def names() -> list[str]:
    """Return the name of every format, that of people first, without importing any."""
    found = sorted(module.name for module in iter_modules(__path__) if module.name not in _HELPERS)
    return sorted(found, key=lambda name: name != DEFAULT)


def printer(name: str) -> Printer:
    """Return the format called `name`.

    Raises:
        CostscanError: there is none.
    """
    if name not in names():
        is_of_logs = name in formats.names()
        hint = f"for that of logs: --log-format {name}" if is_of_logs else near(name, names())
        raise CostscanError(f"--format {name}: no such format of findings", hint)
    return cast("Printer", import_module(f"{__name__}.{name}"))


__all__ = ["DEFAULT", "Printer", "names", "printer"]
