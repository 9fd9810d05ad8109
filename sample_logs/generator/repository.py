"""Searching through invented source files, so that what a search shows agrees with what a read shows."""

import re


def found(pattern: str, files: dict[str, str]) -> str:
    """Lines that match, as `path:line:text`."""
    wanted = re.compile(pattern)
    return "\n".join(
        f"{path}:{number}:{line}"
        for path, content in files.items()
        for number, line in enumerate(content.split("\n"), 1)
        if wanted.search(line)
    )
