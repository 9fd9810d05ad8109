"""Identities of scenarios: more levers never cost more, no lever costs more than a part of it, shares add up.

They hold for each task: the runs of one begin alike, and share nothing with those of others.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from applied import Told, read
from costscan.levers import LEVERS
from costscan.levers.catalogue import TRIMMING
from costscan.settings.keys import Settings, Trimming
from hypothesis_profile import examples
from mended import capped, deferred, for_system, shots, terse
from workloads import MODELS, OPUS48, SONNET46, Calls, automatic, loops, marked

SETS = ["+".join(some) for n in range(1, 5) for some in combinations(LEVERS, n)]
CAP = 60
SHORT = Settings(trimming=Trimming(parts=TRIMMING.part_names, tool_result_max_tokens=CAP))
PARTS = {
    "caching": ("fix-prefix", "breakpoints", "ttl"),
    "trimming": TRIMMING.part_names,
    "routing": ("turns", "runs"),
    "batching": ("async", "pack-items"),
}
MARKED: Final[Mapping[str, Callable[[Calls], Calls]]] = {
    "no": list,
    "all": marked,
    "hour": lambda c: marked(c, "1h"),
    "system": for_system,
    "top": automatic,
}


choices = st.fixed_dictionaries({
    "model": st.sampled_from((*MODELS, OPUS48, SONNET46)), "single": st.booleans(), "terse": st.booleans(),
    "runs": st.integers(1, 5), "turns": st.integers(1, 8), "gap_s": st.sampled_from([8, 290, 400, 2400]),
    "apart_s": st.sampled_from([0, 1, 100, 1000]), "system": st.sampled_from([100, 1500, 4500]),
    "result": st.sampled_from([40, 400]), "wide": st.sampled_from([1, 1, 3]),
    "marked": st.sampled_from(sorted(MARKED)),
})  # fmt: skip


def calls_of(name: str, choice: Mapping[str, Any]) -> Calls:
    """A task that may have something for each lever: single requests, simple turns, long results, no marks."""
    shape = dict(choice)
    single, brief, marks = (shape.pop(what) for what in ("single", "terse", "marked"))
    if single:
        shape |= {"turns": 1, "runs": shape["runs"] + 3}
    calls = loops(name, **shape)
    if brief:
        calls = terse(calls)
    return MARKED[marks](shots(calls) if single else calls)


def saved_by(found: Told) -> dict[str, dict[str, Decimal]]:
    """What each scenario saves of each task."""
    sums = found.scenarios.group_by("task", "scenario").agg(pl.col("saved_usd").sum())
    out: dict[str, dict[str, Decimal]] = {}
    for task, scenario, usd in sums.iter_rows():
        out.setdefault(task, {})[scenario] = usd
    return out


@examples(4)
@given(st.lists(choices, min_size=4, max_size=4))
def test_no_set_is_more_expensive_than_a_part_of_it(chosen: list[Mapping[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        found = read(
            Path(folder), {f"task{n}": calls_of(f"task{n}", one) for n, one in enumerate(chosen)}, SHORT
        )
    broken = {}
    for task, saved in saved_by(found).items():
        for name in SETS:
            some = set(name.split("+"))
            fewer = {n: saved[n] for n in SETS if set(n.split("+")) < some}
            fewer |= {f"{name}/{part}": saved[f"{name}/{part}"] for part in PARTS.get(name, ())}
            for part, usd in fewer.items():
                if usd > saved[name]:
                    broken[task, name, part] = (saved[name], usd)
    assert broken == {}
    joint = found.scenarios.filter(pl.col("scenario").is_in(LEVERS))["saved_joint_usd"].sum()
    assert joint == sum(saved["all"] for saved in saved_by(found).values())


def mended(calls: Calls) -> Calls:
    """The same with all that caching, capping and deferring ask for."""
    capped_below = deferred(capped(calls, CAP - 10))
    return marked(capped_below, between=True)


@examples(2)
@given(st.lists(choices, min_size=4, max_size=4))
def test_a_fix_that_was_applied_is_not_promised_again(chosen: list[Mapping[str, Any]]) -> None:
    """But for what is too small to be worth a line, and for runs so short that nothing extends their prompts."""
    tasks = {f"task{n}": mended(calls_of(f"task{n}", one)) for n, one in enumerate(chosen)}
    with TemporaryDirectory() as folder:
        found = read(Path(folder), tasks, SHORT)
    again = (
        "caching/breakpoints",
        "caching/fix-prefix",
        "trimming/cap-tool-results",
        "trimming/defer-unused-tools",
    )
    promised = {
        (name, part): found.usd(name, part, "saved_usd") / found.usd(name, "as_billed")
        for name, calls in tasks.items()
        for part in again
        if part != "caching/breakpoints" or len({call.run for call in calls}) < len(calls)
    }
    assert {key: share for key, share in promised.items() if share > Decimal("0.005")} == {}
