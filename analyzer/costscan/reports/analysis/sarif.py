"""The SARIF report: every finding with its rule and its line in the log, for code scanning and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os.html
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, Final
from urllib.parse import quote

import msgspec
import polars as pl

from costscan.reports.findings.places import STANDARD_INPUT, below_here, located
from costscan.reports.text.json import plain
from costscan.reports.text.markdown import cell
from costscan.reports.text.numbers import usd
from costscan.reports.text.sanitize import inert, shorten
from costscan.rulebook import Diagnosis, Rule
from costscan.summary import Summary
from costscan.summary.findings import message_at_place

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
FINGERPRINT: Final = "costscan/v1"
ROOT: Final = "%SRCROOT%"
"""What paths are relative to: the folder that costscan was called in, usually that of the repository."""
_NAME: Final = 200
_PROSE: Final = 2000
"""The columns that names and other texts are cut to."""


def document(
    summary: Summary, analysis: Diagnosis, *, baseline: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the report as plain values.

    Args:
        summary: what was found, and the rules that found it.
        analysis: where it was found.
        baseline: the state of each fingerprint against earlier logs, "new" or "unchanged".
    """
    findings = _with_places(summary.findings, analysis)
    ids = sorted({row["rule"] for row in findings})
    own = {rule.id: rule for rule in summary.rules}
    first = {row["rule"]: row for row in reversed(findings)}
    driver = {
        "name": "costscan",
        "version": summary.costscan_version,
        "rules": [_rule(own[i]) if i in own else _unknown_rule(first[i]) for i in ids],
    }
    places = {name: n for n, name in enumerate(ids)}
    results = [_result(row, places[row["rule"]], baseline) for row in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _with_places(findings: pl.DataFrame, analysis: Diagnosis) -> list[dict[str, Any]]:
    return located(findings.with_columns(message_at_place()), analysis).to_dicts()


def _rule(rule: Rule) -> dict[str, Any]:
    fix = _named_blanks(rule.fix)
    help_text = f"Fix: {fix}\n\nFalse positives: {rule.false_positives}"
    markdown = f"**Fix.** {_paragraphs(fix)}\n\n**False positives.** {_paragraphs(rule.false_positives)}"
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _message(rule.summary)},
        "fullDescription": {"text": _message(rule.why)},
        "help": {"text": _message(help_text), "markdown": _braced(markdown)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"lever": rule.lever, "confidence": rule.confidence, "tags": ["cost", rule.lever]},
    }


def _unknown_rule(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a rule by what it found alone."""
    level = LEVELS[finding["severity"]]
    return {"id": finding["rule"], "name": finding["name"], "defaultConfiguration": {"level": level}}


def _named_blanks(template: str) -> str:
    """Return the fix of a rule with the names of what it fills in."""
    parts = Formatter().parse(template)
    return "".join(text + (f"<{name.replace('_', ' ')}>" if name else "") for text, name, *_ in parts)


def _paragraphs(text: str) -> str:
    return "\n\n".join(cell(paragraph, _PROSE) for paragraph in text.split("\n\n"))


def _result(row: Mapping[str, Any], rule: int, baseline: Mapping[str, str] | None) -> dict[str, Any]:
    cost = f" ({usd(row['usd'])})" if row["usd"] is not None else ""
    state = (baseline or {}).get(row["fingerprint"])
    return {
        "ruleId": row["rule"],
        "ruleIndex": rule,
        "level": LEVELS[row["severity"]],
        "message": {"text": _message(f"{row['message']}{cost}\n\n{row['fix']}")},
        "locations": [_location(row)],
        "partialFingerprints": {FINGERPRINT: row["fingerprint"]},
        **({"baselineState": state} if state else {}),
        "properties": {
            "usd": plain(row["usd"]),
            **{name: row[name] for name in ("tokens", "confidence")},
            "run_id": _short(row["run_id"]),
            "turn": row["turn"],
        },
    }


def _location(row: Mapping[str, Any]) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(row["file"] or "")}
    line = {"region": {"startLine": row["line"]}} if (row["line"] or 0) >= 1 else {}
    return {
        **({"physicalLocation": place | line} if row["file"] not in {None, "", STANDARD_INPUT} else {}),
        "logicalLocations": [{"fullyQualifiedName": "/".join(_names(row)), "kind": "turn"}],
    }


def _names(row: Mapping[str, Any]) -> Iterator[str]:
    yield _short(row["run_id"])
    if row["turn"] is not None:
        yield f"turn {row['turn']}"
    if row["path"]:
        yield _short(row["path"])


def _artifact(path: str) -> dict[str, str]:
    """Return the URI of a file: relative to the current folder where it is in it."""
    file = below_here(path)
    if file.is_absolute():
        return {"uri": file.as_uri()}
    return {"uri": quote(file.as_posix().encode("utf-8", "replace")), "uriBaseId": ROOT}


def _message(text: str) -> str:
    """Return a text as the standard wants messages: no placeholder is in it, and no link."""
    paragraphs = (inert(paragraph) for paragraph in text[: 2 * _PROSE].split("\n\n"))
    return _braced("\n\n".join(paragraphs)).replace("](", "] (")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _short(name: str) -> str:
    return shorten(inert(name), _NAME)


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the report as UTF-8 text."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def write(summary: Summary, analysis: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(encoded(document(summary, analysis)))
