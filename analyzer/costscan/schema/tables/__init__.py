"""The canonical tables by name, declared one file a subject; their order is that of all that shows them."""

from collections.abc import Mapping
from typing import Final

from costscan.schema.column import Table
from costscan.schema.tables.advice import ACTIONS
from costscan.schema.tables.cache import CACHE_USE, GROWTH, MODEL_SWITCHES, PREFIX_BREAKS
from costscan.schema.tables.context import BLOCK_COSTS, BLOCKS, TOOL_CALLS
from costscan.schema.tables.levers import LIFETIMES, ROUTES, SCENARIOS, SINGLE_SHOTS, TURN_WORK
from costscan.schema.tables.runs import BILL, PRICES, RUNS, TURNS
from costscan.schema.tables.trials import TRIAL
from costscan.schema.tables.verdicts import COMPARISON, FINDINGS

TABLES: Final[Mapping[str, Table]] = {
    "runs": RUNS,
    "turns": TURNS,
    "blocks": BLOCKS,
    "tool_calls": TOOL_CALLS,
    "prices": PRICES,
    "bill": BILL,
    "growth": GROWTH,
    "prefix_breaks": PREFIX_BREAKS,
    "model_switches": MODEL_SWITCHES,
    "cache_use": CACHE_USE,
    "block_costs": BLOCK_COSTS,
    "routes": ROUTES,
    "turn_work": TURN_WORK,
    "single_shots": SINGLE_SHOTS,
    "scenarios": SCENARIOS,
    "lifetimes": LIFETIMES,
    "findings": FINDINGS,
    "actions": ACTIONS,
    "comparison": COMPARISON,
    "trial": TRIAL,
}
