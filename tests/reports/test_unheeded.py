"""Lines that a CI server would take for its commands."""

import json

import pytest

from costscan.reports.text.json import line_of
from costscan.reports.text.sanitize import cells, unheeded
from workflow_commands import commands

LINES = [
    "::error file=a::x",
    "  ::set-output name=x::y",
    "a ##[error]x",
    "####[add-path]x",
    "a ##vso[task.x]y",
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_none_any_more(line: str) -> None:
    assert commands(line)
    assert not commands(unheeded(line))
    assert cells(unheeded(line)) == cells(line)
    written = line_of({line: line})
    assert not commands(written)
    assert json.loads(written) == {line: line}


@pytest.mark.parametrize("line", ["usd::x", "# a", "## [b]", "a[0] #1", "std::string::npos"])
def test_other_lines_stay(line: str) -> None:
    assert unheeded(line) == line
