"""Which requests of the SDK are calls of a model, whatever platform the client sends them to."""

from enum import Enum
from urllib.parse import urlsplit


class Route(Enum):
    """What a request asks for."""

    MESSAGE = "message"
    BATCH = "batch"
    BATCH_RESULTS = "batch results"


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
