"""The model invocation log of Amazon Bedrock, from S3 or CloudWatch: a record a call.

What the numbers mean, and what is counted once:
- `inputTokenCount` leaves out what was read from or written to the cache; records of before there was a cache
  do not tell of it, and then it is unknown, but for bodies that tell.
- The usage in the body of an answer is taken where there is one: it tells the lifetimes of cache writes. Of
  writes without them, all are 5-minute ones.
- Bodies of Claude and of the Converse API are read, streamed or not. What other models were asked in their
  own words is not: the counts stay.
- Bodies of more than 100 KB are in objects of their own (`inputBodyS3Path`, `outputBodyS3Path`). Where a copy
  of the bucket has them beside the records, as Bedrock lays them (`data/<requestId>_input.json.gz`), they are
  read; else the call is billed by its counts, and what was said in it is unknown, and said so. Of records
  that are read from a store (`s3://…`) they are not fetched.
- `requestId` is the call; where the body has the id of the message, a client's log of the same call is known
  by it. A record with an `errorCode` costs nothing.
- The model id tells the class of the region and its price (`us.`, `global.`, or none: in the region). Behind
  an application inference profile the body tells the model and nothing the region: a lower bound.
- There is no run id, unless `requestMetadata` has one (`run_id`, `session_id`): a request whose messages
  extend those of an earlier one continues its run. The end of the ARN of its `identity` is the
  user.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from costscan.formats.agents import blocks
from costscan.formats.api.message import Message, lenient_message
from costscan.formats.api.message_pairs import MessagePairs, call_of
from costscan.formats.api.pair import Pair
from costscan.formats.api.request import Request, lenient_request
from costscan.formats.api.sse import assembled
from costscan.formats.aws import bodies, converse
from costscan.formats.aws.bodies import Bodies
from costscan.formats.aws.records import records_in
from costscan.formats.interface import Format, LogFile
from costscan.models import resolve
from costscan.reading.content.redaction import label
from costscan.reading.conversation.call import Call
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import UnknownRow
from costscan.reading.io.rows import Rows

_CLAUDE: Final = "anthropic"
ELSEWHERE: Final = "a call whose body is in an object that is not here"
_RUN: Final = ("run_id", "session_id", "sessionId")


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are records of invocations."""
    return any(next(records_in(line), None) is not None for line in objects)


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of records."""
    pairs, apart = MessagePairs(file, rows), Bodies(file)
    feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(pairs, apart, at, line))
    pairs.finish(FORMAT.name)
    if apart.missing:
        rows.unknown.append(UnknownRow(path=file.path, kind=ELSEWHERE, lines=apart.missing, other=False))


FORMAT = Format(
    name="bedrock",
    expected='Bedrock records such as {"schemaType":"ModelInvocationLog","requestId":…,"input":…,"output":…}',
    sniff=sniff,
    read=read,
    # The client's own log of the same call says more of it.
    precedence=3,
    reads_files_alone=False,
    beside=(bodies.FOLDER,),
    parts=bodies.OBJECT,
)


def _taken(pairs: MessagePairs, apart: Bodies, at: int, line: Mapping[str, Any]) -> bool:
    found = False
    for record in records_in(line):
        found = True
        if record.get("errorCode") is None:
            _add(pairs, at, record, *apart.of(record))
    return found


def _add(pairs: MessagePairs, at: int, record: Mapping[str, Any], asked: object, answered: object) -> None:
    metadata = blocks.mapping_in(record, "requestMetadata")
    pair = Pair(
        run_id=next((run for name in _RUN if (run := blocks.word(metadata.get(name)))), None),
        task=metadata.get("task"),
        agent=metadata.get("agent"),
        timestamp=record.get("timestamp"),
        duration_ms=blocks.mapping_in(answered, "metrics").get("latencyMs"),
    )
    request, answer = _request(record, asked), _answer(answered)
    call = call_of(at, pair, request, answer)
    _complete(call, record, answer)
    caller = blocks.word(blocks.mapping_in(record, "identity").get("arn"))
    user = None if caller is None else label(caller.rpartition(":")[2])
    pairs.add(at, pair, request, answer, call, user=user)


def _complete(call: Call, record: Mapping[str, Any], answer: Message) -> None:
    """Add to a call what its record tells beside the bodies."""
    call.request_id = blocks.word(record.get("requestId")) or call.request_id
    call.says_unfinished = False
    counted = _counters(record)
    if not bytes(answer.usage):
        call.counters = counted
    elif None not in (counted.output_tokens, call.counters.output_tokens):
        # A stream that was cut off tells the output of its first event.
        most = max(counted.output_tokens or 0, call.counters.output_tokens or 0)
        call.counters = replace(call.counters, output_tokens=most)
    model = blocks.word(record.get("modelId")) or "unknown"
    if resolve(model) is None and isinstance(answer.model, str) and resolve(answer.model) is not None:
        call.model_raw = answer.model
        call.counters = replace(call.counters, contradictory=True)
    else:
        call.model_raw = model


def _counters(record: Mapping[str, Any]) -> Counters:
    told, said = blocks.mapping_in(record, "input"), blocks.mapping_in(record, "output")
    plain, read, written = (
        number(told.get(f"{name}nputTokenCount")) for name in ("i", "cacheReadI", "cacheWriteI")
    )
    output = number(said.get("outputTokenCount"))
    return Counters(
        plain, read, written, None if written is None else 0, output, None, 0, contradictory=False
    )


def _request(record: Mapping[str, Any], body: object) -> Request:
    if not isinstance(body, dict):
        return Request()
    if _is_converse(record) or converse.is_request(body):
        return lenient_request(converse.request_of(body))
    return lenient_request(body) if _is_claude(record, body) else Request()


def _answer(body: object) -> Message:
    if isinstance(body, list):
        body = assembled(event for event in body if isinstance(event, dict))
    if not isinstance(body, dict):
        return Message()
    if converse.is_answer(body):
        return lenient_message(converse.answer_of(body)) or Message()
    is_message = body.get("type") == "message" or "input_tokens" in blocks.mapping_in(body, "usage")
    return (lenient_message(body) or Message()) if is_message else Message()


def _is_converse(record: Mapping[str, Any]) -> bool:
    return (blocks.word(record.get("operation")) or "").startswith("Converse")


def _is_claude(record: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return "anthropic_version" in body or _CLAUDE in str(record.get("modelId"))
