"""Workflow commands of GitHub Actions: what a job prints to annotate itself.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Sequence
from typing import Final

from costscan.reports.text.sanitize import inert, unheeded

_ENDS_LINE: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ENDS_PROPERTY: Final = {":": "%3A", ",": "%2C"}
_MESSAGE, _PROPERTY = (str.maketrans(_ENDS_LINE | more) for more in ({}, _ENDS_PROPERTY))


def command(level: str, message: Sequence[str], **properties: str) -> str:
    """Return a command; nothing of a log can begin or end one of its own.

    Args:
        level: error, warning or notice.
        message: its lines.
        properties: file, line, title.
    """
    told = ",".join(f"{name}={_inert(value).translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{level} {told}::" + "\n".join(map(_inert, message)).translate(_MESSAGE)


def _inert(text: str) -> str:
    return unheeded(inert(text))
