"""costscan: where the money of LLM agent runs went, why, and what each fix would have saved.

    import costscan

    report = costscan.analyze("runs.jsonl")
    report.by("task")

`analyze`, `read`, `compare` and `check` do what the commands of these names do; `capture` logs the calls that
a program makes, `run` says which of them belong together. Importing costscan alone loads neither them nor
Polars.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from costscan.api import analyze, check, compare, read
    from costscan.capturing.context import run
    from costscan.capturing.middleware import capture
    from costscan.capturing.transport import capture_transport
    from costscan.errors import CostscanError
    from costscan.report import Report
    from costscan.settings.keys import Settings

__version__ = "0.1.0"

_HOMES: Final = {
    **dict.fromkeys(("analyze", "check", "compare", "read"), "costscan.api"),
    "CostscanError": "costscan.errors",
    "capture": "costscan.capturing.middleware",
    "capture_transport": "costscan.capturing.transport",
    "run": "costscan.capturing.context",
    "Report": "costscan.report",
    "Settings": "costscan.settings.keys",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'costscan' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]


__all__ = [
    "CostscanError",
    "Report",
    "Settings",
    "__version__",
    "analyze",
    "capture",
    "capture_transport",
    "check",
    "compare",
    "read",
    "run",
]
