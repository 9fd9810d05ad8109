"""Trajectories in the Agent Trajectory Interchange Format (ATIF) of Harbor, of versions 1.0 to 1.7.

What the numbers mean, and what is counted once:
- A step of the agent that has `metrics` is one model call, and one without is a part of the call before it. A
  step that says `is_copied_context` was billed where it was copied from, and one that says that no model was
  called (`llm_call_count: 0`) is no call. A step of several calls tells their sum.
- `prompt_tokens` hold what was cached (`cached_tokens`), and by the specification what was written to the
  cache, which is in `metrics.extra` alone. Older converters left the writes out: where they do not fit into
  the prompt of one step, they stand beside it in all steps of the trajectory.
- Writes without a split are 5-minute ones; agents that leave them out hide them in the fresh input. A step
  without `cached_tokens` read nothing where other steps or the totals have them; where none has, what was
  cached is unknown, and only the output is billed.
- `cost_usd` is what the agent or its library makes of it, kept as recorded and never billed.
- `final_metrics` tell of a trajectory as a whole: what they have beyond its steps is billed as `unlogged`, if
  it has one model.
- A trajectory is a run, and those inside it, and what Harbor marks as a side chain, are runs under it. A
  sub-agent that has a file of its own is a run of its own: nothing in the file says who started it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from costscan.formats.agents import blocks, chat, step_usage
from costscan.formats.agents.runs import Run, Runs, ToldCall, usd
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block
from costscan.reading.conversation.usage import number
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are trajectories."""
    return any(map(_is_trajectory, objects))


def _is_trajectory(line: Mapping[str, Any]) -> bool:
    version = line.get("schema_version")
    return isinstance(version, str) and version.startswith("ATIF") and isinstance(line.get("steps"), list)


def read(file: LogFile, rows: Rows) -> None:
    """Read the trajectories of a file, which mostly has one."""
    reading = _Reading(file, rows)
    feed_objects(file.on_disk, file.path, rows, reading.take)
    reading.runs.finish()


FORMAT = Format(
    name="atif",
    expected='ATIF trajectories such as {"schema_version":"ATIF-v1.6","agent":…,"steps":[{"metrics":…}]}',
    sniff=sniff,
    read=read,
)


class _Place(NamedTuple):
    """Where a trajectory stands: its line, its run, and the topmost run above it."""

    line: int
    run: Run
    root: str


class _Reading:
    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._file, self._rows = file, rows
        self.runs = Runs(file, rows, FORMAT.name)

    def take(self, at: int, line: Mapping[str, Any]) -> bool:
        """Add one trajectory; False for what is none."""
        if not _is_trajectory(line):
            return False
        self._add(at, line, None)
        return True

    def _add(self, at: int, line: Mapping[str, Any], above: _Place | None) -> None:
        own = blocks.word(line.get("trajectory_id")) or blocks.word(line.get("session_id"))
        otherwise = f"{self._file.path}:{at}" if above is None else f"{above.run.run_id}/sub-agent"
        run = self.runs.of(own or otherwise)
        if above is not None and run is not above.run:
            run.parent, run.root = above.run.run_id, above.root
        place = _Place(at, run, run.root or run.run_id)
        agent = blocks.mapping_in(line, "agent")
        run.agent = None if above is None else blocks.word(agent.get("name"))
        run.prompt(at, chat.prompt_of(None, agent.get("tool_definitions")))
        steps = [step for step in blocks.list_in(line, "steps") if isinstance(step, dict)]
        way = step_usage.way_of([_metrics(s) for s in steps], blocks.mapping_in(line, "final_metrics"))
        _Steps(self.runs, place, agent.get("model_name"), way).add(steps)
        if above is None:
            self._rows.recorded.extend(_totals(place, self._file.path, line))
        for inside in blocks.list_in(line, "subagent_trajectories"):
            if isinstance(inside, dict):
                self._add(at, inside, place)


class _Steps:
    """The steps of a trajectory, and the runs that they belong to."""

    def __init__(self, runs: Runs, place: _Place, model: object, way: step_usage.Way) -> None:
        self._runs, self._place, self._model, self._way = runs, place, model, way
        self._last: dict[str, int] = {}

    def add(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Add steps to their runs."""
        for n, step in enumerate(steps, 1):
            run, source = self._run_of(step), step.get("source")
            if source == "agent":
                self._agent(run, n, step)
            elif source == "system" and not run.thread.calls:
                for block in chat.content_of(step.get("message")):
                    run.system(self._place.line, block.text or "")
            else:
                run.asks(
                    self._place.line, chat.content_of(step.get("message")), by_person=not run.thread.calls
                )
            run.asks(self._place.line, _results(step), by_person=False)

    def _run_of(self, step: Mapping[str, Any]) -> Run:
        extra, own = blocks.mapping_in(step, "extra"), self._place.run
        if extra.get("is_sidechain") is not True:
            return own
        name = blocks.word(extra.get("agent_id")) or "side chain"
        run = self._runs.of(f"{own.run_id}/{name}")
        run.parent, run.root = own.run_id, self._place.root
        return run

    def _agent(self, run: Run, n: int, step: Mapping[str, Any]) -> None:
        wrote = _wrote(step)
        if is_call(step):
            told = _told(self._place, n, step, self._model, self._way)
            self._last[run.run_id] = run.called(told, wrote)
        elif step.get("is_copied_context") is not True and run.run_id in self._last:
            run.thread.wrote(self._last[run.run_id], self._place.line, wrote)
        else:
            run.carries(self._place.line, wrote)


def is_call(step: Mapping[str, Any]) -> bool:
    """Whether a step is a model call that is billed here."""
    if step.get("source") != "agent" or step.get("is_copied_context") is True:
        return False
    return number(step.get("llm_call_count")) != 0 and step_usage.tells_usage(_metrics(step))


def _metrics(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return blocks.mapping_in(step, "metrics")


def _told(place: _Place, n: int, step: Mapping[str, Any], model: object, way: step_usage.Way) -> ToldCall:
    metrics = _metrics(step)
    extra = blocks.mapping_in(metrics, "extra")
    return ToldCall(
        line=place.line,
        model=step.get("model_name") or model,
        counters=step_usage.counters_of(metrics, way),
        ended=blocks.word(step.get("timestamp")),
        message_id=f"{place.run.run_id} step {step.get('step_id', n)}",
        stop_reason="tool_use" if step.get("tool_calls") else "end_turn",
        tier=blocks.word(extra.get("service_tier")),
        speed=blocks.word(extra.get("speed")),
        geo=blocks.word(extra.get("inference_geo")),
        effort=blocks.word(step.get("reasoning_effort")),
        recorded_usd=metrics.get("cost_usd") or None,
    )


def _wrote(step: Mapping[str, Any]) -> list[Block]:
    thought = step.get("reasoning_content")
    out = [blocks.thinking(thought)] if thought else []
    out += chat.content_of(step.get("message"))
    calls = [call for call in blocks.list_in(step, "tool_calls") if isinstance(call, dict)]
    return out + [
        blocks.tool_use(call.get("function_name"), call.get("tool_call_id"), call.get("arguments"))
        for call in calls
    ]


def _results(step: Mapping[str, Any]) -> list[Block]:
    observed = blocks.list_in(step.get("observation"), "results")
    results = [result for result in observed if isinstance(result, dict) and result.get("content")]
    return [blocks.tool_result(r.get("source_call_id"), chat.joined(r.get("content"))) for r in results]


def _all_steps(line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a trajectory and of those inside it."""
    yield from (step for step in blocks.list_in(line, "steps") if isinstance(step, dict))
    for inside in blocks.list_in(line, "subagent_trajectories"):
        yield from _all_steps(inside)


def _totals(place: _Place, path: str, line: Mapping[str, Any]) -> Iterator[RecordedRow]:
    """Yield what a trajectory cost in all and, where it has one model, what it used."""
    final, steps = blocks.mapping_in(line, "final_metrics"), list(_all_steps(line))
    times = [at for step in steps if (at := time_of(blocks.word(step.get("timestamp")))) is not None]
    at = max(times, default=None)
    row = RecordedRow(session=place.root, path=path, line=place.line, at=at, event="final_metrics")
    cost = usd(final.get("total_cost_usd") or None)
    if cost is not None:
        yield row._replace(part="total", usd=cost)
    own = blocks.word(blocks.mapping_in(line, "agent").get("model_name"))
    models = {blocks.word(step.get("model_name")) or own for step in steps if is_call(step)} or {own}
    model = models.pop() if len(models) == 1 else None
    is_copy = any(step.get("is_copied_context") is True for step in steps)
    told = any(final.get(f"total_{name}_tokens") is not None for name in ("prompt", "completion"))
    if model is not None and told and not is_copy:
        counted = step_usage.total_of(final, [_metrics(step) for step in steps if is_call(step)])
        yield row._replace(
            part="model",
            model_raw=model,
            input_tokens=counted.input_tokens,
            cache_read_tokens=counted.cache_read_tokens,
            cache_write_tokens=counted.cache_write_5m_tokens,
            output_tokens=counted.output_tokens,
            web_searches=0,
        )
