"""What to change, in order."""

from typing import Final

from costscan.schema.column import BOOL, REAL, TEXT, USD, WHOLE, Column, table

ACTIONS: Final = table(
    "a setting to change, ranked by what it saves after those before it",
    rank=Column(WHOLE, "1 for what to do first; those whose answers may be others come last"),
    id=Column(TEXT, "the same for the same setting of the same subject"),
    lever=Column(TEXT, "caching, trimming, routing or batching"),
    scenario=Column(TEXT, "the part of the lever"),
    rule=Column(TEXT, "the id of the rule that explains it; null where that is off", nullable=True),
    title=Column(TEXT, "what to do, in a sentence"),
    subject=Column(TEXT, "what it is set for: a task, with the type of a sub-agent, or a tool"),
    setting=Column(TEXT, "what it is set to", nullable=True),
    how=Column(TEXT, "how it is set in that client"),
    client=Column(TEXT, "the client: the format of the logs"),
    is_settable=Column(BOOL, "whether the client has a setting for it; else it needs code of one's own"),
    runs=Column(WHOLE, "runs that it changes"),
    calls=Column(WHOLE, "their calls"),
    saved_alone_usd=Column(USD, "what it saves alone"),
    saved_usd=Column(USD, "what it saves after those before it"),
    saved_low_usd=Column(USD, "what it saves where what is estimated turns out badly"),
    saved_high_usd=Column(USD, "what it saves where what is estimated turns out well"),
    usd_after=Column(USD, "what everything costs after it and those before it"),
    risk=Column(
        TEXT,
        "none, low, latency, needs-eval, or what a trial measured: `measured: 91% (86 to 94), itself 94%`",
    ),
    confidence=Column(TEXT, "high, medium or low"),
    backtest_share=Column(
        REAL, "chosen on the earlier half, the share of what it promised that came true later", nullable=True
    ),
    evidence=Column(TEXT, "the figures behind it"),
    findings=Column(TEXT, "the fingerprints of the findings that it mends, with a space between them"),
    path=Column(TEXT, "where in the request it is; null where no place of a text is known", nullable=True),
    char_offset=Column(WHOLE, "the character of that text", nullable=True),
)
