"""Where the messages of a prompt depart from those of an older one."""

import re
from typing import Final

from costscan.reading.prompt_diff.divergence import Break, Prompt, alike, close, excerpt, of_texts
from costscan.reading.prompt_diff.text_diff import departures, varying

REWRITTEN: Final = "history-rewritten"
MIN_SHARED_CHARS: Final = 400
"""Two questions of one wording are told of where so much that is common stands behind what varies."""
_PROBE_CHARS: Final = 40
_PROBES: Final = (0.3, 0.5, 0.7, 0.9)
_LEAST_HISTORY: Final = 3
_SURVIVE: Final = 3
_SHORTER: Final = 2
_summary = re.compile(
    r"(?i:summar|compact|in short|continued from|conversation so far|previous conversation)"
)


def of_messages(old: Prompt, new: Prompt, at: int, *, across: bool) -> list[Break]:
    """Return the places where the messages differ; they agree before position `at`."""
    was, now = old.blocks[at], new.blocks[at]
    newest = was.message == old.blocks[-1].message
    if newest and not across and old.marked is not None and at > old.marked:
        # Behind the last breakpoint of the newest message: what changes there was put there for that.
        return []
    if across or (newest and now.message == new.blocks[-1].message):
        return _same_question(old, new, at)
    place = Break(at, "messages", now.path, None, None, "unknown")
    if is_compacted(old, new, at):
        return [_cut(place, old, new, at, "compaction")]
    survive = set(old.keys[at:]).intersection(new.keys[at:])
    if not survive and _is_first(new, at) and not _is_edit(old, new, at):
        # Another conversation.
        return []
    return _edited(old, new, at, place)


def is_compacted(old: Prompt, new: Prompt, at: int) -> bool:
    """Whether a summary stands where most of the history stood."""
    if new.blocks[at].measured.kind != "text":
        return False
    if new.blocks[at].role == "assistant" and _is_first(new, at):
        # Nothing but a summary of the API's own begins a conversation so.
        return True
    gone = len(old.keys) - at
    survive = len(set(old.keys[at:]).intersection(new.keys[at:]))
    if gone < _LEAST_HISTORY or survive * _SURVIVE > gone:
        return False
    chars = [sum(b.measured.chars for b in prompt.blocks[at:]) for prompt in (old, new)]
    text = new.text(at) or ""
    is_summary = bool(_summary.search(text)) or survive > 0 or not _is_first(new, at)
    return is_summary and (chars[1] * _SHORTER <= chars[0] or bool(_summary.search(text)))


def _is_first(prompt: Prompt, at: int) -> bool:
    return at == 0 or prompt.blocks[at - 1].layer != "messages"


def _is_edit(old: Prompt, new: Prompt, at: int) -> bool:
    a, b = old.text(at), new.text(at)
    return a is None or b is None or close(departures(a, b), a, b) or alike(a, b)


def _cut(place: Break, old: Prompt, new: Prompt, at: int, cause: str) -> Break:
    """Return the place as a whole block that changed."""
    a, b = old.text(at) or "", new.text(at) or ""
    place.char_offset, place.text_chars, place.cause = 0, len(b), cause
    place.before, place.after = excerpt(a), excerpt(b)
    return place


def _edited(old: Prompt, new: Prompt, at: int, place: Break) -> list[Break]:
    was, now = old.blocks[at].measured, new.blocks[at].measured
    if was.kind == now.kind and was.content_hash == now.content_hash and was.call_id != now.call_id:
        place.path += ".id" if now.kind == "tool_use" else ".tool_use_id"
        return of_texts(was.call_id or "", now.call_id or "", place, REWRITTEN)
    if (other := _gone_or_new(old, new, at, place)) is not None:
        return [other]
    moved = old.keys[at] in new.keys[at:] or new.keys[at] in old.keys[at:]
    in_place = old.keys[at + 1 : at + 2] == new.keys[at + 1 : at + 2]
    if was.kind != now.kind or (moved and not in_place):
        return [_cut(place, old, new, at, REWRITTEN)]
    if old.forgot(at) or new.forgot(at):
        return [place]
    if old.texts[at] is None or new.texts[at] is None:
        place.cause = REWRITTEN
        return [place]
    return of_texts(old.text(at), new.text(at), place, REWRITTEN)


def _gone_or_new(old: Prompt, new: Prompt, at: int, place: Break) -> Break | None:
    """Return the place where a message lost a block at its end, or got one more."""
    was, now = old.blocks[at], new.blocks[at]
    if (was.message, was.nth) == (now.message, now.nth):
        return None
    cut = _cut(place, old, new, at, REWRITTEN)
    if (was.message, was.nth) < (now.message, now.nth):
        cut.path, cut.text_chars, cut.after = was.path, None, ""
    else:
        cut.before = ""
    return cut


def _same_question(old: Prompt, new: Prompt, at: int) -> list[Break]:
    """Return what varies between two questions of the same wording, where much that is common follows."""
    a, b = old.text(at), new.text(at)
    if a is None or b is None or min(len(a), len(b)) < MIN_SHARED_CHARS:
        return []
    probes = (a[int(len(a) * share) :][:_PROBE_CHARS] for share in _PROBES)
    if not any(probe in b for probe in probes):
        return []
    slots = departures(a, b)
    behind = len(b) - slots[0].b.start - varying(slots) if slots else 0
    if behind < MIN_SHARED_CHARS or not close(slots, a, b):
        return []
    place = Break(at, "messages", new.blocks[at].path, None, None, "unknown")
    return of_texts(a, b, place, "text-edited")
