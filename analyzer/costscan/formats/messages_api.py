"""Requests and responses of the Messages API, one pair a line, as clients and proxies record them.

A line is `{run_id?, task?, timestamp, duration_ms?, ttft_ms?, request, response | response_sse}` or a
proxy's wrapper `{request: {…, body}, response: {…, body}}`; a line of Message Batches results (`custom_id`,
`result`) is a response alone, at batch price. What the numbers mean, and what is counted once:
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

from costscan.formats.api.message_pairs import MessagePairs
from costscan.formats.api.pair import Pair, is_answered
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import raw_json
from costscan.reading.io.files import open_log
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.rows import Rows

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
    reading = MessagePairs(file, rows)
    with open_log(file.on_disk) as stream:
        Reader(Pair, _lenient_pair, rows).feed(stream, file.path, reading.take)
    reading.finish(FORMAT.name)


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
