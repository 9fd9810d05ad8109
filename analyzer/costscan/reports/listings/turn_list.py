"""Some turns of a run one by one: when, what each sent, read, wrote and cost, and what happened there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.errors import CostscanError
from costscan.reports.listings.turn_chart import cut_note, miss_note
from costscan.reports.text.numbers import plural, tokens, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary.story import Story
from costscan.times import Span
from costscan.zones import shown

_SIZES: Final = {
    "input": "prompt_tokens",
    "read": "cache_read_tokens",
    "written": "written_tokens",
    "output": "output_tokens",
}


def turn_list(story: Story, span: Span, width: int, tz: str) -> list[Text]:
    """Return a line for each of some turns.

    Raises:
        CostscanError: the run has none of them.
    """
    upto = story.turns.height if span.last is None else span.last
    rows = story.turns.filter(pl.col("turn").is_between(span.first, upto)).to_dicts()
    if not rows:
        had = plural(story.turns.height, "turn")
        raise CostscanError(f"--turns {span.words}: this run has {had}", "they are counted from 0")
    models = {row["model"] for row in rows}
    columns = [
        Column("turn", [str(row["turn"]) for row in rows]),
        Column("at", [f"{shown(row['at'], tz):%m-%d %H:%M:%S}" if row["at"] else "" for row in rows], give=2),
        *([Column("model", [inert(row["model"]) for row in rows], name=True)] if len(models) > 1 else []),
        Column("cost", usd_column(row["usd"] for row in rows)),
        *(Column(head, [tokens(row[name]) for row in rows], give=3) for head, name in _SIZES.items()),
        Column("what happened", _happened(story, rows), name=True, prose=True),
    ]
    return table(columns, width)


def _happened(story: Story, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, per turn, what left the context, what was not read from the cache, and the tools it called."""
    tools: dict[int, Counter[str]] = {}
    for turn, tool in story.calls.iter_rows():
        tools.setdefault(turn, Counter())[tool] += 1
    said = []
    for row in rows:
        one = {**row, "misses": int(row["missed_tokens"] > 0), "cuts": int(row["cut_tokens"] > 0)}
        one["why"] = [row["why"]] if row["why"] else []
        called = (
            f"{n}x {inert(name)}" if n > 1 else inert(name) for name, n in tools.get(row["turn"], {}).items()
        )
        cut = f"{note} left the context" if (note := cut_note(one)) else ""
        said.append(" · ".join(filter(None, (cut, miss_note(one), ", ".join(called)))))
    return said
