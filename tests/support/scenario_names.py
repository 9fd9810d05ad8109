"""The names of scenarios, written out: a program that forgets one is found out."""

from itertools import combinations
from typing import Final

LEVERS: Final = ("caching", "trimming", "routing", "batching")
SETS: Final = ["+".join(some) for n in range(1, 5) for some in combinations(LEVERS, n)]
PARTS: Final = [
    "caching/fix-prefix",
    "caching/breakpoints",
    "caching/ttl",
    "caching/explicit-cache",
    "trimming/cap-tool-results",
    "trimming/defer-unused-tools",
    "trimming/drop-repeated-results",
    "trimming/resize-images",
    "trimming/prune-at-task-boundary",
    "trimming/context-editing",
    "trimming/compact-history",
    "routing/turns",
    "routing/runs",
    "batching/async",
    "batching/pack-items",
]
