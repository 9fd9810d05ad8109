"""Logs of Inspect AI: `.eval` (a zip of samples) and `.json`.

What the numbers mean, and what is counted once:
- A `model` event with usage is one model call, of a solver or a scorer. Events that Inspect answered from its
  own cache (`cache: "read"`), pending ones and those of models without usage (mocks) are none.
- For every provider `input_tokens` leaves out what was read from or written to the cache, unless
  `total_tokens` says otherwise; writes are one class, taken as 5-minute ones. `reasoning_tokens` are a part
  of `output_tokens`.
- A sample and epoch is a run. Texts stand in the attachments of the sample, prompts also in its pool of
  messages. A log whose run died has no header: its samples count all the same.
- `total_cost` of a usage, where prices were set, is kept as recorded. The probe call that OpenAI runs make
  stands in no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.formats.agents import blocks, chat
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.conversation.token_classes import ANTHROPIC, Told, classes_of
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io import containers, lenient_json
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows

_HEADERS: Final = ("header.json", "_journal/start.json")
_ATTACHED: Final = "attachment://"
_DEEPEST: Final = 20
_ENDS: Final = 2
"""A reference to the pool is where a span begins and where it ends."""


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are logs of Inspect."""
    return any(map(_is_log, objects))


def _is_log(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("eval"), dict) and not {"samples", "stats", "plan"}.isdisjoint(line)


def owns(path: str) -> bool:
    """Whether a file is a zip of samples."""
    if containers.kind_of(path) != containers.ZIP:
        return False
    try:
        return not set(_HEADERS).isdisjoint(containers.archive(path).names())
    except CostscanError:
        return False


def read(file: LogFile, rows: Rows) -> None:
    """Read one log."""
    runs = Runs(file, rows, FORMAT.name)
    if containers.kind_of(file.on_disk) == containers.ZIP:
        for at, (header, sample) in enumerate(_zipped(file, rows), 1):
            _add(runs, at, header, sample)
        rows.bytes_read += Path(file.on_disk).stat().st_size
    else:
        feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(runs, at, line))
    runs.finish()


FORMAT = Format(
    name="inspect",
    expected='Inspect logs, .eval or .json, such as {"eval":…,"samples":[{"events":[…]}]}',
    sniff=sniff,
    read=read,
    owns=owns,
    endings=(".eval",),
)


def _zipped(file: LogFile, rows: Rows) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (header, sample) for the samples of a zip; one that cannot be read is named."""
    archive = containers.archive(file.on_disk)
    names = archive.names()
    header = (
        next((lenient_json.mapping(archive.read(name)) for name in _HEADERS if name in names), None) or {}
    )
    for name in names:
        if not name.startswith("samples/"):
            continue
        rows.lines += 1
        try:
            sample = lenient_json.mapping(archive.read(name))
        except CostscanError as error:
            rows.skip(file.path, None, error.what.removeprefix(f"{file.on_disk}: "))
        else:
            yield header, sample or {}


def _taken(runs: Runs, at: int, line: Mapping[str, Any]) -> bool:
    if not _is_log(line):
        return False
    for sample in blocks.list_in(line, "samples"):
        if isinstance(sample, dict):
            _add(runs, at, line, sample)
    return True


def _add(runs: Runs, at: int, header: Mapping[str, Any], sample: Mapping[str, Any]) -> None:
    evaluated = blocks.mapping_in(header, "eval")
    run = runs.of(f"{evaluated.get('run_id')}/{sample.get('id')}/{sample.get('epoch')}")
    run.task = blocks.word(evaluated.get("task"))
    for n, event in enumerate(blocks.list_in(sample, "events")):
        if isinstance(event, dict) and _is_call(event):
            _called(run, at, event, sample, f"{run.run_id} {n}")


def _is_call(event: Mapping[str, Any]) -> bool:
    is_answered = event.get("event") == "model" and not event.get("pending")
    return is_answered and event.get("cache") != "read" and bool(blocks.mapping_in(event, "output", "usage"))


def _called(run: Run, at: int, event: Mapping[str, Any], sample: Mapping[str, Any], place: str) -> None:
    output = blocks.mapping_in(event, "output")
    usage, response = blocks.mapping_in(output, "usage"), blocks.mapping_in(event, "call", "response")
    is_batch = bool(blocks.mapping_in(event, "config").get("batch"))
    told = ToldCall(
        line=at,
        model=output.get("model") or event.get("model"),
        counters=_counters(usage),
        began=blocks.word(event.get("timestamp")),
        ended=blocks.word(event.get("completed")),
        message_id=blocks.word(event.get("uuid")) or blocks.word(response.get("id")) or place,
        stop_reason=_stop(output) or "end_turn",
        tier="batch" if is_batch else blocks.word(response.get("service_tier")),
        recorded_usd=usage.get("total_cost"),
    )
    run.prompt(at, chat.prompt_of(_texts(_asked(event, sample), sample), event.get("tools")))
    answer = [_texts(choice, sample) for choice in blocks.list_in(output, "choices")]
    run.called(told, chat.answer_of({"choices": answer}))


def _stop(output: Mapping[str, Any]) -> str | None:
    choices = [choice for choice in blocks.list_in(output, "choices") if isinstance(choice, dict)]
    return chat.stop_of({"choices": [{"finish_reason": choice.get("stop_reason")} for choice in choices]})


def _counters(usage: Mapping[str, Any]) -> Counters:
    told = Told(
        input_tokens=number(usage.get("input_tokens")),
        output_tokens=number(usage.get("output_tokens")),
        cache_read_tokens=number(usage.get("input_tokens_cache_read") or 0),
        cache_write_5m_tokens=number(usage.get("input_tokens_cache_write") or 0),
        reasoning_tokens=number(usage.get("reasoning_tokens")),
        total_tokens=number(usage.get("total_tokens")),
    )
    return classes_of(told, ANTHROPIC)


def _asked(event: Mapping[str, Any], sample: Mapping[str, Any]) -> list[Any]:
    """Return the messages of a prompt, which newer logs keep in a pool of the sample."""
    refs = event.get("input_refs")
    if not isinstance(refs, list):
        return blocks.list_in(event, "input")
    pool = blocks.list_in(sample.get("events_data"), "messages")
    lists = [ref for ref in refs if isinstance(ref, list) and len(ref) == _ENDS]
    spans = [ref for ref in lists if all(type(n) is int for n in ref)]
    return [message for start, stop in spans for message in pool[max(start, 0) : max(stop, 0)]]


def _texts(value: Any, sample: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value with the texts of the sample's attachments put in."""
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return blocks.mapping_in(sample, "attachments").get(value.removeprefix(_ATTACHED), value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_texts(item, sample, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _texts(item, sample, depth + 1) for key, item in value.items()}
    return value
