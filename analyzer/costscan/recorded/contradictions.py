"""Recorded totals that the log contradicts: a client that counts calls twice records twice their usage."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costscan.recorded.events import COUNTERS, PROMPT_COUNTERS, Counters, Recorded, plus

_TELLING: Final = 100
"""A witness without any larger counter is met by chance."""


def believed(total: Recorded, logged: Mapping[str, Mapping[str, Any]]) -> dict[str, Counters] | None:
    """Return by model the tokens of a total that the log contradicts, as far as they are believed, else None.

    It does where a model's tokens are twice (three times, ...), to the token, what a witness of its calls
    shows. Witnesses are the usage of the main loop beside the total, which is then believed in its place, and
    the logged calls, their output left out: it may be unfinished. Where one of the two shows just what was
    recorded, the other one lacks some calls.

    Args:
        total: what the client recorded.
        logged: the counters of the logged calls it covers, by model.
    """
    if total.by_usage:
        return None
    models = {m: tokens for m, tokens in total.models.items() if m not in total.lacking}
    seen = {m: _times(tokens, logged.get(m, {}), PROMPT_COUNTERS) for m, tokens in models.items()}
    open_to_doubt = {m for m, times in seen.items() if times != 1}
    parts = total.processes or [total]
    wrong = [_repeats_usage(part, open_to_doubt) for part in parts]
    if not any(wrong) and any(
        seen[m] > 1 and _times(models[m], total.usage or {}, PROMPT_COUNTERS) != 1 for m in open_to_doubt
    ):
        wrong = [True] * len(parts)
    if not any(wrong):
        return None
    found: dict[str, Counters] = {}
    for part, is_wrong in zip(parts, wrong, strict=True):
        for model, tokens in (_main_loop(part) if is_wrong else part.models).items():
            found[model] = plus(found.get(model), tokens)
    return found


def _repeats_usage(total: Recorded, models: set[str]) -> bool:
    return any(_times(total.models.get(model, {}), total.usage or {}, COUNTERS) > 1 for model in models)


def _main_loop(total: Recorded) -> dict[str, Counters]:
    """Return the usage of the main loop by the model that ran it, where that is known."""
    model = total.usage_model or (next(iter(total.models)) if len(total.models) == 1 else None)
    return {} if model is None or total.usage is None else {model: total.usage}


def _times(total: Mapping[str, int | None], witness: Mapping[str, Any], names: Sequence[str]) -> int:
    """Return how many times the witness's counters the total's are, 0 where they are no multiple."""
    pairs = [(total.get(name) or 0, witness.get(name) or 0) for name in names]
    n, seen = max(pairs, key=lambda pair: pair[1])
    times = n // seen if seen >= _TELLING else 0
    return times if all(n == times * seen for n, seen in pairs) else 0
