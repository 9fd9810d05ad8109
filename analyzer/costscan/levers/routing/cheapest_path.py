"""The cheapest way to serve a run: dynamic programming over its stretches and the models of each.

A model that did not serve the stretch before begins cold: it finds only what it cached when it last served
this context, if that still lives. So the state is the model of the last stretch and, for each model, the
stretch it last served, as long as that can still be found. A state is dropped where another one, with all
that it may yet have to pay more, costs no more: that leaves few states however long the run is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from costscan.levers.routing.cache_links import LOOKBACK

NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of turns; lists are by model, the first of which is the one that served it."""

    begins_us: int
    ends_us: int
    context: int
    begins_block: int
    ends_block: int
    ttl_us: int
    usable: Sequence[bool]
    warm: Sequence[int]
    cold: Sequence[int]
    per_read: Sequence[int]
    read: Sequence[int]
    shared: Sequence[int]
    cached: Sequence[int]


class _State(NamedTuple):
    cost: int
    model: int
    last: tuple[int, ...]
    chosen: Any
    """The models of the stretches so far: the last one, and what `chosen` was before it."""


def best(run: Sequence[Stretch], *, shares: bool) -> list[int]:
    """Return the model of each stretch that makes the run cheapest; of equal ones the one that served it.

    Args:
        run: its stretches in order.
        shares: other runs go to the same models, so that a run finds there what it shares with them.
    """
    models = _worth_trying(run)
    if len(models) == 1:
        return [0] * len(run)
    more_expensive = _most_to_lose(run)
    states = [_State(0, 0, (NEVER,) * len(run[0].warm), None)]
    for nth, stretch in enumerate(run):
        open_to = [model for model in models if stretch.usable[model] or not model]
        served = [_next(run, nth, before, model, shares=shares) for before in states for model in open_to]
        states = _worth_keeping([_forgetting(run, nth, state) for state in served], more_expensive[nth + 1])
    return _path(min(states, key=lambda state: (state.cost, state.model)).chosen)


def cost_of(run: Sequence[Stretch], served: Sequence[int], *, shares: bool) -> int:
    """Return what a run costs with a model for each stretch."""
    state = _State(0, 0, (NEVER,) * len(run[0].warm), None)
    for nth, model in enumerate(served):
        state = _next(run, nth, state, model, shares=shares)
    return state.cost


def most_to_save(run: Sequence[Stretch], *, shares: bool) -> int:
    """Return more than any way can save: each stretch on its cheapest model, for the price of one switch."""
    whole, switch = 0, None
    for nth, stretch in enumerate(run):
        others = [model for model in range(1, len(stretch.warm)) if stretch.usable[model]]
        whole += max([0, *(stretch.warm[0] - stretch.warm[model] for model in others)])
        for model in others:
            more_expensive = (
                stretch.cold[model]
                - stretch.warm[model]
                - _saved_by_cache(run, nth, NEVER, model, shares=shares)
            )
            switch = more_expensive if switch is None else min(switch, more_expensive)
    return whole - max(switch or 0, 0)


def _worth_trying(run: Sequence[Stretch]) -> list[int]:
    """Leave out models that another one can stand in for wherever they are used, at no more cost."""
    used = [m for m in range(1, len(run[0].warm)) if any(stretch.usable[m] for stretch in run)]
    kept: list[int] = []
    for model in sorted(used, key=lambda m: sum(s.warm[m] for s in run if s.usable[m])):
        if not any(_stands_in(run, other, model) for other in kept):
            kept.append(model)
    return [0, *sorted(kept)]


def _stands_in(run: Sequence[Stretch], one: int, other: int) -> bool:
    return all(
        s.usable[one]
        and s.warm[one] <= s.warm[other]
        and s.cold[one] <= s.cold[other]
        and s.per_read[one] <= s.per_read[other]
        and s.read[one] <= s.read[other]
        for s in run
        if s.usable[other]
    )


def _most_to_lose(run: Sequence[Stretch]) -> list[list[int]]:
    """Return, by stretch and model, the most a later cold start may cost over one that finds all."""
    out = [[0] * len(run[0].warm)]
    for stretch in reversed(run):
        lost = [n * usd for n, usd in zip(stretch.read, stretch.per_read, strict=True)]
        out.append([max(a, b) for a, b in zip(out[-1], lost, strict=True)])
    return out[::-1]


def _next(run: Sequence[Stretch], nth: int, before: _State, model: int, *, shares: bool) -> _State:
    stretch, last = run[nth], before.last
    if before.model == model and (nth > 0 or model == 0):
        cost = stretch.warm[model]
    else:
        cost = stretch.cold[model] - _saved_by_cache(run, nth, last[model], model, shares=shares)
    used = (*last[:model], nth, *last[model + 1 :])
    return _State(before.cost + cost, model, used, (model, before.chosen))


def _saved_by_cache(run: Sequence[Stretch], nth: int, last: int, model: int, *, shares: bool) -> int:
    """Return what is saved on a cold start by what the model still has cached."""
    stretch = run[nth]
    if last == NEVER:
        tokens = stretch.shared[model] if shares else 0
    else:
        tokens = min(run[last].cached[model], stretch.read[model]) if _alive(run, last, nth) else 0
    return tokens * stretch.per_read[model]


def _alive(run: Sequence[Stretch], last: int, nth: int) -> bool:
    served, stretch = run[last], run[nth]
    return (
        stretch.begins_us - served.ends_us <= served.ttl_us
        and stretch.begins_block - served.ends_block < LOOKBACK
        and served.context == stretch.context
    )


def _forgetting(run: Sequence[Stretch], nth: int, state: _State) -> _State:
    """Forget what a model served that it can never find again: the stretches that follow only come later."""
    if nth + 1 == len(run):
        return state
    last = tuple(n if n in {NEVER, nth} or _alive(run, n, nth + 1) else NEVER for n in state.last)
    return state._replace(last=last)


def _worth_keeping(states: Sequence[_State], more_expensive: Sequence[int]) -> list[_State]:
    kept: list[_State] = []
    for state in sorted(states, key=lambda s: (s.cost, s.model, [-n for n in s.last])):
        if not any(_as_good(other, state, more_expensive) for other in kept):
            kept.append(state)
    return kept


def _as_good(one: _State, other: _State, more_expensive: Sequence[int]) -> bool:
    """Whether the first state, with all that it may yet pay more than the other one, costs no more."""
    more = 0
    for model, usd in enumerate(more_expensive):
        if other.last[model] > one.last[model]:
            more += usd
    if one.model != other.model and other.last[other.model] <= one.last[other.model]:
        more += more_expensive[other.model]
    return one.cost + more <= other.cost


def _path(chosen: Any) -> list[int]:
    out = []
    while chosen is not None:
        model, chosen = chosen
        out.append(model)
    return out[::-1]


def stretch_of(row: dict[str, Any]) -> Stretch:
    """Return a row of `stretches.stretches` as a `Stretch`."""
    return Stretch(**{name: row[name] for name in Stretch.__slots__})
