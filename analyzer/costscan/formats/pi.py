"""Sessions of the coding agent Pi, and of its fork Oh My Pi: `<agent folder>/sessions/<project>/*.jsonl`.

What the numbers mean, and what is counted once:
- An assistant `message` line is one model call. `usage.input` leaves out what was read from or written to the
  cache; `output` holds what was thought; cache writes are one class, taken as 5-minute ones.
- A call whose counters are all zero was aborted before it was answered: it is no call.
- `usage.cost.total` is what the client makes of it by its own price list, kept as recorded and never billed;
  zero dollars beside tokens say that the client has no price.
- A session is a tree: what a person went back from stays billed. A session forked into a new file copies its
  lines; their ids, or the moment of the answer in older files, tell that they are the same calls.
- Of what `pi --mode json` prints, a `message_end` is a line of the session.
- The system prompt, the tool definitions and the calls that sum up a conversation are not in the file.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows

_OWN: Final = frozenset({"thinking_level_change", "session_info", "label", "custom", "leaf", "model_change"})
"""Lines of the client that are in no prompt."""
_STREAMED: Final = ("agent_", "turn_", "message_", "tool_execution_", "queue_", "auto_", "compaction_")
"""How the events begin that `--mode json` prints; a `message_end` tells a message, the others repeat it."""


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are lines of a Pi session."""
    return any(
        _is_header(line) or "cacheRead" in blocks.mapping_in(line, "message", "usage") for line in objects
    )


def _is_header(line: Mapping[str, Any]) -> bool:
    return line.get("type") == "session" and "cwd" in line and ("version" in line or "thinkingLevel" in line)


def read(file: LogFile, rows: Rows) -> None:
    """Read one session."""
    reading = _Reading(file, rows)
    feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.runs.finish()


FORMAT = Format(
    name="pi",
    expected='Pi session lines such as {"type":"message","message":{"role":…,"usage":{"cacheRead":…}}}',
    sniff=sniff,
    read=read,
    roots=("$PI_CODING_AGENT_DIR/sessions", "~/.pi/agent/sessions", "~/.omp/agent/sessions"),
)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.runs = Runs(file, rows, FORMAT.name)
        self._run = self.runs.of(file.path)

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one line; False for one of no known kind."""
        kind = blocks.word(line.get("type")) or ""
        if kind == "session":
            self._run = self.runs.of(blocks.word(line.get("id")) or self._run.run_id)
            self._run.project = blocks.word(line.get("cwd"))
        elif kind in {"message", "message_end"}:
            return self._message(at, line, blocks.mapping_in(line, "message"))
        elif kind in {"compaction", "branch_summary"}:
            self._sum_up(at, line.get("summary"))
        elif kind in {"compaction_end", "auto_compaction_end"}:
            if result := blocks.mapping_in(line, "result"):
                self._sum_up(at, result.get("summary"))
        elif kind == "custom_message":
            self._run.asks(at, _content(line.get("content")), by_person=False)
        else:
            return kind in _OWN or kind.startswith(_STREAMED)
        return True

    def _sum_up(self, at: int, summary: object) -> None:
        """Begin anew with a summary."""
        self._run.thread.forget()
        self._run.asks(at, [blocks.text_block(blocks.text_of(summary))], by_person=False)

    def _message(self, at: int, line: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
        role = message.get("role")
        if role == "assistant":
            return _called(self._run, at, line, message)
        if role == "user":
            self._run.asks(at, _content(message.get("content")))
        elif role == "toolResult":
            self._run.asks(at, _results(message), by_person=False)
        elif role == "bashExecution":
            ran = f"{blocks.text_of(message.get('command'))}\n{blocks.text_of(message.get('output'))}"
            self._run.asks(at, [blocks.text_block(ran)], by_person=False)
        else:
            return False
        return True


def _called(run: Run, at: int, line: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    usage = blocks.mapping_in(message, "usage")
    counters = _counters(usage)
    if counters.is_zero:
        return True
    when = blocks.word(line.get("timestamp"))
    dollars = blocks.mapping_in(usage, "cost").get("total")
    made = message.get("timestamp")
    told = ToldCall(
        line=at,
        model=message.get("model"),
        counters=counters,
        began=str(made) if isinstance(made, int | float) else None,
        ended=when,
        message_id=blocks.word(message.get("responseId"))
        or blocks.word(line.get("id"))
        or f"pi {made or at}",
        stop_reason=message.get("stopReason"),
        recorded_usd=dollars or None,
    )
    run.called(told, _content(message.get("content")))
    return True


def _counters(usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a call; the client writes all of them, so that a missing one is unknown."""
    plain, output, cache_read, written = (
        number(usage.get(name)) for name in ("input", "output", "cacheRead", "cacheWrite")
    )
    hour = number(usage.get("cacheWrite1h", 0))
    short = None if written is None or hour is None else max(written - hour, 0)
    ttl = UNKNOWN_TTL if short and "cacheWrite1h" not in usage else None
    return Counters(plain, cache_read, short, hour, output, None, 0, contradictory=False, cache_write_ttl=ttl)


def _content(content: object) -> list[Block]:
    if isinstance(content, str):
        return [blocks.text_block(content)]
    parts = content if isinstance(content, list) else []
    return [_block(part) for part in parts if isinstance(part, dict)]


def _block(part: Mapping[str, Any]) -> Block:
    kind = part.get("type")
    if kind == "toolCall":
        return blocks.tool_use(part.get("name"), part.get("id"), part.get("arguments"))
    if kind == "thinking":
        return blocks.thinking(part.get("thinking"), part.get("thinkingSignature"))
    if kind == "image":
        return blocks.image(part.get("data"), part.get("mimeType"))
    return blocks.text_block(blocks.text_of(part.get("text")))


def _results(message: Mapping[str, Any]) -> list[Block]:
    parts = _content(message.get("content"))
    text = "\n".join(part.text or "" for part in parts if part.type == "text")
    call_id, failed = message.get("toolCallId"), message.get("isError") is True
    return [blocks.tool_result(call_id, text, is_error=failed), *(p for p in parts if p.type == "image")]
