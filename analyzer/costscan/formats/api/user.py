"""Whose request it is: `metadata.user_id` of a request to the Messages API."""

import re
from typing import Final

from costscan.formats.api.message import word
from costscan.reading.content.redaction import label
from costscan.reading.io import lenient_json

_SESSION: Final = re.compile(r"_session_[0-9a-fA-F-]+$")
"""How Claude Code ends the id of a user: with that of the session."""
_ACCOUNT: Final = ("account_uuid", "device_id")
"""What later versions of it write the user as, in JSON."""


def user_of(metadata: object) -> str | None:
    """Return the user that a request names, the same in all sessions; None where it names none.

    An address or a number of a person is a hash.
    """
    identifier = word(metadata.get("user_id")) if isinstance(metadata, dict) else None
    if identifier is None:
        return None
    if identifier.startswith("{"):
        told = lenient_json.mapping(identifier.encode("utf-8", "replace")) or {}
        identifier = next((user for name in _ACCOUNT if (user := word(told.get(name)))), identifier)
    return label(_SESSION.sub("", identifier))
