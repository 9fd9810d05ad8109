"""What the prompts of a run are made of: content blocks, tool calls, and what they cost."""

from typing import Final

from costscan.schema.column import BOOL, REAL, TEXT, USD, WHOLE, Column, table

BLOCKS: Final = table(
    "one content block, and the turns whose prompts carried it",
    run_id=Column(TEXT, "the run"),
    block=Column(WHOLE, "its number in the run, counted from 0"),
    turn_in=Column(WHOLE, "the first turn whose prompt has it"),
    turn_out=Column(WHOLE, "the first turn that has it no more"),
    line=Column(WHOLE, "the line in the file"),
    layer=Column(TEXT, "tools, system or messages"),
    role=Column(TEXT, "system, user or assistant"),
    kind=Column(TEXT, "system, tool_def, text, thinking, tool_use, tool_result, image, document or hidden"),
    tool=Column(TEXT, "the tool it belongs to", nullable=True),
    call_id=Column(TEXT, "the id that joins a tool_use and its tool_result", nullable=True),
    content_hash=Column(WHOLE, "equal for equal content", nullable=True),
    args_hash=Column(WHOLE, "equal for equal arguments of a tool_use", nullable=True),
    chars=Column(WHOLE, "its characters"),
    weight=Column(WHOLE, "its tokens as estimated from the text alone"),
    tokens=Column(WHOLE, "its tokens, made to fit the logged usage"),
    is_error=Column(BOOL, "whether a tool_result is an error"),
    breakpoint=Column(TEXT, "the cache_control on it: 5m or 1h", nullable=True),
    used_share=Column(REAL, "how much of a large tool_result later text takes up", nullable=True),
)
TOOL_CALLS: Final = table(
    "one tool call, where it was made, with the result that answered it",
    run_id=Column(TEXT, "the run"),
    turn=Column(WHOLE, "the turn that made the call"),
    tool=Column(TEXT, "the tool"),
    server=Column(TEXT, "the MCP server it is of", nullable=True),
    args_hash=Column(WHOLE, "equal for equal arguments"),
    changes=Column(BOOL, "whether it may change or send something, by its tool, of a shell by its command"),
    result_hash=Column(WHOLE, "equal for equal results", nullable=True),
    result_tokens=Column(WHOLE, "tokens of the result", nullable=True),
    is_error=Column(BOOL, "whether the result is an error"),
    carried_turns=Column(WHOLE, "how many prompts the result was in"),
    carried_usd=Column(USD, "what sending the result again cost, after the first time", nullable=True),
)
BLOCK_COSTS: Final = table(
    "what a block cost, and when it was last used",
    run_id=Column(TEXT, "the run"),
    block=Column(WHOLE, "its number in the run, as in blocks"),
    entry_usd=Column(USD, "what it cost in the first prompt that had it"),
    carried_usd=Column(USD, "what it cost in all the prompts after that"),
    output_usd=Column(USD, "what it cost to be written, where a model wrote it"),
    skill=Column(TEXT, "the skill it belongs to", nullable=True),
    content=Column(
        TEXT,
        "what a large tool_result looks like (JSON, code, a table), or that a shell command only looks",
        nullable=True,
    ),
    last_used_turn=Column(
        WHOLE, "the last turn known to refer to a tool_result; null where none does", nullable=True
    ),
    used_to=Column(
        REAL, "how far into a tool_result, from 0 to 1, the words reach that were used", nullable=True
    ),
    other_tokens=Column(
        WHOLE,
        "its tokens in the other family of tokenizers, as estimated; null where it is hidden",
        nullable=True,
    ),
)
