"""Chats of Gemini CLI: `~/.gemini/tmp/<project>/chats/session-*.jsonl`, in older versions one JSON document.

So are the chats of Qwen Code, its fork: `~/.qwen/projects/<project>/chats/*.jsonl`.

What the numbers mean, and what is counted once:
- A message of type `gemini` is one model call. It is written twice, first without and then with its tool
  calls: of the lines of one `id` the last counts.
- `tokens.input` holds what was `cached`; `output` leaves out the `thoughts`, which are billed as output;
  `tool` is a prompt beside the input. Where `total` says otherwise, it decides.
- A message without tokens was cut off: what it used is unknown.
- Messages that a person rewound (`$rewindTo`), or that a `$set` put others in the place of, stay billed.
- Of Qwen Code, a record of type `assistant` is one call with the provider's `usageMetadata`, whose totals say
  that the output holds the thoughts. Its telemetry events tell the same calls again and are not counted.
- What `gemini --output-format json` and `stream-json` print ends with the sums of its run by model, no calls:
  what they hold beyond the chat of the session, which may be read with them, is billed as `unlogged`. Of the
  stream, what the total holds beyond input and output was thought.
- The system prompt and the tool definitions are not in the file, and no cost is recorded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from costscan.formats.agents import blocks, printed_stats
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.gemini import qwen_records
from costscan.formats.gemini.usage import of_client
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.usage import nothing_known
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows

_CONTEXT = "<session_context>"


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are lines of a chat."""
    return any(
        _is_session(line)
        or line.get("type") == "gemini"
        or printed_stats.is_printed(line)
        or qwen_records.is_record(line)
        for line in objects
    )


def _is_session(line: Mapping[str, Any]) -> bool:
    return "projectHash" in line and "sessionId" in line


def read(file: LogFile, rows: Rows) -> None:
    """Read one chat, or what was printed of one."""
    reading = _Reading(file, rows)
    feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.finish()
    rows.recorded.extend(reading.printed.rows)


FORMAT = Format(
    name="gemini_cli",
    expected='lines of a Gemini CLI chat such as {"id":…,"type":"gemini","tokens":{"input":…},"model":…}',
    sniff=sniff,
    read=read,
    totals=(printed_stats.EVENT,),
    roots=("~/.gemini/tmp", "~/.qwen/projects"),
)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._runs = Runs(file, rows, FORMAT.name)
        self._session = file.path
        self.printed = printed_stats.Printed(file.path)
        self._messages: dict[tuple[str, str], tuple[int, Mapping[str, Any]]] = {}

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one line; False for one of no known kind."""
        if printed_stats.is_printed(line):
            self.printed.add(at, line)
        elif qwen_records.is_record(line):
            qwen_records.add(self._runs, at, line)
        elif _is_session(line):
            self._session = str(line["sessionId"])
            self._add_all(at, line)
        elif "$set" in line:
            self._add_all(at, blocks.mapping_in(line, "$set"))
        elif "id" in line and "type" in line:
            self._messages[self._session, str(line["id"])] = at, line
        else:
            return "$rewindTo" in line or printed_stats.is_between(line)
        return True

    def _add_all(self, at: int, line: Mapping[str, Any]) -> None:
        for n, message in enumerate(blocks.list_in(line, "messages")):
            if isinstance(message, dict):
                self._messages[self._session, str(message.get("id", n))] = at, message

    def finish(self) -> None:
        """Write the runs to the rows."""
        for (session, _), (at, message) in self._messages.items():
            run = self._runs.of(session)
            if message.get("type") == "gemini":
                _called(run, at, message)
            elif message.get("type") == "user":
                said = _content(message.get("content"))
                by_client = any((block.text or "").startswith(_CONTEXT) for block in said)
                run.asks(at, said, by_person=not by_client)
        self._runs.finish()


def _called(run: Run, at: int, message: Mapping[str, Any]) -> None:
    calls = [call for call in blocks.list_in(message, "toolCalls") if isinstance(call, dict)]
    thoughts = [blocks.thinking(t.get("description")) for t in blocks.list_in(message, "thoughts") if t]
    wrote = [blocks.tool_use(call.get("name"), call.get("id"), call.get("args")) for call in calls]
    tokens = message.get("tokens")
    told = ToldCall(
        line=at,
        model=message.get("model"),
        counters=of_client(tokens, "input", "output") if isinstance(tokens, dict) else nothing_known(),
        ended=blocks.word(message.get("timestamp")),
        message_id=blocks.word(message.get("id")),
        stop_reason="tool_use" if calls else "end_turn",
    )
    run.called(told, [*thoughts, *_content(message.get("content")), *wrote])
    for call in calls:
        for part in blocks.list_in(call, "result"):
            if isinstance(part, dict):
                run.asks(at, [_part(part)], by_person=False)


def _content(content: object) -> list[Block]:
    if isinstance(content, str):
        return [blocks.text_block(content)] if content else []
    parts = content if isinstance(content, list) else []
    return [_part(part) for part in parts if isinstance(part, dict)]


def _part(part: Mapping[str, Any]) -> Block:
    answer, data = blocks.mapping_in(part, "functionResponse"), blocks.mapping_in(part, "inlineData")
    if answer:
        response = blocks.mapping_in(answer, "response")
        failed = "error" in response
        return blocks.tool_result(answer.get("id"), response.get("output", dict(response)), is_error=failed)
    if data:
        return blocks.image(data.get("data"), data.get("mimeType"))
    return blocks.text_block(blocks.text_of(part.get("text")))
