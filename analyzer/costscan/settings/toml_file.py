"""TOML files that people write, and where one is no TOML."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from costscan.errors import CostscanError


def parsed(path: Path, what: str, hint: str, broken_hint: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a TOML file and its table, numbers with a point as Decimal.

    Args:
        path: the file.
        what: what it holds, as errors say it.
        hint: what to do where it cannot be read.
        broken_hint: what to do where it is no TOML.

    Raises:
        CostscanError: it cannot be read, or is no TOML.
    """
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise CostscanError(f"{path}: cannot read {what}: {why}", hint) from None
    try:
        return text, tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CostscanError(_broken(path, str(error)), broken_hint) from None


def _broken(path: Path, message: str) -> str:
    what, _, where = message.partition(" (at line ")
    line = where.split(",", 1)[0]
    at = f"{path}:{line}" if line.isdigit() else str(path)
    return f"{at}: this is not TOML: {what[:1].lower()}{what[1:]}"
