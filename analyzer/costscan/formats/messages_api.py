"""Requests and responses of the Messages API, one pair a line, as clients and proxies record them.

A line is `{run_id?, task?, timestamp, duration_ms?, request, response | response_sse}` or a proxy's wrapper
`{request: {…, body}, response: {…, body}}`; a line of Message Batches results (`custom_id`, `result`) is a
response alone, at batch price. What the numbers mean, and what is counted once:
- `usage.input_tokens` leaves out what was read from or written to the cache.
- With server-side compaction, advisors or fallbacks the top level leaves calls out: the sum of
  `usage.iterations` is billed, each at its own model, as turns of their own. All messages before a compaction
  block are in no prompt any more, though clients go on sending them.
- A refusal before any output is a turn that may cost nothing (below: what is not billed).
- A streamed response is billed by the last usage of its events. An error response costs nothing.
- A response with the id of an earlier one is the same call, logged twice.
- Responses of other APIs are not taken for calls: their counters mean something else.
- Where lines have no run id, a request whose messages extend those of an earlier one continues its run.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from costscan.formats.api.cache_key import salt_of, settings_of
from costscan.formats.api.message import Message, word
from costscan.formats.api.pair import Pair, is_answered, is_free, is_message, request_of, response_of
from costscan.formats.api.request import Definitions, Request, asks_of, blocks_of
from costscan.formats.api.runs import Names, PairRun, PairRuns
from costscan.formats.api.user import user_of
from costscan.formats.api.when import end_of
from costscan.formats.claude import people, task_names
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import hash_of, raw_json, text_block
from costscan.reading.conversation import refusals
from costscan.reading.conversation.call import Call, make_call, miss_reason
from costscan.reading.conversation.usage import Usage
from costscan.reading.conversation.usage import of_raw as usage_of_raw
from costscan.reading.io.files import open_log
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.prompt import Sent

_RAW = ("request", "response", "result")


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are request/response pairs or batch results of the Messages API, and of no other."""
    return any(
        is_answered(pair)
        for o in objects
        if ("request" in o and ("response" in o or "response_sse" in o))
        or ("custom_id" in o and "result" in o)
        if (pair := _lenient_pair(o)) is not None
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of pairs."""
    reading = _Reading(file, rows)
    with open_log(file.on_disk) as stream:
        Reader(Pair, _lenient_pair, rows).feed(stream, file.path, reading.take)
    reading.finish()


FORMAT = Format(
    name="messages_api",
    expected='request/response pairs such as {"timestamp":…,"request":{"model":…},"response":{"usage":{…}}}',
    sniff=sniff,
    read=read,
    logs_whole_prompts=True,
    reads_files_alone=False,
)


def _lenient_pair(value: dict[str, Any]) -> Pair | None:
    if isinstance(value.get("message"), dict) and "request" not in value and "result" not in value:
        # The response alone, recovered from a line that is no JSON.
        value = {**value, "response": value["message"]}
    if not any(value.get(name) for name in (*_RAW, "response_sse")):
        return None
    raws = {name: raw_json(value[name]) for name in _RAW if value.get(name) is not None}
    plain: dict[str, Any] = {n: value.get(n) for n in Pair.__struct_fields__ if n not in _RAW}
    return Pair(**plain, **raws)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file, self.rows = file, rows
        self._runs = PairRuns(file, rows)
        self._definitions = Definitions()

    def take(self, number: int, pair: Pair) -> bool:
        """Add one pair; False when it is none of the Messages API."""
        answer = response_of(pair)
        if answer is None or not is_message(answer):
            return is_free(pair, answer)
        usage = usage_of_raw(bytes(answer.usage))
        request = request_of(pair)
        blocks = blocks_of(request, self._definitions)
        call = _call(number, pair, request, answer, usage)
        call.settings = settings_of(request, blocks)
        run = self._run_of(number, pair, request, blocks)
        run.user = run.user or user_of(request.metadata)
        wrote = [text_block(answer.content)] if isinstance(answer.content, str) else answer.content or []
        n, first = run.add(number, blocks, call, wrote, salt_of(request, blocks))
        thread = run.thread
        if wrote and wrote[0].type == "compaction" and first < thread.n_blocks:
            thread.went_on_from_summary(n, first)
        refusals.note(thread.calls[n], answer.stop_reason, answer.stop_details)
        return True

    def _run_of(self, number: int, pair: Pair, request: Request, blocks: list[Sent]) -> PairRun:
        own = Names(pair.run_id, pair.task, pair.agent, pair.parent_run_id)
        return self._runs.of(number, own, blocks, _first_request(request) or word(pair.custom_id))

    def finish(self) -> None:
        """Write the runs to the rows."""
        self._runs.write(FORMAT.name)


def _first_request(request: Request) -> str | None:
    """Return the name of what a person or a program asks for first, without what the client adds."""
    for message in request.messages or ():
        if message.role != "user":
            continue
        content = message.content
        texts = [content] if isinstance(content, str) else [b.text for b in content or () if b.type == "text"]
        for text in texts:
            if text and (wanted := people.asked(text)):
                return task_names.template(wanted)
    return None


def _call(number: int, pair: Pair, request: Request, answer: Message, usage: Usage) -> Call:
    at = pair.timestamp
    start = word(at) or (str(at) if isinstance(at, int | float) else None)
    config = request.output_config
    call = make_call(
        line=number,
        end_at=end_of(start, pair.duration_ms),
        model=answer.model or request.model,
        usage=usage,
        message_id=answer.id,
        request_id=None,
        stop_reason=answer.stop_reason,
        effort=config.get("effort") if isinstance(config, dict) else None,
    )
    call.at = start
    call.miss_reason = miss_reason(answer.diagnostics)
    call.asks = asks_of(request)
    call.says_unfinished = answer.stop_reason is None and answer.stop_reason is not UNSET
    if pair.custom_id is not None:
        call.tier = "batch"
    if call.message_id is None:
        # What tells a copy of this line in another file from another call.
        identity = repr((number, start, pair.response_sse)).encode("utf-8", "replace")
        call.request_id = f"pair {hash_of(identity + bytes(pair.request) + bytes(pair.response))}"
    return call
