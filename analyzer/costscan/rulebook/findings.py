"""From what the queries of rules give to the `findings` frame: priced, in words, with fingerprints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.analysis import Analysis
from costscan.defects import described
from costscan.native import CAUGHT, without_panics
from costscan.prices import UNBILLED
from costscan.rulebook.counted import Word
from costscan.rulebook.overlaps import apart_from_others
from costscan.rulebook.per_task import FINGERPRINT, SUBJECT, told_once, with_fingerprints
from costscan.rulebook.pricing import Money
from costscan.rulebook.rule import CONFIDENCES, Rule
from costscan.rulebook.sql import FRAMES, RUN_COSTS, VIEWS, lazy, why_not, words_of
from costscan.scenarios import PricedAnalysis
from costscan.schema.frames import PROMPT, check, of_rows
from costscan.schema.tables.verdicts import FINDINGS

_ENGINE: Final = (
    *("run_id", "turn", "turn_end", "block", "tokens", "usd", "share", "confidence", SUBJECT),
    FINGERPRINT,
)
HELD_BLOCKS: Final = 500_000
"""So many blocks are held in memory for the rules: each takes 300 bytes, a scan on disk ten times as long."""
RULE: Final = "rule "
"""What stands before the name of a rule in the reasons of an analysis."""
_MICRO: Final = 1_000_000
_MOST_CHARS: Final = 400
"""Of a word in the texts of a finding: a log may name a tool by a book."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis(PricedAnalysis):
    """A priced analysis, and what rules found in it.

    Attributes:
        findings: the canonical frame, the most expensive first.
        rules: those that were run; a rule that could not be has a reason in `reasons`.
    """

    findings: pl.DataFrame
    rules: tuple[Rule, ...]

    def _frames(self) -> dict[str, Callable[[], pl.DataFrame]]:
        return {**super()._frames(), "findings": lambda: self.findings}


def find(
    analysis: PricedAnalysis,
    rules: Sequence[Rule],
    accepted: frozenset[str] = frozenset(),
    name: Callable[[str], str] = str,
) -> Diagnosis:
    """Run rules over a priced analysis.

    Args:
        analysis: the priced analysis, its reading still open.
        rules: the rules to run, those that are not enabled left out.
        accepted: fingerprints, or FINGERPRINT@RUN, of findings that somebody has looked at and accepted.
        name: what stands in texts for a name in the log.
    """
    enabled = tuple(rule for rule in rules if rule.enabled)
    reasons = {part: reason for part, reason in analysis.reasons.items() if not part.startswith(RULE)}
    with without_panics():
        findings = _findings(analysis, enabled, _Runs(analysis, accepted, name), reasons)
    priced = {f.name: getattr(analysis, f.name) for f in fields(PricedAnalysis)}
    return Diagnosis(
        **{**priced, "findings": check("findings", findings), "rules": enabled, "reasons": reasons}
    )


def _findings(
    analysis: PricedAnalysis, rules: Sequence[Rule], of_runs: "_Runs", reasons: dict[str, str]
) -> pl.DataFrame:
    frames = _in_memory(rule_frames(analysis, rules))
    matches = [(rule, frame) for rule, frame in _queried(rules, frames, reasons) if frame.height]
    if not matches:
        return pl.DataFrame(schema=FINDINGS.schema)
    runs = pl.concat([frame["run_id"] for _, frame in matches]).unique()
    money = Money(analysis, runs, frames)
    priced = [(rule, _priced(rule, frame, money, of_runs, reasons)) for rule, frame in matches]
    rows = [
        row
        for rule, found in apart_from_others(analysis, [(r, f) for r, f in priced if f is not None])
        for row in _rows(rule, told_once(rule, of_runs.not_accepted(found)), of_runs)
    ]
    return of_rows("findings", rows).sort(
        "usd", "tokens", "rule", "run_id", "turn",
        descending=[True, True, False, False, False],
        nulls_last=True,
        maintain_order=True,
    )  # fmt: skip


def _queried(
    rules: Sequence[Rule], frames: Mapping[str, pl.LazyFrame], reasons: dict[str, str]
) -> list[tuple[Rule, pl.DataFrame]]:
    """Return the rules that could be run, with what their queries found."""
    with suppress(*CAUGHT):
        matches = pl.collect_all([lazy(rule, frames) for rule in rules])
        return list(zip(rules, matches, strict=True))
    queried = []
    for rule in rules:
        try:
            queried.append((rule, lazy(rule, frames).collect()))
        except CAUGHT as error:
            reasons[RULE + rule.name] = why_not(rule, error)
    return queried


def _priced(
    rule: Rule, matches: pl.DataFrame, money: Money, of_runs: "_Runs", reasons: dict[str, str]
) -> pl.DataFrame | None:
    """Return what a rule found, with its price; none where it cannot be priced or told."""
    try:
        priced = money.price(of_runs.spanned(matches), rule.price)
        found = of_runs.billed(with_fingerprints(rule, priced, of_runs.names))
        check("findings", of_rows("findings", _rows(rule, found, of_runs)))
    except CAUGHT as error:
        reasons[RULE + rule.name] = described(error)
        return None
    return found


def rule_frames(analysis: PricedAnalysis, rules: Iterable[Rule]) -> dict[str, pl.LazyFrame]:
    """Return the frames that some rules query: canonical ones and `run_costs`."""
    words = words_of(" ".join(rule.sql for rule in rules))
    views = {need for name, (_, needs) in VIEWS.items() if name in words for need in needs}
    named = [name for name in FRAMES if name in views or name in words]
    return {
        name: run_costs(analysis).lazy() if name == "run_costs" else analysis.lazy(name) for name in named
    }


def _in_memory(frames: dict[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    """Return the frames, in memory where that takes little: most rules look at all blocks."""
    blocks = frames.get("blocks")
    if blocks is None or blocks.select(pl.len()).collect().item() > HELD_BLOCKS:
        return frames
    return {name: frame.collect().lazy() for name, frame in frames.items()}


def run_costs(analysis: Analysis) -> pl.DataFrame:
    """Return the `run_costs` frame."""
    micro = (pl.col("usd") * _MICRO).round().cast(pl.Int64)
    sums = analysis.turns.group_by("run_id").agg(
        prompt_tokens=PROMPT.sum(),
        output_tokens=pl.col("output_tokens").sum(),
        micro_usd=pl.when(pl.col("usd").null_count() == 0).then(pl.col("usd").sum()),
    )
    calls = analysis.tool_calls.group_by("run_id").agg(tool_calls=pl.len().cast(pl.Int64))
    costs = (
        analysis.runs.select("run_id", "root_run_id", "parent_run_id", "task", "agent", "n_turns")
        .join(sums, on="run_id", how="left", maintain_order="left")
        .join(calls, on="run_id", how="left", maintain_order="left")
        .with_columns(pl.col("tool_calls").fill_null(0), usd="micro_usd")
        .with_columns(micro_usd=micro)
    )
    tree = costs.group_by(run_id="root_run_id").agg(
        tree_micro_usd=pl.when(pl.col("micro_usd").null_count() == 0).then(pl.col("micro_usd").sum())
    )
    return costs.join(tree, on="run_id", how="left", maintain_order="left").select(*RUN_COSTS)


class _Runs:
    """What findings are told of their runs: the task, the agent, the last turn; `name` tells their names."""

    def __init__(self, analysis: Analysis, accepted: frozenset[str], name: Callable[[str], str]) -> None:
        self.name = name
        self._frame = analysis.runs.select("run_id", "n_turns")
        self.names = {
            run: (task, agent)
            for run, task, agent in analysis.runs.select("run_id", "task", "agent").iter_rows()
        }
        self._accepted = pl.Series(sorted(accepted), dtype=pl.String).implode()
        free = analysis.turns.filter(tier=UNBILLED).group_by("run_id").agg("turn")
        self._unbilled: dict[str, list[int]] = dict(free.iter_rows())

    def not_accepted(self, found: pl.DataFrame) -> pl.DataFrame:
        """Leave out what somebody accepted, after overlaps: no other rule tells it instead."""
        in_run = pl.concat_str(FINGERPRINT, pl.lit("@"), "run_id")
        return found.filter(~pl.col(FINGERPRINT).is_in(self._accepted) & ~in_run.is_in(self._accepted))

    def billed(self, found: pl.DataFrame) -> pl.DataFrame:
        """Leave out findings about turns that were not billed: nothing could be saved on them."""
        costs = [
            usd != 0 or not any(turn <= free <= end for free in self._unbilled.get(run, ()))
            for run, turn, end, usd in found.select("run_id", "turn", "turn_end", "usd").iter_rows()
        ]
        return found.filter(pl.Series(costs, dtype=pl.Boolean))

    def spanned(self, matches: pl.DataFrame) -> pl.DataFrame:
        """Fill in the turns of findings that are about a whole run, and the end of those about a turn."""
        last = (
            matches.select("run_id").join(self._frame, on="run_id", how="left", maintain_order="left")[
                "n_turns"
            ]
            - 1
        )
        whole = "turn" not in matches.columns
        turn = pl.lit(0, pl.Int64) if whole else pl.col("turn")
        ends = "turn_end" in matches.columns
        end = pl.col("turn_end") if ends else pl.lit(last) if whole else pl.col("turn")
        spanned = matches.with_columns(turn=turn, turn_end=end)
        spanned = spanned.with_columns(turn_end=pl.min_horizontal("turn_end", pl.lit(last)))
        return spanned if "tokens" in matches.columns else spanned.with_columns(tokens=pl.lit(0, pl.Int64))


def _rows(rule: Rule, priced: pl.DataFrame, of_runs: _Runs) -> list[dict[str, Any]]:
    return [
        _row(rule, finding, of_runs.names.get(finding["run_id"], ("", None))[0], of_runs.name)
        for finding in priced.iter_rows(named=True)
    ]


def _row(rule: Rule, finding: Mapping[str, Any], task: str, told: Callable[[str], str]) -> dict[str, Any]:
    params = {name: rule.value(name) for name in rule.params}
    of_log = {name: told(v) if isinstance(v, str) else v for name, v in (*finding.items(), ("task", task))}
    values = {**params, **of_log}
    words = {name: Word(_shown(name, value)) for name, value in values.items()}
    confidence = finding.get("confidence")
    return {
        "rule": rule.id,
        "name": rule.name,
        "lever": rule.lever,
        "severity": rule.severity,
        "confidence": confidence if confidence in CONFIDENCES else rule.confidence,
        **{
            name: finding.get(name)
            for name in ("run_id", "turn", "turn_end", "block", "tool", "tokens", "usd")
        },
        "message": rule.message.format_map(words),
        "evidence": rule.evidence.format_map(words) if rule.evidence else _evidence(finding, words),
        "fix": rule.fix.format_map(words),
        "fingerprint": finding[FINGERPRINT],
        "path": finding.get("path"),
        "char_offset": finding.get("char_offset"),
    }


def _evidence(finding: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {words[name]}"
        for name, value in finding.items()
        if name not in _ENGINE and value is not None
    )


def _shown(name: str, value: Any) -> str:
    """Return a value in words: 12,345; shares as percent; unknown as a question mark."""
    if value is None:
        return "?"
    if isinstance(value, Decimal):
        return f"${value:,.2f}"
    if isinstance(value, float):
        return f"{value:.0%}" if name.endswith("share") else f"{value:,.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    shown = str(value)
    return shown if len(shown) <= _MOST_CHARS else shown[: _MOST_CHARS - 1] + "…"


__all__ = ["find", "rule_frames", "run_costs"]
