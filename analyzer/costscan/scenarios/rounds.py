"""Work that waits for replays, done side by side: what all of it waits for is replayed in one pass."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying
from costscan.native import CAUGHT

T = TypeVar("T")
Replay: TypeAlias = Callable[[Sequence[Plan]], list[Outcome]]
_Answer: TypeAlias = "list[Outcome] | BaseException | None"


class _Waiting(NamedTuple, Generic[T]):
    """A task, and the plans whose outcomes it waits for."""

    number: int
    task: Replaying[T]
    plans: Sequence[Plan]


def done(tasks: Sequence[Replaying[T]], replay: Replay, *, at_once: int) -> list[T]:
    """Do tasks side by side and return what they give, in their order.

    A replay that raises does so in the task that asked for it, and in no other.

    Args:
        tasks: the work.
        replay: replays plans.
        at_once: so many tasks wait at a time: each holds what was replayed for it.
    """
    results: dict[int, T] = {}
    coming = iter(enumerate(tasks))
    waiting: list[_Waiting[T]] = []
    while True:
        while len(waiting) < at_once and (begun := next(coming, None)) is not None:
            waiting += _gone_on(*begun, None, results)
        if not waiting:
            return [results[number] for number in range(len(tasks))]
        answers = _answers([one.plans for one in waiting], replay)
        both = zip(waiting, answers, strict=True)
        waiting = [after for one, answer in both for after in _gone_on(one.number, one.task, answer, results)]


def _gone_on(number: int, task: Replaying[T], answer: _Answer, results: dict[int, T]) -> list[_Waiting[T]]:
    """Go on with a task until it waits again, or note its result."""
    try:
        if isinstance(answer, BaseException):
            return [_Waiting(number, task, task.throw(answer))]
        return [_Waiting(number, task, next(task) if answer is None else task.send(answer))]
    except StopIteration as end:
        results[number] = end.value
        return []


def _answers(asked: Sequence[Sequence[Plan]], replay: Replay) -> list[_Answer]:
    """Replay all that is asked for; where that raises, each asker's own."""
    try:
        outcomes = iter(replay([plan for plans in asked for plan in plans]))
        return [[next(outcomes) for _ in plans] for plans in asked]
    except CAUGHT as error:
        return [error] if len(asked) == 1 else [_answers([plans], replay)[0] for plans in asked]


__all__ = ["Replay", "done"]
