"""Rules for people: the list, one with all its prose, and how its cases went."""

import sys
from collections.abc import Sequence

from rich.text import Text

from costscan.errors import CostscanError, near
from costscan.reports.text.console import printed, width_of
from costscan.reports.text.sanitize import cells, inert, wrapped
from costscan.reports.text.table import INDENT, Column, table
from costscan.rulebook import Rule
from costscan.rulebook.cases import failures
from costscan.rulebook.sql import sql_of


def show_list(rules: Sequence[Rule]) -> None:
    """Print a line a rule."""
    columns = [
        Column("rule", [rule.id for rule in rules], left=True),
        Column("name", [inert(rule.name) for rule in rules], name=True, style="bold"),
        Column("lever", [rule.lever for rule in rules], give=1, left=True),
        Column("severity", [rule.severity if rule.enabled else "off" for rule in rules], give=2, left=True),
        Column("what it finds", [inert(rule.summary) for rule in rules], name=True, prose=True),
    ]
    printed(table(columns, width_of(sys.stdout)))


def show_one(rules: Sequence[Rule], name: str) -> None:
    """Print a rule.

    Raises:
        CostscanError: there is none of this name or id.
    """
    matching = next((rule for rule in rules if name in {rule.name, rule.id}), None)
    if matching is None:
        raise CostscanError(f"{name}: no such rule", near(name, [rule.name for rule in rules]))
    printed(prose(matching, width_of(sys.stdout)))


def prose(rule: Rule, width: int) -> list[Text]:
    """Return a rule as text of a width."""
    severity = rule.severity if rule.enabled else "off"
    head = f"{rule.id} {rule.name}   {rule.lever} · {severity} · confidence {rule.confidence}"
    lines = [Text(line, style="bold") for line in wrapped(inert(head), width)]
    for title, text in (
        ("", rule.summary),
        ("why", rule.why),
        ("fix", rule.fix),
        ("false alarms", rule.false_positives),
    ):
        lines += [Text(""), *([Text(title, style="bold")] if title else []), *_wrapped(text, width)]
    if rule.params:
        lines += [Text(""), Text("settings", style="bold")]
        lines += [line for name in rule.params for line in _setting(rule, name, width)]
    return [
        *lines,
        Text(""),
        Text("query", style="bold"),
        *(Text(f"  {inert(q)}") for q in sql_of(rule).splitlines()),
    ]


def _setting(rule: Rule, name: str, width: int) -> list[Text]:
    assignment = f"rules.{rule.name}.{name} = {rule.value(name)}   {rule.params[name].help}"
    first, *rest = [assignment] if cells(assignment) <= width - INDENT else assignment.split("   ", 1)
    rest_lines = [Text("    " + line) for part in rest for line in wrapped(inert(part), width - 2 * INDENT)]
    return [Text("  " + inert(first)), *rest_lines]


def _wrapped(text: str, width: int) -> list[Text]:
    lines = [line for paragraph in text.split("\n\n") for line in wrapped(inert(paragraph), width - INDENT)]
    return [Text(f"  {line}") for line in lines]


def show_tests(rules: Sequence[Rule]) -> int:
    """Print how the cases of each rule went, and give how many rules fail."""
    failed = 0
    for rule in rules:
        wrong = failures(rule)
        failed += bool(wrong)
        printed([Text(inert(f"{rule.name}: {len(rule.cases)} cases {'fail' if wrong else 'hold'}"))])
        printed([Text(f"  {inert(line)}") for line in wrong])
    return failed
