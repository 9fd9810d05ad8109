"""The sub-agents of a run on the terminal: a line each, and how to open one."""

import shlex
from collections.abc import Collection, Sequence
from typing import Final

from rich.text import Text

from costscan.recorded_cost.unlogged import SUFFIX
from costscan.reports.text.numbers import count, percent, usd_column
from costscan.reports.text.run_names import handle
from costscan.reports.text.sanitize import inert, wrapped
from costscan.reports.text.table import Column, table
from costscan.summary.story import Story

AGENTS: Final = 8


def sub_agents(
    story: Story, every: Sequence[str], width: int, *, roots: Collection[str], paths: Sequence[str]
) -> list[Text]:
    """Return a line for each of the most expensive threads below a run, under a name that `explain` takes."""
    rows = story.sub_agents.head(AGENTS).to_dicts()
    if not rows:
        return []
    names = [inert(handle(row["run_id"], every, roots)) for row in rows]
    types = ["calls not in the log" if row["run_id"].endswith(SUFFIX) else row["agent"] or "" for row in rows]
    columns = [
        Column("sub-agents", names, name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("", [percent(_share(row["usd"], story.usd)) if row["usd"] else "" for row in rows], give=2),
        Column("calls", [count(row["n_turns"]) for row in rows]),
        Column("findings", [count(row["findings"]) if row["findings"] else "" for row in rows], give=1),
        Column("type", [inert(name) for name in types], name=True),
    ]
    rest = story.sub_agents.height - len(rows)
    more = [Text(f"  … {rest:,} more", style="dim")] if rest else []
    return [*table(columns, width), *more, *_opened(names[0], paths, width)]


def _opened(name: str, paths: Sequence[str], width: int) -> list[Text]:
    words = ["costscan", "explain", name, *(paths or ("PATH",))]
    hint = f"open one: {inert(' '.join(map(shlex.quote, words)))}"
    return [Text(f"  {line}", style="dim") for line in wrapped(hint, width - 2)]


def _share(part: object, whole: object) -> float | None:
    return float(part / whole) if whole else None  # type: ignore[operator]
