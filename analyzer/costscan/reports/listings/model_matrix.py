"""The matrix of runs and models, on the terminal and as JSON."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import polars as pl
from rich.text import Text

from costscan.reports.analysis.tables import run_names
from costscan.reports.text.json import line_of, plain
from costscan.reports.text.numbers import count, percent, plural, usd, usd_column
from costscan.reports.text.sanitize import inert, wrapped
from costscan.reports.text.table import Column, table
from costscan.scenarios.whatif import costs_on, without_promise

_ROWS = 20


def matrix(runs: pl.DataFrame, models: Sequence[str], *, top: int | None, width: int) -> list[Text]:
    """Return a row per run, its sub-agents included, with what it cost and would have cost on each model.

    The last row has the sums.

    Args:
        runs: from `scenarios.whatif.what_if`.
        models: its columns.
        top: at most so many runs.
        width: columns to fill.
    """
    shown = runs.head(top or _ROWS)
    rows = shown.to_dicts()
    sums = {name: _sum(runs[name]) for name in ("usd", *models)}
    names = [*run_names(rows, runs["run_id"].to_list()), f"all {plural(runs.height, 'run')}"]
    columns = [
        Column("run", names, name=True, style="bold"),
        Column("calls", [*(count(row["turns"]) for row in rows), count(int(runs["turns"].sum()))], give=2),
        Column("billed", usd_column([*(row["usd"] for row in rows), sums["usd"]]), style="bold"),
        *(Column(name, usd_column([*(row[name] for row in rows), sums[name]])) for name in models),
        Column("task", [*(inert(row["task"]) for row in rows), ""], name=True, prose=True, give=1),
    ]
    return [
        *table(columns, width),
        *_left(runs, shown),
        *_stays(runs, models, width),
        *_shares(runs, models, width),
        *_unpromised(models, width),
    ]


def _left(runs: pl.DataFrame, shown: pl.DataFrame) -> list[Text]:
    more = runs.height - shown.height
    return [Text(f"  … {plural(more, 'more run')}, counted in the sums", style="dim")] if more else []


def _stays(runs: pl.DataFrame, models: Sequence[str], width: int) -> list[Text]:
    counts = {name: int(runs[f"staying {name}"].sum()) for name in models}
    sentences = [
        f"{plural(n, 'call')} cannot move to {name} and stay as billed: too large for it, with audio, in no "
        "line of the log, without a price, or of a model that is not known"
        for name, n in counts.items()
        if n
    ]
    return [
        Text(f"  {line}", style="yellow") for sentence in sentences for line in wrapped(sentence, width - 2)
    ]


def _shares(runs: pl.DataFrame, models: Sequence[str], width: int) -> list[Text]:
    billed = _sum(runs["usd"])
    changes = []
    for name in models:
        cost, *ends = (_sum(runs[column]) for column in costs_on(name))
        if billed and cost is not None:
            changes.append(f"{name} {_change(cost, billed)}{_range(ends, billed)}")
    told = f"against what was billed ({usd(billed)}): {' · '.join(changes)}"
    return [Text(f"  {line}", style="dim") for line in wrapped(told, width - 2)] if changes else []


def _unpromised(models: Sequence[str], width: int) -> list[Text]:
    """Say of models whose cache promises nothing what is taken for granted of it."""
    named = without_promise(models)
    if not named:
        return []
    said = (
        f"the cache of {', '.join(named)} promises no hits: none are expected; at the low end all that was "
        "sent before is read from it"
    )
    return [Text(f"  {line}", style="dim") for line in wrapped(said, width - 2)]


def _change(cost: Decimal, billed: Decimal) -> str:
    change = float(cost / billed) - 1
    return f"{'+' if change > 0 else '-'}{percent(abs(change))}"


def _range(ends: Sequence[Decimal | None], billed: Decimal) -> str:
    """Say between what a cost lies; nothing where both ends round to the same."""
    low, high = (_change(end, billed) if end is not None else "" for end in ends)
    return "" if low == high else f" ({low} to {high})"


def _sum(costs: pl.Series) -> Decimal | None:
    return None if costs.null_count() == costs.len() else Decimal(costs.sum())


def encoded(runs: pl.DataFrame, models: Sequence[str]) -> bytes:
    """Return the matrix as JSON: the models, those whose cache promises no hits, and a row per run."""
    rows = [
        {
            **{name: row[name] for name in ("run_id", "task", "models", "turns", "usd")},
            "usd_on": {name: row[name] for name in models},
            "usd_range_on": {name: [row[end] for end in costs_on(name)[1:]] for name in models},
            "turns_staying": {name: row[f"staying {name}"] for name in models},
        }
        for row in plain(runs)
    ]
    document = {"models": list(models), "models_without_promised_hits": without_promise(models), "runs": rows}
    return msgspec.json.format(line_of(document).encode(), indent=2) + b"\n"
