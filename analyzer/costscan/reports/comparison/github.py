"""Annotations of a job of GitHub Actions: a line each, in the words of a workflow command."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from costscan.gate import Comparison
from costscan.reports.comparison import words
from costscan.reports.comparison.columns import by_rule
from costscan.reports.comparison.markdown import document
from costscan.reports.text.console import in_encoding
from costscan.reports.text.numbers import plural
from costscan.reports.text.workflow_command import command

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_LEVELS: Final = {"failed": "error", "undecided": "warning"}
_MOST: Final = 10
"""GitHub shows ten of a level in a step."""


def annotations(comparison: Comparison) -> list[str]:
    """Return the workflow commands: an error for each limit that is exceeded, a warning where it may be.

    Limits that were not checked and rules with new findings are notices. https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    commands = [
        _command(level, f"costscan {words.limit_name(row)}", words.sentence(row))
        for verdict, level in _LEVELS.items()
        for row in [row for row in comparison.limits if row.verdict == verdict][:_MOST]
    ]
    left = comparison.unchecked[:_MOST]
    commands += [_command("notice", f"costscan {text}", words.NOT_CHECKED) for text in left]
    news = by_rule(comparison.new_findings).head(_MOST - len(left)).to_dicts()
    return commands + [
        _command("notice", f"costscan new finding: {row['name']}", _sentence(row)) for row in news
    ]


def _sentence(rule: Mapping[str, Any]) -> str:
    return f"{plural(rule['findings'], 'finding')}, the most expensive: {rule['message']}"


def _command(level: str, title: str, message: str) -> str:
    return command(level, [message], title=title)


def annotate(comparison: Comparison) -> None:
    """Print the annotations, and add the comparison to the summary of the job where there is one."""
    for line in annotations(comparison):
        print(in_encoding(line, sys.stdout))  # noqa: T201 - GitHub reads them from standard output
    sys.stdout.flush()
    if path := os.environ.get(SUMMARY):
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(document(comparison))
