"""Later stages of an analysis, for tests of what needs them without what they cost."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import polars as pl

from costscan.actions import OF_RUNS, Advised
from costscan.analysis import Analysis
from costscan.rulebook import Diagnosis, Rule, find
from costscan.scenarios import CHOICES, FRAMES, TRIALS, PricedAnalysis
from costscan.scenarios.curves import CAP_CURVE, PACK_CURVE
from costscan.schema.frames import empty

NOBODY: frozenset[str] = frozenset()


def unpriced(x: Analysis, **priced: Any) -> PricedAnalysis:
    """The stage that has scenarios, with those that are given; x itself where it is there already."""
    if isinstance(x, PricedAnalysis):
        return x
    nothing: dict[str, Any] = {
        **{name: empty(name) for name in FRAMES},
        "parts_off": NOBODY,
        "caps": pl.DataFrame(schema=CAP_CURVE),
        "packs": pl.DataFrame(schema=PACK_CURVE),
        "break_evens": {},
        "without_rules": (),
        "choices": pl.DataFrame(schema=CHOICES),
        "tried": pl.DataFrame(schema=TRIALS),
    }
    analysis = {f.name: getattr(x, f.name) for f in fields(Analysis)}
    return PricedAnalysis(**analysis | nothing | priced)


def diagnosed(x: Analysis, rules: Sequence[Rule] = (), accepted: frozenset[str] = NOBODY) -> Advised:
    """The stage that has findings, with nothing advised."""
    found = find(unpriced(x), rules, accepted)
    own = {f.name: getattr(found, f.name) for f in fields(Diagnosis)}
    return Advised(**own, actions=empty("actions"), of_runs=pl.DataFrame(schema=OF_RUNS))


def findings_of(x: Analysis, rules: Sequence[Rule], accepted: frozenset[str] = NOBODY) -> pl.DataFrame:
    """What rules find, with no more priced than is."""
    return diagnosed(x, rules, accepted).findings
