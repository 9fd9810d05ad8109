"""Trajectories of mini-swe-agent: `*.traj.json`, one run a file.

What the numbers mean, and what is counted once:
- Every message that has `extra.response` is one model call, whoever is said to say it: an answer that was
  refused for its form is billed, and stands in the log as a message of the user.
- `usage` is that of OpenAI's Chat interface: `prompt_tokens` holds what was cached. Providers behind LiteLLM
  and OpenRouter tell it the same way.
- `extra.cost`, in older files `usage.cost`, is what the client or OpenRouter makes of it, kept as recorded.
- The prompt is what the file shows: the system message and all before the call; tools are not in it.
- Older files tell no time of a call but that of the response, in whole seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from costscan.formats.agents import blocks, chat, chat_usage
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import Format, LogFile
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are trajectories of mini-swe-agent."""
    return any(map(_is_trajectory, objects))


def _is_trajectory(line: Mapping[str, Any]) -> bool:
    form = line.get("trajectory_format")
    named = isinstance(form, str) and form.startswith("mini-swe-agent")
    return isinstance(line.get("messages"), list) and (
        named or "model_stats" in blocks.mapping_in(line, "info")
    )


def read(file: LogFile, rows: Rows) -> None:
    """Read one trajectory."""
    runs = Runs(file, rows, FORMAT.name)
    feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(runs, file, at, line))
    runs.finish()


FORMAT = Format(
    name="mini_swe_agent",
    expected='mini-swe-agent trajectories such as {"trajectory_format":…,"info":…,"messages":[…]}',
    sniff=sniff,
    read=read,
)


def _taken(runs: Runs, file: LogFile, at: int, line: Mapping[str, Any]) -> bool:
    if not _is_trajectory(line):
        return False
    instance = blocks.word(line.get("instance_id"))
    run = runs.of(f"{file.path}:{at}")
    run.task = instance and "mini-swe-agent"
    model = blocks.mapping_in(line, "info", "config", "model").get("model_name")
    for message in blocks.list_in(line, "messages"):
        if isinstance(message, dict):
            _add(run, at, message, model)
    return True


def _add(run: Run, at: int, message: Mapping[str, Any], model: object) -> None:
    response = blocks.mapping_in(message, "extra", "response")
    role = message.get("role")
    if response:
        run.called(_told(at, message, response, model), chat.answer_of(response))
    if role == "system":
        run.system(at, blocks.text_of(message.get("content")))
    elif not (response and role == "assistant"):
        said = chat.message_of(message)
        run.asks(at, said.blocks, by_person=not run.thread.calls)


def _told(at: int, message: Mapping[str, Any], response: Mapping[str, Any], model: object) -> ToldCall:
    extra, usage = blocks.mapping_in(message, "extra"), blocks.mapping_in(response, "usage")
    when = extra.get("timestamp", response.get("created"))
    return ToldCall(
        line=at,
        model=response.get("model") or model,
        counters=chat_usage.counters_of(usage),
        ended=str(when) if isinstance(when, int | float) else None,
        message_id=blocks.word(response.get("id")),
        stop_reason=chat.stop_of(response) or "end_turn",
        tier=blocks.word(response.get("service_tier")),
        recorded_usd=extra.get("cost", usage.get("cost")),
    )
