"""What Gemini CLI prints of a run without a screen, as JSON or a stream of it: sums by model at the end."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.gemini.usage import of_client
from costscan.reading.conversation.token_classes import GEMINI, Told, classes_of
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.timestamps import time_of

EVENT: Final = "stats"
_KINDS: Final = frozenset({"message", "tool_use", "tool_result", "error", "result"})


def is_printed(line: Mapping[str, Any]) -> bool:
    """Whether a line is the document that is printed, or the first or the last event of the stream."""
    if line.get("type") == "init":
        return "session_id" in line and "model" in line
    return isinstance(blocks.mapping_in(line, EVENT).get("models"), dict)


def is_between(line: Mapping[str, Any]) -> bool:
    """Whether a line is another event of the stream, which tells no tokens."""
    return blocks.word(line.get("type")) in _KINDS and "timestamp" in line and "id" not in line


class Printed:
    """The sums of a file."""

    def __init__(self, path: str) -> None:
        self._path = self._session = path
        self.rows: list[RecordedRow] = []

    def add(self, at: int, line: Mapping[str, Any]) -> None:
        """Add a line."""
        self._session = blocks.word(line.get("session_id")) or self._session
        for model, counters in _by_model(blocks.mapping_in(line, EVENT, "models")):
            self.rows.append(
                RecordedRow(
                    session=self._session,
                    path=self._path,
                    line=at,
                    at=time_of(blocks.word(line.get("timestamp"))),
                    event=EVENT,
                    part="model",
                    model_raw=model,
                    input_tokens=counters.input_tokens,
                    cache_read_tokens=counters.cache_read_tokens,
                    cache_write_tokens=0,
                    output_tokens=counters.output_tokens,
                    web_searches=0,
                )
            )


def _by_model(models: Mapping[str, Any]) -> Iterator[tuple[str, Counters]]:
    for model, own in models.items():
        if isinstance(own, dict):
            tokens = own.get("tokens")
            if isinstance(tokens, dict):
                yield model, of_client(tokens, "prompt", "candidates")
            else:
                yield model, _stream(own)


def _stream(own: Mapping[str, Any]) -> Counters:
    went_in, came_out, total = (number(own.get(f"{name}_tokens")) for name in ("input", "output", "total"))
    thought = None
    if went_in is not None and came_out is not None and total is not None:
        thought = max(total - went_in - came_out, 0)
    told = Told(
        input_tokens=went_in,
        output_tokens=came_out,
        cache_read_tokens=number(own.get("cached")),
        reasoning_tokens=thought,
        total_tokens=total,
    )
    return classes_of(told, GEMINI)
