"""What commands that ask a model's API share: a client, who is asked, and a yes before anything is sent.

Keys and addresses come from where the SDK of Anthropic looks for
them, and are neither shown nor stored.
"""

import sys
from typing import TYPE_CHECKING, Final

from costscan.errors import CostscanError

if TYPE_CHECKING:
    from anthropic import Anthropic

RETRIES: Final = 8
"""How often a request that was refused for now is sent again: when the API says, else after 0.5 to 8 s."""
_KEY_HINT: Final = (
    "set ANTHROPIC_API_KEY (or what else the Anthropic SDK takes), and ANTHROPIC_BASE_URL for a gateway"
)


def client(command: str, *, retries: int | None = None) -> "Anthropic":
    """Return a client of the Messages API; nothing is sent yet.

    Texts and the key go to the API and nowhere else: not to traces, and not where an answer points to.

    Args:
        command: who asks, for errors.
        retries: how often a request that was refused for now is sent again; `RETRIES` by default.

    Raises:
        CostscanError: there is no key.
    """
    from anthropic import Anthropic, AnthropicError, DefaultHttpxClient  # noqa: PLC0415 - slow, seldom needed

    stays = DefaultHttpxClient(follow_redirects=False)
    again = RETRIES if retries is None else retries
    try:
        made = Anthropic(max_retries=again, open_telemetry=False, http_client=stays)
    except (AnthropicError, ValueError) as error:
        raise CostscanError(f"{command}: no key for the API: {_first_line(error)}", _KEY_HINT) from None
    if not (made.api_key or made.auth_token or made.credentials):
        raise CostscanError(f"{command}: no key for the API", _KEY_HINT)
    return made


def address(made: "Anthropic") -> str:
    """Return where a client sends requests, without what may be secret in it."""
    url = made.base_url
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{url.path.rstrip('/')}"


def confirm(command: str, *, yes: bool) -> bool:
    """Return whether it is wanted that something is sent; what, where to and what it costs was said before.

    Args:
        command: who asks, for errors.
        yes: it is wanted already.

    Raises:
        CostscanError: nobody is there to say so.
    """
    if yes:
        return True
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        raise CostscanError(
            f"{command}: nothing was sent: there is no terminal to ask on", "--yes sends what is said above"
        )
    print("send it? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def failed(command: str, error: Exception) -> CostscanError:
    """Return the error of a command whose request failed for good.

    What the API says is shown; the request and its headers are not.
    """
    from anthropic import (  # noqa: PLC0415 - slow, and seldom needed
        APIConnectionError,
        AuthenticationError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
    )

    hints: list[tuple[type[Exception], str]] = [
        (AuthenticationError, _KEY_HINT),
        (PermissionDeniedError, "this key may not do that: choose another key or model"),
        (NotFoundError, "choose a model that is served there: --model NAME"),
        (RateLimitError, "run it again later: what was answered is kept"),
        (APIConnectionError, "check the network and ANTHROPIC_BASE_URL; what was answered is kept"),
    ]
    hint = next((text for kind, text in hints if isinstance(error, kind)), "what was answered is kept")
    return CostscanError(f"{command}: the API did not answer: {_first_line(error)}", hint)


def _first_line(error: Exception) -> str:
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    text = message if isinstance(message, str) else str(error)
    status = getattr(error, "status_code", None)
    line = (text.strip().splitlines() or [type(error).__name__])[0][:200]
    return f"{status} {line}" if status is not None and not line.startswith(str(status)) else line


__all__ = ["address", "client", "confirm", "failed"]
