"""What the scenarios take for granted: said once, with who says so, for the levers that save anything."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from costscan.calibration import Calibration
from costscan.levers.batching.async_requests import MISSED_READS
from costscan.levers.batching.pack_items import INSTRUCTION_TOKENS, ITEM_INPUT_TOKENS, ITEM_OUTPUT_TOKENS
from costscan.levers.catalogue import SUMMARY_TOKENS
from costscan.levers.routing.apply import SIZE_SPREAD, THINKING_GROWTH
from costscan.levers.trimming.context_editing import KEPT, LEAST_SHARE
from costscan.levers.trimming.defer_unused_tools import SEARCH_TOKENS
from costscan.levers.uncertainty import ATTACHED_ERROR
from costscan.summary.model import Assumption, Scenario

_DOCS: Final = "platform.claude.com/docs/en"
ASSUMED: Final = (
    Assumption(
        "caching",
        "a hit refreshes every live entry in its lookback; every content block is one position; "
        "an entry can be used once the response that wrote it has ended",
        "where the documentation is silent: docs/caching.md",
    ),
    Assumption(
        "trimming",
        "the agent does the same with what is left of a result; what was used behind a cap is fetched again "
        "by one more call",
        "docs/used-share.md; with trimming.tool_result_max_tokens nothing is fetched again",
    ),
    Assumption(
        "trimming/defer-unused-tools",
        f"a tool-search tool of {SEARCH_TOKENS} tokens takes the place of the definitions",
        "www.anthropic.com/engineering/advanced-tool-use",
    ),
    Assumption(
        "trimming/context-editing",
        f"all results but the newest {KEPT} become a note, if that is at least {LEAST_SHARE:.0%} of the "
        "threshold, and the agent does the same without them",
        f"{_DOCS}/build-with-claude/context-editing",
    ),
    Assumption(
        "trimming/compact-history",
        f"a summary has {SUMMARY_TOKENS:,} tokens (the range: half of it to twice), and one request reads "
        "the history to write it",
        f"{_DOCS}/build-with-claude/compaction; the length is assumed",
    ),
    Assumption(
        "routing",
        "the smaller model takes the same calls and says as much; the low end has it write "
        f"{THINKING_GROWTH:.0%} more where it thinks by default and the other model did not think",
        f"{_DOCS}/about-claude/models/overview (thinking defaults); the growth is assumed",
    ),
    Assumption(
        "routing",
        "a call whose answer shows that the smaller model was not enough is made twice, "
        "and the first answer is as long as the second",
        "docs/levers.md; how often a smaller model fails elsewhere is not known",
    ),
    Assumption(
        "routing",
        "between the two families of tokenizers, tokens are counted anew block by block, "
        f"give or take {SIZE_SPREAD:.0%}, or {ATTACHED_ERROR:.0%} of documents",
        f"{_DOCS}/about-claude/pricing; docs/token-weights.md",
    ),
    Assumption(
        "batching",
        f"cache hits in a batch are best effort: the low end finds {1 - MISSED_READS:.0%} of them",
        f"{_DOCS}/build-with-claude/batch-processing",
    ),
    Assumption(
        "batching/pack-items",
        "one request answers all items of a context as each was answered alone; "
        f"{ITEM_INPUT_TOKENS} tokens before each item and {ITEM_OUTPUT_TOKENS} before each answer number "
        f"them and {INSTRUCTION_TOKENS} ask for that; the range has half of it and twice",
        "assumed: try it on some items",
    ),
)


def assumptions(scenarios: Iterable[Scenario], calibration: Calibration | None = None) -> list[Assumption]:
    """Return the assumptions behind the scenarios that save anything, and behind corrected estimates."""
    saving = {s.scenario for s in scenarios if s.saved_usd}
    counted = [_calibrated(calibration)] if calibration is not None else []
    return [*counted, *(one for one in ASSUMED if one.lever in saving)]


def _calibrated(calibration: Calibration) -> Assumption:
    """Return what is taken from a calibration."""
    counted = ", ".join(
        f"{kind} x {measured.value:.2f} ({family})"
        for family, factors in calibration.factors.items()
        for kind, measured in factors.items()
    )
    spreads = ", ".join(f"{kind} {spread:.0%}" for kind, spread in calibration.spreads.items())
    return Assumption(
        "calibration",
        f"estimates of the tokens of texts are corrected by {calibration.samples:,} texts counted on "
        f"{calibration.day}: {counted or 'none'}; between the two families of tokenizers, give or take "
        f"{spreads or 'what is usual'}",
        f"{Path(calibration.file).name}; docs/calibrate.md",
    )
