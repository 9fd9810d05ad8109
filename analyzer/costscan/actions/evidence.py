"""The figures behind an action: of the finding that it mends or, where a setting is chosen by sums, these."""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.setting import Setting
from costscan.actions.words import TTLS
from costscan.meters import PROMPT_TOKENS
from costscan.rulebook import Diagnosis

MANY: Final = 3
"""So many results are told by their number."""


def evidence_of(diagnosis: Diagnosis, setting: Setting, found: pl.DataFrame) -> str:
    """Return the figures behind a setting, in a sentence; nothing where there are none.

    Args:
        diagnosis: the diagnosis.
        setting: the setting.
        found: the findings that it mends, the most expensive first.
    """
    own, else_ = _OWN.get(setting.part), _ELSE.get(setting.part)
    said = (own(diagnosis, setting) if own else "") or _told(found)
    return said or (else_(diagnosis, setting) if else_ else "")


def _told(found: pl.DataFrame) -> str:
    """Return what the most expensive finding says; of several it is an example."""
    if found.is_empty():
        return ""
    return f"e.g. {found['message'][0]}" if found["fingerprint"].n_unique() > 1 else str(found["message"][0])


def _of_runs(frame: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    return frame.filter(pl.col("run_id").is_in(list(setting.runs)))


def _of_ttl(diagnosis: Diagnosis, setting: Setting) -> str:
    """Say what the runs cost as they are, and with each lifetime."""
    tried = _of_runs(diagnosis.tried.filter(scenario=kinds.TTL), setting)
    cost = float(_of_runs(diagnosis.turns, setting)["usd"].sum() or 0)
    saved = dict(tried.group_by("setting").agg(pl.col("saved_usd").sum()).iter_rows())
    ways = [f"{TTLS[name]} ${cost - saved[name]:,.2f}" for name in TTLS if name in saved]
    return f"these calls cost ${cost:,.2f}; with {', '.join(ways)}" if ways else ""


def _of_threshold(diagnosis: Diagnosis, setting: Setting) -> str:
    """Say how many prompts are longer than a threshold."""
    turns = _of_runs(diagnosis.counted, setting)
    prompt = turns.select(pl.sum_horizontal(PROMPT_TOKENS)).to_series()
    over = int((prompt > int(setting.value or 0)).sum())
    longest = int(prompt.max() or 0)  # type: ignore[arg-type]
    return f"{over:,} of {len(prompt):,} prompts are longer, the longest has {longest:,} tokens"


def _of_cap(diagnosis: Diagnosis, setting: Setting) -> str:
    """Say how many results are longer than a cap; nothing of one or two, which a finding tells better."""
    results = diagnosis.tool_calls.filter(tool=setting.tool)["result_tokens"]
    return _of_results(diagnosis, setting) if (results > int(setting.value or 0)).sum() >= MANY else ""


def _of_results(diagnosis: Diagnosis, setting: Setting) -> str:
    """Say how many results are longer than a cap, and of how many of them something behind it was used."""
    cap = int(setting.value or 0)
    curve = diagnosis.caps.filter(tool=setting.tool, cap_tokens=cap)
    results = diagnosis.tool_calls.filter(tool=setting.tool)["result_tokens"]
    over = int((results > cap).sum())
    used = curve["used_again_share"][0] if curve.height else None
    again = "" if used is None else f"; of {used:.0%} of them something behind it was used"
    return f"{over:,} of {len(results):,} results are longer{again}"


def _of_prompts(diagnosis: Diagnosis, setting: Setting) -> str:
    """Say how much of the prompts was read from the cache."""
    turns = _of_runs(diagnosis.counted, setting)
    sent = int(turns.select(pl.sum_horizontal(PROMPT_TOKENS).sum()).item() or 0)
    return (
        f"{int(turns['cache_read_tokens'].sum() or 0):,} of {sent:,} prompt tokens were read from the cache"
    )


_OWN: Final[Mapping[str, Callable[[Diagnosis, Setting], str]]] = {
    kinds.TTL: _of_ttl,
    kinds.COMPACT: _of_threshold,
    kinds.CLEAR: _of_threshold,
    kinds.CAP: _of_cap,
}
"""Parts whose setting is chosen by sums over all runs, which no single finding tells."""

_ELSE: Final[Mapping[str, Callable[[Diagnosis, Setting], str]]] = {
    kinds.CAP: _of_results,
    kinds.BREAKPOINTS: _of_prompts,
    kinds.FIX_PREFIX: _of_prompts,
}
"""What is told of parts where there is no finding."""

__all__ = ["evidence_of"]
