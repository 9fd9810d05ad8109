"""A page of Anthropic's usage report: three days of one workspace, each day a sum and no calls."""

import json

from generator.blocks import Json
from generator.clock import iso, parse
from generator.formats.talk import Call, Sample, Step

_DAY_MS = 86_400_000
_FIRST = "2026-11-25T00:00:00Z"
_DAYS = ((12_400, 38_800, 9_700, 4_150), (8_850, 41_020, 5_250, 3_780), (0, 9_100, 840, 215))


def tell() -> Sample:
    """Return one page."""
    sums = [_sum(n, *counts) for n, counts in enumerate(_DAYS)]
    told = {"data": [_bucket(one) for one in sums], "has_more": False, "next_page": None}
    return Sample({"usage-2026-11.json": json.dumps(told, indent=1) + "\n"}, sums)


def _sum(n: int, fresh: int, read: int, written: int, output: int) -> Call:
    """Return what was used on a day, as if one call had."""
    began = parse(_FIRST) + n * _DAY_MS
    return Call(Step(""), "claude-haiku-5-5", began, began + _DAY_MS, fresh, read, written, output, "", "")


def _bucket(one: Call) -> Json:
    result = {
        "uncached_input_tokens": one.fresh,
        "cache_read_input_tokens": one.read,
        "cache_creation": {"ephemeral_5m_input_tokens": one.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": one.output,
        "server_tool_use": {"web_search_requests": 0},
        "model": one.model,
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
        "api_key_id": None,
        "workspace_id": "wrkspc_01garden",
    }
    times = {
        name: iso(at, precise=False) for name, at in (("starting_at", one.began), ("ending_at", one.ended))
    }
    return {**times, "results": [result]}
