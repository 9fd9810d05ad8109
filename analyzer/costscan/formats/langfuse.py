"""Exports of Langfuse: `{trace, observations}` documents, and rows of observations (JSON, CSV, Parquet).

What the numbers mean, and what is counted once:
- A `GENERATION` is one model call; one whose usage is the sum of those inside it is none.
- What `usageDetails` hold depends on the integration that wrote them. Buckets such as `input_cache_read` and
  `output_reasoning` stand beside `input` and `output`; those called `prompt_details` and
  `completion_details` are a part of them. Where `total` says otherwise, it decides.
- `input_audio_tokens` and `output_audio_tokens` are in `input` and `output` or beside them, as `total` says.
- Without any bucket of the cache (the Claude Agent SDK loses it), what was cached is unknown and not billed.
- `totalCost` (`total` of `costDetails`) is worked out by Langfuse's own table of models, kept as recorded and
  never billed.
- A trace is a run.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from costscan.formats.agents import blocks, chat
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.api.when import between
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.modalities import Share, count_of, with_modalities
from costscan.reading.conversation.token_classes import Counting, Told, at_least, classes_of, counts_audio
from costscan.reading.conversation.usage import Counters, nothing_known, number
from costscan.reading.io import lenient_json
from costscan.reading.io.rows import Rows
from costscan.reading.io.tables import ENDINGS, feed_rows

_ROW: Final = (("usageDetails", "traceId"), ("usage_details", "trace_id"))
_READ: Final = (
    *("prompt_details.cache_read", "input_cache_read", "cache_read_input_tokens", "input_cached_tokens"),
    "prompt_details.cached_tokens",
)
_WRITE: Final = ("prompt_details.cache_creation", "input_cache_creation", "cache_creation_input_tokens")
_AUDIO: Final = ("input_audio_tokens", "output_audio_tokens")
_REASONING: Final = ("completion_details.reasoning", "output_reasoning", "output_reasoning_tokens")


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are exports of Langfuse."""
    return any(_is_trace(line) or _is_observation(line) for line in objects)


def _is_trace(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("observations"), list) and isinstance(line.get("trace"), dict)


def _is_observation(line: Mapping[str, Any]) -> bool:
    return bool({"usageDetails", "usage_details"} & line.keys()) and bool(
        {"traceId", "trace_id"} & line.keys()
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one export."""
    found: list[tuple[int, Mapping[str, Any]]] = []
    runs = Runs(file, rows, FORMAT.name)

    def take(at: int, line: Mapping[str, Any]) -> bool:
        if _is_trace(line):
            run = runs.of(str(line["trace"].get("id")))
            run.task, run.user = (
                blocks.word(line["trace"].get("name")),
                blocks.word(line["trace"].get("userId")),
            )
            found.extend((at, o) for o in line["observations"] if isinstance(o, dict))
        elif _is_observation(line):
            found.append((at, line))
        else:
            return False
        return True

    feed_rows(file.on_disk, file.path, rows, take)
    for at, observation in _calls(found):
        _add(runs.of(str(_get(observation, "traceId") or file.path)), at, observation)
    runs.finish()


FORMAT = Format(
    name="langfuse",
    expected='Langfuse exports such as {"trace":…,"observations":[{"type":"GENERATION","usageDetails":…}]}',
    sniff=sniff,
    read=read,
    # The client's own log of the same call says more of it.
    precedence=4,
    in_tables=True,
    endings=ENDINGS,
)


def _get(observation: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key in camel case, which bulk exports write in snake case."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
    return observation.get(key, observation.get(snake))


def _calls(found: Iterable[tuple[int, Mapping[str, Any]]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the calls in the order of time, without generations that repeat the sum of those inside them."""
    calls = [(at, o) for at, o in found if o.get("type") == "GENERATION"]
    inside: dict[object, list[tuple[int | None, ...]]] = {}
    for _, observation in calls:
        inside.setdefault(_get(observation, "parentObservationId"), []).append(_sums(observation))
    own = [(at, o) for at, o in calls if not _repeats(_sums(o), inside.get(o.get("id"), []))]
    return sorted(own, key=lambda call: str(_get(call[1], "startTime")))


def _sums(observation: Mapping[str, Any]) -> tuple[int | None, ...]:
    usage = _usage(observation)
    return tuple(number(usage.get(name)) for name in ("input", "output"))


def _repeats(own: tuple[int | None, ...], inside: Sequence[tuple[int | None, ...]]) -> bool:
    return bool(inside) and own == tuple(sum(n or 0 for n in column) for column in zip(*inside, strict=True))


def _usage(observation: Mapping[str, Any]) -> Mapping[str, Any]:
    usage = _json(_get(observation, "usageDetails"))
    return usage if isinstance(usage, dict) else {}


def _add(run: Run, at: int, observation: Mapping[str, Any]) -> None:
    usage, wrote = _usage(observation), _json(observation.get("output"))
    began, first, ended = (
        blocks.word(_get(observation, name)) for name in ("startTime", "completionStartTime", "endTime")
    )
    told = ToldCall(
        line=at,
        model=observation.get("model") or _get(observation, "providedModelName"),
        counters=_counters(usage) if usage else nothing_known(),
        began=began,
        ended=ended,
        first_token_s=between(began, first, ended),
        message_id=blocks.word(observation.get("id")),
        recorded_usd=_cost(observation),
    )
    run.task = run.task or blocks.word(_get(observation, "traceName"))
    run.user = run.user or blocks.word(_get(observation, "userId"))
    asked = _json(observation.get("input"))
    messages = asked.get("messages") if isinstance(asked, dict) else asked
    if isinstance(messages, list) and all(isinstance(m, dict) and "role" in m for m in messages):
        run.prompt(at, chat.prompt_of(messages))
    run.called(told, _wrote(wrote))


def _cost(observation: Mapping[str, Any]) -> object:
    told = _get(observation, "totalCost")
    costs = _json(_get(observation, "costDetails"))
    return costs.get("total") if told is None and isinstance(costs, dict) else told


def _counters(usage: Mapping[str, Any]) -> Counters:
    cache_read, written, reasoned = (
        next((number(usage[name]) for name in names if usage.get(name) is not None), None)
        for names in (_READ, _WRITE, _REASONING)
    )
    told = Told(
        input_tokens=number(usage.get("input")),
        output_tokens=number(usage.get("output")),
        cache_read_tokens=cache_read,
        # Of integrations that tell of reads alone, most know of no writes.
        cache_write_5m_tokens=0 if written is None and cache_read is not None else written,
        reasoning_tokens=reasoned,
        total_tokens=number(usage.get("total")),
    )
    inside = any(name.startswith("prompt_details") for name in usage)
    reasoning_inside = not any(name.startswith("output_reasoning") for name in usage)
    way = Counting(cache_inside=inside, reasoning_inside=reasoning_inside)
    return _with_audio(told, way, usage)


def _with_audio(told: Told, way: Counting, usage: Mapping[str, Any]) -> Counters:
    """Return the counters with what of them was audio; Langfuse takes it out of input and output of OpenAI's.

    Whether it did, the total tells; without one, or with other names, they are a lower bound.
    """
    sent, written = (count_of(usage.get(name)) for name in _AUDIO)
    counted = classes_of(told, way)
    if not sent and not written:
        return at_least(counted, costs_more=counts_audio(usage))
    whole = told._replace(
        input_tokens=(told.input_tokens or 0) + (sent or 0),
        output_tokens=(told.output_tokens or 0) + (written or 0),
    )
    apart = classes_of(whole, way)
    if told.total_tokens is None or apart.contradictory == counted.contradictory:
        return at_least(counted, costs_more=True)
    counted = with_modalities(counted if apart.contradictory else apart, Share(sent, None, written))
    return at_least(counted, costs_more=counts_audio(usage, but=_AUDIO))


def _wrote(output: object) -> list[Block]:
    if isinstance(output, dict) and ("content" in output or "tool_calls" in output):
        return list(chat.message_of({**output, "role": "assistant"}).blocks)
    return [blocks.text_block(output)] if isinstance(output, str) and output else []


def _json(value: object) -> Any:
    """Return a value that exports write as JSON text, a text that is none as it is."""
    parsed = lenient_json.value(value) if isinstance(value, str) else value
    return value if parsed is None else parsed
