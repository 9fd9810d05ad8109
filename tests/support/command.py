"""The command line, run inside the process of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from costscan.actions import Advised
from costscan.cli.app import run
from costscan.cli.options import Options
from costscan.cli.session import diagnosed
from costscan.levers import LEVERS
from costscan.prices import as_of
from costscan.summary import Summary

Capture = pytest.CaptureFixture[str]
LEVERS_OFF: Final = [f"{lever}.enabled=false" for lever in LEVERS]
NO_LEVERS: Final = tuple(word for setting in LEVERS_OFF for word in ("--set", setting))
"""Options without which a command takes most of its time for what levers would have saved."""


_NOT_ALL: Final = {"--json", "--by", "--top"}


def said(capsys: Capture, *arguments: str, code: int = 0, brief: bool = False) -> str:
    """Return what a command prints, the day of the prices left out; of a report all, unless it is `brief`."""
    whole = arguments[:1] == ("analyze",) and not brief and not _NOT_ALL & {*arguments}
    assert run((*arguments, "-v") if whole else arguments) == code
    captured = capsys.readouterr()
    return (captured.out + captured.err).replace(as_of()["as_of"], "2026-00-00")


@contextmanager
def logs_of(*paths: str, levers: bool = True) -> Iterator[tuple[Advised, Summary]]:
    """Yield what commands make of logs, once for many reports; without `levers` as with `NO_LEVERS`."""
    with diagnosed(Options(workers=1, set=None if levers else LEVERS_OFF).request(paths)) as found:
        yield found
