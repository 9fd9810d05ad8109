"""What a job prints, as the runner of GitHub Actions reads it.

https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NEW: Final = re.compile(r"\s*::(?P<name>[^ :]+)(?: (?P<properties>.*?))?::(?P<text>.*)", re.DOTALL)
OLD: Final = re.compile(r"##\w*\[(?P<name>[^ ;\]]+)(?P<properties>[^\]]*)\](?P<text>.*)", re.DOTALL)
"""The form before that, which stands anywhere in a line; Azure Pipelines writes vso before the bracket."""


@dataclass(frozen=True)
class Command:
    """A command, its properties and its text, all unescaped."""

    name: str
    properties: dict[str, str]
    text: str


def commands(printed: str) -> list[Command]:
    """Return the commands of an output, whether a runner knows their names or not."""
    return list(_commands(printed))


def _commands(printed: str) -> Iterator[Command]:
    for line in re.split(r"\r\n|\n|\r", printed):
        if found := NEW.match(line) or OLD.search(line):
            pairs = [p.partition("=") for p in (found["properties"] or "").split(",") if p]
            yield Command(
                found["name"],
                {name.strip(): _unescaped(value) for name, _, value in pairs},
                _unescaped(found["text"]),
            )


def _unescaped(text: str) -> str:
    for escaped, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, character)
    return text
