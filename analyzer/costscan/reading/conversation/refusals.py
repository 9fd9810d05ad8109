"""Refusals: which model calls a classifier declined before they wrote anything, and in what category.

A refusal is an ordinary answer with `stop_reason: "refusal"`; `stop_details.category` names its policy area,
null where it has none. With fallbacks, a request holds the calls that were declined and the one that
answered; a `fallback` block marks each hand-over. What refusals cost is known to `costscan.prices.refusals`.
Source: https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET

from costscan.reading.content.block import Block
from costscan.reading.conversation.iterations import Iteration, iterations
from costscan.reading.conversation.usage import PLACEHOLDER_OUTPUT_TOKENS

if TYPE_CHECKING:
    from costscan.reading.conversation.call import Call

REFUSAL: Final = "refusal"
UNCATEGORISED: Final = "none"
"""The category of a refusal that is in no named one."""
UNKNOWN: Final = "unknown"
"""The category of a refusal whose log does not say it."""
_CATEGORY_CHARS: Final = 64
_ANSWERED: Final = "fallback_message"


class HandOver(NamedTuple):
    """A `fallback` block: why the model before it declined, and how much text stands before it."""

    category: str
    chars_before: int


def note(call: "Call", stop_reason: object, stop_details: object) -> None:
    """Note on a call what one of its lines says of a refusal."""
    if stop_reason == REFUSAL and call.refusal in {None, UNKNOWN}:
        call.refusal = category_of(stop_details)
        call.stop_reason = call.stop_reason or REFUSAL


def hands_over(call: "Call", block: Block) -> None:
    """Note a `fallback` block among what a call wrote; a repeated line shows it again."""
    to = block.to.get("model") if isinstance(block.to, dict) else None
    hand_over = HandOver(category_of(block.trigger), call.visible_chars)
    call.hand_overs.setdefault(to if isinstance(to, str) else "", hand_over)


def categorise(call: "Call", category: object) -> None:
    """Take the category that another line tells of a refusal, where it is not known yet."""
    refusal_category = category_of({"category": category})
    if call.refusal == UNKNOWN:
        call.refusal = refusal_category
    for to, hand_over in call.hand_overs.items():
        if hand_over.category == UNKNOWN:
            call.hand_overs[to] = hand_over._replace(category=refusal_category)


def category_of(details: Any) -> str:
    """Return the category in `stop_details` or a fallback's trigger; `UNKNOWN` where none is logged."""
    if details is None:
        return UNCATEGORISED
    category = details.get("category") if isinstance(details, dict) else UNSET
    if category is None:
        return UNCATEGORISED
    return category[:_CATEGORY_CHARS] if isinstance(category, str) and category else UNKNOWN


def attempts(parts: Sequence[Iteration]) -> list[list[int]]:
    """Return the model calls of a request by the model that was asked: those that declined, then the answer.

    A model that declined is followed by another one, up to a `fallback_message`. Compaction and advisors are
    in none.
    """
    attempted = [i for i, part in enumerate(parts) if part.kind in {"message", _ANSWERED}]
    if not any(parts[i].kind == _ANSWERED for i in attempted):
        return [attempted] if attempted else []
    others = [int(parts[a].model != parts[b].model) for a, b in pairwise(attempted)]
    numbers = list(accumulate([0, *others]))
    return [[i for i, n in zip(attempted, numbers, strict=True) if n == k] for k in range(numbers[-1] + 1)]


def declined(parts: Sequence[Iteration]) -> set[int]:
    """Return the numbers of the model calls after which another model took over."""
    return {hop[-1] for hop in attempts(parts)[:-1]}


def asked_again(call: "Call") -> list[int]:
    """Return the numbers of the model calls in which a request was sent to another model after a refusal."""
    return [hop[0] for hop in attempts(iterations(call.usage) or [])[1:]]


def refused(call: "Call", parts: Sequence[Iteration]) -> dict[int, str]:
    """Return the category of each model call inside a request that was declined before any output, by number.

    Args:
        call: the request.
        parts: the model calls inside it, none where it is one alone.
    """
    if not parts:
        if call.refusal is None:
            return {}
        is_silent = _few(call.counters.output_tokens) and not call.visible_chars
        return {0: call.refusal} if is_silent else {}
    hops = attempts(parts)
    hand_overs = list(call.hand_overs.values())[: max(len(hops) - 1, 0)]
    # A log may hold the usage of attempts and not the blocks between them.
    hand_overs += [HandOver(UNKNOWN, hand_overs[-1].chars_before if hand_overs else 0)] * (
        len(hops) - 1 - len(hand_overs)
    )
    ends = [*(block.chars_before for block in hand_overs), call.visible_chars]
    categories = [*(block.category for block in hand_overs), call.refusal]
    return {
        i: category
        for hop, category, begin, end in zip(hops, categories, [0, *ends], ends, strict=False)
        if category is not None and begin == end
        if all(_few(parts[i].counters.output_tokens) for i in hop)
        for i in hop
    }


def _few(output_tokens: int | None) -> bool:
    # The few tokens beside a refusal are the placeholder of its first event.
    return output_tokens is not None and output_tokens <= PLACEHOLDER_OUTPUT_TOKENS
