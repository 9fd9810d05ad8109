"""LiteLLM's `StandardLoggingPayload`, an object a call, as its callbacks and bucket loggers write it.

Rows of the proxy's table `LiteLLM_SpendLogs` are read too, as JSON, CSV or Parquet.

What the numbers mean, and what is counted once:
- `prompt_tokens` holds what was read from and written to the cache; `metadata.usage_object` says how much
  that was, and how long what was written lives. Rows of the proxy's table may have only
  `metadata.additional_usage_values`, which does not say how long, or neither: then what was fresh and what
  was cached is unknown, and such a call is billed for its output alone.
- `response_cost` (`spend` in the database) is what LiteLLM made of it by its own price list, kept as
  recorded. Its `cost_breakdown.input_cost` holds the cache costs beside it already; it is not read.
- `cache_hit: true` is an answer of LiteLLM's own store, and `status: "failure"` none: neither is a call.
- The same `id` is the same call, however many callbacks wrote it. It is the provider's id of the response, or
  LiteLLM's own; the provider's id of the request is among the headers. By either a call is known that the
  client's own log tells too: it is billed once, as that log has it.
- `session_id`, else `trace_id`, is the run. `messages` are the whole prompt, unless messages are not logged.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from costscan.formats.agents import blocks, chat, chat_usage
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.api.when import between
from costscan.formats.interface import Format, LogFile
from costscan.reading.io import lenient_json
from costscan.reading.io.rows import Rows
from costscan.reading.io.tables import ENDINGS, feed_rows

_WRAPPED: Final = "resp_"


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are calls as LiteLLM logs them."""
    return any(map(_is_call, objects))


def _is_call(line: Mapping[str, Any]) -> bool:
    costs = {"response_cost", "spend", "custom_llm_provider"}
    return "call_type" in line and "startTime" in line and not costs.isdisjoint(line)


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of calls."""
    runs = Runs(file, rows, FORMAT.name)
    feed_rows(file.on_disk, file.path, rows, lambda at, line: _taken(runs, file, at, line))
    runs.finish()


FORMAT = Format(
    name="litellm",
    expected='LiteLLM logs such as {"call_type":…,"startTime":…,"response_cost":…,"metadata":{…}}',
    sniff=sniff,
    read=read,
    # The client's own log of the same call says more of it.
    precedence=3,
    in_tables=True,
    endings=ENDINGS,
)


def _taken(runs: Runs, file: LogFile, at: int, line: Mapping[str, Any]) -> bool:
    if not _is_call(line):
        return False
    if str(line.get("cache_hit")).lower() == "true" or line.get("status") == "failure":
        return True
    call_id = _response_id(blocks.word(line.get("id")) or blocks.word(line.get("request_id")))
    metadata = _object(line.get("metadata"))
    session = blocks.word(line.get("session_id")) or blocks.word(line.get("trace_id"))
    run = runs.of(session or call_id or f"{file.path}:{at}")
    run.user = run.user or blocks.word(line.get("end_user"))
    response = _object(line.get("response"))
    usage = blocks.mapping_in(metadata, "usage_object") or blocks.mapping_in(response, "usage")
    usage = usage or {**line, **blocks.mapping_in(metadata, "additional_usage_values")}
    began, ended = (_moment(line.get(name)) for name in ("startTime", "endTime"))
    told = ToldCall(
        line=at,
        model=line.get("model") or line.get("model_group"),
        counters=chat_usage.counters_of(usage),
        began=began,
        ended=ended,
        first_token_s=between(began, _moment(line.get("completionStartTime")), ended),
        message_id=call_id,
        request_id=_request_id(line),
        stop_reason=chat.stop_of(response),
        tier=blocks.word(usage.get("service_tier")),
        speed=blocks.word(usage.get("speed")),
        geo=blocks.word(usage.get("inference_geo")),
        recorded_usd=line.get("response_cost", line.get("spend")),
    )
    _asked(run, at, line)
    run.called(told, chat.answer_of(response))
    return True


def _asked(run: Run, at: int, line: Mapping[str, Any]) -> None:
    request = _object(line.get("proxy_server_request"))
    messages = _listed(line.get("messages")) or _listed(request.get("messages"))
    if messages:
        tools = _object(line.get("model_parameters")).get("tools") or request.get("tools")
        run.prompt(at, chat.prompt_of(messages, tools))


def _listed(value: object) -> list[Any]:
    parsed = lenient_json.value(value) if isinstance(value, str) else value
    return parsed if isinstance(parsed, list) else []


def _response_id(told: str | None) -> str | None:
    """Return the provider's id of a response; LiteLLM wraps those of the Responses API in one of its own."""
    if told is None or not told.startswith(_WRAPPED):
        return told
    with suppress(ValueError):
        inside = b64decode(told.removeprefix(_WRAPPED), validate=True).decode()
        return inside.partition(";response_id:")[2] or told
    return told


def _request_id(line: Mapping[str, Any]) -> str | None:
    """Return the id that the provider gave the request, as the headers of its answer tell it."""
    headers = blocks.mapping_in(line, "hidden_params", "additional_headers")
    names = ("llm_provider-request-id", "llm_provider-x-request-id")
    return next((told for name in names if (told := blocks.word(headers.get(name)))), None)


def _object(value: object) -> Mapping[str, Any]:
    """Return an object; rows of the database hold some as JSON text."""
    if isinstance(value, str):
        return lenient_json.mapping(value) or {}
    return value if isinstance(value, dict) else {}


def _moment(value: object) -> str | None:
    return str(value) if isinstance(value, int | float) else blocks.word(value)
