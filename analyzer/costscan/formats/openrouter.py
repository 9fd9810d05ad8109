"""OpenRouter's log of generations: the CSV of its Activity page, and answers of `/api/v1/generation`.

What the numbers mean, and what is counted once:
- A row is one call; the same generation id is the same call, in the CSV and in the statistics.
- `tokens_prompt` holds what was read from and written to the cache, `tokens_completion` what was reasoned. Of
  statistics the `native_tokens_…` are taken: the others are those of another tokenizer.
- What was written to the cache is not told. Where the maker of the model bills it (Claude, and GPT from 5.6)
  and a cache was used, fresh input and writes are unknown, and such a call is billed for the rest.
- `cost_total` (with `byok_usage_inference`, what a key of one's own cost beside it) is what OpenRouter took,
  kept as recorded: its providers may have other prices than the maker's list, which is what is billed here.
  Searches and files are in it; how many searches it was is not told, nor billed.
- A slug ends in the day on which OpenRouter listed the model, which is left out of its name. A `free` variant
  is another model, without a list price.
- A generation without tokens and without cost (an error, a cancelled request) is no call.
- `session_id`, where there is one, is the run; else each call is a run of its own, for no row says which
  conversation it belongs to. The app is the task, the user or the name of the key whose it is. Prompts,
  tools and answers are not in it. Sums by day (`/api/v1/activity`) tell no calls: see `usage_export`.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Runs, ToldCall, usd
from costscan.formats.agents.slugs import model_of
from costscan.formats.api.when import end_of, start_of
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.redaction import label
from costscan.reading.conversation.token_classes import OPENAI, Told, classes_of
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.rows import Rows
from costscan.reading.io.tables import ENDINGS, feed_rows

_writes_are_billed = re.compile(r"(anthropic/|openai/gpt-(5\.[6-9]|[6-9]|\d\d))")


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are generations as OpenRouter tells them."""
    return any(_generation(line) is not None for line in objects)


def _generation(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the generation in a line, which an answer of the interface has in `data`."""
    if "generation_id" in line and "model_permaslug" in line:
        return line
    inner = blocks.mapping_in(line, "data") or line
    return inner if "native_tokens_prompt" in inner and "total_cost" in inner else None


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of generations."""
    runs = Runs(file, rows, FORMAT.name)
    feed_rows(file.on_disk, file.path, rows, lambda at, line: _taken(runs, at, line))
    runs.finish()


FORMAT = Format(
    name="openrouter",
    expected="generations of OpenRouter such as generation_id,created_at,cost_total,…,model_permaslug,…",
    sniff=sniff,
    read=read,
    # A client's own log of the call says more of it.
    precedence=5,
    in_tables=True,
    endings=ENDINGS,
)


def _taken(runs: Runs, at: int, line: Mapping[str, Any]) -> bool:
    row = _generation(line)
    if row is None:
        return False
    model = model_of(row.get("model_permaslug"), row.get("model"), row.get("variant"))
    counters, dollars = _counters(row), _dollars(row)
    if not any((counters.input_tokens, counters.cache_read_tokens, counters.output_tokens, dollars)):
        return True
    call_id = blocks.word(row.get("generation_id")) or blocks.word(row.get("id")) or f"line {at}"
    began = start_of(row.get("created_at"))
    run = runs.of(blocks.word(row.get("session_id")) or call_id)
    run.task = run.task or blocks.word(row.get("app_name"))
    run.user = run.user or _who(row)
    reason = row.get("finish_reason_normalized") or row.get("finish_reason")
    told = ToldCall(
        line=at,
        model=model,
        counters=counters,
        began=began,
        ended=end_of(began, row.get("generation_time_ms", row.get("generation_time"))),
        message_id=call_id,
        stop_reason=blocks.word(reason),
        recorded_usd=dollars,
    )
    run.called(told)
    return True


def _who(row: Mapping[str, Any]) -> str | None:
    names = (blocks.word(row.get(name)) for name in ("user", "external_user", "api_key_name"))
    user = next(filter(None, names), None)
    return label(user) if user else None


def _counters(row: Mapping[str, Any]) -> Counters:
    prompt, reply, reasoned, cached = (
        _count(row, name) for name in ("prompt", "completion", "reasoning", "cached")
    )
    has_cost = _is_other_than_zero(row.get("cost_cache")) or _is_other_than_zero(row.get("cache_discount"))
    if cached is None and not has_cost:
        cached = 0
    slug = str(row.get("model_permaslug") or row.get("model"))
    may_have_written = (cached != 0 or has_cost) and _writes_are_billed.match(slug)
    searched = _is_other_than_zero(row.get("cost_web_search")) or row.get("num_search_results")
    told = Told(
        input_tokens=prompt,
        output_tokens=reply,
        cache_read_tokens=cached,
        cache_write_5m_tokens=None if may_have_written else 0,
        reasoning_tokens=reasoned or 0,
        web_searches=None if searched else 0,
    )
    return classes_of(told, OPENAI)


def _count(row: Mapping[str, Any], name: str) -> int | None:
    return number(row.get(f"native_tokens_{name}", row.get(f"tokens_{name}")))


def _is_other_than_zero(value: object) -> bool:
    """Whether an amount is told, and is not zero; costs of the cache may be below zero."""
    try:
        return not isinstance(value, bool) and Decimal(str(value)) != 0
    except InvalidOperation:
        return False


def _dollars(row: Mapping[str, Any]) -> Decimal | None:
    """Return what OpenRouter charged, and what a key of one's own cost beside it."""
    charged = next(filter(None, (usd(row.get(name)) for name in ("cost_total", "total_cost", "usage"))), None)
    upstream = row.get("upstream_inference_cost") if row.get("is_byok") is True else None
    beside = usd(row.get("byok_usage_inference")) or usd(upstream)
    return None if charged is None else Decimal(charged) + Decimal(beside or 0)
