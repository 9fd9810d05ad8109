"""Sides of a comparison made by hand: runs as rows, without a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from costscan.gate import ComparisonSide
from costscan.gate.side import NEEDED

METERS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search")
UNITS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


@dataclass
class Spent:
    """Turns of one model at one price: units and USD per million of each meter."""

    model: str = "claude-sonnet-5"
    turns: int = 1
    units: tuple[int, ...] = (1000, 0, 0, 0, 100, 0)
    prices: tuple[Decimal | int | str, ...] = (3, "0.3", "3.75", 6, 15, 10_000)
    tier: str = "standard"

    def row(self) -> dict[str, Any]:
        names = (*UNITS, "output_tokens", "web_searches")
        costs = {
            f"{meter}_usd": Decimal(n) * Decimal(price) / 1_000_000
            for meter, n, price in zip(METERS, self.units, self.prices, strict=True)
        }
        return {
            "provider": "anthropic",
            "model": self.model,
            "tier": self.tier,
            "speed": "standard",
            "geo": None,
            "over_prompt_tokens": 0,
            "turns": self.turns,
            **dict(zip(names, self.units, strict=True)),
            **costs,
        }


@dataclass
class Run:
    """One run, its cost told by what it spent, or given."""

    run_id: str
    task: str = "t"
    spent: Sequence[Spent] = ()
    usd: Decimal | str | None = None
    parts: Sequence[tuple[str, str, int]] = ()
    found: Sequence[tuple[str, str]] = ()
    root: str | None = None
    tool_calls: int = 0
    unpriced_turns: int = 0
    path: str = "runs.jsonl"
    day: str = "2026-11-01"
    extra: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        spend = [spent.row() for spent in self.spent]
        known = sum((row[f"{meter}_usd"] for row in spend for meter in METERS), Decimal(0))
        usd = known if self.usd is None and spend else self.usd
        prompt = sum(row[name] for row in spend for name in UNITS)
        return {
            "run_id": self.run_id,
            "root_run_id": self.root or self.run_id,
            "task": self.task,
            "path": self.path,
            "started_at": self.day,
            "usd": None if usd is None else str(usd),
            "prompt_tokens": prompt,
            "cache_read_tokens": sum(row["cache_read_tokens"] for row in spend),
            "output_tokens": sum(row["output_tokens"] for row in spend),
            "turns": sum(row["turns"] for row in spend) + self.unpriced_turns,
            "tool_calls": self.tool_calls,
            "unpriced_turns": self.unpriced_turns,
            "unreported_turns": 0,
            "findings": len(self.found),
            "spend": spend,
            "parts": [
                {"part": part, "kind": kind, "sent_tokens": sent, "usd": Decimal(0)}
                for part, kind, sent in self.parts
            ],
            "found": [
                {"name": name, "fingerprint": mark, "usd": Decimal(1), "message": f"{name} found"}
                for name, mark in self.found
            ],
            **self.extra,
        }


def side(*runs: Run, name: str = "side", basis: dict[str, str] | None = None) -> ComparisonSide:
    """Return a side of these runs."""
    return ComparisonSide(
        name, _frame(runs, NEEDED), basis or {"costscan_version": "1", "prices_as_of": "2026-11-01"}
    )


def threads(*runs: Run) -> pl.DataFrame:
    """Return the rows of a report of schema 1, in which sub-agents stand beside their run."""
    return _frame(runs, {"root_run_id": pl.String(), **NEEDED})


def _frame(runs: Sequence[Run], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    made = {name: kind for name, kind in schema.items() if name not in {"usd", "started_at"}}
    frame = pl.DataFrame(
        [run.row() for run in runs], schema={**made, "usd": pl.String, "started_at": pl.String}, orient="row"
    ).with_columns(
        pl.col("usd").cast(NEEDED["usd"]),
        pl.col("started_at").str.to_datetime("%Y-%m-%d", time_zone="UTC", time_unit="us"),
    )
    return frame.select(*schema)


def costing(*costs: float | str, task: str | None = "t", ids: str = "r") -> ComparisonSide:
    """Return a side of runs with these costs, all of one task, or each of its own (None)."""
    return side(
        *(
            Run(f"{ids}{n}", task if task is not None else f"t{n}", usd=str(usd))
            for n, usd in enumerate(costs)
        )
    )
