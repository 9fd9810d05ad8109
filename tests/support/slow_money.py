"""What findings cost, worked out turn by turn and token by token: the reference for `rulebook/pricing.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import polars as pl

from costscan.analysis import Analysis

Row = Mapping[str, Any]
METERS = ("cache_read", "cache_write_1h", "cache_write_5m", "input")
ALL = (*METERS, "output", "web_search")
PICO = 10**12


@dataclass
class SlowTurn:
    """A turn: its counters and its unit prices in pico-dollars, None where unknown."""

    units: dict[str, int]
    prices: dict[str, int | None]
    carried: int

    @property
    def pico(self) -> int | None:
        """The cost of the turn."""
        used = [(n, self.prices[meter]) for meter, n in self.units.items() if n]
        return None if any(price is None for _, price in used) else sum(n * (price or 0) for n, price in used)

    def each_token(self) -> list[int]:
        """The price of every token of the prompt, in order."""
        return [price for meter in METERS for price in [self.prices[meter] or 0] * self.units[meter]]

    @property
    def again(self) -> Fraction:
        """What a token that had been sent before paid, on average: the prompt begins with those.

        Where none had been, what any token of the prompt paid.
        """
        paid = self.each_token()[: self.carried or None]
        return Fraction(sum(paid), len(paid)) if paid else Fraction(0)


@dataclass
class SlowRun:
    """A run: its turns and its blocks, in the order of the prompt."""

    turns: list[SlowTurn] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)

    def spent(self, first: int, after: int) -> Fraction | None:
        """The cost of the turns from `first` up to `after`."""
        costs = [turn.pico for turn in self.turns[first:after]]
        return None if None in costs else Fraction(sum(cost or 0 for cost in costs), PICO)

    def again(self, first: int, after: int) -> Fraction:
        """What a token that was carried through these turns paid."""
        return sum((turn.again for turn in self.turns[first:after]), Fraction(0)) / PICO

    def of_block(self, number: int, turn: int) -> Fraction:
        """What the tokens of a block cost in one turn, at their places in its prompt."""
        inside = [b for b in self.blocks if b["turn_in"] <= turn < b["turn_out"]]
        at = sum(b["tokens"] for b in inside[: [b["block"] for b in inside].index(number)])
        paid = self.turns[turn].each_token()[at : at + self.blocks_by[number]["tokens"]]
        return Fraction(sum(paid), PICO)

    @property
    def blocks_by(self) -> dict[int, dict[str, Any]]:
        """The blocks by their numbers."""
        return {block["block"]: block for block in self.blocks}


def slow_runs(x: Analysis) -> dict[str, SlowRun]:
    """Return the runs of an analysis, its reading still open."""
    runs: dict[str, SlowRun] = {}
    carried = {(r, t): n for r, t, n in x.growth.select("run_id", "turn", "carried_tokens").iter_rows()}
    # What a turn wrote and does not tell is in no sum.
    turns = x.turns.hstack(x.unit).with_columns(pl.col("output_tokens").fill_null(0))
    for row in turns.sort("run_id", "turn").iter_rows(named=True):
        units = {meter: row[f"{meter}_tokens"] for meter in (*METERS, "output")}
        units["web_search"] = row["web_searches"]
        prices = {meter: row[f"pico_{meter}"] for meter in ALL}
        found = SlowTurn(units, prices, carried[row["run_id"], row["turn"]])
        runs.setdefault(row["run_id"], SlowRun()).turns.append(found)
    blocks = x.blocks.collect().sort("run_id", "block")
    costs = x.block_costs.collect().drop("skill", "content")
    for row in blocks.join(costs, on=["run_id", "block"]).sort("run_id", "block").iter_rows(named=True):
        runs[row["run_id"]].blocks.append(row)
    for run in runs.values():
        run.blocks.sort(key=_place)
    return runs


def _place(block: Row) -> tuple[int, bool, int]:
    """What is hidden at the beginning stands before all else."""
    return (block["turn_in"], not (block["kind"] == "hidden" and block["layer"] == "system"), block["block"])


def priced(run: SlowRun, how: str, found: Sequence[Row]) -> list[Fraction | None]:
    """Return what findings of one run cost, each for itself: nothing is left out."""
    return [_WAYS[how](run, row) for row in found]


def _part(run: SlowRun, row: Row) -> Fraction:
    have = run.blocks_by[row["block"]]["tokens"]
    return min(max(Fraction(row["tokens"], max(have, 1)), Fraction(0)), Fraction(1))


def _block(run: SlowRun, row: Row) -> Fraction | None:
    block = run.blocks_by[row["block"]]
    if run.spent(block["turn_in"], block["turn_out"]) is None:
        return None
    return Fraction(block["entry_usd"] + block["carried_usd"]) * _part(run, row)


def _ride(run: SlowRun, row: Row) -> Fraction | None:
    block = run.blocks_by[row["block"]]
    again, end = block["turn_in"] + 1, block["turn_out"]
    if run.spent(again, end) is None:
        return None
    whole = run.again(again, end)
    late = run.again(max(again, row["turn"]), end) / whole if whole else Fraction(0)
    return Fraction(block["carried_usd"]) * _part(run, row) * late


def _turns(run: SlowRun, row: Row) -> Fraction | None:
    return run.spent(row["turn"], row["turn_end"] + 1)


def _prompt(run: SlowRun, row: Row) -> Fraction | None:
    whole = run.spent(row["turn"], row["turn_end"] + 1)
    asked = max(row["tokens"], 0) * run.again(row["turn"], row["turn_end"] + 1)
    return None if whole is None else min(asked, whole)


def _output(run: SlowRun, row: Row) -> Fraction | None:
    turn = run.turns[row["turn"]]
    written = min(max(row["tokens"], 0), turn.units["output"])
    return None if turn.pico is None else Fraction(written * (turn.prices["output"] or 0), PICO)


def _run(run: SlowRun, row: Row) -> Fraction | None:
    whole = run.spent(0, len(run.turns))
    return None if whole is None else whole * Fraction(min(max(row["share"], 0.0), 1.0))


def _moved(turn: SlowTurn, tokens: int, meters: Sequence[str], to: str) -> Fraction | None:
    """What tokens cost more at these meters than at another, as far as there are any."""
    left, more, price = max(tokens, 0), 0, turn.prices[to]
    for meter in meters:
        here = min(left, turn.units[meter])
        if here and price is None:
            return None
        more += here * ((turn.prices[meter] or 0) - (price or 0))
        left -= here
    return None if turn.pico is None else Fraction(more, PICO)


def _unread(run: SlowRun, row: Row) -> Fraction | None:
    meters = ("cache_write_1h", "cache_write_5m", "input")
    turns = run.turns[row["turn"] : row["turn_end"] + 1]
    each = [_moved(turn, row["tokens"], meters, "cache_read") for turn in turns]
    return None if None in each else sum((cost or Fraction(0) for cost in each), Fraction(0))


def _written(run: SlowRun, row: Row) -> Fraction | None:
    meters = ("cache_write_1h", "cache_write_5m")
    return _moved(run.turns[row["turn"]], row["tokens"], meters, "input")


_WAYS = {
    "block": _block,
    "ride": _ride,
    "turns": _turns,
    "prompt": _prompt,
    "output": _output,
    "unread": _unread,
    "written": _written,
    "run": _run,
}


def by_run(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a frame by run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["run_id"], []).append(row)
    return found
