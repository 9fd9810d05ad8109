"""What sends requests, and what it knows of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from costscan.errors import CostscanError
from costscan.models import resolve
from costscan.trial.state import Line, State

if TYPE_CHECKING:
    from anthropic import Anthropic, APIConnectionError, APIStatusError

    from costscan.trial.prices import Prices

ANSWERED, FAILED, LOST = "answered", "failed", "lost"
"""What came of a request: an answer; none, and no bill; nobody knows, and it may have been billed."""
TOO_MANY: Final = 429
OVERLOADED: Final = 529
_FAILS: Final = (500, 502, 503)
_TIMEOUTS: Final = (408, 504)
_LONGEST_PAUSE_S: Final = 60.0
_MOST_TRIES: Final = 10
_MOST_ERROR_CHARS: Final = 300
AGAIN: Final = "run the same command again: it goes on where it was, and pays nothing twice"


class Ask(NamedTuple):
    """A request: what names it, its parameters, and what it costs at most."""

    name: str
    params: Mapping[str, Any]
    most_usd: Decimal


class Sender(Protocol):
    """Sends requests and notes what comes back in the state of the trial."""

    def send(self, asks: Sequence[Ask]) -> None:
        """Send requests, and return when all of them have come back.

        Raises:
            CostscanError: they cannot be sent, or it is not known whether they were.
        """

    def resume(self) -> None:
        """Wait for what an earlier process sent.

        Raises:
            CostscanError: the API cannot be asked for it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What senders work with.

    Attributes:
        client: a client of the SDK that tries nothing again by itself.
        state: the state of the trial.
        prices: what answers cost.
        say: tells the user how far it is.
        sleep: waits so many seconds.
        clock: the seconds since 1970.
    """

    client: "Anthropic"
    state: State
    prices: "Prices"
    say: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.time)

    def answer(self, message: Mapping[str, Any], duration_s: float | None) -> Line:
        """Return the line that notes an answer."""
        usage = message.get("usage")
        used = usage if isinstance(usage, dict) else {}
        model = str(message.get("model"))
        ref = resolve(model)
        return {
            "state": ANSWERED,
            "at": self.clock(),
            "usd": str(self.prices.usd_of(ref.model if ref else model, used)),
            "content": message.get("content"),
            "stop_reason": message.get("stop_reason"),
            "usage": used,
            "duration_s": duration_s,
        }


def no_answer(state: str, error: str, usd: Decimal = Decimal(0)) -> Line:
    """Return the line that notes why there is no answer."""
    return {"state": state, "usd": str(usd), "error": error[:_MOST_ERROR_CHARS]}


def is_busy(error: "APIStatusError") -> bool:
    """Whether the API took nothing now, and may later."""
    return error.status_code in (TOO_MANY, OVERLOADED)


def is_unavailable(error: "APIStatusError") -> bool:
    """Whether the API fails now, and may not later: an error costs nothing."""
    return is_busy(error) or error.status_code in _FAILS


def is_open(error: "APIStatusError") -> bool:
    """Whether nobody knows if the API took it: what stands before it did not wait for the end."""
    return error.status_code in _TIMEOUTS


def never_sent(error: "APIConnectionError") -> bool:
    """Whether there was no connection at all, so that nothing was sent."""
    from httpx2 import ConnectError, ConnectTimeout  # noqa: PLC0415 - slow to import

    return isinstance(error.__cause__, ConnectError | ConnectTimeout)


def pause_s(error: "APIStatusError", tries: int) -> float | None:
    """Return how long to wait before the next try; None where enough were made."""
    if tries >= _MOST_TRIES:
        return None
    told = error.response.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return min(float(told[name]) / unit, _LONGEST_PAUSE_S)
        except (KeyError, ValueError):
            continue
    return min(2.0**tries, _LONGEST_PAUSE_S)


def no_connection() -> CostscanError:
    """Return the error where the API cannot be reached."""
    return CostscanError("no connection to the API", AGAIN)


def refused(error: "APIStatusError") -> CostscanError:
    """Return the error for what the API refuses."""
    hint = "check ANTHROPIC_API_KEY" if error.status_code in (401, 403) else AGAIN
    return CostscanError(f"the API answers {error.status_code}: {reason_of(error)}", hint)


def reason_of(error: "APIStatusError") -> str:
    """Return what the API says of an error, at most so much of it."""
    body = error.body
    told = body.get("error") if isinstance(body, dict) else None
    said = told.get("message") if isinstance(told, dict) else None
    return str(said or type(error).__name__)[:_MOST_ERROR_CHARS]


__all__ = [
    "AGAIN",
    "ANSWERED",
    "FAILED",
    "LOST",
    "Ask",
    "Means",
    "Sender",
    "is_busy",
    "is_open",
    "is_unavailable",
    "never_sent",
    "no_answer",
    "no_connection",
    "pause_s",
    "reason_of",
    "refused",
]
