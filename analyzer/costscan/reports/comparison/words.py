"""What a comparison says in words: the same on the terminal, in Markdown, and in the log of a job."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.gate import CAUSES, MEASURES, Comparison, Judged
from costscan.reports.text.numbers import UNKNOWN, count, plural, tokens, usd, usd_column
from costscan.reports.text.sanitize import inert, shorten

ARROW: Final = "→"
UP, DOWN = "↑", "↓"
NOT_CHECKED: Final = "not checked: there is no baseline to compare with"
_NOTHING: Final = {"0%", "0.0 points"}
_LEAST: Final = 0.001
_MOST: Final = 10
"""A change of more than so many times is told as a factor."""
_PARTS: Final = 3
_NAME: Final = 60
"""The columns of a name within a sentence."""


@dataclass(frozen=True)
class Cause:
    """One reason for the change of the bill; `detail` names the parts it is mostly made of."""

    name: str
    usd: Decimal
    detail: str


def called(metric: str) -> str:
    """Return the name of a metric as people say it."""
    return metric.replace("_", " ")


def named(name: str) -> str:
    """Return a name from a log in so few columns that what is said of it can still be read."""
    return shorten(inert(name), _NAME)


def value(metric: str, number: float | None) -> str:
    """Return a value of a metric, or of what a limit is on, in its unit."""
    if number is None:
        return UNKNOWN
    definition = MEASURES.get(metric)
    if definition is not None and definition.unit == "usd":
        return usd(Decimal(repr(number)))
    if definition is not None and definition.unit == "share":
        return f"{number:.1%}"
    if definition is not None and definition.unit == "tokens":
        return tokens(round(number))
    return f"{number:,.1f}".removesuffix(".0")


def both(metric: str, before: float | None, after: float | None) -> tuple[str, str]:
    """Return two values of a metric with the same number of decimals."""
    definition = MEASURES.get(metric)
    if definition is None or definition.unit != "usd":
        return value(metric, before), value(metric, after)
    first, last = usd_column([None if v is None else Decimal(repr(v)) for v in (before, after)])
    return first, last


def changed(metric: str, change: float | None) -> str:
    """Return a change with its sign: +20%, -3.1 points, x12."""
    if change is None:
        return UNKNOWN
    definition = MEASURES.get(metric)
    if definition is not None and definition.unit == "share":
        return f"{change * 100:+.1f} points"
    if change >= _MOST:
        return f"×{change + 1:,.0f}"  # noqa: RUF001 - a factor
    shown = f"{change:+.0%}" if abs(change) >= 0.1 else f"{change:+.1%}"  # noqa: PLR2004 - as many digits as matter
    return "0%" if float(shown.rstrip("%")) == 0 else shown


def signed(amount: Decimal | None) -> str:
    """Return dollars with their sign."""
    if amount is None:
        return UNKNOWN
    return usd(amount) if amount <= 0 else f"+{usd(amount)}"


def chance(p_value: float | None) -> str:
    """Return how often chance alone does this."""
    if p_value is None:
        return UNKNOWN
    return "<0.1%" if p_value < _LEAST else f"{p_value:.1%}" if p_value < 1 - _LEAST else "100%"


def closing(comparison: Comparison) -> str:
    """Say what came of the check in one line; "" where there is no limit to hold it against."""
    left, every = len(comparison.unchecked), len(comparison.limits)
    if not every:
        return f"NOT CHECKED: {left} of {left} limits need a baseline" if left else ""
    counts: Counter[str] = Counter(row.verdict for row in comparison.limits)
    sentence = {
        "failed": f"FAILED: {counts['failed']} of {every} limits exceeded",
        "undecided": f"UNDECIDED: {counts['undecided']} of {every} limits could not be decided",
        "passed": "PASSED",
    }[comparison.verdict]
    if counts["failed"] and counts["undecided"]:
        sentence += f", {counts['undecided']} not decided"
    return f"{sentence} ({plural(left, 'limit')} not checked: no baseline)" if left else sentence


def outcome(verdict: str) -> str:
    """Say what came of a metric that moved: what chance explains is not significant."""
    return "not significant" if verdict == "unchanged" else verdict


def ranked(comparison: Comparison) -> list[Judged]:
    """Return the limits, those that are passed first."""
    order = ("failed", "undecided", "passed")
    return sorted(comparison.limits, key=lambda row: order.index(row.verdict))


def limit_name(row: Judged) -> str:
    """Return a limit as it was written, with the task where it is for each."""
    return f"{row.limit.text} [{row.task}]" if row.limit.of == "*" else row.limit.text


def sentence(row: Judged) -> str:
    """Say what came of a limit, and what could have been seen."""
    return "; ".join(part for part in (_moved(row), _proof(row), _sight(row)) if part)


def _moved(row: Judged) -> str:
    """Say what the value is, and was."""
    metric = row.limit.metric
    if row.after is None:
        return f"{row.limit.label}: {row.why}"
    zone = f" {row.tz}" if row.tz else ""
    where = "" if row.member is None else f" ({named(row.member)}{zone})"
    kind = "at least" if row.limit.kind == "ceiling" and metric == "cache_hit_rate" else "at most"
    if row.limit.kind == "ceiling":
        return f"{row.limit.label} is {value(metric, row.after)}{where}, allowed is {kind} {_bound(row)}"
    values = f" {ARROW} ".join(both(metric, row.before, row.after))
    if by_chance := _by_chance(row):
        return f"{row.limit.label} {by_chance}: a typical run {values}, allowed is {row.limit.shown}"
    typical = "" if row.runs is None else " of a typical run"
    change = changed(metric, row.change)
    return f"{row.limit.label}{typical} {values} ({change}), allowed is {row.limit.shown}"


def _by_chance(row: Judged) -> str:
    """Say which change was seen, where chance alone explains it and the limit is not exceeded by it."""
    size = changed(row.limit.metric, row.change).lstrip("+-")
    if row.significant is not False or row.runs is None or not row.change or size in _NOTHING:
        return ""
    before, after = row.runs
    runs = plural(after, "run") if before == after else f"{count(before)} and {count(after)} runs"
    return f"{UP if row.change > 0 else DOWN} {size} not significant ({runs})"


def _bound(row: Judged) -> str:
    return value(row.limit.metric, float(row.limit.bound))


def _proof(row: Judged) -> str:
    """Say how sure it is that a limit is exceeded."""
    if row.verdict == "undecided" and row.why and row.after is not None:
        return row.why
    if row.p_value is None or not row.is_over:
        return ""
    return f"chance alone does that in {chance(row.p_value)} of cases"


def _sight(row: Judged) -> str:
    """Say what a comparison of so many runs can see."""
    if row.runs is None:
        return ""
    runs = f"{count(row.runs[0])} and {count(row.runs[1])} runs"
    if row.verdict == "undecided":
        more = f"about {count(row.needed_runs)} a side would tell" if row.needed_runs else "more are needed"
        return f"{runs} are too few to tell, {more}"
    if row.verdict == "failed":
        return ""
    if row.detectable is None:
        return f"{runs} are too few to see a change of any size"
    if row.detectable < _LEAST:
        return f"with {runs}, any change would be seen"
    return f"with {runs}, a change of {changed(row.limit.metric, row.detectable)} would be seen 4 times in 5"


def causes(comparison: Comparison) -> list[Cause]:
    """Return why the bill moved, the largest reason first."""
    by_task = comparison.causes
    sums = by_task.group_by("cause", maintain_order=True).agg(pl.col("usd").sum())
    ranked = sums.sort(pl.col("usd").abs(), "cause", descending=[True, False])
    return [
        Cause(CAUSES[name], amount, _detail(by_task.filter(pl.col("cause") == name), name))
        for name, amount in ranked.iter_rows()
        if amount
    ]


def _detail(rows: pl.DataFrame, cause: str) -> str:
    """Name what a cause is mostly made of: parts of the prompt, or tasks."""
    by = ["part", "kind"] if cause == "prompt_tokens" else ["task"]
    sums = rows.group_by(by).agg(pl.col("usd").sum()).filter(pl.col("usd") != 0)
    ranked = sums.sort(pl.col("usd").abs(), *by, descending=[True, *(False for _ in by)])
    if cause != "prompt_tokens" and ranked.height < 2:  # noqa: PLR2004 - one task is no detail
        return ""
    phrases = [f"{_part(*names)} {signed(amount)}" for *names, amount in ranked.head(_PARTS).iter_rows()]
    rest = ranked.height - len(phrases)
    return ", ".join([*phrases, *([f"{rest:,} more"] if rest > 0 else [])])


def _part(part: str, kind: str = "") -> str:
    return named(part) if not kind or part.startswith("(") else f"{named(part)} {kind.replace('_', ' ')}"


def differences(comparison: Comparison) -> Iterator[str]:
    """Say what else differs, a line each."""
    for row in comparison.environment:
        sides = [side for side in (row.before, row.after) if side]
        yield f"{row.what}: {f' {ARROW} '.join(sides)}"


def bill(comparison: Comparison) -> str:
    """Say what all runs cost before and after."""
    after, before, more = comparison.after, comparison.before, comparison.usd_change
    if before is None or more is None:
        return usd(after.usd)
    share = f", {changed('usd', float(more / before.usd))}" if before.usd else ""
    first, last = usd_column([before.usd, after.usd])
    return f"{first} {ARROW} {last} ({signed(more)}{share})" if more else f"{last}, as before"


def states(comparison: Comparison) -> str:
    """Count the tasks by what became of them."""
    counts = dict(comparison.tasks.group_by("state").len().iter_rows())
    phrases = [
        f"{count(counts[name])} {name}" for name in ("new", "gone", "changed", "same") if counts.get(name)
    ]
    return ", ".join(phrases) or "none"
