"""A command `costscan` for scripts of a shell, run inside the process of the tests.

Scripts start it many times, and a process takes longer to start than the command to run. What comes in and out is the
same: the current folder, the environment, the arguments, both streams and the exit code. Nothing is read from
standard input.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from threading import Thread
from traceback import print_exc
from typing import Final
from unittest.mock import patch

from costscan.cli.app import run

_STOP: Final = "stop"
_DEFECT: Final = 70
_SCRIPT: Final = r"""
here={here}
printf '%s\0' "$PWD" "$@" >"$here/arguments"
env -0 >"$here/environment"
echo run >"$here/asked"
read -r code <"$here/done"
cat "$here/out"; cat "$here/err" >&2
exit "$code"
"""
"""Writes what it was called with, asks for an answer, and waits for it: `asked` and `done` are pipes."""


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """Return the script of the command, which works until the end; one call at a time."""
    for name in ("asked", "done"):
        os.mkfifo(folder / name)
    thread = Thread(target=_answer, args=(folder,), daemon=True)
    thread.start()
    try:
        yield _SCRIPT.format(here=shlex.quote(str(folder)))
    finally:
        (folder / "asked").write_text(_STOP, encoding="utf-8")
        thread.join()


def _answer(folder: Path) -> None:
    while (folder / "asked").read_text(encoding="utf-8") != _STOP:
        with (
            (folder / "out").open("w", encoding="utf-8", errors="replace") as out,
            (folder / "err").open("w", encoding="utf-8", errors="replace") as err,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = _run(folder)
        (folder / "done").write_text(f"{code}\n", encoding="utf-8")


def _run(folder: Path) -> int:
    try:
        here, *arguments = _words(folder / "arguments")
        environment = dict(word.split("=", 1) for word in _words(folder / "environment"))
        with patch.dict(os.environ, environment, clear=True), chdir(here):
            return run(arguments)
    except BaseException:  # noqa: BLE001 - the script waits for an answer
        print_exc()
        return _DEFECT


def _words(path: Path) -> list[str]:
    return os.fsdecode(path.read_bytes()).split("\0")[:-1]
