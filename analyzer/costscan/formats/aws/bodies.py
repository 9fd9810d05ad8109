"""Bodies of invocations: in the record, or in an object of their own that the record names.

Bedrock puts bodies of more than 100 KB into `data/<requestId>_input.json.gz` beside the file of records, and
names them by `inputBodyS3Path` and `outputBodyS3Path`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.formats.agents import blocks
from costscan.formats.interface import LogFile
from costscan.reading.io import lenient_json
from costscan.reading.io.files import open_log

FOLDER: Final = "data"
OBJECT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_(?:input|output)\.json(?:\.gz)?")
"""What the objects of bodies are called."""
_NAME: Final = re.compile(r"\w[\w.-]{0,200}")


class Bodies:
    """The bodies of the records of a file; `missing` counts the records that name one that is not there."""

    def __init__(self, file: LogFile) -> None:
        self._folder = None if file.is_alone else Path(file.on_disk).parent
        self.missing = 0

    def of(self, record: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return what was asked and what was answered, None where the record does not tell it."""
        found = [self._body(record, side) for side in ("input", "output")]
        self.missing += any(is_missing for _, is_missing in found)
        return found[0][0], found[1][0]

    def _body(self, record: Mapping[str, Any], side: str) -> tuple[Any, bool]:
        """Return a body, and whether it is in an object that is not there."""
        part = blocks.mapping_in(record, side)
        body, address = part.get(f"{side}BodyJson"), blocks.word(part.get(f"{side}BodyS3Path"))
        if body is not None or address is None:
            # Some exports write it as JSON text.
            return (lenient_json.value(body) if isinstance(body, str) else body), False
        body = self._object(address.rpartition("/")[2])
        return body, body is None

    def _object(self, name: str) -> Any:
        if self._folder is None or not _NAME.fullmatch(name):
            return None
        for path in (self._folder / FOLDER / name, self._folder / name):
            try:
                with open_log(path) as stream:
                    return lenient_json.value(lenient_json.text_of(stream.read()))
            except (CostscanError, OSError, EOFError):
                continue
        return None
