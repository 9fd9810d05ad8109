"""Trajectories of SWE-agent (`*.traj`): the calls of a run and what was said, and what they cost in all.

What the numbers mean, and what is counted once:
- `info.model_stats.api_calls` counts the calls, and `history` shows what each was sent and wrote, messages of
  a demonstration apart: those were no calls. No file says what a call alone used, when it was made, or what
  of it was cached: the usage of each is unknown. The model is that of `replay_config`, since 1.0.
- `info.model_stats.instance_cost` is what a run cost by the price list of the client, since 1.0 by that of
  LiteLLM: kept as recorded, beside the bill and never in it.
- `tokens_sent` and `tokens_received` are no usage: since 1.0 they are what LiteLLM's own tokenizer makes of
  the texts, of answers without their tool calls. Before, they were the provider's, and no file says of which
  model.
- A replay counts its calls, too, and tells no tokens. A run that counts none (a demonstration made by hand)
  has none. The same trajectory in several files is counted once; of several attempts, the costs are summed
  above them, and the calls are those of the one that is shown.

Read from `sweagent/agent/models.py` of SWE-agent/SWE-agent. Its sibling `mini_swe_agent` logs each answer.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costscan.formats.agents import blocks, chat
from costscan.formats.agents.runs import Run, Runs, ToldCall, call_of, usd
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import Block, encode, hash_of
from costscan.reading.conversation.usage import nothing_known, number
from costscan.reading.io import lenient_json
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows

_EVENT: Final = "trajectory"
_MOST_CALLS: Final = 100_000
"""More calls than any run makes: a larger number is damage."""
_STEPS: Final = frozenset({"action", "observation"})


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are trajectories."""
    return any(map(_is_trajectory, objects))


def _is_trajectory(line: Mapping[str, Any]) -> bool:
    steps = line.get("trajectory")
    if not isinstance(steps, list) or "info" not in line:
        return False
    return "history" in line or any(isinstance(step, dict) and step.keys() >= _STEPS for step in steps)


def read(file: LogFile, rows: Rows) -> None:
    """Read one trajectory."""
    runs = Runs(file, rows, FORMAT.name)
    feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(runs, file, rows, at, line))
    runs.finish()


FORMAT = Format(
    name="swe_agent",
    expected='SWE-agent trajectories such as {"trajectory":[…],"history":[…],"info":{"model_stats":…}}',
    sniff=sniff,
    read=read,
    totals=(_EVENT,),
    endings=(".traj",),
)


def _taken(runs: Runs, file: LogFile, rows: Rows, at: int, line: Mapping[str, Any]) -> bool:
    if not _is_trajectory(line):
        return False
    stats = blocks.mapping_in(line, "info", "model_stats")
    name = f"trajectory {hash_of(encode([line['trajectory'], stats])):x}"
    cost = usd(stats.get("instance_cost"))
    if cost is not None and Decimal(cost):
        row = RecordedRow(session=name, path=file.path, line=at, at=None, event=_EVENT)
        rows.recorded.append(row._replace(part="total", usd=cost, billed="known"))
    calls = number(stats.get("api_calls")) or 0
    if 0 < calls <= _MOST_CALLS:
        _add(runs.of(name), at, line, calls)
    return True


def _add(run: Run, at: int, line: Mapping[str, Any], calls: int) -> None:
    """Add the calls of a trajectory: as many as it counts, the last ones without what they wrote."""
    model = _model(line)
    for message in filter(_is_message, blocks.list_in(line, "history")):
        said = chat.message_of({**message, "tool_call_id": _answered(message)}).blocks
        is_demo = message.get("is_demo") is True
        if message.get("role") == "system":
            run.system(at, blocks.text_of(message.get("content")))
        elif message.get("role") != "assistant":
            run.asks(at, said, by_person=not (is_demo or run.thread.calls))
        elif is_demo or len(run.thread.calls) == calls:
            run.carries(at, said)
        else:
            _call(run, at, model, said)
    while len(run.thread.calls) < calls:
        _call(run, at, model)


def _call(run: Run, at: int, model: object, wrote: Sequence[Block] = ()) -> None:
    call = call_of(ToldCall(line=at, model=model, counters=nothing_known(), stop_reason=None))
    made = run.thread.call(call, key=f"call {len(run.thread.calls)}")
    run.thread.wrote(made, at, wrote)


def _is_message(message: object) -> bool:
    return isinstance(message, dict)


def _answered(message: Mapping[str, Any]) -> object:
    return next(iter(blocks.list_in(message, "tool_call_ids")), None)


def _model(line: Mapping[str, Any]) -> object:
    """Return the model that the configuration names: JSON in a text, in newer files; a replay asked none."""
    if not number(blocks.mapping_in(line, "info", "model_stats").get("tokens_sent")):
        return None
    config = line.get("replay_config")
    held = lenient_json.mapping(config) if isinstance(config, str) else config
    return blocks.mapping_in(held, "agent", "model").get("name")
