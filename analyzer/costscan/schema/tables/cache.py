"""What the prompt cache did for a run, and where it could have done more."""

from typing import Final

from costscan.schema.column import BOOL, OF_TURN, TEXT, USD, WHOLE, Column, table

GROWTH: Final = table(
    "how the prompt of a turn came out of the one before",
    **OF_TURN,
    prompt_tokens=Column(WHOLE, "the whole prompt: input, cache read and cache write"),
    carried_tokens=Column(WHOLE, "tokens of it that had been sent before"),
    added_tokens=Column(WHOLE, "tokens of it that are new"),
    dropped_tokens=Column(WHOLE, "tokens of the prompt before it that were left out"),
    prefix_tokens=Column(WHOLE, "tokens of it that a perfect cache could have read", nullable=True),
    replay_read_tokens=Column(WHOLE, "tokens read from the cache as the replay has it", nullable=True),
    replay_write_tokens=Column(WHOLE, "tokens written to the cache as the replay has it", nullable=True),
    replay_input_tokens=Column(WHOLE, "tokens sent plain as the replay has it", nullable=True),
    unexplained_tokens=Column(WHOLE, "tokens read as billed less those as replayed", nullable=True),
    disagreement=Column(
        TEXT,
        "what was not foreseen: side-call, hidden-call, shared-outside, outlived "
        "(which the replay has from the reads), not-yet-readable, expired-early, "
        "lost-after-tool-search, lost-at-message, unexplained-loss, cached-outside-log",
        nullable=True,
    ),
)
PREFIX_BREAKS: Final = table(
    "where a prefix could have been read from the cache and was not",
    **OF_TURN,
    layer=Column(TEXT, "tools, system or messages"),
    path=Column(
        TEXT, "where in the request, as in system[0].text; prompt, model or settings where no text changed"
    ),
    char_offset=Column(WHOLE, "the character of that text at which it differs", nullable=True),
    token_offset=Column(WHOLE, "the token of the prompt at which it differs", nullable=True),
    cause=Column(
        TEXT,
        "timestamp, date, uuid, hex-id, counter, record-id, number, path, random-order, "
        "serialization, definition-changed, text-edited, history-rewritten, model-switched, "
        "setting-changed, expired, compaction, below-minimum, lookback, not-yet-readable, "
        "lost-after-tool-search, lost-at-message, unexplained or unknown",
    ),
    before=Column(TEXT, "what was there, secrets left out"),
    after=Column(TEXT, "what is there now"),
    tokens_lost=Column(
        WHOLE,
        "tokens that could have been read from the cache and were not; 0 where another place of the "
        "same prompt, or time, had lost them already",
    ),
    usd_lost=Column(USD, "what they cost more than read; null where the price is unknown", nullable=True),
)
MODEL_SWITCHES: Final = table(
    "a switch to another model in the middle of a run, up to the next one",
    run_id=Column(TEXT, "the run"),
    turn=Column(WHOLE, "the first turn on the other model"),
    turn_end=Column(WHOLE, "the last turn before the next switch, or of the run"),
    from_model=Column(TEXT, "the model before it"),
    to_model=Column(TEXT, "the model that it went over to"),
    usd_lost=Column(
        USD,
        "what its first turn paid because the cache was cold; 0 after a pause that no "
        "cache outlives; null where the price is unknown",
        nullable=True,
    ),
    usd_saved=Column(
        USD,
        "what its turns would have cost more on the model before, both with a warm "
        "cache; less than 0 where it went over to a more expensive model; null where a "
        "price is unknown",
        nullable=True,
    ),
    usd_lost_back=Column(
        USD, "what the next switch lost where it leads back; 0 where it does not", nullable=True
    ),
)
CACHE_USE: Final = table(
    "what a request marked to be cached, and what became of it",
    **OF_TURN,
    is_shown=Column(BOOL, "whether the request itself is in the log; markers to wave are known only then"),
    ttl=Column(
        TEXT,
        "the lifetime it wrote with, or the nearest turn that wrote: 5m or 1h; null where none did",
        nullable=True,
    ),
    markers=Column(WHOLE, "how many of its blocks were marked with cache_control", nullable=True),
    first_marked_tokens=Column(
        WHOLE, "tokens up to and with the first marked block; 0 where none is", nullable=True
    ),
    marked_tokens=Column(
        WHOLE, "tokens up to and with the last marked block; 0 where none is", nullable=True
    ),
    shared_tokens=Column(WHOLE, "tokens of its tools and system prompt", nullable=True),
    shared_key=Column(WHOLE, "equal for equal tools and system prompt on the same model", nullable=True),
    wave=Column(
        WHOLE, "equal for requests with one shared_key that were under way at the same time", nullable=True
    ),
    extends_tokens=Column(
        WHOLE, "tokens of the earlier prompt of the run that it goes on from; 0 where it begins"
    ),
    min_tokens=Column(WHOLE, "the shortest prefix that its model caches"),
    unread_tokens=Column(WHOLE, "tokens it wrote to the cache that no later request is seen to read"),
    begun_us=Column(
        WHOLE, "when it began, in microseconds since 1970; null where the log has no times", nullable=True
    ),
    ready_us=Column(WHOLE, "when its response had ended", nullable=True),
)
