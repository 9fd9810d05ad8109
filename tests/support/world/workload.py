"""Workloads: what agents do, what varies in their prompts, and what their client marks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, cast

from mishaps import behind, disordered, varying
from world.agents import Shape, agents
from world.calls import Calls
from world.marks import Policy, at_ends


class Spoiled(NamedTuple):
    """Calls with what breaks their prefix, without it, and what would stand behind everything instead."""

    before: Calls
    sound: Calls
    values: list[str]


def sound(calls: Calls) -> Spoiled:
    return Spoiled(calls, calls, [])


def value(kind: str, path: str, *, per_run: bool = False) -> Callable[[Calls], Spoiled]:
    """Have something in a text that is another in each call, or in each run."""

    def made(calls: Calls) -> Spoiled:
        it: Any = varying(cast("Any", calls), kind, path, per_run=per_run)
        return Spoiled(it.before, it.sound, it.values)

    return made


def order(what: str) -> Callable[[Calls], Spoiled]:
    """Send something in another order each time."""

    def made(calls: Calls) -> Spoiled:
        it: Any = disordered(cast("Any", calls), what)
        return Spoiled(it.before, it.sound, [])

    return made


@dataclass(frozen=True)
class Workload:
    """What is logged as one task.

    Attributes:
        name: of the task.
        shape: what happens.
        policy: what the client marks.
        spoil: what breaks the prefix.
    """

    name: str
    shape: Shape = field(default_factory=Shape)
    policy: Policy = field(default_factory=at_ends)
    spoil: Callable[[Calls], Spoiled] = sound

    @cached_property
    def spoiled(self) -> Spoiled:
        """The calls with nothing marked, with and without what breaks their prefix."""
        return self.spoil(agents(self.name, self.shape))

    @property
    def sent(self) -> Calls:
        """What the client sends."""
        return self.policy(self.spoiled.before)

    def behind(self, calls: Calls) -> Calls:
        """Put what varies behind everything."""
        values, put = self.spoiled.values, cast("Any", behind)
        return [put(call, v) for call, v in zip(calls, values, strict=True)] if values else calls
