"""From the lines that record costs to the total of a session: which lines count on, and which began anew.

A `result` or `cost-state` line is a running total of a client process, sub-agents and hidden calls included.
A session that is resumed goes on in a new process, which counts from zero, in the same file or in another;
a file that was copied tells the same totals again. With `--output-format json` the client writes nothing but
its `result`, so such a line without calls around it is a process of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.recorded_cost.events import HOUR, LATEST, TOKENS, Counters, Recorded, covers, plus
from costscan.schema.frames import PROMPT

_NONE: Final[Counters] = dict.fromkeys((*TOKENS, HOUR), 0)


def of_session(files: list[list[Recorded]], calls: pl.DataFrame) -> Recorded:
    """Return the total of a session: the sum of its processes, of each the last total.

    Args:
        files: the lines of each file.
        calls: the logged calls of the session, of all copies, with path, line and message_id.
    """
    by_file = sorted(_without_copies(files, calls), key=lambda f: (f[0].at or LATEST, f[0].path))
    events = _distinct(event for file in by_file for event in file)
    ended: list[Recorded] = []
    last = events[0]
    for event in events[1:]:
        if _restarted(last, event, calls):
            ended.append(last)
            last = event
        else:
            last = _went_on(last, event)
    total = _added([*ended, last])
    total.ends = {file[-1].path: file[-1].line for file in files}
    total.at = max((e.at for e in events if e.at is not None), default=None)
    return total


def _distinct(events: Iterable[Recorded]) -> list[Recorded]:
    """Leave out lines that were told before: files may overlap in part."""
    uuids: set[str] = set()
    kept = []
    for event in events:
        if event.uuid is None or event.uuid not in uuids:
            kept.append(event)
        if event.uuid is not None:
            uuids.add(event.uuid)
    return kept


def _without_copies(files: list[list[Recorded]], calls: pl.DataFrame) -> list[list[Recorded]]:
    """Leave out files whose totals and calls another one tells as well."""
    kept: list[list[Recorded]] = []
    for file in sorted(files, key=len, reverse=True):
        if not any(
            all(any(e.tells_the_same(k) for k in other) for e in file) and _tells_all(other, file, calls)
            for other in kept
        ):
            kept.append(file)
    return kept


def _tells_all(one: Sequence[Recorded], other: Sequence[Recorded], calls: pl.DataFrame) -> bool:
    """Whether the calls up to the totals of `other` all stand in the file of `one` too."""
    upto = calls.filter((pl.col("path") == other[-1].path) & (pl.col("line") <= other[-1].line))
    own_calls = calls.filter(pl.col("path") == one[0].path)
    return bool(upto["message_id"].is_in(own_calls["message_id"].implode(), nulls_equal=True).all())


def _restarted(before: Recorded, after: Recorded, calls: pl.DataFrame) -> bool:
    """Whether the second total is that of a new process, which leaves out what the first one covers.

    A client that numbers its results says so itself. Else a running total grows by at least what was logged
    since. Calls in flight when the first was written may be missing in this sum, so only a total that lacks
    most of the first one is a new one.
    """
    if not _grew(before, after):
        return True
    if before.index is not None and after.index is not None:
        return after.index <= before.index and not before.tells_the_same(after)
    new = _logged_between(before, after, calls)
    if after.event == "result" and not new.height:
        return _restarted_unlogged(before, after, is_stream=after.path in calls["path"])
    if not before.models or not after.models or after.by_usage:
        return False
    own = new.filter(pl.col("model").is_in(list(before.models)))
    rest = after.prompt_tokens(before.models) - int(own.select(PROMPT.sum()).item())
    return 2 * rest < before.prompt_tokens(before.models)


def _grew(before: Recorded, after: Recorded) -> bool:
    if after.amount < before.amount:
        return False
    return after.by_usage or all(covers(after.models.get(m, _NONE), own) for m, own in before.models.items())


def _restarted_unlogged(before: Recorded, after: Recorded, *, is_stream: bool) -> bool:
    """The same, with no call logged between the two: decided by the usage of the second one's main loop.

    In a stream the usage may be all that is known of calls whose lines were left out; where there is nothing
    but results, only a sum that is met to the token shows that the second counts on.
    """
    if before.tells_the_same(after):
        return False
    if after.usage is None or after.by_usage:
        return not is_stream
    if is_stream:
        return not covers(_sum(after), plus(_sum(before), after.usage))
    return not counts_on(before, after)


def counts_on(before: Recorded, after: Recorded) -> bool:
    """Whether the second total is the first one and the usage beside it, to the token of what was cached."""
    if after.usage is None:
        return False
    begun, grown = _sum(before), _sum(after)
    both = plus(begun, after.usage)
    cached = ("cache_read_tokens", "cache_write_tokens")
    exact = cached if any(after.usage[name] for name in cached) else ("input_tokens",)
    return any(begun.values()) and covers(grown, both) and all(grown[name] == both[name] for name in exact)


def without_earlier_sessions(file: Sequence[Recorded]) -> list[Recorded]:
    """Return the `result` lines of a file, less what a session took over from the one before it.

    Clients before 2.1.211 go on counting when a conversation is cleared, under another session id.
    """
    taken: dict[str, Recorded | None] = {}
    last: Recorded | None = None
    for event in file:
        if event.session not in taken:
            goes_on = last is not None and counts_on(last, event)
            taken[event.session] = last if goes_on else None
        last = event
    return [event if (first := taken[event.session]) is None else _less(event, first) for event in file]


def _less(event: Recorded, first: Recorded) -> Recorded:
    models = {
        m: {
            name: None if n is None else max(n - (first.models.get(m, _NONE)[name] or 0), 0)
            for name, n in own.items()
        }
        for m, own in event.models.items()
    }
    model_usd = {
        m: max(usd - first.model_usd.get(m, Decimal(0)), Decimal(0)) for m, usd in event.model_usd.items()
    }
    usd = None if event.usd is None else max(event.usd - first.amount, Decimal(0))
    return replace(event, usd=usd, models=models, model_usd=model_usd)


def _sum(total: Recorded) -> Counters:
    """Sum the counters over the models."""
    return {name: sum(own[name] or 0 for own in total.models.values()) for name in (*TOKENS, HOUR)}


def _logged_between(before: Recorded, after: Recorded, calls: pl.DataFrame) -> pl.DataFrame:
    """Return the calls that only the second total can cover."""
    new = calls.filter((pl.col("path") == after.path) & (pl.col("line") <= after.line))
    if before.path == after.path:
        return new.filter(pl.col("line") > before.line)
    earlier_ids = calls.filter(pl.col("path") == before.path)["message_id"].drop_nulls()
    return new.filter(~pl.col("message_id").is_in(earlier_ids.implode()).fill_null(value=False))


def _went_on(before: Recorded, after: Recorded) -> Recorded:
    """Return the later total of one process; its usage, which is only the last stretch's, is added up."""
    if before.tells_the_same(after):
        return after
    usage = plus(before.usage, after.usage) if before.usage and after.usage else None
    if not after.by_usage:
        return replace(after, usage=usage)
    models = {m: plus(before.models.get(m), own) for m, own in after.models.items()}
    return replace(after, usage=usage, models=before.models | models)


def _added(ended: Sequence[Recorded]) -> Recorded:
    """Add up the totals of processes that ended."""
    last = ended[-1]
    if len(ended) == 1:
        return last
    total = Recorded(last.session, last.path, last.line, last.at, last.event)
    total.usd = sum((e.amount for e in ended), Decimal(0))
    total.processes = list(ended)
    total.by_usage = all(event.by_usage for event in ended)
    usages = [event.usage for event in ended if event.usage is not None]
    for usage in usages if len(usages) == len(ended) else ():
        total.usage = plus(total.usage, usage)
    for event in ended:
        total.spelling |= event.spelling
        total.lacking |= event.lacking
        total.mode = event.mode or total.mode
        total.usage_model = event.usage_model or total.usage_model
        for model, tokens in event.models.items():
            total.models[model] = plus(total.models.get(model), tokens)
        for model, usd in event.model_usd.items():
            total.model_usd[model] = total.model_usd.get(model, Decimal(0)) + usd
    return total
