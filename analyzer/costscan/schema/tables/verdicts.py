"""What is wrong with some logs, and how two of them compare."""

from typing import Final

from costscan.schema.column import REAL, TEXT, USD, WHOLE, Column, table

FINDINGS: Final = table(
    "one place where a rule found waste",
    rule=Column(TEXT, "the id of the rule"),
    name=Column(TEXT, "its name: the waste it found"),
    lever=Column(TEXT, "caching, trimming, routing, batching, loops, sub-agents or spend"),
    severity=Column(TEXT, "error, warning or info"),
    confidence=Column(TEXT, "high, medium or low"),
    run_id=Column(TEXT, "the run"),
    turn=Column(WHOLE, "the first turn it is about"),
    turn_end=Column(WHOLE, "the last turn it is about"),
    block=Column(WHOLE, "the block it is about", nullable=True),
    tool=Column(TEXT, "the tool it is about", nullable=True),
    tokens=Column(WHOLE, "the tokens that were wasted"),
    usd=Column(USD, "what they cost; null where a price is unknown", nullable=True),
    message=Column(TEXT, "what was found, in a sentence"),
    evidence=Column(TEXT, "the figures behind it"),
    fix=Column(TEXT, "what to do"),
    fingerprint=Column(TEXT, "the same for the same finding in another run of the task"),
    path=Column(
        TEXT,
        "where in the request it is, as in prefix_breaks; null where no place of a text is known",
        nullable=True,
    ),
    char_offset=Column(WHOLE, "the character of that text", nullable=True),
)
COMPARISON: Final = table(
    "one metric of the runs of a task, before and after a change",
    task=Column(TEXT, "the task; (all) for all together"),
    metric=Column(TEXT, "what is compared, or what a limit is on"),
    before=Column(
        REAL,
        "of a typical run of those compared: the geometric mean of usd, tokens and "
        "turns, the mean of calls, findings and the cache hit rate; null where the "
        "task is new",
        nullable=True,
    ),
    after=Column(REAL, "the same after the change; null where the task is gone", nullable=True),
    change=Column(
        REAL,
        "after / before - 1, for the cache hit rate after - before; null where before is nothing",
        nullable=True,
    ),
    p_value=Column(
        REAL,
        "how often chance alone makes it at least so much worse; null where that was not tested",
        nullable=True,
    ),
    limit=Column(TEXT, "the limit on it, as it was given", nullable=True),
    verdict=Column(
        TEXT,
        "of a limit: passed, failed or undecided; else worse, better, unchanged, untested (too few "
        "runs), new or gone",
    ),
)
