"""The page of a run: its turns, what their prompts carried, what was found, and what actions save of it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.days import on_clocks
from costscan.prices import COST_COLUMNS, usd_of
from costscan.reports.html.carried import BANDS, carried
from costscan.reports.html.columns import Column, Pools, Table, money, text
from costscan.reports.html.tables import FINDING, finding_columns, run_names_of
from costscan.reports.text.numbers import count
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.summary import Summary
from costscan.summary.misses import with_misses
from costscan.summary.runs import IS_MAIN, IS_UNLOGGED

MOST_PAGES: Final = 50
"""The most expensive runs; all of them are in the table of runs."""
MOST_TURNS: Final = 10_000
"""All pages together: about a megabyte and a half."""
TURNS_OF_THREAD: Final = 2_000
THREADS: Final = 9
"""The main thread and the most expensive sub-agents."""
FINDINGS: Final = 50
_ID_CHARS: Final = 200
CLASSES: Final = {
    "cache read": ("cache_read",),
    "cache write": ("cache_write_5m", "cache_write_1h"),
    "fresh input": ("input",),
    "output": ("output",),
}
"""What a turn is billed for, and the meters of each, as the charts stack them."""


def pages(summary: Summary, analysis: Diagnosis, pools: Pools) -> dict[str, Any]:
    """Return the pages, the most expensive run first.

    Turns, bands and findings of all pages stand in one table each, so that a page is a few numbers: where its
    own begin and how many they are. A run is told by its row in the table of runs.
    """
    names = run_names_of(summary)
    chosen = _chosen(summary)
    roots, threads = chosen["root_run_id"].unique(maintain_order=True).to_list(), chosen["run_id"].to_list()
    turns, bands = _turns(summary, analysis, threads), carried(analysis, threads)
    found = _findings(summary, roots)
    spans = {
        "turns": _spans(turns, "run_id"),
        "carried": _spans(bands, "run_id"),
        "findings": _spans(found, "root_run_id"),
    }
    return {
        "most": MOST_PAGES,
        "classes": list(CLASSES),
        "bands": list(BANDS),
        "turns": _turn_table(turns).encoded(pools),
        "carried": bands.drop("run_id").to_dict(as_series=False),
        "findings": Table("run-findings", FINDING, finding_columns(found, names), total="").encoded(pools),
        "runs": [_page(summary, root, chosen.filter(root_run_id=root), names, spans) for root in roots],
    }


def _page(
    summary: Summary,
    root: str,
    threads: pl.DataFrame,
    names: Mapping[str, str],
    spans: Mapping[str, Mapping[str, list[int]]],
) -> dict[str, Any]:
    """Return one page: what is its own, and where its turns, bands and findings stand."""
    saved = summary.saved_of_runs.filter((pl.col("root_run_id") == root) & (pl.col("saved_usd") != 0))
    return {
        "row": summary.runs["run_id"].index_of(root),
        "id": text(root, _ID_CHARS),
        "saved": _saved(saved),
        "threads": [
            _thread(thread, names)
            | {name: spans[name].get(thread["run_id"], [0, 0]) for name in ("turns", "carried")}
            for thread in threads.to_dicts()
        ],
        "missing": _missing(summary, root, threads),
        "findings": spans["findings"].get(root, [0, 0]),
        "found": summary.findings.filter(root_run_id=root).height,
    }


def _spans(frame: pl.DataFrame, column: str) -> dict[str, list[int]]:
    """Return where the rows of each value of a sorted column begin, and how many they are."""
    rows = frame.with_row_index("row").group_by(column, maintain_order=True)
    spans = rows.agg(first=pl.col("row").first(), many=pl.len())
    return {value: [first, many] for value, first, many in spans.select(column, "first", "many").iter_rows()}


def _chosen(summary: Summary) -> pl.DataFrame:
    """Return the threads that are shown: of the most expensive runs whose turns find room."""
    own = summary.threads.filter(~IS_UNLOGGED & (pl.col("turns") > 0))
    ranked = (
        own.sort(~IS_MAIN, maintain_order=True).group_by("root_run_id", maintain_order=True).head(THREADS)
    )
    shown = ranked.with_columns(shown=pl.min_horizontal("turns", pl.lit(TURNS_OF_THREAD)))
    sizes = dict(shown.group_by("root_run_id").agg(pl.col("shown").sum()).iter_rows())
    by_cost = summary.runs.sort("usd", descending=True, nulls_last=True, maintain_order=True)["run_id"]
    roots = list(_that_fit([(run, sizes[run]) for run in by_cost if run in sizes]))
    order = pl.DataFrame({"root_run_id": roots}, schema={"root_run_id": pl.String()})
    return order.join(shown, on="root_run_id", how="left", maintain_order="left_right")


def _that_fit(sizes: Sequence[tuple[str, int]]) -> Iterator[str]:
    room = MOST_TURNS
    for run, turns in sizes[:MOST_PAGES]:
        if turns <= room:
            room -= turns
            yield run


def _saved(saved: pl.DataFrame) -> list[list[Any]]:
    """Return the rank of each action and what it saves of a run, most first."""
    return [[rank, money(usd)] for rank, usd in saved.select("rank", "saved_usd").iter_rows()]


def _missing(summary: Summary, root: str, shown: pl.DataFrame) -> str:
    """Say which threads of a run its page leaves out."""
    left = summary.threads.filter(pl.col("root_run_id") == root).join(shown, on="run_id", how="anti")
    unlogged = int(left.filter(IS_UNLOGGED)["turns"].sum())
    others = left.height - left.filter(IS_UNLOGGED).height
    parts = [
        f"{count(others)} less expensive sub-agents" if others else "",
        f"{count(unlogged)} calls that are not in the log" if unlogged else "",
    ]
    return " and ".join(part for part in parts if part)


def _findings(summary: Summary, roots: Sequence[str]) -> pl.DataFrame:
    """Return the most expensive findings of some runs, those of a run together."""
    order = pl.DataFrame({"root_run_id": list(roots)}, schema={"root_run_id": pl.String()})
    every = order.join(summary.findings, on="root_run_id", maintain_order="left_right")
    return every.group_by("root_run_id", maintain_order=True).head(FINDINGS)


def _turns(summary: Summary, analysis: Diagnosis, threads: Sequence[str]) -> pl.DataFrame:
    """Return the turns that are shown, those of a thread together."""
    own = pl.col("run_id").is_in(list(threads)) & (pl.col("turn") < TURNS_OF_THREAD)
    turns = analysis.turns.filter(own).sort("run_id", "turn")
    on_clock = on_clocks("at", summary.inputs.tz)
    return with_misses(analysis, turns).with_columns(on_clock, prompt_tokens=PROMPT)


def _thread(thread: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    run = thread["run_id"]
    return {
        "name": text(names[run], _ID_CHARS),
        "agent": "" if run == thread["root_run_id"] else text(thread["agent"] or "sub-agent", _ID_CHARS),
        "usd": money(thread["usd"]),
        "calls": thread["turns"],
    }


def _turn_table(turns: pl.DataFrame) -> Table:
    """Return the turns: tokens and dollars of each class, as charts stack them, and what the cache missed."""
    prompt = turns["prompt_tokens"].to_list()
    read = turns["cache_read_tokens"].to_list()
    hit = [r / p if p and r is not None else None for r, p in zip(read, prompt, strict=True)]
    sizes, costs = _classes(turns)
    columns = [
        Column("turn", "count", turns["turn"].to_list()),
        Column("cost", "usd", turns["usd"].to_list()),
        *(Column(name, "tokens", values, give=1 + n // 2) for n, (name, values) in enumerate(sizes.items())),
        Column("cached", "percent", hit, give=3),
        Column("missed", "tokens", [n or None for n in turns["missed_tokens"]], give=3),
        Column("why", "prose", [why or "" for why in turns["why"]], on_demand=True),
        Column("model", "choice", turns["model"].to_list(), give=4),
        Column("began", "time", turns["at"].to_list(), give=5),
        *(Column(f"{name} cost", "usd", values, on_demand=True) for name, values in costs.items()),
    ]
    return Table("turns", ("call", "calls"), columns, sort="turn", rises=True)


def _classes(turns: pl.DataFrame) -> tuple[dict[str, list[int]], dict[str, list[Decimal | None]]]:
    sizes = turns.select(
        pl.sum_horizontal(*(f"{meter}_tokens" for meter in meters), ignore_nulls=False).alias(name)
        for name, meters in CLASSES.items()
    )
    classes = {**CLASSES, "web searches": ("web_search",)} if turns["web_searches"].sum() else CLASSES
    costs = turns.select(
        usd_of(pl.sum_horizontal(*(COST_COLUMNS[m] for m in meters), ignore_nulls=False)).alias(name)
        for name, meters in classes.items()
    )
    return sizes.to_dict(as_series=False), costs.to_dict(as_series=False)
