"""What an action is called, and which rules explain it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from costscan.actions import setting as kinds
from costscan.actions.setting import Setting


class Kind(NamedTuple):
    """How the setting of a part of a lever is told.

    Attributes:
        title: what to do; `subject` and `value` are put in.
        rules: the names of the rules whose findings it mends, the one that explains it first.
    """

    title: str
    rules: tuple[str, ...]


KINDS: Final[Mapping[str, Kind]] = {
    kinds.FIX_PREFIX: Kind(
        "Keep the beginning of the prompts of {subject} the same",
        ("volatile-prefix", "unstable-tool-order", "unstable-serialization", "tool-definitions-changed"),
    ),
    kinds.BREAKPOINTS: Kind(
        "Set cache breakpoints where prompts of {subject} are extended",
        (
            *("missing-breakpoint", "no-caching", "lookback-overflow", "too-many-or-late-breakpoints"),
            *("below-minimum-prefix", "fan-out-before-first-response"),
        ),
    ),
    kinds.TTL: Kind(
        "Cache the prompts of {subject} for {value}", ("wrong-ttl", "cache-expired", "written-never-read")
    ),
    kinds.CAP: Kind(
        "Limit {subject} to {value} tokens a result",
        (
            *("bloated-tool-result", "stale-tool-result", "unused-tool-result", "raw-markup-or-json-dump"),
            "re-read-file",
        ),
    ),
    kinds.COMPACT: Kind("Compact {subject} at {value} tokens", ("missing-compaction", "stale-tool-result")),
    kinds.CLEAR: Kind("Clear old tool results of {subject} at {value} tokens", ("stale-tool-result",)),
    "trimming/defer-unused-tools": Kind(
        "Load the tools that {subject} does not call only when they are searched for",
        ("unused-tool-definitions",),
    ),
    "trimming/drop-repeated-results": Kind(
        "Send no result again that {subject} still has", ("repeated-tool-result", "repeated-tool-call")
    ),
    "trimming/resize-images": Kind("Send smaller images in {subject}", ("oversized-image",)),
    "trimming/prune-at-task-boundary": Kind(
        "Clear the tool results of {subject} when the next request begins", ("stale-tool-result",)
    ),
    kinds.ROUTE: Kind("Try {value} for {subject}", ("over-qualified-model", "over-qualified-subagent")),
    kinds.ROUTE_TURNS: Kind(
        "Try {value} for short steps of {subject}", ("over-qualified-model", "over-qualified-subagent")
    ),
    kinds.ASYNC: Kind(
        "Send {subject} to the Batch API", ("batchable-requests", "interactive-lane-for-nightly-job")
    ),
    kinds.PACK: Kind("Pack items of {subject} into one request", ("one-item-per-run",)),
}
TTLS: Final = {
    "5m": "five minutes",
    "1h": "an hour",
    "1h prefix": "an hour up to the end of the system prompt, for five minutes behind it",
}


def title(setting: Setting) -> str:
    """Return what to do, in a sentence."""
    return KINDS[setting.part].title.format(subject=setting.subject, value=shown(setting))


def shown(setting: Setting) -> str:
    """Return what is set, as people write it."""
    if setting.part == kinds.TTL:
        return TTLS[str(setting.value)]
    return f"{int(setting.value):,}" if setting.value and setting.value.isdecimal() else setting.value or ""


__all__ = ["KINDS", "TTLS", "Kind", "shown", "title"]
