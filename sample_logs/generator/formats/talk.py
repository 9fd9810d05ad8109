"""A short talk with a model, billed by the rules of the model's maker, for a log in any format."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from generator import formats, tokens
from generator.blocks import Json, dump
from generator.clock import parse
from generator.dice import Dice

_FRAME = 4
_TOOL_FRAME = 12
_TOKENS_PER_S = 70
_CLAUDE_TAIL = 3
"""Tokens that open the answer; they come after every breakpoint, so they are never cached."""
_CLAUDE_MINIMUM = 512
_OPENAI_STEP = 128
_AUTOMATIC_MINIMUM = 1024


class Price(NamedTuple):
    """USD per million tokens; of these models only those of Anthropic charge for cache writes."""

    fresh: Decimal
    read: Decimal
    written: Decimal
    output: Decimal


USD_PER_MTOK = {
    "claude-sonnet-5-5": Price(Decimal(2), Decimal("0.10"), Decimal("2.5"), Decimal(10)),
    "claude-haiku-5-5": Price(Decimal("0.10"), Decimal("0.01"), Decimal("0.125"), Decimal("0.50")),
    "gpt-5.5": Price(Decimal(5), Decimal("0.50"), Decimal(0), Decimal(30)),
    "gemini-2.5-flash": Price(Decimal("0.30"), Decimal("0.03"), Decimal(0), Decimal("2.50")),
}


@dataclass(frozen=True)
class Step:
    """One call: what is asked before it, what the model answers, and what the tool that it uses gives."""

    text: str
    asked: str = ""
    tool: str = ""
    arguments: Json = field(default_factory=dict)
    result: str = ""
    reasoning: int = 0


@dataclass(frozen=True)
class Scene:
    """Who talks with which model; `hidden` tokens are those of instructions and tools beside `system`."""

    name: str
    model: str
    start: str
    steps: Sequence[Step]
    system: str = ""
    hidden: int = 0


@dataclass(frozen=True)
class Call:
    """A billed call: its tokens by class, its times in milliseconds, and the names of its parts."""

    step: Step
    model: str
    began: int
    ended: int
    fresh: int
    read: int
    written: int
    output: int
    message_id: str
    tool_id: str

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        return self.fresh + self.read + self.written

    @property
    def usd(self) -> Decimal:
        """What it costs at list price."""
        price = USD_PER_MTOK[self.model]
        micro_usd = (
            self.fresh * price.fresh
            + self.read * price.read
            + self.written * price.written
            + self.output * price.output
        )
        return micro_usd / 1_000_000


@dataclass(frozen=True)
class Sample:
    """Log files by their path below the folder of the format, and the calls that they tell."""

    files: Mapping[str, str | bytes]
    calls: Sequence[Call]


def play(scene: Scene) -> list[Call]:
    """Return the calls of a scene, in the order of time."""
    dice = Dice(scene.name)
    now = parse(scene.start)
    prompt, before = scene.hidden + _size(scene.system), 0
    calls: list[Call] = []
    for step in scene.steps:
        prompt += _size(step.asked)
        began = now + dice.between(80, 400)
        output = _answer_size(step)
        ended = began + dice.between(700, 1500) + output * 1000 // _TOKENS_PER_S
        read, written = _cached(scene.model, prompt, before)
        fresh = prompt - read - written
        names = dice.name("", 24), dice.name("", 20)
        calls.append(Call(step, scene.model, began, ended, fresh, read, written, output, *names))
        before = prompt
        prompt += output + _size(step.result)
        now = ended + dice.between(200, 2500) + (0 if step.tool else 9000)
    return calls


def _cached(model: str, prompt: int, before: int) -> tuple[int, int]:
    """Return what a call reads from the cache and writes to it, after one whose prompt it extends."""
    if model.startswith("claude"):
        read = before - _CLAUDE_TAIL if before >= _CLAUDE_MINIMUM else 0
        return read, prompt - read - _CLAUDE_TAIL if prompt >= _CLAUDE_MINIMUM else 0
    if model.startswith("gpt"):
        before -= before % _OPENAI_STEP
    return (before if before >= _AUTOMATIC_MINIMUM else 0), 0


def _size(text: str) -> int:
    return tokens.count(text) + _FRAME if text else 0


def _answer_size(step: Step) -> int:
    used = tokens.count(step.tool) + tokens.count(dump(step.arguments)) + _TOOL_FRAME if step.tool else 0
    return _size(step.text) + used + step.reasoning


def lines(values: Sequence[object]) -> str:
    """Return objects as JSON, one a line."""
    return "".join(f"{dump(value)}\n" for value in values)


def tell_formats() -> dict[str, Sample]:
    """Return the sample of each format that has a module here with a `tell`."""
    modules = [
        importlib.import_module(f"{formats.__name__}.{found.name}")
        for found in pkgutil.iter_modules(formats.__path__)
    ]
    return {m.__name__.rpartition(".")[2]: m.tell() for m in modules if hasattr(m, "tell")}
