"""The client of Anthropic's SDK: its key and its address are those of the SDK's own variables."""

from typing import TYPE_CHECKING

from costscan.errors import CostscanError

if TYPE_CHECKING:
    from anthropic import Anthropic


def client() -> "Anthropic":
    """Return a client that tries nothing again by itself: what may have been taken is not sent twice.

    Raises:
        CostscanError: there is no key.
    """
    from anthropic import Anthropic, AnthropicError, DefaultHttpxClient  # noqa: PLC0415 - slow to import

    # Prompts and the key go to the API and nowhere else: not to traces, and not where an answer points to.
    stays = DefaultHttpxClient(follow_redirects=False)
    try:
        made = Anthropic(max_retries=0, open_telemetry=False, http_client=stays)
    except (AnthropicError, ValueError) as error:
        raise CostscanError(
            f"trial: {error}", "check the variables of the SDK that begin with ANTHROPIC_"
        ) from None
    if not (made.api_key or made.auth_token or made.credentials):
        raise CostscanError("trial: no key for the API", "set ANTHROPIC_API_KEY")
    return made


__all__ = ["client"]
