"""Requests and responses of Gemini's `generateContent`, of the Gemini API and of Vertex AI, one pair a line.

A line is `{run_id?, task?, timestamp | at, url?, duration_ms?, request, response | response_sse}` or a
proxy's wrapper `{request: {…, body}, response: {…, body}}`; or a response alone; or a line of batch results
(`key`, or Vertex's `processed_time`), at batch price. What the numbers mean, and what is counted once:
- `promptTokenCount` holds what was read from the cache, implicitly or from `cachedContent`. What a tool
  brought into the prompt stands beside it and is input too; what was thought stands beside the candidates
  and is output.
- A counter that is left out is zero; a response without `usageMetadata` is a call of unknown usage.
- A streamed response is billed by the last usage of its chunks, each of which counts from the start.
- The tier is the one that served the call, also where its price is not known. Throughput that was bought
  beforehand has no price by the token.
- A search with Google has a fee beside its tokens, each query from Gemini 3 on, before each call with any;
  what is free every day is not taken off. The storage of `cachedContent` is in no log of calls.
- Audio and images are told by `promptTokensDetails`, `cacheTokensDetails` and `candidatesTokensDetails`, and
  billed at their own price. Audio, or images that came out, without one, and video that came out: such a call
  is a lower bound.
- An error costs nothing. A response with the id of an earlier one is the same call, logged twice.
- Where lines have no run id, a request whose contents extend those of an earlier one continues its run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from costscan.formats.api.proxy_body import told_in
from costscan.formats.api.runs import Names, PairRun, PairRuns, task_of
from costscan.formats.api.when import end_of, start_of
from costscan.formats.gemini import answer as answers
from costscan.formats.gemini import prompt, qwen_records
from costscan.formats.gemini.usage import counters, tier
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import encode, hash_of
from costscan.reading.conversation.call import Call, make_call
from costscan.reading.conversation.usage import Usage
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.prompt import Sent


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are pairs, responses or batch results of this API."""
    return any(
        (answer := answers.answer_of(o)) is not None and answers.is_answer(answer)
        for o in objects
        if "request" in o or ("key" in o and "response" in o) or answers.is_answer(o)
        if not qwen_records.is_record(o)
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of pairs."""
    reading = _Reading(file, rows)
    feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.finish()


FORMAT = Format(
    name="gemini_api",
    expected='Gemini pairs such as {"timestamp":…,"request":{"contents":…},"response":{"usageMetadata":{…}}}',
    sniff=sniff,
    read=read,
    reads_files_alone=False,
)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._runs = PairRuns(file, rows)

    def take(self, number: int, line: dict[str, Any]) -> bool:
        """Add one line; False when it is none of this API."""
        answer = answers.answer_of(line)
        told = told_in(line.get("request"))
        request = told if isinstance(told, dict) else {}
        if answer is None or not answers.is_answer(answer):
            return "contents" in request and isinstance((answer or {}).get("error"), dict)
        blocks = prompt.blocks_of(request)
        run = self._run_of(number, line, request, blocks)
        call = _call(number, line, request, answer)
        run.add(number, blocks, call, answers.written(answer))
        return True

    def _run_of(
        self, number: int, line: Mapping[str, Any], request: Mapping[str, Any], blocks: list[Sent]
    ) -> PairRun:
        name = task_of(prompt.first_asked(request), line.get("key"))
        return self._runs.of(number, Names.of(line), blocks, name)

    def finish(self) -> None:
        """Write the runs to the rows."""
        self._runs.write(FORMAT.name)


def _call(
    number: int, line: Mapping[str, Any], request: Mapping[str, Any], answer: Mapping[str, Any]
) -> Call:
    start = start_of(
        line.get("timestamp"), line.get("at"), answer.get("createTime"), line.get("processed_time")
    )
    usage = answer.get("usageMetadata")
    model = answers.model_of(line, answer, request)
    call = make_call(
        line=number,
        end_at=end_of(start, line.get("duration_ms")),
        model=model,
        usage=Usage(service_tier="batch" if _is_batch(line) else tier(usage)),
        message_id=answer.get("responseId"),
        request_id=None,
        stop_reason=answers.stop_reason(answer),
    )
    call.at, call.says_unfinished = start, False
    call.counters = counters(usage, searches=answers.searches(answer, model))
    if call.message_id is None:
        # What tells a copy of this line in another file from another call.
        call.request_id = f"pair {hash_of(encode([number, start, line.get('response_sse'), answer]))}"
    return call


def _is_batch(line: Mapping[str, Any]) -> bool:
    return "processed_time" in line or ("key" in line and "request" not in line)
