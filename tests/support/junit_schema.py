"""JUnit XML held against a schema of what CI servers read, and read as one of them does."""

from pathlib import Path
from typing import Final

from junitparser import JUnitXml, TestCase, TestSuite
from xmlschema import XMLSchema

SCHEMA: Final = XMLSchema(Path(__file__).parent / "schemas" / "junit.xsd")
RESULTS: Final = {"Failure": "failed", "Error": "error", "Skipped": "undecided"}


def suite_of(path: Path) -> TestSuite:
    """Check a report, and that its counts are those of its cases; give its only suite."""
    SCHEMA.validate(path)
    suite: TestSuite
    (suite,) = JUnitXml.fromfile(str(path))
    said = [verdict(case) for case in suite]
    counts = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert counts == (len(said), said.count("failed"), said.count("error"), said.count("undecided"))
    return suite


def verdict(case: TestCase) -> str:
    """Return what came of a case."""
    found = [RESULTS[type(result).__name__] for result in case.result]
    assert len(found) <= 1
    return found[0] if found else "passed"


def message(case: TestCase) -> str:
    """Return what is said of a case."""
    said: str | None = case.result[0].message if case.result else case.system_out
    return said or ""
