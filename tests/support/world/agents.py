"""Agents at work: runs of one task, told by what happens in them. Nothing in their prompts is marked yet."""

import random
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from logs import Json, text, tool_result, tool_use
from workloads import listing, prose, tool
from world.calls import SECOND, Call, Calls
from world.prices import SONNET46

SEARCH: Final[Json] = {
    "name": "tool_search",
    "description": "Finds tools by what they do.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}},
}


@dataclass(frozen=True)
class Shape:
    """What happens in the runs of a task.

    Attributes:
        gap_s: from one request to the next, `apart_s` from the start of one run to that of the next.
        system: the tokens of the system prompt, `result` those of a tool result.
        wide: how many tools are called at once.
        people: turns before which a person writes.
        pauses: by turn, how many seconds go by before it.
        models: by turn, the model from then on.
        settings: by turn, what of the request is set from then on.
        thinking: tokens of thinking before each answer; `hides_thinking`: the log has its signature alone.
        picture: width and height of what a tool returns beside text, every `picture_every` turns.
        document: `text` or `pdf`, beside the first request.
        deferred: how many tools have to be searched for; one is, in the third turn.
        repeats: every so many turns a tool returns what it returned first.
        cuts: by turn, who compacts the history before it: `server` or `client`.
        refused: turns that are tried with a fifth mark first.
        is_sub_agent: the runs but the first are sub-agents of it.
        once: requests that are answered without a tool.
    """

    model: str = SONNET46
    runs: int = 2
    turns: int = 6
    gap_s: float = 8
    apart_s: float = 100
    system: int = 5000
    result: int = 500
    wide: int = 1
    n_tools: int = 2
    people: tuple[int, ...] = ()
    pauses: Mapping[int, float] = field(default_factory=dict)
    models: Mapping[int, str] = field(default_factory=dict)
    settings: Mapping[int, Json] = field(default_factory=dict)
    thinking: int = 0
    hides_thinking: bool = False
    picture: tuple[int, int] | None = None
    picture_every: int = 2
    document: str | None = None
    deferred: int = 0
    repeats: int = 0
    cuts: Mapping[int, str] = field(default_factory=dict)
    refused: tuple[int, ...] = ()
    is_sub_agent: bool = False
    once: bool = False


def agents(name: str, shape: Shape) -> Calls:
    """The calls of all runs of a task, in time."""
    dice = random.Random(name)
    code = f"{dice.getrandbits(32):x}"
    tools = [tool(f"look_{code}_{n}", dice) for n in range(shape.n_tools)]
    tools += [tool(f"find_{code}_{n}", dice) | {"defer_loading": True} for n in range(shape.deferred)]
    fixed = {
        "max_tokens": 4096,
        "tools": [*tools, SEARCH] if shape.deferred else tools,
        "system": [text(f"You are {name}. {prose(dice, shape.system)}")],
    }
    made = [call for n in range(shape.runs) for call in _Run(name, n, shape, fixed, dice).calls()]
    return sorted(made, key=lambda call: call.at_us)


class _Run:
    def __init__(self, task: str, number: int, shape: Shape, fixed: Json, dice: random.Random) -> None:
        self.task, self.shape, self.fixed, self.dice = task, shape, dict(fixed), dice
        self.name = f"{task}/{number}"
        self.parent = f"{task}/0" if shape.is_sub_agent and number else None
        self.at = number * shape.apart_s
        self.model = shape.model
        self.first_result: Any = None
        self.messages: list[Json] = [_user(*self._asked())]

    def calls(self) -> Calls:
        out: Calls = []
        for turn in range(self.shape.turns):
            self.at += self.shape.pauses.get(turn, 0)
            self.model = self.shape.models.get(turn, self.model)
            self.fixed |= self.shape.settings.get(turn, {})
            before = self._compacted(turn)
            out += self._call(turn, before)
        return out

    def _request(self) -> Json:
        return self.fixed | {"model": self.model, "messages": list(self.messages)}

    def _call(self, turn: int, before: Call | None) -> Calls:
        took = self.dice.uniform(0.2, 0.6) * min(self.shape.gap_s, 10)
        waits = turn + 1 in self.shape.people or self.shape.once
        ids = [f"toolu_{self.name}_{turn}_{n}" for n in range(0 if waits else self.shape.wide)]
        answer = [*self._thoughts(), text(prose(self.dice, 30)), *self._uses(turn, ids)]
        request = self._request()
        if before is not None:
            summary = before.answer[0]
            answer = [summary, *answer]
            request = request | {"messages": [*self.messages, {"role": "assistant", "content": [summary]}]}
        call = Call(
            self.name, self.task, round(self.at * SECOND), round(took * SECOND), request, answer, self.parent,
            before=before,
        )  # fmt: skip
        self.messages.append({"role": "assistant", "content": answer})
        self.messages.append(_user(*self._results(turn, ids)) if ids else _user(*self._asked()))
        self.at += max(took, self.shape.gap_s * self.dice.uniform(0.85, 1.15))
        tried = replace(call, at_us=call.at_us - SECOND // 10, took_us=1, answer=[], is_refused=True)
        return [tried, call] if turn in self.shape.refused else [call]

    def _compacted(self, turn: int) -> Call | None:
        """Replace the history before a turn; what the API asked itself for, where it did."""
        kind = self.shape.cuts.get(turn)
        if kind is None:
            return None
        said = prose(self.dice, 700)
        if kind == "client":
            told = "This session is being continued from a previous conversation. "
            self.messages = [_user(text(told + said))]
            return None
        answer: list[Json] = [{"type": "compaction", "content": said}]
        whole = self._request()
        return Call(self.name, self.task, round(self.at * SECOND) - 1, 1, whole, answer)

    def _asked(self) -> list[Json]:
        said = [text(f"Please see to this. {prose(self.dice, 200)}")]
        if self.shape.document == "text":
            source = {"type": "text", "media_type": "text/plain", "data": prose(self.dice, 1500)}
            return [{"type": "document", "source": source}, *said]
        return [pdf(3, self.dice), *said] if self.shape.document else said

    def _thoughts(self) -> list[Json]:
        if not self.shape.thinking:
            return []
        if self.shape.hides_thinking:
            sign = self.dice.randbytes(self.shape.thinking * 15 // 4)
            return [{"type": "thinking", "thinking": "", "signature": b64encode(sign).decode()}]
        thought = prose(self.dice, self.shape.thinking)
        return [
            {
                "type": "thinking",
                "thinking": thought,
                "signature": b64encode(self.dice.randbytes(60)).decode(),
            }
        ]

    def _uses(self, turn: int, ids: list[str]) -> list[Json]:
        if self.shape.deferred and turn == 2:
            return [tool_use(i, "tool_search", query=prose(self.dice, 5)) for i in ids]
        names = [t["name"] for t in self.fixed["tools"] if not t.get("defer_loading")]
        return [
            tool_use(i, names[n % min(4, len(names))], query=prose(self.dice, 20)) for n, i in enumerate(ids)
        ]

    def _results(self, turn: int, ids: list[str]) -> list[Json]:
        if self.shape.deferred and turn == 2:
            found = [t["name"] for t in self.fixed["tools"] if t.get("defer_loading")][:1]
            return [tool_result(i, [{"type": "tool_reference", "tool_name": n} for n in found]) for i in ids]
        return [tool_result(i, self._result(turn)) for i in ids]

    def _result(self, turn: int) -> Any:
        if self.shape.repeats and self.first_result and turn % self.shape.repeats == 0:
            return self.first_result
        said = listing(self.dice, int(self.shape.result * self.dice.uniform(0.5, 1.5)))
        self.first_result = self.first_result or said
        if self.shape.picture and turn % self.shape.picture_every == 0:
            return [text(said), picture(*self.shape.picture, self.dice)]
        return said


def _user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def picture(wide: int, high: int, dice: random.Random) -> Json:
    """A picture of which only the size is to be known."""
    head = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + wide.to_bytes(4) + high.to_bytes(4)
    data = b64encode(head + b"\x08\x02\x00\x00\x00" + dice.randbytes(60)).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def pdf(pages: int, dice: random.Random) -> Json:
    """A PDF of which only the pages are to be counted."""
    data = b"%PDF-1.7\n" + b"/Type /Page\n" * pages + dice.randbytes(200).hex().encode()
    source = {"type": "base64", "media_type": "application/pdf", "data": b64encode(data).decode()}
    return {"type": "document", "source": source}
