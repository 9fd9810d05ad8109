"""What a scenario saves has a range wherever an estimate stands behind it, and none where all is billed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import Told, alone, read
from costscan.levers.catalogue import SUMMARY_TOKENS
from costscan.levers.uncertainty import prefix_errors
from costscan.scenarios import price_scenarios
from costscan.settings.keys import Batching, Routing, Settings, Trimming
from logs import Json, assistant, at, usage, user, write
from logs import usd as priced
from mended import capped, deferred, for_system, packed, shots
from seen import analyzed
from thoroughness import fewer
from workloads import HAIKU45, OPUS48, SONNET46, Calls, lines, loops, marked, usd

CAP = 300
PACKED = alone("batching", settings=Settings(batching=Batching(items_per_context=5)))
TRIMMED = alone("trimming", settings=Settings(trimming=Trimming(tool_result_max_tokens=CAP)))


@pytest.fixture(scope="module")
def told_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], Told]:
    """What is foreseen of all workloads that are looked at with the same settings: they are read together."""

    found: dict[str, Told] = {}

    def told(settings: Settings) -> Told:
        if repr(settings) not in found:
            before = {name: calls for name, (_, calls, own) in EXACT.items() if own == settings}
            before |= {name: ESTIMATED[name][1] for name in TRIED if ESTIMATED[name][3] == settings}
            found[repr(settings)] = read(tmp_path_factory.mktemp("ranges"), before, settings)
        return found[repr(settings)]

    return told


def ends(found: Told, name: str, scenario: str) -> tuple[Decimal, Decimal, Decimal]:
    low, mid, high = (found.usd(name, scenario, c) for c in ("saved_low_usd", "saved_usd", "saved_high_usd"))
    return low, mid, high


EXACT: dict[str, tuple[str, Calls, Settings]] = {
    "one result a turn": (
        "trimming/cap-tool-results", marked(loops("one result a turn", runs=1, turns=5, result=900)), TRIMMED,
    ),
    "another lifetime": ("caching/ttl", marked(loops("another lifetime", turns=5, gap_s=400)), Settings()),
    "half price": (
        "batching/async", shots(loops("half price", runs=6, turns=1)), Settings(),
    ),
    "another model": (
        "routing", marked(loops("another model", runs=1, turns=5)),
        alone("routing", settings=Settings(routing=Routing(force=HAIKU45))),
    ),
    "one run": ("caching/breakpoints", loops("one run", runs=1, turns=5), Settings()),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_what_can_be_computed_has_no_range(told_with: Callable[[Settings], Told], name: str) -> None:
    scenario, _, settings = EXACT[name]
    low, mid, high = ends(told_with(settings), name, scenario)
    assert low == mid == high > 0


ESTIMATED: dict[str, tuple[str, Calls, Calls, Settings]] = {}


def estimated(name: str, scenario: str, before: Calls, after: Calls, settings: Settings) -> None:
    ESTIMATED[name] = scenario, before, after, settings


for _model in (SONNET46, OPUS48):
    _calls = loops(f"definitions {_model}", model=_model, n_tools=12, system=1500, turns=4)
    estimated(_calls[0].task, "trimming/defer-unused-tools", _calls, deferred(_calls), TRIMMED)
    _calls = loops(f"five runs {_model}", model=_model, runs=5, turns=2, system=5000)
    estimated(_calls[0].task, "caching/breakpoints", _calls, marked(_calls), Settings())
    _calls = shots(loops(f"requests {_model}", model=_model, runs=8, turns=1, system=5000))
    estimated(_calls[0].task, "caching/breakpoints", _calls, for_system(_calls), Settings())
    _calls = for_system(
        shots(loops(f"items {_model}", model=_model, runs=10, turns=1, system=5000, apart_s=20))
    )
    estimated(_calls[0].task, "batching/pack-items", _calls, packed(_calls, 5), PACKED)
    _calls = marked(loops(f"three at once {_model}", model=_model, runs=1, turns=4, wide=3, result=700))
    estimated(_calls[0].task, "trimming/cap-tool-results", _calls, capped(_calls, CAP), TRIMMED)


TRIED = fewer(ESTIMATED, 6)


@pytest.mark.parametrize("name", TRIED)
def test_what_is_saved_lies_in_the_range(told_with: Callable[[Settings], Told], name: str) -> None:
    """Once the fix is applied; and the range is no wider than the saving itself."""
    scenario, _, after, settings = ESTIMATED[name]
    found = told_with(settings)
    low, mid, high = ends(found, name, scenario)
    saved = usd(found.logs[name]) - usd(lines(after))
    assert low < mid < high
    assert low <= saved <= high
    assert high - low < mid


GROWS, TURNS, FIRST = 2000, 60, 15_500


def session() -> list[Json]:
    """A session in which each turn reads what the turn before was sent."""
    out = []
    for n in range(TURNS):
        used = usage(read=15_000 + (500 + (n - 1) * GROWS if n else 0), w5m=GROWS if n else 500, out=200)
        ids: dict[str, Any] = {"uuid": f"a{n}", "parentUuid": f"u{n}", "timestamp": at(20 * n + 5)}
        before = f"a{n - 1}" if n else None
        out += [user("go on " * 240, uuid=f"u{n}", parentUuid=before, timestamp=at(20 * n)),
                assistant(f"msg_{n}", used, **ids)]  # fmt: skip
    return out


def test_a_summary_may_be_half_as_long_or_twice(tmp_path: Path) -> None:
    settings = Settings(trimming=Trimming(parts=("compact-history",), compact_at_tokens=100_000))
    with analyzed(write(tmp_path / "s1.jsonl", *session())) as x:
        row = price_scenarios(x, settings).scenarios.filter(scenario="trimming").to_dicts()[0]
        read_tokens = x.turns["cache_read_tokens"].sum()
    # What the shorter prompts read less tells at which turn: from there on each reads as much less.
    saved_tokens = read_tokens - row["cache_read_tokens"]
    turns = next(
        n for n in range(1, TURNS)
        if _read_less(n) == saved_tokens
    )  # fmt: skip
    for end, tokens in (("low", SUMMARY_TOKENS), ("high", -SUMMARY_TOKENS // 2)):
        off = abs(tokens)
        more = priced(OPUS48, out=off, w5m=off) + (TURNS - turns - 1) * priced(OPUS48, read=off)
        got = abs(row["saved_usd"] - row[f"saved_{end}_usd"])
        # The tokens that are carried are priced as the mean of a prompt, some of which is always new.
        assert more <= got <= more * Decimal("1.5"), end


def _read_less(turn: int) -> int:
    """By how many tokens less is read where the history before a turn is a summary, which a request asked for."""
    history = 500 + (turn - 1) * GROWS
    asked = 15_000 + history
    return history - asked + (TURNS - turn - 1) * (history - SUMMARY_TOKENS)


def test_what_tool_use_adds_is_less_sure_where_it_is_not_documented() -> None:
    """Sonnet 5 has 354 tokens of it, and 5.5 is taken to have as many; half of the prompt is its prefix."""
    turns = pl.DataFrame({"run_id": ["r1"], "turn": [0], "cache_read_tokens": [0],
                          "cache_write_5m_tokens": [0], "cache_write_1h_tokens": [0]})  # fmt: skip
    steps = turns.select(
        "run_id", "turn", domain=pl.lit(1), is_shown=pl.lit(value=True), prompt_tokens=pl.lit(4000),
        shared_key=pl.lit(7), shared_tokens=pl.lit(2000),
    )  # fmt: skip
    documented, assumed = (
        prefix_errors(steps.with_columns(model=pl.lit(name)), turns).item()
        for name in ("claude-sonnet-5", "claude-sonnet-5-5")
    )
    assert documented == pytest.approx(2000 * 0.3 / 2)
    assert assumed - documented == pytest.approx(354 / 2 / 2)
