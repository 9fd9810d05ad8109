"""Audio and images among the tokens of a call, as its log tells them, to columns beside the token classes.

Logs tell tokens by modality within the input counter, which holds what was cached; few tell how many of the
cached ones were of a modality.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from costscan.reading.conversation.usage import MAX_COUNT, Counters, Modalities, number

AUDIO: Final = "audio"
IMAGE: Final = "image"


class Share(NamedTuple):
    """The tokens of a modality, None where not told: of what went in, of what the cache read, of output."""

    sent: int | None = None
    cached: int | None = None
    written: int | None = None


_NOT_TOLD: Final = Share()


def with_modalities(counted: Counters, audio: Share, image: Share = _NOT_TOLD) -> Counters:
    """Return counters with what of them was audio and images.

    Where it is not told how many of the cached tokens were audio, as many as can be are taken to be, and the
    counters are the least that is billed. So they are, as those of text, where more is told than there were.
    """
    if not counted.is_known or all(count is None for count in (*audio, *image)):
        return counted
    heard, seen = _split(audio, counted.cache_read_tokens or 0), _split(image, counted.cache_read_tokens or 0)
    classes = (counted.input_tokens, counted.cache_read_tokens, counted.output_tokens)
    if any((a or 0) + (i or 0) > (most or 0) for a, i, most in zip(heard, seen, classes, strict=True)):
        costs_more = bool(audio.sent or audio.written or image.written)
        return replace(counted, contradictory=counted.contradictory or costs_more)
    is_least = counted.contradictory or _is_unsure(audio, counted)
    return replace(counted, modalities=Modalities(*heard, *seen), contradictory=is_least)


def _split(share: Share, read_tokens: int) -> tuple[int | None, int | None, int | None]:
    """Return what was fresh, read from the cache, and written."""
    if share.sent is None:
        return None, None, share.written
    cached = share.cached if share.cached is not None else min(share.sent, read_tokens)
    return max(share.sent - cached, 0), cached, share.written


def _is_unsure(share: Share, counted: Counters) -> bool:
    """Whether it is not told how much of the audio was cached, and may have been some or all."""
    return bool(share.sent) and share.cached is None and bool(counted.cache_read_tokens)


def share_of(modality: str, sent: Mapping[str, object], written: Mapping[str, object]) -> Share:
    """Return what details of OpenAI's kind tell of a modality: of what was sent, and of what was written.

    The cached ones of it stand in `cached_tokens_details`, where they are told.
    """
    name = f"{modality}_tokens"
    cached = sent.get("cached_tokens_details")
    return Share(
        count_of(sent.get(name)),
        count_of(cached.get(name)) if isinstance(cached, dict) else None,
        count_of(written.get(name)),
    )


def count_of(value: object) -> int | None:
    """Return a counter of details, None where it is not told; one that cannot be read is more than can be."""
    if value is None:
        return None
    count = number(value)
    return MAX_COUNT if count is None else count
