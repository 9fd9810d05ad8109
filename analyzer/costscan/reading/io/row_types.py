"""What a source hands over: the rows of each table, and the columns of the blocks, with their types.

A *copy* is one run as one file tells it: the same run may be told by several files (a resumed session, a
transcript and its stream), and which copy of a call is billed is decided once all files are read.
"""

from datetime import datetime
from typing import NamedTuple


class CopyRow(NamedTuple):
    """A run as a file tells it; `project` is the folder it ran in, `branch` what it began on there."""

    copy: int
    run_id: str
    root_run_id: str
    parent_run_id: str | None
    source: str
    path: str
    task: str | None
    agent: str | None
    interactive: bool
    begins_late: bool
    project: str | None = None
    branch: str | None = None
    user: str | None = None


class CallRow(NamedTuple):
    """A model call. `refusal` is the category of one refused before any output, None for every other."""

    copy: int
    seq: int
    part: int
    line: int
    at: datetime | None
    end_at: datetime | None
    model_raw: str
    tier: str
    speed: str
    geo: str | None
    effort: str | None
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    output_tokens: int | None
    thinking_tokens: int | None
    web_searches: int | None
    audio_input_tokens: int | None
    audio_cache_read_tokens: int | None
    audio_output_tokens: int | None
    image_input_tokens: int | None
    image_cache_read_tokens: int | None
    image_output_tokens: int | None
    stop_reason: str | None
    message_id: str | None
    request_id: str | None
    recorded_usd: str | None
    usage_from: str
    visible_chars: int
    shown_chars: int
    is_dated: bool
    resets: bool
    settings: int | None
    miss_reason: str | None
    asks: str | None
    refusal: str | None
    cache_write_ttl: str | None
    first_token_s: float | None


class BlockColumns(NamedTuple):
    """The content blocks, which are most of what is read: a list for each column."""

    copy: list[int]
    block: list[int]
    made_by: list[int | None]
    turn_in: list[int]
    turn_out: list[int]
    line: list[int]
    layer: list[str]
    role: list[str]
    kind: list[str]
    tool: list[str | None]
    call_id: list[str | None]
    content_hash: list[int | None]
    args_hash: list[int | None]
    chars: list[int]
    weight_first: list[int]
    weight_second: list[int]
    content: list[str | None]
    is_sized: list[bool | None]
    is_error: list[bool]
    breakpoint: list[str | None]
    position: list[int | None]
    skill: list[str | None]
    used_share: list[float | None]
    used_last: list[int | None]
    used_to: list[float | None]


class BreakRow(NamedTuple):
    """Where a prompt departs from the one before it in its run, or from the first of the run `against`.

    `position` counts the blocks of the request, `place` is the number of the block in its copy; `char_offset`
    counts in a text of `text_chars`. Of a call, one row is first: there the prefix breaks.
    """

    copy: int
    seq: int
    position: int
    place: int | None
    layer: str
    path: str
    char_offset: int | None
    text_chars: int | None
    cause: str
    before: str
    after: str
    is_first: bool
    across_runs: bool
    against: str | None


class WindowRow(NamedTuple):
    """A position of a prompt at which a cache entry may be written (one with a breakpoint) or found.

    `prefix_hash` is a hash of all blocks up to this one: equal hashes are equal prefixes. `stable_hash` is
    what it would be without values that vary.
    """

    copy: int
    seq: int
    position: int
    place: int
    prefix_hash: int
    stable_hash: int
    breakpoint: str | None


class PrefixRow(NamedTuple):
    """A prefix of a prompt that matters to a cache whatever was marked, by `role`; see `prompts.Prefix`."""

    copy: int
    seq: int
    position: int
    place: int
    role: str
    prefix_hash: int
    stable_hash: int


class MovedRow(NamedTuple):
    """Values in a prompt that vary from one to the next: about so many tokens of the block at a place."""

    copy: int
    seq: int
    position: int
    place: int
    value_tokens: int


class RecordedRow(NamedTuple):
    """What a line records of costs, by `part`.

    That is the tokens and dollars of a `model`, the `total` dollars, or the `usage` of its main loop. A
    counter is None where the line leaves it out.

    `billed` is set where the tokens are those of the provider's bill: `known` where all is told that sets
    their price, else `assumed`; `is_long` is whether they are of prompts over the limit of a higher price,
    None where that is not told.
    """

    session: str
    path: str
    line: int
    at: datetime | None
    event: str
    uuid: str | None = None
    result_index: int | None = None
    part: str = "total"
    model_raw: str | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    web_searches: int | None = None
    usd: str | None = None
    tier: str | None = None
    speed: str | None = None
    geo: str | None = None
    billed: str | None = None
    is_long: bool | None = None
    project: str | None = None
    user: str | None = None


class AgentRow(NamedTuple):
    """The type of a sub-agent."""

    session: str
    agent_id: str
    agent: str


class SkippedRow(NamedTuple):
    """A line that could not be read as it stands; `lost` is False where its call was recovered."""

    path: str
    line: int | None
    reason: str
    lost: bool


class UnknownRow(NamedTuple):
    """Lines of no kind that a format knows, by what they look like; `other`: like a format not read yet."""

    path: str
    kind: str
    lines: int
    other: bool
