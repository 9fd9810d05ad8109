"""The limits of rules: a case just within one, made of a case of the rule itself, and one just beyond.

Why a limit is what it is stands in the help of its parameter and the prose of the rule.
"""

from dataclasses import replace
from typing import Any

import pytest

from costscan.rulebook import Rule, load_rules
from costscan.rulebook.cases import _found, frames_of, set_for
from costscan.rulebook.rule import Case

RULES = {rule.name: rule for rule in load_rules()}
LIMITS = [
    ("duplicated-subagent-context", "min_tokens", "a sub-agent that reads", "blocks", 2, "tokens", 10000, 9999),
    ("agent-chatter", "max_turns", "three sub-agents that answer", "run_costs", 0, "n_turns", 2, 3),
    ("agent-chatter", "max_output_tokens", "three sub-agents that answer", "run_costs", 0, "output_tokens", 600, 601),
    ("agent-chatter", "min_first_prompt_tokens", "three sub-agents that answer", "growth", 0, "prompt_tokens", 8000, 7999),
    ("batchable-requests", "min_usd", "a wave that comes", "scenarios", 0, "saved_usd", 0.01, 0.0099),
    ("interactive-lane-for-nightly-job", "min_days", "three nights save together", "single_shots", 0, "nightly_days", 3, 2),
    ("unstable-tool-order", "min_changes", "another order at every", "prefix_breaks", 0, "repeat", 2, 1),
    ("unstable-serialization", "min_changes", "keys of a schema", "prefix_breaks", 0, "repeat", 2, 1),
    ("tool-definitions-changed", "min_tokens", "the API says so", "prefix_breaks", 0, "tokens_lost", 5000, 4999),
    ("history-rewritten", "min_tokens", "the API says so", "prefix_breaks", 0, "tokens_lost", 5000, 4999),
    ("no-caching", "min_usd", "a run of ten", "scenarios", 0, "saved_usd", 0.02, 0.0198),
    ("missing-breakpoint", "min_usd", "only the system prompt", "scenarios", 0, "saved_usd", 0.02, 0.0198),
    ("lookback-overflow", "min_tokens", "fifteen calls with fifteen", "prefix_breaks", 0, "tokens_lost", 5000, 4999),
    ("below-minimum-prefix", "min_requests", "a run of eight", "cache_use", 1, "repeat", 5, 4),
    ("cache-expired", "min_tokens", "twenty minutes with a", "prefix_breaks", 0, "tokens_lost", 20000, 19999),
    ("cache-expired", "min_long_tokens", "two pauses longer than", "prefix_breaks", 0, "tokens_lost", 30000, 29999),
    ("wrong-ttl", "min_usd", "written for an hour", "scenarios", 0, "saved_usd", 0.05, 0.0495),
    ("wrong-ttl", "min_pauses", "written for five minutes", "turns", 1, "repeat", 3, 2),
    ("unexplained-cache-loss", "min_tokens", "seconds after a tool", "prefix_breaks", 0, "tokens_lost", 20000, 19999),
    ("truncated-output", "min_output_tokens", "cut off at 4,096", "turns", 0, "output_tokens", 500, 499),
    ("over-qualified-model", "min_usd", "the runs of a", "scenarios", 2, "saved_usd", 0.01, 0.0099),
    ("over-qualified-model", "min_calls", "one call in ten", "turns", 2, "repeat", 5, 4),
    ("over-qualified-subagent", "min_usd", "two of one type", "scenarios", 2, "saved_usd", 0.01, 0.0099),
    ("bloated-tool-result", "little_used_share", "a file of 20,000", "blocks", 0, "used_share", 0.0495, 0.05),
    ("unused-tool-result", "min_tokens", "6,000 tokens, nothing of", "blocks", 0, "tokens", 5000, 4999),
    ("repeated-tool-result", "min_tokens", "two searches with other", "blocks", 1, "tokens", 500, 499),
    ("re-read-file", "min_tokens", "read at turn 1", "blocks", 1, "tokens", 1000, 999),
    ("re-read-file", "min_carried_turns", "two calls of one", "blocks", 3, "turn_out", 4, 3),
    ("stale-tool-result", "min_tokens", "10,000 tokens, used at", "blocks", 0, "tokens", 3000, 2999),
    ("unused-tool-definitions", "min_tokens", "definitions that came at", "blocks", 0, "tokens", 1000, 999),
    ("oversized-system-prompt", "min_turns", "a system prompt of", "blocks", 0, "turn_out", 5, 4),
    ("always-on-skill", "min_tokens", "never used in forty", "blocks", 0, "tokens", 5000, 4999),
    ("always-on-skill", "min_idle_turns", "never used in forty", "blocks", 0, "turn_out", 31, 30),
    ("raw-markup-or-json-dump", "min_tokens", "a web page as", "blocks", 0, "tokens", 5001, 5000),
    ("raw-markup-or-json-dump", "min_carried_turns", "a web page as", "blocks", 0, "turn_out", 5, 4),
    ("raw-markup-or-json-dump", "max_used_share", "a web page as", "blocks", 0, "used_share", 0.099, 0.1),
]  # fmt: skip
"""Rule, parameter, how the name of the case begins, frame, row, column, a value within the limit, one beyond."""


@pytest.mark.parametrize(("name", "param", "begins", "frame", "row", "column", "within", "beyond"), LIMITS)
def test_a_rule_fires_just_within_its_limit(
    name: str, param: str, begins: str, frame: str, row: int, column: str, within: float, beyond: float
) -> None:
    rule = RULES[name]
    case = next(case for case in rule.cases if case.expect and case.name.startswith(begins))
    assert param in rule.params
    assert param not in case.params, "the case has to take the limit that is shipped"
    told = [fires(rule, case, frame, row, {column: value}) for value in (within, beyond)]
    assert told[0] > told[1]


def fires(rule: Rule, case: Case, frame: str, row: int, other: dict[str, Any]) -> int:
    """Return how much a rule finds in a case with other values in one of its rows."""
    rows = [dict(one) | (other if at == row else {}) for at, one in enumerate(case.frames[frame])]
    changed = replace(case, frames={**case.frames, frame: rows})
    frames = {key: table.lazy() for key, table in frames_of(rule, changed).items()}
    return len(_found(set_for(rule, changed), frames))
