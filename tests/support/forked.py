"""Processes that are copies of one that has imported what they need: a second less for each."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SUPPORT = Path(__file__).parent


def order() -> list[str]:
    """Return what this process is to do, in a copy of it that has a session of its own and the variables of who asks.

    The process that is copied stays here, and tells of each copy its id and when it has ended.
    """
    for line in sys.stdin:
        asked = json.loads(line)
        if "ended" in asked:
            os.waitpid(asked["ended"], 0)
            _answer("null")
        elif pid := os.fork():
            _answer(str(pid))
        else:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            os.environ.clear()
            os.environ.update(asked["variables"])
            return list(asked["words"])
    sys.exit()


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Forks:
    """A process that waits in `order`, and its copies.

    Args:
        script: imports what copies need and what starts no threads, calls `order` and does what it says.
        folder: of modules that it imports, beside those for all tests.
    """

    def __init__(self, script: str, folder: Path) -> None:
        own = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, SUPPORT)))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", script], env=own, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    @contextmanager
    def forked(self, *words: str) -> Iterator[int]:
        """Yield the process id, and group, of a copy that works while inside; then it has ended."""
        pid = self._asked(words=words, variables=dict(os.environ))
        try:
            yield pid
        finally:
            self._asked(ended=pid)

    def _asked(self, **what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(what), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())
