"""Runs of LangSmith: what its API, its SDK and its tools give, a list, a line each, or a tree of runs.

What the numbers mean, and what is counted once:
- A run of type `llm` is one model call; one around others whose usage is the sum of theirs is none.
- `usage_metadata` is taken, in the message, in the outputs or in the metadata of the run; else the usage of
  the provider; else the counters that LangSmith keeps of the run.
- `input_tokens` are all that went in, with what was cached, as `input_token_details` tell it. Versions of
  the wrappers left the cache out: where it does not fit in, the call is a lower bound. Without details,
  what was cached is unknown and not billed.
- An answer from LangChain's own store (its `usage_metadata` says a `total_cost` of 0) is no call, nor is a
  run that failed, or is running, without a usage.
- `total_cost` is worked out by LangSmith's own table of models, kept as recorded and never billed.
- A trace is a run. `inputs` are the whole prompt, where they were not hidden.
- Bulk exports are Parquet: a row is a run, with `inputs`, `outputs` and `extra` as JSON text. They have no
  details of the counters that LangSmith keeps: where the outputs tell no usage, what was cached is unknown.
  A trace may go through several files.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from costscan.formats.agents import blocks, langchain
from costscan.formats.agents.langchain import Answer
from costscan.formats.agents.runs import Run, Runs, ToldCall, usd
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.redaction import label
from costscan.reading.conversation.usage import Counters, nothing_known
from costscan.reading.io import lenient_json
from costscan.reading.io.rows import Rows
from costscan.reading.io.tables import ENDINGS, feed_rows


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are runs."""
    return any(_is_run(line) or any(map(_is_run, _listed(line))) for line in objects)


def _is_run(line: object) -> bool:
    if not isinstance(line, dict) or not isinstance(line.get("run_type"), str):
        return False
    return "id" in line and not {"trace_id", "dotted_order", "session_id"}.isdisjoint(line)


def _listed(line: Mapping[str, Any]) -> list[Any]:
    return blocks.list_in(line, "runs")


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of runs."""
    found: dict[str, _Found] = {}

    def take(at: int, line: Mapping[str, Any]) -> bool:
        tops = [line] if _is_run(line) else [run for run in _listed(line) if _is_run(run)]
        for one in _flat(at, tops):
            found[str(one.run.get("id"))] = one
        return bool(tops)

    feed_rows(file.on_disk, file.path, rows, take)
    runs = Runs(file, rows, FORMAT.name)
    for one in _calls(found):
        _add(runs.of(_trace(one.run)), one)
    for one in found.values():
        if one.run.get("parent_run_id") is None and one.run.get("run_type") != "llm":
            runs.of(_trace(one.run)).task = blocks.word(one.run.get("name"))
    runs.finish()


FORMAT = Format(
    name="langsmith",
    expected='LangSmith runs such as {"id":…,"run_type":"llm","trace_id":…,"inputs":…,"outputs":…,"extra":…}',
    sniff=sniff,
    read=read,
    in_tables=True,
    endings=ENDINGS,
)


class _Found(NamedTuple):
    """A run with the line that it stands in, and what it says of its usage."""

    line: int
    run: Mapping[str, Any]
    answer: Answer
    usage: Mapping[str, Any]
    counters: Counters | None


def _flat(at: int, tops: Iterable[object]) -> Iterator[_Found]:
    """Yield runs and those inside them."""
    todo = deque(run for run in tops if isinstance(run, dict))
    while todo:
        run = todo.popleft()
        todo += [inside for inside in blocks.list_in(run, "child_runs") if isinstance(inside, dict)]
        yield _found(at, run)


def _found(at: int, run: Mapping[str, Any]) -> _Found:
    answer = Answer(_object(run.get("outputs")))
    metadata = blocks.mapping_in(_object(run.get("extra")), "metadata")
    usage = answer.usage(metadata)
    return _Found(at, run, answer, usage, _counters(run, answer, usage))


def _counters(run: Mapping[str, Any], answer: Answer, usage: Mapping[str, Any]) -> Counters | None:
    """Return the counters of a run, None where it tells no usage."""
    if usage:
        return langchain.counters_of(usage)
    if own := answer.own_usage():
        return langchain.own_counters(own)
    if not (run.get("prompt_tokens") or run.get("completion_tokens")):
        return None
    return langchain.counters_of(
        {
            "input_tokens": run.get("prompt_tokens"),
            "output_tokens": run.get("completion_tokens"),
            "input_token_details": _json(run.get("prompt_token_details")),
            "output_token_details": _json(run.get("completion_token_details")),
        }
    )


def _calls(found: Mapping[str, _Found]) -> list[_Found]:
    """Return the calls in the order of time."""
    calls = {name: one for name, one in found.items() if _is_call(one)}
    inside: dict[str, list[_Found]] = {}
    for one in calls.values():
        inside.setdefault(str(one.run.get("parent_run_id")), []).append(one)
    own = [one for name, one in calls.items() if not _repeats(one, inside.get(name, ()))]
    return sorted(own, key=lambda one: str(one.run.get("start_time")))


def _is_call(one: _Found) -> bool:
    if one.run.get("run_type") != "llm" or _is_stored(one.usage):
        return False
    failed = one.run.get("error") or one.run.get("status") in ("error", "pending")
    return one.counters is not None or not failed


def _is_stored(usage: Mapping[str, Any]) -> bool:
    cost = usage.get("total_cost")
    return cost is not None and usd(cost) is not None and float(usd(cost) or 1) == 0


def _repeats(one: _Found, inside: Sequence[_Found]) -> bool:
    """Whether a run tells what the calls inside it tell, or nothing."""
    if not inside or one.counters is None:
        return bool(inside)
    each = [i.counters or nothing_known() for i in inside]
    return all(
        sum(getattr(counted, name) or 0 for counted in each) == (getattr(one.counters, name) or 0)
        for name in ("input_tokens", "cache_read_tokens", "output_tokens")
    )


def _add(run: Run, one: _Found) -> None:
    extra = _object(one.run.get("extra"))
    metadata, asked = blocks.mapping_in(extra, "metadata"), blocks.mapping_in(extra, "invocation_params")
    user = blocks.word(metadata.get("user_id"))
    run.user = run.user or (None if user is None else label(user))
    dollars = usd(one.run.get("total_cost"))
    told = ToldCall(
        line=one.line,
        model=one.answer.model or metadata.get("ls_model_name") or asked.get("model"),
        counters=one.counters or nothing_known(),
        began=blocks.word(one.run.get("start_time")),
        ended=blocks.word(one.run.get("end_time")),
        message_id=blocks.word(one.run.get("id")),
        stop_reason=one.answer.stop or "end_turn",
        tier=blocks.word(one.answer.about.get("service_tier")) or langchain.tier_of(one.usage),
        recorded_usd=dollars if dollars and float(dollars) else None,
    )
    prompt = langchain.prompt_of(_object(one.run.get("inputs")), asked.get("tools"))
    if prompt is not None:
        run.prompt(one.line, prompt)
    run.called(told, one.answer.wrote())


def _trace(run: Mapping[str, Any]) -> str:
    return blocks.word(run.get("trace_id")) or str(run.get("id"))


def _object(value: object) -> Mapping[str, Any]:
    parsed = _json(value)
    return parsed if isinstance(parsed, dict) else {}


def _json(value: object) -> Any:
    """Return a value that exports write as JSON text."""
    return lenient_json.value(value) if isinstance(value, str) else value
