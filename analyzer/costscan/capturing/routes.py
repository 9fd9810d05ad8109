"""Which requests of the SDK are calls of a model, whatever platform the client sends them to."""

from enum import Enum
from urllib.parse import urlsplit


class Route(Enum):
    """What a request asks for."""

    MESSAGE = "message"
    BATCH = "batch"
    BATCH_RESULTS = "batch results"
    OPENAI = "one of OpenAI's"


def route_of(method: str, url: str) -> Route | None:
    """Return what a request asks for, None where that is not billed (counting tokens, models, files).

    Args:
        method: its HTTP method.
        url: what the SDK was asked to call, before a client of another platform changes it.
    """
    path = urlsplit(url).path
    if method.lower() == "post":
        return {"/v1/messages": Route.MESSAGE, "/v1/messages/batches": Route.BATCH}.get(path)
    if "/v1/messages/batches/" in path and path.endswith("/results"):
        return Route.BATCH_RESULTS
    return None


def api_route_of(api: str, method: str, path: str) -> Route | None:
    """Return what a request to an API asks for, None where that is not billed.

    Args:
        api: `anthropic` or `openai`.
        method: its HTTP method.
        path: below the address of the API.
    """
    if api == "anthropic":
        return route_of(method, path)
    is_call = method == "POST" and path.rstrip("/").endswith(("/chat/completions", "/responses"))
    return Route.OPENAI if is_call else None


def split_path(path: str) -> tuple[str, str]:
    """Return the first part of a path, and the rest, which is empty or begins with a slash.

    >>> split_path("/anthropic/v1/messages")
    ('anthropic', '/v1/messages')
    >>> split_path("/anthropic@elsewhere.test/")
    ('anthropic@elsewhere.test', '/')
    """
    name, slash, rest = path.removeprefix("/").partition("/")
    return name, slash + rest
