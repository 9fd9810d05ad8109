"""The events of a stream as text: as they came, or taken out of the binary frames of Amazon Bedrock."""

import base64
import struct
from collections.abc import Iterator
from typing import Final

import msgspec

_AWS: Final = "vnd.amazon.eventstream"
_PRELUDE: Final = struct.Struct(">III")
"""The bytes of a frame, those of its headers, a checksum."""
_CHECKSUM_BYTES: Final = 4


class _Chunk(msgspec.Struct):
    """What a frame holds: an event in base64."""

    bytes: str | None = None
    message: str | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def events_text(body: bytes, content_type: str) -> str:
    """Return a stream as the text of server-sent events.

    Source of the frames: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
    """
    if _AWS not in content_type:
        return body.decode("utf-8", "replace")
    return "".join(f"data: {event}\n\n" for event in _events(body))


def _events(body: bytes) -> Iterator[str]:
    for payload in _payloads(body):
        try:
            chunk = _decode(payload)
            if chunk.bytes is not None:
                yield base64.b64decode(chunk.bytes).decode("utf-8", "replace")
            elif chunk.message is not None:
                yield '{"type":"error","error":{"type":"exception"}}'
        except (msgspec.MsgspecError, ValueError):
            continue


def _payloads(body: bytes) -> Iterator[bytes]:
    """Yield what each whole frame holds."""
    start = 0
    while start + _PRELUDE.size <= len(body):
        n_bytes, n_header_bytes, _ = _PRELUDE.unpack_from(body, start)
        end = start + n_bytes
        if end > len(body) or n_bytes < _PRELUDE.size + n_header_bytes + _CHECKSUM_BYTES:
            return
        yield body[start + _PRELUDE.size + n_header_bytes : end - _CHECKSUM_BYTES]
        start = end
