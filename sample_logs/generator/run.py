"""One agent thread: it asks the model, runs the tools the model calls, and asks again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from generator import blocks
from generator.billing import PromptCache, Request, Ttl, Usage
from generator.blocks import Block, Json
from generator.dice import Dice

_TOKENS_PER_S = {"fable": 46, "opus": 60, "sonnet": 82, "haiku": 150}
_MESSAGE_FRAME = 3


@dataclass(frozen=True)
class Call:
    """A tool call and what comes of it."""

    tool: str
    arguments: Json
    output: str | list[Json]
    seconds: float = 1.0
    is_error: bool | None = None
    detail: Json | str | list[Json] | None = None
    """The client's own copy of the result, where its log keeps one."""


@dataclass(frozen=True)
class Part:
    """A block with the time it was complete."""

    block: Block
    at: int
    detail: Json | str | list[Json] | None = None


@dataclass(frozen=True)
class Turn:
    """One billed request."""

    messages_before: int
    prefix: tuple[Block, ...]
    breakpoints: dict[int, Ttl]
    started: int
    ended: int
    usage: Usage
    thinking: int
    stop_reason: str
    message_id: str
    request_id: str


@dataclass(frozen=True)
class Message:
    """A message of the conversation; an assistant's one holds the turn that made it."""

    role: str
    parts: tuple[Part, ...]
    turn: Turn | None = None


@dataclass(frozen=True)
class Setup:
    """What stays the same over a run; `system` gets the time because some programs write it there."""

    model: str
    tools: tuple[Block, ...]
    system: Callable[[int], tuple[Block, ...]]
    ttl: Ttl | None = None
    marked: tuple[int, ...] = ()
    """Positions in tools + system that carry a breakpoint; the newest message gets one as well."""
    max_tokens: int = 4096
    settings: Json = field(default_factory=dict)
    """Further fields of the request."""


class Run:
    """A growing conversation with one model."""

    def __init__(self, name: str, setup: Setup, cache: PromptCache, dice: Dice, start: int) -> None:
        self.name = name
        self.setup = setup
        self.dice = dice
        self.now = start
        self.messages: list[Message] = []
        self._cache = cache

    @property
    def turns(self) -> list[Turn]:
        """All billed requests so far."""
        return [message.turn for message in self.messages if message.turn]

    @property
    def usage(self) -> Usage:
        """Sum over all requests."""
        return sum((turn.usage for turn in self.turns), Usage())

    def user(self, *texts: str, after_s: float = 0) -> None:
        """A human, or the program, says something."""
        self.now += round(after_s * 1000)
        self.messages.append(Message("user", tuple(Part(blocks.text(text), self.now) for text in texts)))

    def step(self, text: str, *calls: Call, thinking: int = 0) -> Turn:
        """One turn and the results of the tools it called."""
        turn = self.ask(text, *calls, thinking=thinking)
        if calls:
            self.answer(*calls)
        return turn

    def ask(self, text: str, *calls: Call, thinking: int = 0) -> Turn:
        """One request; the model thinks, speaks and calls tools."""
        answer = self._answer_blocks(text, calls, thinking)
        started = self.now + self.dice.between(60, 180)
        output = sum(block.tokens for block in answer)
        ended = started + self._duration_ms(output)
        prefix = (*self.setup.tools, *self.setup.system(started))
        prompt = [*prefix, *(part.block for message in self.messages for part in message.parts)]
        breakpoints = self._breakpoints(len(prompt))
        usage = self._cache.bill(Request(self.setup.model, prompt, breakpoints, started, ended, output))
        turn = Turn(
            messages_before=len(self.messages),
            prefix=prefix,
            breakpoints=breakpoints,
            started=started,
            ended=ended,
            usage=usage,
            thinking=thinking,
            stop_reason="tool_use" if calls else "end_turn",
            message_id=self.dice.name("msg_01"),
            request_id=self.dice.name("req_01"),
        )
        self.messages.append(Message("assistant", _spread(answer, started, ended), turn))
        self.now = ended
        return turn

    def answer(self, *calls: Call) -> None:
        """The results of the calls that the last turn made."""
        made = [part.block.wire["id"] for part in self.messages[-1].parts if "input" in part.block.wire]
        parts = []
        for call_id, call in zip(made, calls, strict=True):
            self.now += round(call.seconds * 1000)
            block = blocks.tool_result(call_id, call.output, is_error=call.is_error)
            parts.append(Part(block, self.now, call.detail))
        self.messages.append(Message("user", tuple(parts)))

    def _answer_blocks(self, text: str, calls: Sequence[Call], thinking: int) -> list[Block]:
        found = [blocks.thinking(thinking, self.dice)] if thinking else []
        if text:
            found.append(blocks.text(text))
        found += [blocks.tool_use(self.dice.name("toolu_01"), call.tool, call.arguments) for call in calls]
        last = found[-1]
        found[-1] = Block(last.wire, last.tokens + _MESSAGE_FRAME, last.thinking)
        return found

    def _duration_ms(self, output: int) -> int:
        family = self.setup.model.split("-")[1]
        return self.dice.between(800, 1600) + output * 1000 // _TOKENS_PER_S[family]

    def _breakpoints(self, length: int) -> dict[int, Ttl]:
        ttl = self.setup.ttl
        return {} if ttl is None else dict.fromkeys((*self.setup.marked, length - 1), ttl)


def _spread(found: Sequence[Block], started: int, ended: int) -> tuple[Part, ...]:
    step = (ended - started) // len(found)
    return tuple(Part(block, ended - step * (len(found) - 1 - place)) for place, block in enumerate(found))
