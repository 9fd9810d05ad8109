"""Runs, the turns they are made of, and what one turn was billed."""

from typing import Final

from costscan.schema.column import BOOL, OF_TURN, REAL, TEXT, TIME, USD, WHOLE, Column, table

OWNERS: Final = ("project", "branch", "user")
"""Whose a run is, where its log tells it."""
RUNS: Final = table(
    "one agent thread: one growing context; reports sum those of one root_run_id up to a run",
    run_id=Column(
        TEXT, "the session, session/agent-ID, or session/unlogged for what only a recorded total shows"
    ),
    root_run_id=Column(TEXT, "the run at the top, which it counts in: itself where it is no sub-agent"),
    parent_run_id=Column(TEXT, "the run that started it; null for a root", nullable=True),
    source=Column(TEXT, "the log format it was read from"),
    path=Column(TEXT, "the file"),
    task=Column(
        TEXT,
        "what runs are compared by: the request without numbers and ids, a command or the project; "
        "of a sub-agent its type, while reports count it with the task of the run at the top",
    ),
    agent=Column(TEXT, "the type of a sub-agent", nullable=True),
    project=Column(
        TEXT, "the folder that its root run ran in; where its log tells none, its own", nullable=True
    ),
    branch=Column(TEXT, "the git branch that its root run began on; else its own", nullable=True),
    user=Column(TEXT, "the metadata.user_id of the requests of its root run; else its own", nullable=True),
    started_at=Column(TIME, "when its first turn began", nullable=True),
    ended_at=Column(TIME, "when its last turn began", nullable=True),
    interactive=Column(BOOL, "whether a human wrote between turns"),
    n_turns=Column(WHOLE, "how many turns it has"),
)
TURNS: Final = table(
    "one billed model request of a run",
    **OF_TURN,
    line=Column(WHOLE, "the line in the file, counted from 1"),
    at=Column(TIME, "when the request began, UTC", nullable=True),
    duration_s=Column(REAL, "seconds until the response ended", nullable=True),
    first_token_s=Column(REAL, "seconds until the first token came, where the log tells it", nullable=True),
    gap_s=Column(REAL, "seconds since the turn before began", nullable=True),
    provider=Column(TEXT, "who bills it"),
    model=Column(TEXT, "the model under its canonical name"),
    model_raw=Column(TEXT, "the model as the log spells it"),
    tier=Column(TEXT, "standard, batch or priority; unbilled: refused before any output, at no cost"),
    speed=Column(TEXT, "standard or fast"),
    geo=Column(TEXT, "where inference was bound to", nullable=True),
    effort=Column(TEXT, "the effort that was asked for", nullable=True),
    input_tokens=Column(WHOLE, "prompt tokens neither read from nor written to the cache", nullable=True),
    cache_read_tokens=Column(WHOLE, "prompt tokens read from the cache", nullable=True),
    cache_write_5m_tokens=Column(
        WHOLE,
        "prompt tokens written to the cache for five minutes, or as cache_write_ttl says",
        nullable=True,
    ),
    cache_write_1h_tokens=Column(WHOLE, "prompt tokens written to the cache for an hour", nullable=True),
    output_tokens=Column(WHOLE, "tokens the model wrote", nullable=True),
    thinking_tokens=Column(WHOLE, "those of them that were thinking", nullable=True),
    web_searches=Column(WHOLE, "searches billed one by one", nullable=True),
    audio_input_tokens=Column(WHOLE, "those of input_tokens that were audio, where told", nullable=True),
    audio_cache_read_tokens=Column(
        WHOLE, "those of cache_read_tokens that were audio, where told", nullable=True
    ),
    audio_output_tokens=Column(WHOLE, "those of output_tokens that were audio, where told", nullable=True),
    image_input_tokens=Column(WHOLE, "those of input_tokens that were images, where told", nullable=True),
    image_cache_read_tokens=Column(
        WHOLE, "those of cache_read_tokens that were images, where told", nullable=True
    ),
    image_output_tokens=Column(WHOLE, "those of output_tokens that were images, where told", nullable=True),
    stop_reason=Column(TEXT, "why the model stopped", nullable=True),
    message_id=Column(TEXT, "the id of the response", nullable=True),
    recorded_usd=Column(USD, "what the log itself says the turn cost", nullable=True),
    usage_from=Column(
        TEXT,
        "reported: as billed; placeholder: a lower bound, by an unfinished count, a refusal whose "
        "category is not logged, or audio or images without a known price; unreported: a counter is not "
        "known; estimated",
    ),
    cache_write_ttl=Column(
        TEXT,
        "how long the writes in cache_write_5m_tokens live where that is not known to be five minutes: 30m, "
        "12h or unknown; they are billed at the provider's price of a write",
        nullable=True,
    ),
)
_METERS: Final = (
    "input, cache_read, cache_write_5m, cache_write_1h, output or web_search; of what is no text, "
    "where it has a price of its own, audio_input, audio_cache_read, audio_output, image_input, "
    "image_cache_read or image_output"
)
PRICES: Final = table(
    "one price of a model, of a tier, speed, meter, prompt size and period",
    provider=Column(TEXT, "who bills it"),
    model=Column(TEXT, "the model under its canonical name"),
    tier=Column(TEXT, "standard, batch, flex or priority"),
    speed=Column(TEXT, "standard or fast"),
    meter=Column(TEXT, _METERS),
    usd_per_mtok=Column(USD, "USD per million tokens; of web_search, per million searches"),
    over_prompt_tokens=Column(WHOLE, "holds for prompts of more than so many tokens"),
    valid_from=Column(TIME, "the first moment it holds; null: always did", nullable=True),
    valid_to=Column(TIME, "the first moment it no longer holds; null: still does", nullable=True),
    source=Column(TEXT, "who says so"),
)
BILL: Final = table(
    "one meter of one turn",
    **OF_TURN,
    meter=Column(TEXT, _METERS),
    units=Column(WHOLE, "tokens, of web_search searches"),
    usd=Column(USD, "what they cost; null where the price is unknown", nullable=True),
)
