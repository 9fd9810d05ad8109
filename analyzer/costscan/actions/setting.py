"""A setting: a part of a lever, made for some runs or for a tool."""

from dataclasses import dataclass, field
from typing import Final

from costscan.actions.measured import Measured
from costscan.levers.catalogue import risk_of

CAP: Final = "trimming/cap-tool-results"
COMPACT: Final = "trimming/compact-history"
CLEAR: Final = "trimming/context-editing"
TTL: Final = "caching/ttl"
FIX_PREFIX: Final = "caching/fix-prefix"
BREAKPOINTS: Final = "caching/breakpoints"
ROUTE: Final = "routing/runs"
ROUTE_TURNS: Final = "routing/turns"
ROUTES: Final = frozenset({ROUTE, ROUTE_TURNS})
ASYNC: Final = "batching/async"
DEFER: Final = "trimming/defer-unused-tools"
PACK: Final = "batching/pack-items"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is set, and for what.

    Attributes:
        part: the scenario of the part of a lever.
        runs: the ids of the runs that it changes.
        task: their task; None for a tool, which all tasks may call.
        agent: their type of sub-agent.
        client: the log format of most of these runs.
        tool: the tool it is set for.
        value: what it is set to: tokens, a TTL, a model.
        saved_usd: what it saves alone, as the scenario of its part has it.
        own_risk: what it may change, where that is not what its part may.
        measured: of calls that go to another model, what a trial measured of its answers.
    """

    part: str
    runs: frozenset[str]
    task: str | None = None
    agent: str | None = None
    client: str = ""
    tool: str | None = None
    value: str | None = None
    saved_usd: float = field(default=0.0, compare=False)
    own_risk: str | None = None
    measured: Measured | None = None

    @property
    def risk(self) -> str:
        """What it may change beside the cost."""
        if self.measured is not None:
            return self.measured.risk
        return self.own_risk or risk_of(self.part)

    @property
    def subject(self) -> str:
        """What it is set for."""
        if self.tool is not None:
            return self.tool
        if self.task is None:
            return f"{self.agent}s" if self.agent else "all sessions"
        return self.task if self.agent is None else f"{self.task} / {self.agent}"


__all__ = [
    "ASYNC",
    "BREAKPOINTS",
    "CAP",
    "CLEAR",
    "COMPACT",
    "FIX_PREFIX",
    "PACK",
    "ROUTE",
    "ROUTES",
    "ROUTE_TURNS",
    "TTL",
    "Setting",
]
