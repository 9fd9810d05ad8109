"""What providers tell of a period and a model in sums: usage and costs, by interface and by export."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import usd
from costscan.formats.agents.slugs import model_of
from costscan.reading.conversation.usage import number
from costscan.reading.io.timestamps import time_of

_MOST: Final = 5 * 10**10
"""More tokens than this in one sum are damage: their price has more digits than money has here."""
_CENTS: Final = 100
_Row = Mapping[str, Any]
_OPENROUTER: Final = "openrouter"
_ACTIVITY: Final = frozenset({"date", "requests", "prompt_tokens", "completion_tokens", "usage"})
"""https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity"""


class Cost(NamedTuple):
    """What a provider charged in a period; None where that is no amount in USD."""

    provider: str
    at: datetime | None
    usd: Decimal | None


class Usage(NamedTuple):
    """What a model used in a period.

    `counters`: fresh input, cache reads, 5-minute and 1-hour writes, output, searches; None is unknown.
    `mode`: tier, speed and place, None where standard; `is_long`: whether its prompts are over the limit of a
    higher price, None where not told; `is_known`: whether all else is told that sets the price.
    """

    provider: str
    at: datetime | None
    model: str
    counters: tuple[int | None, ...]
    mode: tuple[str | None, str | None, str | None]
    is_long: bool | None
    is_known: bool
    project: str | None
    user: str | None


def told(row: _Row) -> Usage | Cost | str | None:
    """Return what a result tells, with the times of its bucket in it.

    A text says why it is not counted; None: it is no result of a provider.
    """
    kind = row.get("object")
    if isinstance(kind, str) and kind.startswith("organization.usage.") and "output_tokens" not in row:
        return f"{kind.split('.')[2]} of OpenAI are not told in tokens that are billed here"
    return next((make(row) for keys, make in _SHAPES if keys <= row.keys()), None)


def _anthropic(row: _Row) -> Usage:
    written = blocks.mapping_in(row, "cache_creation")
    searches = blocks.mapping_in(row, "server_tool_use").get("web_search_requests", 0)
    tier, geo = blocks.word(row.get("service_tier")), blocks.word(row.get("inference_geo"))
    counted = (row["uncached_input_tokens"], row.get("cache_read_input_tokens"))
    writes = (written.get(f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    who = ("account_id", "user_id", "service_account_id", "api_key_id")
    return Usage(
        "anthropic",
        time_of(_text(row.get("starting_at"))),
        blocks.word(row.get("model")) or "unknown",
        _counts(*counted, *writes, row.get("output_tokens"), searches),
        (tier, blocks.word(row.get("speed")), geo),
        _is_long(row.get("context_window")),
        tier is not None and geo is not None,
        blocks.word(row.get("workspace_id")),
        _first(row, who),
    )


def _console(row: _Row) -> Usage:
    names = ("no_cache", "cache_read", "cache_write_5m", "cache_write_1h")
    counted = [row.get(f"usage_input_tokens_{name}") for name in names]
    tier = blocks.word(row.get("usage_type"))
    searches = row.get("web_search_count") or 0
    return Usage(
        "anthropic",
        time_of(_text(row.get("usage_date_utc"))),
        blocks.word(row.get("model_version")) or "unknown",
        _counts(*counted, row.get("usage_output_tokens"), searches),
        (tier, blocks.word(row.get("speed")), blocks.word(row.get("inference_geo"))),
        _is_long(row.get("context_window")),
        tier is not None and "inference_geo" in row,
        blocks.word(row.get("workspace")),
        blocks.word(row.get("api_key")),
    )


def _openai(row: _Row) -> Usage:
    total, cached, written = (
        number(row.get(name), _MOST)
        for name in ("input_tokens", "input_cached_tokens", "input_cache_write_tokens")
    )
    written = 0 if row.get("input_cache_write_tokens") is None else written
    fresh = (
        None if None in (total, cached, written) else max((total or 0) - (cached or 0) - (written or 0), 0)
    )
    tier, in_batch = blocks.word(row.get("service_tier")), str(row.get("batch")).lower()
    others = [n for name, n in row.items() if ("audio" in name or "image" in name) and number(n, _MOST)]
    return Usage(
        "openai",
        time_of(_text(row.get("start_time"))),
        blocks.word(row.get("model")) or "unknown",
        (fresh, cached, written, 0, number(row.get("output_tokens"), _MOST), 0),
        ("batch" if in_batch == "true" else tier, None, None),
        None,
        (tier is not None or in_batch == "true") and not others,
        blocks.word(row.get("project_id")),
        _first(row, ("user_id", "api_key_id")),
    )


def _openrouter(row: _Row) -> Usage:
    """Return what was used by day and model; how much of the prompts was cached is told nowhere."""
    prompts = number(row.get("prompt_tokens"), _MOST)
    cached = 0 if prompts == 0 else None
    return Usage(
        _OPENROUTER,
        time_of(_text(row.get("date"))),
        model_of(row.get("model_permaslug"), row.get("model")) or "unknown",
        (cached, cached, cached, cached, number(row.get("completion_tokens"), _MOST), None),
        (None, None, None),
        None,
        False,
        blocks.word(row.get("workspace_id")),
        None,
    )


def charged(row: _Row) -> Cost | None:
    """Return what a result says that its own usage cost, what a key of one's own cost included.

    None where it tells no cost, or nothing but a cost.
    """
    if not row.keys() >= _ACTIVITY:
        return None
    parts = [usd(row.get(name)) for name in ("usage", "byok_usage_inference")]
    total = None if parts[0] is None else sum((Decimal(part or 0) for part in parts), Decimal(0))
    return Cost(_OPENROUTER, time_of(_text(row.get("date"))), total)


def _cents(row: _Row) -> Cost:
    """Return a cost as Anthropic's interface tells it, in cents."""
    cents = usd(row["amount"]) if str(row.get("currency", "USD")).upper() == "USD" else None
    amount = None if cents is None else Decimal(cents) / _CENTS
    return Cost("anthropic", time_of(_text(row.get("starting_at"))), amount)


def _openai_cost(row: _Row) -> Cost:
    amount = blocks.mapping_in(row, "amount") or {
        "value": row.get("amount_value"),
        "currency": row.get("amount_currency"),
    }
    told_usd = usd(amount.get("value")) if str(amount.get("currency") or "usd").lower() == "usd" else None
    at = time_of(_text(row.get("start_time")))
    return Cost("openai", at, None if told_usd is None else Decimal(told_usd))


def _console_cost(row: _Row) -> Cost:
    dollars = usd(row["cost_usd"])
    at = time_of(_text(row.get("usage_date_utc")))
    return Cost("anthropic", at, None if dollars is None else Decimal(dollars))


_SHAPES: Final[tuple[tuple[frozenset[str], Callable[[_Row], Usage | Cost]], ...]] = (
    (frozenset({"uncached_input_tokens", "output_tokens"}), _anthropic),
    (frozenset({"usage_date_utc", "usage_input_tokens_no_cache"}), _console),
    (frozenset({"usage_date_utc", "cost_usd"}), _console_cost),
    (_ACTIVITY, _openrouter),
    (frozenset({"num_model_requests", "input_tokens", "output_tokens", "start_time"}), _openai),
    (frozenset({"amount", "object", "start_time"}), _openai_cost),
    (frozenset({"amount_value", "start_time"}), _openai_cost),
    (frozenset({"amount", "currency", "starting_at"}), _cents),
)


def _counts(*values: object) -> tuple[int | None, ...]:
    return tuple(number(value, _MOST) for value in values)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None


def _first(row: _Row, names: tuple[str, ...]) -> str | None:
    return next(filter(None, (blocks.word(row.get(name)) for name in names)), None)


def _is_long(window: object) -> bool | None:
    """Return whether prompts are over the limit: "0-200k", "≤ 200k", "200k-1M", "> 200k"."""
    if not isinstance(window, str) or not window:
        return None
    return window.startswith(("200k", ">"))
