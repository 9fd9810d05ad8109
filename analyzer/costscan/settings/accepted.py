"""Accepting findings: fingerprints are put into the text of a settings file, all else in it left as it is.

A place is tried, and taken if the new text means what the old one did with these fingerprints besides.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.settings.load import FILE_NAME, TABLE, load, nearest_file
from costscan.settings.values import FINGERPRINT

KEY: Final = "findings.accepted"
_BOM: Final = "\ufeff"
_LIST: Final = re.compile(r"""accepted["']?[ \t]*=[ \t]*\[""")
_HEADER: Final = re.compile(r"""^[ \t]*\[([^\[\]\n]+)\][ \t]*(?:\#[^\n]*)?$""", re.MULTILINE)
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(?P<comma>,)|(?P<end>\])|\#[^\n]*|\s+"""
)
_INDENT: Final = "    "


def refuse_wrong(fingerprints: Sequence[str]) -> None:
    """Refuse what is no fingerprint.

    Raises:
        CostscanError: one is none.
    """
    for name in fingerprints:
        if not FINGERPRINT.fullmatch(name) or not name.isprintable():
            raise CostscanError(
                f"{name}: not a fingerprint",
                "16 of 0-9 and a-f, @RUN behind them for one run: costscan findings PATH lists them",
            )


def file_of(folder: Path) -> Path:
    """Return the settings file that holds in a folder; where there is none, the one to make."""
    return nearest_file(folder) or folder / FILE_NAME


def accept(path: Path, fingerprints: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the text of a settings file with these fingerprints accepted, and those that are new.

    The text is None where nothing is new: FINGERPRINT@RUN is not where FINGERPRINT is accepted.

    Raises:
        CostscanError: the file is none, or its text cannot be changed safely.
    """
    text = _text_of(path)
    known = load(path.parent, file=path).findings.accepted if text is not None else ()
    every = [*known, *fingerprints]
    new = [
        one
        for one in dict.fromkeys(fingerprints)
        if one not in known and ("@" not in one or one.partition("@")[0] not in every)
    ]
    if not new:
        return None, []
    wanted, now = _meant(text or "", path, new), None
    for candidate in _candidates(text or "", _prefix(path), new):
        now = now or (candidate if _is(candidate, wanted) else None)
    if now is None:
        raise CostscanError(
            f"{path}: {KEY} is written in a way that cannot be added to safely; the file is as it was",
            f"add by hand: accepted = [{', '.join(map(_quoted, new))}]",
        )
    return now, new


def _text_of(path: Path) -> str | None:
    """Return the text, its ends of lines as they are; None where there is no file."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        load(path.parent, file=path)  # says what is wrong
        raise


def _prefix(path: Path) -> list[str]:
    return list(TABLE) if path.name == "pyproject.toml" else []


def _meant(text: str, path: Path, new: Sequence[str]) -> dict[str, Any]:
    """Return what the new text is to mean."""
    table: dict[str, Any] = deepcopy(_parsed(text))
    inner = table
    for name in (*_prefix(path), "findings"):
        inner = inner.setdefault(name, {})
    inner["accepted"] = [*inner.get("accepted", []), *new]
    return table


def _is(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return _parsed(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix(_BOM), parse_float=str)


def _candidates(text: str, prefix: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield texts with the fingerprints in a list that is there, in a table without one, in a new table."""
    ends = "\r\n" if "\r\n" in text else "\n"
    for found in _LIST.finditer(text):
        if (longer := _extended(text, found.end(), new, ends)) is not None:
            yield longer
    line = f"accepted = [{', '.join(map(_quoted, new))}]{ends}"
    for found in _HEADER.finditer(text.replace("\r", " ")):
        after = text.find("\n", found.start()) + 1
        yield text[:after] + line + text[after:] if after else f"{text}{ends}{line}"
    gap = "" if not text.removeprefix(_BOM) else ends if text.endswith("\n") else ends * 2
    yield f"{text}{gap}[{'.'.join((*prefix, 'findings'))}]{ends}{line}"


def _extended(text: str, start: int, new: Sequence[str], ends: str) -> str | None:
    """Return the text with more at the end of a list, laid out as the list is; None where it is no list."""
    last, comma, end = _list_at(text, start)
    if end is None:
        return None
    if last is None:
        return text[:end] + ", ".join(map(_quoted, new)) + text[end:]
    at = (comma or last).end()
    needed = "" if comma else ","
    line_end = text.find("\n", at, end) + 1
    if not line_end:
        more = ", ".join(map(_quoted, new)) + ("," if comma else "")
        return f"{text[:at]}{needed} {more}{text[at:]}"
    indent = text[text.rfind("\n", 0, last.start()) + 1 : last.start()]
    indent = indent if not indent.strip() else _INDENT
    lines = "".join(f"{indent}{_quoted(one)},{ends}" for one in new)
    return f"{text[:at]}{needed}{text[at:line_end]}{lines}{text[line_end:]}"


def _list_at(text: str, start: int) -> tuple[re.Match[str] | None, re.Match[str] | None, int | None]:
    """Return the last text of a list of texts, the comma behind it, and where the list ends."""
    last = comma = None
    while token := _TOKEN.match(text, start):
        if token.lastgroup == "end":
            return last, comma, token.start()
        if token.lastgroup == "text":
            last, comma = token, None
        elif token.lastgroup == "comma":
            comma = token
        start = token.end()
    return None, None, None


def _quoted(name: str) -> str:
    """Return a string of TOML; what is accepted is printable."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


__all__ = ["KEY", "accept", "file_of", "refuse_wrong"]
