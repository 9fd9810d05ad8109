"""The command line, run inside the process of the tests."""

import pytest

from costscan.cli.app import run
from costscan.prices import as_of

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    """Give what a command prints, the day of the prices left out."""
    assert run(arguments) == code
    captured = capsys.readouterr()
    return (captured.out + captured.err).replace(as_of()["as_of"], "2026-00-00")
