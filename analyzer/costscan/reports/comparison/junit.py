"""A comparison as JUnit XML: a test case per limit, for the test view of any CI server."""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from costscan.gate import WHOLE, Comparison
from costscan.reports.comparison import words
from costscan.reports.text.sanitize import inert
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

SUITE: Final = "costscan check"
_TAGS: Final = {"failed": "failure", "undecided": "skipped"}
"""What stands for a verdict: servers take a skipped case for one that says nothing, which is what it does."""


def document(comparison: Comparison) -> bytes:
    """Return the XML; a check without limits is a suite without cases."""
    verdicts = [row.verdict for row in comparison.limits]
    left = comparison.unchecked
    counts = {
        "tests": str(len(verdicts) + len(left)),
        "failures": str(verdicts.count("failed")),
        "errors": "0",
        "skipped": str(verdicts.count("undecided") + len(left)),
        "time": "0",
    }
    when = comparison.generated_at.strftime("%Y-%m-%dT%H:%M:%S")
    suite = ET.Element("testsuite", {"name": SUITE, **counts, "timestamp": when, "hostname": "localhost"})
    for row in comparison.limits:
        _case(suite, f"costscan.{row.task}", words.limit_name(row), row.verdict, words.sentence(row))
    for name in left:
        _case(suite, f"costscan.{WHOLE}", name, "undecided", words.NOT_CHECKED)
    if verdict_line := words.closing(comparison):
        ET.SubElement(suite, "system-out").text = verdict_line
    ET.indent(suite)
    text: str = ET.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _case(suite: ET.Element, classname: str, name: str, verdict: str, sentence: str) -> None:
    named = {"classname": inert(classname), "name": inert(name), "time": "0"}
    case = ET.SubElement(suite, "testcase", named)
    sentence = inert(sentence)
    if verdict in _TAGS:
        outcome = ET.SubElement(case, _TAGS[verdict], {"message": sentence, "type": verdict})
        outcome.text = sentence
    else:
        ET.SubElement(case, "system-out").text = sentence


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(document(comparison))
