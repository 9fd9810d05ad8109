"""What a trial found."""

from typing import Final

from costscan.schema.column import BOOL, OF_TURN, REAL, TEXT, USD, WHOLE, Column, table

TRIAL: Final = table(
    "an answer that a trial asked for; it holds no text of prompts or answers",
    trial=Column(TEXT, "the trial: equal for all its rows"),
    **OF_TURN,
    task=Column(TEXT, "what runs are compared by"),
    agent=Column(TEXT, "the type of the sub-agent", nullable=True),
    evidence=Column(TEXT, "why the call would go to another model", nullable=True),
    model=Column(TEXT, "the model that served it"),
    to_model=Column(TEXT, "the model that it would go to"),
    role=Column(TEXT, "who was asked: target (the other model) or itself (the model that served it)"),
    position=Column(WHOLE, "its place in the order in which the sample is asked, from 0"),
    stratum_calls=Column(WHOLE, "how many calls with this task, agent type and evidence would move"),
    kind=Column(TEXT, "how it is compared: tool_calls, json, label or text"),
    state=Column(TEXT, "compared, not-compared, failed or lost"),
    agrees=Column(BOOL, "whether it agrees with the recorded answer; null where it was not compared",
                  nullable=True),
    why=Column(TEXT, "what differs, or why it was not compared", nullable=True),
    usd=Column(USD, "what asking for it cost, the judge included"),
    duration_s=Column(REAL, "how long it took; null in a batch", nullable=True),
    recorded_usd=Column(USD, "what the recorded call cost; null where its price is unknown", nullable=True),
    recorded_duration_s=Column(REAL, "how long the recorded call took", nullable=True),
    alpha=Column(REAL, "how often the interval of the trial may miss the true share"),
)  # fmt: skip
