"""SARIF documents held against the schema of the standard, and against what a schema cannot say."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator

SCHEMA: Final = Path(__file__).parent / "schemas" / "sarif-2.1.0.json"
"""As published by OASIS: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/."""
URI: Final = re.compile(r"(?:file://)?(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+")


def hold_valid(found: Any) -> Any:
    """Check a document by the schema, and what the schema cannot say; give its only run."""
    Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({result["ruleId"] for result in run["results"]})
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        physical = location.get("physicalLocation")
        if physical:
            uri = physical["artifactLocation"]["uri"]
            assert URI.fullmatch(uri), uri
            assert uri.startswith("file:///") == ("uriBaseId" not in physical["artifactLocation"])
        hold_message(result["message"]["text"])
    for rule in rules:
        for name in ("shortDescription", "fullDescription", "help"):
            for text in rule.get(name, {}).values():
                hold_message(text)
    return run


def hold_message(text: str) -> None:
    """Check that a message holds no link and no place to fill in (3.11.5 and 3.11.6 of the standard)."""
    assert "](" not in text
    assert not re.search(r"[{}]", text.replace("{{", "").replace("}}", ""))
    assert not any(c != "\n" and unicodedata.category(c)[0] == "C" for c in text)
