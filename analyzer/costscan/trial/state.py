"""What a trial has sent and got, in a file that outlives it: nothing is sent before it says so."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from costscan.errors import CostscanError

if sys.platform != "win32":
    import fcntl

VERSION: Final = 1
_OPEN: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_OWNER_ONLY: Final = 0o600
Line = dict[str, Any]


@dataclass(slots=True)
class Sent:
    """Requests that were sent together: when, what each may cost, and as which batch, once that is known."""

    at: float
    most_usd: Mapping[str, Decimal]
    batch_id: str | None = None
    is_live: bool = False
    is_over: bool = False


@dataclass
class State:
    """A trial as its file tells it.

    Attributes:
        path: the file.
        fd: it, open.
        begun: the line that it began with, empty before that.
        sent: what was sent, by the name it was sent under.
        answers: what came back, by request; one that failed has come back, too.
    """

    path: Path
    fd: int
    begun: Line = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    answers: dict[str, Line] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a state file, made if it is not there, for this process alone; one that stays empty goes.

        Raises:
            CostscanError: it cannot be written, another trial has it open, or it is none.
        """
        try:
            fd = os.open(path, _OPEN, _OWNER_ONLY)
        except OSError as error:
            raise CostscanError(
                f"{path}: {error.strerror}", "check the path, or choose another with -o"
            ) from None
        try:
            _lock(fd, path)
            state = cls(path, fd)
            state._read()
            yield state
        finally:
            is_empty = os.fstat(fd).st_size == 0
            os.close(fd)
            if is_empty:
                path.unlink(missing_ok=True)

    def begin(self, line: Line) -> None:
        """Note what the trial is."""
        self._write({"what": "trial", "version": VERSION, **line})

    def sending(self, name: str, at: float, most_usd: Mapping[str, Decimal], *, is_live: bool) -> None:
        """Note that requests are about to be sent."""
        costs = {request: str(usd) for request, usd in most_usd.items()}
        self._write({"what": "sending", "name": name, "at": at, "most_usd": costs, "is_live": is_live})

    def taken(self, name: str, batch_id: str) -> None:
        """Note that a batch was made of what was sent under a name."""
        self._write({"what": "taken", "name": name, "batch_id": batch_id})

    def answered(self, request: str, answer: Line) -> None:
        """Note what came back for a request."""
        self._write({"what": "answer", "request": request, **answer})

    def over(self, name: str) -> None:
        """Note that nothing more comes for what was sent under a name: what is open costs nothing."""
        self._write({"what": "over", "name": name})

    @property
    def spent_usd(self) -> Decimal:
        """What all answers cost, and what is on its way may cost at most."""
        known = sum((Decimal(one["usd"]) for one in self.answers.values()), Decimal(0))
        return known + sum((usd for usd in self.open_usd.values()), Decimal(0))

    @property
    def open_usd(self) -> dict[str, Decimal]:
        """What each request may cost that was sent and is not answered yet."""
        return {
            request: usd
            for one in self.sent.values()
            if not one.is_over
            for request, usd in one.most_usd.items()
            if request not in self.answers
        }

    def _write(self, line: Line) -> None:
        text = msgspec.json.encode(line) + b"\n"
        written = os.write(self.fd, text)
        if written < len(text):
            os.ftruncate(self.fd, os.fstat(self.fd).st_size - written)
            raise CostscanError(f"{self.path}: there is no room", "make room, and run the same command again")
        os.fsync(self.fd)
        self._take(line)

    def _read(self) -> None:
        size = os.fstat(self.fd).st_size
        os.lseek(self.fd, 0, os.SEEK_SET)
        text = b""
        while len(text) < size and (piece := os.read(self.fd, size - len(text))):
            text += piece
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):  # killed in the middle of a line
            os.ftruncate(self.fd, len(whole))
        try:
            for line in whole.splitlines():
                self._take(msgspec.json.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError, ArithmeticError):
            raise CostscanError(f"{self.path}: no state of a trial", "choose another file with -o") from None
        if whole and self.begun.get("version") != VERSION:
            raise CostscanError(f"{self.path}: no state of a trial", "choose another file with -o")

    def _take(self, line: Line) -> None:
        what = line["what"]
        if what == "trial":
            self.begun = line
        elif what == "sending":
            costs = {request: Decimal(usd) for request, usd in line["most_usd"].items()}
            self.sent[line["name"]] = Sent(line["at"], costs, is_live=line["is_live"])
        elif what == "taken":
            self.sent[line["name"]].batch_id = line["batch_id"]
        elif what == "answer":
            self.answers[line["request"]] = line
        else:
            self.sent[line["name"]].is_over = True


def _lock(fd: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CostscanError(
            f"{path}: another trial is at work on it", "wait for it, or choose another with -o"
        ) from None


__all__ = ["Line", "Sent", "State"]
