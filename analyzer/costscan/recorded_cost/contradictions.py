"""Recorded totals that the log contradicts: a client that counts calls twice records twice their usage."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from costscan.recorded_cost.events import COUNTERS, PROMPT_COUNTERS, Recorded, plus

_TELLING: Final = 100
"""A witness without any larger counter is met by chance."""


def believed(total: Recorded, logged: Mapping[str, Mapping[str, Any]]) -> Recorded:
    """Return what is believed of a total: itself, unless the log contradicts it.

    It does where a model's tokens are twice (three times, ...), to the token, what a witness of its calls
    shows. Witnesses are the usage of the main loop beside the total, which is then believed in its place, and
    the logged calls, their output left out: it may be unfinished. Where one of the two shows just what was
    recorded, the other one lacks some calls.

    Args:
        total: what the client recorded.
        logged: the counters of the logged calls it covers, by model.
    """
    if total.by_usage:
        return total
    models = {m: tokens for m, tokens in total.models.items() if m not in total.lacking}
    times_logged = {m: _times(tokens, logged.get(m, {}), PROMPT_COUNTERS) for m, tokens in models.items()}
    doubtful = {m for m, times in times_logged.items() if times != 1}
    parts = total.processes or [total]
    wrong = [_repeats_usage(part, doubtful) for part in parts]
    if not any(wrong) and any(
        times_logged[m] > 1 and _times(models[m], total.usage or {}, PROMPT_COUNTERS) != 1 for m in doubtful
    ):
        wrong = [True] * len(parts)
    if not any(wrong):
        return total
    corrected = replace(total, usd=None, models={}, model_usd={})
    for part, is_wrong in zip(parts, wrong, strict=True):
        one = _main_loop(part) if is_wrong else part
        for model, tokens in one.models.items():
            corrected.models[model] = plus(corrected.models.get(model), tokens)
        for model, usd in one.model_usd.items():
            corrected.model_usd[model] = corrected.model_usd.get(model, Decimal(0)) + usd
    return corrected


def _repeats_usage(total: Recorded, models: set[str]) -> bool:
    return any(_times(total.models.get(model, {}), total.usage or {}, COUNTERS) > 1 for model in models)


def _main_loop(total: Recorded) -> Recorded:
    """Return the usage of the main loop alone, of the model that ran it, with its share of the dollars."""
    usage = total.usage or {}
    times = {m: n for m, tokens in total.models.items() if (n := _times(tokens, usage, COUNTERS)) > 1}
    model = next(iter(times), total.usage_model)
    if model is None or not usage:
        return replace(total, models={}, model_usd={})
    usd = total.model_usd.get(model)
    share = {} if usd is None or model not in times else {model: usd / times[model]}
    return replace(total, models={model: usage}, model_usd=share)


def _times(total: Mapping[str, int | None], witness: Mapping[str, Any], names: Sequence[str]) -> int:
    """Return how many times the witness's counters the total's are, 0 where they are no multiple."""
    pairs = [(total.get(name) or 0, witness.get(name) or 0) for name in names]
    total_tokens, witnessed_tokens = max(pairs, key=lambda pair: pair[1])
    times = total_tokens // witnessed_tokens if witnessed_tokens >= _TELLING else 0
    return (
        times
        if all(total_tokens == times * witnessed_tokens for total_tokens, witnessed_tokens in pairs)
        else 0
    )
