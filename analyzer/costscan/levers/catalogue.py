"""The levers and their parts, each declared once: its name, what it may change, whether it is on.

What a part takes for granted stands with the figures it is about (`summary.assumptions`); what it changes is
told in docs/levers.md.
"""

from dataclasses import dataclass
from typing import Final

RISKS: Final = ("none", "low", "latency", "needs-eval")
"""What a scenario may change beside the cost, from nothing to the answers: docs/levers.md."""
NONE, LOW, LATENCY, NEEDS_EVAL = RISKS
TO_BE_TESTED: Final = frozenset({LATENCY, NEEDS_EVAL})
"""The risks of what may change answers, or when they come."""
MEASURED: Final = "measured: "
"""How the risk of an action begins whose answers a trial compared."""
SUMMARY_TOKENS: Final = 3000
"""A summary of an agent's history; those of Claude Code have about 2,000 to 4,000."""
ALL: Final = "all"
"""The scenario of all levers together."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a lever, priced alone too.

    Attributes:
        name: its name; its scenario is LEVER/NAME.
        risk: what it may change; None for the risk of its lever.
        is_on: its lever has it unless that is set otherwise.
    """

    name: str
    risk: str | None = None
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Lever:
    """A lever with its parts; its scenario is called like it.

    Attributes:
        name: its name.
        risk: what it may change.
        parts: its parts, in the order in which they are applied.
        keeps_prompts: it leaves what is sent as it is, and changes what that is billed at.
    """

    name: str
    risk: str
    parts: tuple[Part, ...]
    keeps_prompts: bool = True

    @property
    def part_names(self) -> tuple[str, ...]:
        """The names of its parts."""
        return tuple(part.name for part in self.parts)

    def parts_off(self, on: tuple[str, ...] | None = None) -> frozenset[str]:
        """Return the scenarios of the parts it does not have; `on` names those it has, if that is set."""
        kept = {part.name for part in self.parts if part.is_on} if on is None else set(on)
        return frozenset(f"{self.name}/{name}" for name in self.part_names if name not in kept)


CACHING: Final = Lever(
    "caching",
    NONE,
    (Part("fix-prefix"), Part("breakpoints"), Part("ttl"), Part("explicit-cache", is_on=False)),
)
TRIMMING: Final = Lever(
    "trimming",
    LOW,
    (
        Part("cap-tool-results"),
        Part("defer-unused-tools"),
        Part("drop-repeated-results", NONE, is_on=False),
        Part("resize-images", is_on=False),
        Part("prune-at-task-boundary", NEEDS_EVAL, is_on=False),
        Part("context-editing", NEEDS_EVAL, is_on=False),
        Part("compact-history", NEEDS_EVAL, is_on=False),
    ),
    keeps_prompts=False,
)
ROUTING: Final = Lever("routing", NEEDS_EVAL, (Part("turns"), Part("runs"), Part("effort", is_on=False)))
BATCHING: Final = Lever("batching", LATENCY, (Part("async"), Part("pack-items", NEEDS_EVAL)))
CATALOGUE: Final = (CACHING, TRIMMING, ROUTING, BATCHING)

_RISK: Final = {
    **{lever.name: lever.risk for lever in CATALOGUE},
    **{f"{lever.name}/{part.name}": part.risk or lever.risk for lever in CATALOGUE for part in lever.parts},
    ALL: max((lever.risk for lever in CATALOGUE), key=RISKS.index),
}


def is_to_be_tested(risk: str) -> bool:
    """Whether what has this risk may change answers, or when they come, be it measured how much or not."""
    return risk in TO_BE_TESTED or risk.startswith(MEASURED)


def risk_of(scenario: str) -> str:
    """Return what a scenario may change beside the cost: one of `RISKS`."""
    return _RISK[scenario]
