"""Trajectories of SWE-agent (`*.traj`): what a run cost in all, as the client counts it; no calls.

What the numbers mean, and what is counted once:
- `info.model_stats.instance_cost` is what a run cost by the price list of the client, since 1.0 by that of
  LiteLLM: kept as recorded, beside the bill and never in it. No call is told, and nothing is explained.
- `tokens_sent` and `tokens_received` are no usage: since 1.0 they are what LiteLLM's own tokenizer makes of
  the texts, of answers without their tool calls. Before, they were the provider's, and no file says of which
  model. No version tells what was cached, when a call was made, or what it alone used.
- A run that cost nothing (a demonstration, a replay, a model without a price) tells nothing. The same
  trajectory in several files is counted once; of one of several attempts, the sum of all counts.

Read from `sweagent/agent/models.py` of SWE-agent/SWE-agent. Its sibling `mini_swe_agent` logs each answer.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import usd
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.block import encode, hash_of
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows

_EVENT: Final = "trajectory"
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
    feed_objects(file.on_disk, file.path, rows, lambda at, line: _taken(file, rows, at, line))


FORMAT = Format(
    name="swe_agent",
    expected='SWE-agent trajectories such as {"trajectory":[…],"history":[…],"info":{"model_stats":…}}',
    sniff=sniff,
    read=read,
    totals=(_EVENT,),
    endings=(".traj",),
)


def _taken(file: LogFile, rows: Rows, at: int, line: Mapping[str, Any]) -> bool:
    if not _is_trajectory(line):
        return False
    stats = blocks.mapping_in(line, "info", "model_stats")
    cost = usd(stats.get("instance_cost"))
    if cost is not None and Decimal(cost):
        identity = hash_of(encode([line["trajectory"], stats]))
        row = RecordedRow(session=f"trajectory {identity:x}", path=file.path, line=at, at=None, event=_EVENT)
        rows.recorded.append(row._replace(part="total", usd=cost, billed="known"))
    return True
