"""Why a model stopped, in the words of the Messages API, whatever provider or client says it."""

from typing import Final

_END, _TOOLS, _LENGTH, _REFUSED = "end_turn", "tool_use", "max_tokens", "refusal"
_WORDS: Final = {
    **dict.fromkeys(("stop", "completed", "complete", "eos"), _END),
    **dict.fromkeys(("tool_calls", "tool-calls", "tooluse", "function_call", "tool_call"), _TOOLS),
    **dict.fromkeys(("length", "max_output_tokens", "max_tokens", "model_length"), _LENGTH),
    **dict.fromkeys(("content_filter", "content-filter", "safety", "prohibited_content"), _REFUSED),
}


def stop_word(told: str | None) -> str | None:
    """Return the word of the Messages API for one that a log says; others as they are.

    >>> stop_word("STOP"), stop_word("pause_turn"), stop_word(None)
    ('end_turn', 'pause_turn', None)
    """
    return None if told is None else _WORDS.get(told.lower(), told)
