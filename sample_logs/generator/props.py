"""The texts that stories quote: invented source files, command output and prompts, kept as plain text.

A prop file holds sections, each under a line `=== name`; a name with a dot is a file of the invented
repository.
"""

from pathlib import Path
from typing import Self

from generator import claude_tools
from generator.repository import found
from generator.run import Call

_FOLDER = Path(__file__).parent / "props"


class Props(dict[str, str]):
    """Sections by name, with short forms for the tool calls that show or change them."""

    root = ""

    @classmethod
    def load(cls, story: str, root: str = "") -> Self:
        """All sections of a story's prop file, without the blank lines around them."""
        sections: dict[str, list[str]] = {}
        for line in (_FOLDER / f"{story}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("=== "):
                sections[line.removeprefix("=== ")] = []
            else:
                sections[list(sections)[-1]].append(line)
        props = cls({name: "\n".join(lines).strip("\n") for name, lines in sections.items()})
        props.root = root
        return props

    def read(self, path: str, first: int = 1, last: int | None = None) -> Call:
        """The model reads a file."""
        return claude_tools.read(f"{self.root}/{path}", self[path], first, last)

    def edit(self, path: str, name: str) -> Call:
        """The model replaces section `old-name` by section `new-name`."""
        return claude_tools.edit(f"{self.root}/{path}", self[f"old-{name}"], self[f"new-{name}"])

    def grep(self, pattern: str) -> Call:
        """The model searches all files."""
        files = {name: content for name, content in self.items() if "." in name}
        return claude_tools.grep(pattern, found(pattern, files))
