"""Requests and responses of OpenAI's Chat Completions and Responses APIs, one pair a line.

A line is `{run_id?, task?, timestamp | at, duration_ms?, ttft_ms?, request, response | response_sse}` or a
proxy's wrapper `{request: {…, body}, response: {…, body}}`; or a response alone; or a line of batch results
(`custom_id`, `response`), at batch price. Servers that speak the same language (gateways, other makers) are
read the same way. What the numbers mean, and what is counted once:
- `prompt_tokens` and `input_tokens` hold what was read from and written to the cache, the output counter what
  was reasoned; where `total_tokens` says otherwise, as with some other makers, the total is believed. Writes
  have one price, and stand with the 5-minute ones; their lifetime is the one that the request asks for, else
  unknown. Those for 12 hours cost more than that price: such a call is a lower bound.
- A streamed response is billed by the last usage that its events tell, which need not be in the last one.
  A stream without any (`stream_options.include_usage` was off, or it was cut) is a call of unknown usage.
- The tier is that of the response: what was served, not what was asked for.
- An error, and a response that is queued or in progress, cost nothing. A response with the id of an earlier
  one is the same call, logged twice or asked for again.
- A web search has a fee beside its tokens. What a model that searches by itself, file search, a code
  interpreter or made pictures cost beside tokens is not known: such a call is a lower bound.
- Audio and images are told by the details of the counters, and billed at their own price, those from the
  cache where `cached_tokens_details` tell of them. Audio, or images that came out, without one: such a call
  is a lower bound, and so is one of a model that speaks whose log tells no audio.
- With `previous_response_id` or `conversation` the provider holds the messages before: they are in no log,
  and hidden in the prompt. Such a request continues the run of the response that it names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from costscan.formats.api.message import word
from costscan.formats.api.proxy_body import told_in
from costscan.formats.api.runs import Names, PairRun, PairRuns, task_of
from costscan.formats.api.when import end_of, seconds_of, start_of
from costscan.formats.interface import Format, LogFile
from costscan.formats.openai import answer as answers
from costscan.formats.openai import items, prompt
from costscan.formats.openai.usage import counters
from costscan.reading.content.block import encode, hash_of
from costscan.reading.content.redaction import label
from costscan.reading.conversation.call import Call, make_call
from costscan.reading.conversation.token_classes import at_least
from costscan.reading.conversation.usage import Counters, Usage
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.prompt import Sent

_AUTO: Final = "auto"
_LONG: Final = "12h"
_LIFETIMES: Final = frozenset({"30m", _LONG})


def sniff(objects: Sequence[dict[str, Any]]) -> bool:
    """Whether these are pairs, responses or batch results of these APIs."""
    return any(
        (answer := answers.answer_of(o)) is not None and answers.is_answer(answer)
        for o in objects
        if "request" in o or ("custom_id" in o and "response" in o) or answers.is_answer(o)
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of pairs."""
    reading = _Reading(file, rows)
    feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.finish()


FORMAT = Format(
    name="openai_api",
    expected='OpenAI pairs such as {"timestamp":…,"request":{"model":…},"response":{"object":…,"usage":{…}}}',
    sniff=sniff,
    read=read,
    reads_files_alone=False,
)


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self.file = file
        self._runs = PairRuns(file, rows)
        self._run_of_response: dict[str, str] = {}

    def take(self, number: int, line: dict[str, Any]) -> bool:
        """Add one line; False when it is none of these APIs."""
        answer = answers.answer_of(line)
        if answer is None or not answers.is_answer(answer):
            return _is_error(line, answer or {})
        if answers.is_free(answer):
            return True
        told = told_in(line.get("request"))
        request = told if isinstance(told, dict) else {}
        blocks = prompt.blocks_of(request)
        run = self._run_of(number, line, request, blocks)
        run.user = run.user or _user(request)
        call = _call(number, line, request, answer)
        run.add(number, blocks, call, answers.written(answer))
        if call.message_id is not None:
            self._run_of_response[call.message_id] = run.run_id
        return True

    def _run_of(
        self, number: int, line: Mapping[str, Any], request: Mapping[str, Any], blocks: list[Sent]
    ) -> PairRun:
        name = task_of(prompt.first_asked(request), line.get("custom_id"))
        after = self._run_of_response.get(word(request.get("previous_response_id")) or "")
        return self._runs.of(number, Names.of(line), blocks, name, after)

    def finish(self) -> None:
        """Write the runs to the rows."""
        self._runs.write(FORMAT.name)


def _is_error(line: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether a line tells an error, of a request or of an item of a batch that was not run."""
    is_ours = "request" in line or ("custom_id" in line and "result" not in line)
    return is_ours and (isinstance(answer.get("error"), dict) or isinstance(line.get("error"), dict))


def _user(request: Mapping[str, Any]) -> str | None:
    user = word(request.get("safety_identifier")) or word(request.get("user"))
    return None if user is None else label(user)


def _call(
    number: int, line: Mapping[str, Any], request: Mapping[str, Any], answer: Mapping[str, Any]
) -> Call:
    start = start_of(line.get("timestamp"), line.get("at"), answer.get("created_at"), answer.get("created"))
    reasoning = request.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else request.get("reasoning_effort")
    call = make_call(
        line=number,
        end_at=end_of(start, line.get("duration_ms")),
        model=word(answer.get("model")) or request.get("model"),
        usage=Usage(service_tier=_tier(line, request, answer)),
        message_id=answer.get("id"),
        request_id=None,
        stop_reason=answers.stop_reason(answer),
        effort=effort,
    )
    call.at, call.says_unfinished = start, False
    call.first_token_s = seconds_of(line.get("ttft_ms"))
    call.counters = _counters(request, answer)
    if call.message_id is None:
        # What tells a copy of this line in another file from another call.
        call.request_id = f"pair {hash_of(encode([number, start, line.get('response_sse'), answer]))}"
    return call


def _counters(request: Mapping[str, Any], answer: Mapping[str, Any]) -> Counters:
    usage = answer.get("usage")
    counted = counters(usage, searches=sum(items.searches(item) for item in answers.output(answer)))
    if counted.cache_write_ttl is not None:
        counted = replace(counted, cache_write_ttl=_lifetime(request) or counted.cache_write_ttl)
    searches_itself = request.get("web_search_options") is not None
    costs_more = searches_itself or counted.cache_write_ttl == _LONG
    return at_least(counted, costs_more=costs_more or answers.has_fees(answer))


def _lifetime(request: Mapping[str, Any]) -> str | None:
    """Return how long the request wants what is written to live."""
    options = request.get("prompt_cache_options")
    ttl = word(options.get("ttl")) if isinstance(options, dict) else None
    return ttl if ttl in _LIFETIMES else None


def _tier(line: Mapping[str, Any], request: Mapping[str, Any], answer: Mapping[str, Any]) -> Any:
    if line.get("custom_id") is not None:
        return "batch"
    asked = request.get("service_tier")
    return answer.get("service_tier") or (None if asked == _AUTO else asked)
