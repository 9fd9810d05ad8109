"""What the levers go by, and what they would have saved."""

from typing import Final

from costscan.schema.column import BOOL, OF_TURN, TEXT, TIME, USD, WHOLE, Column, table

LIFETIMES: Final = table(
    "which lifetime of what is cached is the cheapest setting for the task and agent type of a run",
    run_id=Column(TEXT, "the run"),
    ttl=Column(TEXT, "the lifetime it wrote with: 5m, 1h or both"),
    cheaper=Column(
        TEXT,
        "the one that is cheapest for all runs of the task and agent type: 5m, 1h or 1h prefix (an hour for "
        "tools and system prompt, five minutes behind); null where none is cheaper than what they wrote with",
        nullable=True,
    ),
    usd_5m=Column(USD, "what the run would have cost with five minutes throughout", nullable=True),
    usd_1h=Column(USD, "what it would have cost with an hour throughout", nullable=True),
    written_tokens=Column(WHOLE, "tokens it would write for an hour"),
    rewritten_tokens=Column(WHOLE, "tokens it would write again because five minutes had passed"),
    break_even_tokens=Column(WHOLE, "from so many of them on an hour is the cheaper one", nullable=True),
)
SINGLE_SHOTS: Final = table(
    "a run of one request that nothing else waits for",
    **OF_TURN,
    task=Column(TEXT, "what runs are compared by"),
    at=Column(TIME, "when the request began, UTC", nullable=True),
    model=Column(TEXT, "the model"),
    tier=Column(TEXT, "standard, batch, priority or unbilled"),
    speed=Column(TEXT, "standard or fast"),
    prompt_tokens=Column(WHOLE, "the whole prompt"),
    output_tokens=Column(WHOLE, "tokens the model wrote"),
    shared_key=Column(WHOLE, "equal for equal beginnings", nullable=True),
    shared_tokens=Column(WHOLE, "how much of the prompt begins like those of other runs"),
    wave=Column(
        WHOLE, "which of these it is of: equal for those that came one upon the other", nullable=True
    ),
    wave_runs=Column(WHOLE, "how many single requests of the task came one upon the other", nullable=True),
    nightly_days=Column(
        WHOLE, "on how many days the task began within half an hour of this time of day", nullable=True
    ),
    reason=Column(TEXT, "why nobody waits for it; null where somebody may", nullable=True),
)
TURN_WORK: Final = table(
    "what kind of step a turn was, for the routing lever",
    **OF_TURN,
    model_class=Column(
        TEXT, "the class of its model: haiku, sonnet, opus or fable; null for others", nullable=True
    ),
    n_turns=Column(WHOLE, "how many turns the run has"),
    is_sub_agent=Column(BOOL, "whether another run started it"),
    calls=Column(WHOLE, "the tool calls it made"),
    writes=Column(WHOLE, "those of them that may change or send something"),
    errors=Column(WHOLE, "those of them whose result was an error"),
    repeats=Column(WHOLE, "those of them that an earlier turn had made with the same arguments"),
    follows_errors=Column(WHOLE, "how many results it was sent were errors"),
    user_tokens=Column(WHOLE, "tokens that a person wrote just before it"),
    thought=Column(BOOL, "whether the model thought before it answered"),
    thinks_by_default=Column(BOOL, "whether its model thinks unless it is told not to"),
    output_tokens=Column(WHOLE, "tokens the model wrote"),
    before_output_tokens=Column(WHOLE, "tokens that the turn before it wrote"),
    prompt_tokens=Column(WHOLE, "the whole prompt"),
    stop_reason=Column(TEXT, "why the model stopped", nullable=True),
)
ROUTES: Final = table(
    "a call that the routing lever gives to another model, by what is known before it",
    **OF_TURN,
    model=Column(TEXT, "the model that served it"),
    to_model=Column(TEXT, "the model that could have"),
    evidence=Column(TEXT, "which evidence says so; null where it was forced", nullable=True),
    is_wrong=Column(BOOL, "whether its answer shows that the model that served it has to be asked again"),
    confidence=Column(TEXT, "high, medium or low", nullable=True),
    reason=Column(TEXT, "the evidence in words", nullable=True),
)
SCENARIOS: Final = table(
    "what the logged turns of a run would have cost otherwise; session/unlogged has none",
    run_id=Column(TEXT, "the run"),
    scenario=Column(
        TEXT, "as_billed, a lever, a part of one (caching/ttl), some levers (caching+routing), or all"
    ),
    usd=Column(USD, "what the run would have cost; null where a price is unknown", nullable=True),
    saved_usd=Column(USD, "what of the bill that saves", nullable=True),
    input_tokens=Column(WHOLE, "tokens sent plain"),
    cache_read_tokens=Column(WHOLE, "tokens read from the cache"),
    cache_write_5m_tokens=Column(WHOLE, "tokens written to the cache for five minutes"),
    cache_write_1h_tokens=Column(WHOLE, "tokens written to the cache for an hour"),
    output_tokens=Column(WHOLE, "tokens written by the model"),
    saved_low_usd=Column(USD, "what it saves where what is assumed turns out badly", nullable=True),
    saved_high_usd=Column(USD, "what it saves where what is assumed turns out well", nullable=True),
    saved_joint_usd=Column(USD, "the share of a lever in what all of them save together", nullable=True),
)
