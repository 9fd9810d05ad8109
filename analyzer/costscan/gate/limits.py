"""What fails a check: the words of `--fail-on` and `check.fail_on`.

`METRIC:+10%` or `METRIC:+0.50` limits how much a run may get worse than in the baseline, `METRIC:20` what the
logs may come to, `METRIC_per_run:2`, `_per_task`, `_per_day`, `_per_tool` what each of these may, with `.p95`
all but the worst in twenty. `[NAME]` after the metric limits one task (or tool, or day) alone, `[*]` each
task. Beside the metrics there are `findings`, `new-findings`, the names of rules, and ceilings on actions.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from costscan.errors import CostscanError, near
from costscan.gate.metrics import ACTIONS, MEASURES, METRICS

NEW_FINDINGS: Final = "new-findings"
EACH: Final = "*"
DEFAULT: Final = "usd:+5%"
SCOPES: Final = ("run", "task", "day", "tool")
_WORDS: Final = re.compile(
    r"(?P<metric>[a-z][a-z0-9_-]*?)(?:_per_(?P<scope>[a-z]+))?(?:\[(?P<of>(?s:.*))\])?(?:\.(?P<stat>\w+))?"
    r":(?P<sign>[+-]?)(?P<bound>\d{1,15}(?:\.\d{1,12})?)(?P<percent>%?)"
)
_STAT: Final = re.compile(r"p([1-9]\d?)|max|mean")
_LIKE: Final = "like usd:+10%, usd:+0.50, usd_per_run.p95:2, findings:0 or volatile-prefix:0"
_IN_TOOLS: Final = ("usd", "prompt_tokens")
_PERCENT: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        text: as the user wrote it.
        metric: a metric, `findings`, `new-findings`, a rule, or one of `ACTIONS`.
        kind: a change in shares, a change in units, or what may not be passed.
        bound: how much; a share where the kind is relative, or the metric is a share.
        of: the task (tool, day) it is for; None for all, `*` for each task.
        scope: what each member of may not pass it; None for all together.
        stat: which member counts: max, mean, or p95.
    """

    text: str
    metric: str
    kind: Literal["relative", "absolute", "ceiling"]
    bound: Decimal
    of: str | None = None
    scope: str | None = None
    stat: str = "max"

    @property
    def label(self) -> str:
        """Return what is measured, in the words of the user, without the task."""
        per = f"_per_{self.scope}" if self.scope else ""
        return f"{self.metric}{per}" + (f".{self.stat}" if self.stat != "max" else "")

    @property
    def is_change(self) -> bool:
        """Whether it limits a change, not a value."""
        return self.kind != "ceiling"

    @property
    def needs_baseline(self) -> bool:
        """Whether it says nothing without a baseline."""
        return self.is_change or self.metric == NEW_FINDINGS

    @property
    def shown(self) -> str:
        """Return the bound as the user wrote it."""
        return self.text.rpartition(":")[2]


def limits(words: Iterable[tuple[str, str]], rules: Sequence[str]) -> list[Limit]:
    """Return what some words mean.

    Args:
        words: where each was written ("--fail-on", "costscan.toml:3"), and the words.
        rules: the names of the rules there are.

    Raises:
        CostscanError: it means nothing.
    """
    # Half a surrogate pair is what a byte of a command line is that is no UTF-8; no name in a log has one.
    return [_limit(where, text.encode("utf-8", "replace").decode().strip(), rules) for where, text in words]


def _limit(where: str, text: str, rules: Sequence[str]) -> Limit:
    match = _WORDS.fullmatch(text)
    if match is None:
        raise CostscanError(f"{where}: {text or 'nothing'}: not METRIC:LIMIT", _LIKE)
    metric, stat = match["metric"], match["stat"] or "max"
    names = (*MEASURES, NEW_FINDINGS, *rules)
    if metric not in names:
        raise CostscanError(f"{where}: {text}: no metric and no rule {metric}", near(metric, names))
    kind: Literal["relative", "absolute", "ceiling"] = "ceiling"
    if match["sign"]:
        kind = "relative" if match["percent"] else "absolute"
    bound = Decimal(match["bound"]) / (_PERCENT if match["percent"] else 1)
    limit = Limit(text, metric, kind, bound, match["of"], match["scope"], stat)
    if limit.of == EACH and not limit.is_change and limit.scope is None and metric != NEW_FINDINGS:
        limit = replace(limit, scope="task", of=None)
    if wrong := _wrong(limit, match["sign"], percent=bool(match["percent"])):
        raise CostscanError(f"{where}: {text}: {wrong}", _LIKE)
    return limit


def _wrong(limit: Limit, sign: str, *, percent: bool) -> str | None:
    """Return what makes no sense of a limit, None where all does."""
    metric = MEASURES.get(limit.metric)
    is_share = metric is not None and metric.unit == "share"
    worse = "+" if metric is None or metric.more_is_worse else "-"
    is_of_actions = limit.metric in ACTIONS
    checks = (
        (is_of_actions and limit.is_change, "actions are those of the new logs alone: no sign"),
        (is_of_actions and (limit.scope or limit.of), "actions are those of all runs together"),
        (limit.scope is not None and limit.scope not in SCOPES, f"no _per_{limit.scope}"),
        (not _STAT.fullmatch(limit.stat), f"no .{limit.stat}: use .p95, .max or .mean"),
        (limit.stat != "max" and limit.scope is None, f".{limit.stat} of what? say _per_run or _per_task"),
        (limit.is_change and limit.scope is not None, "a change is measured from run to run, without _per_"),
        (limit.is_change and limit.metric == NEW_FINDINGS, "new findings are none of the baseline: no sign"),
        (sign and sign != worse, f"{limit.metric} gets worse in the direction of {worse}"),
        (percent and not sign and not is_share, "10% of what? +10% is a change"),
        (
            limit.kind == "relative" and counted(limit.metric),
            "findings are counted: use +1, not a percentage",
        ),
        (limit.scope == "tool" and limit.metric not in _IN_TOOLS, f"{limit.metric} is not known by tool"),
        (limit.of == EACH and limit.scope is not None, "[*] is for each task: leave out _per_"),
    )
    return next((what for is_wrong, what in checks if is_wrong), None)


def is_on_findings(limit: Limit, rule: str | None = None) -> bool:
    """Whether a limit counts findings; with `rule`, those of that rule among them."""
    if limit.metric in {"findings", NEW_FINDINGS}:
        return True
    return limit.metric not in MEASURES and rule in {None, limit.metric}


def counted(metric: str) -> bool:
    """Whether a metric is a count of findings, or of actions, which no chance is in."""
    return metric == "findings" or metric not in METRICS
