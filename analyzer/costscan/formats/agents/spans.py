"""The model calls among spans and log records: each once, however many tell it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from costscan.formats.agents import genai
from costscan.formats.agents.blocks import word
from costscan.formats.agents.otlp import Record
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import LogFile
from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number
from costscan.reading.io.rows import Rows

_MAIN: Final = ("sdk", "main", "repl_main_thread", "cli")
"""How the words begin that Claude Code has for calls of the main loop."""


class _Seen(Struct):
    """A call as a span or a log record tells it; `is_event`: as an event of Claude Code."""

    line: int
    record: Record
    is_event: bool = False

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.record.attributes

    @property
    def ids(self) -> tuple[str | None, str | None]:
        """The message id and the request id; Claude Code's spans have the latter for both."""
        response = word(self.attributes.get("gen_ai.response.id"))
        request = word(genai.first(self.attributes, genai.REQUEST))
        return None if response == request else response, request

    @property
    def key(self) -> str:
        message, request = self.ids
        return message or request or f"{self.record.trace} {self.record.span}"

    @property
    def told_best(self) -> tuple[bool, ...]:
        """How much of the usage is told: the greatest tells most; a span goes before a log record."""
        own, is_span = self.attributes, self.record.began is not None
        return (
            self.is_event,
            genai.tells_lifetime(own),
            genai.tells_usage(own),
            genai.tells_cache(own),
            is_span,
        )


class Spans:
    """The calls of a file."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def add_span(self, line: int, span: Record) -> None:
        """Add a span, if it is one of a call."""
        if genai.is_call(span.attributes):
            self._seen.append(_Seen(line, span))

    def add_log(self, line: int, log: Record) -> None:
        """Add a log record, if it is one of a call."""
        if log.name.endswith("api_request") and "input_tokens" in log.attributes:
            self._seen.append(_Seen(line, log, is_event=True))
        elif genai.is_call(log.attributes) and genai.tells_usage(log.attributes):
            self._seen.append(_Seen(line, log))

    def write(self, file: LogFile, rows: Rows, source: str) -> None:
        """Write the calls to the rows."""
        runs = Runs(file, rows, source)
        knows = {seen.record.scope for seen in self._seen if genai.tells_cache(seen.attributes)}
        calls = sorted(self._calls(), key=lambda tellers: float(_began(tellers[0]) or 0))
        for tellers in calls:
            _add(runs, tellers, knows)
        runs.finish()

    def _calls(self) -> Iterator[list[_Seen]]:
        """Yield the calls: all that tell one, the best first."""
        by_span = {(seen.record.trace, seen.record.span): seen for seen in self._seen if not seen.is_event}
        keys = {id(seen): seen.key for seen in self._seen}
        for seen in by_span.values():
            above = by_span.get((seen.record.trace, seen.record.parent or ""))
            if above is not None and above is not seen:
                # One that has several inside it tells what they tell.
                keys[id(above)] = keys[id(seen)]
        for seen in self._seen:
            same_span = by_span.get((seen.record.trace, seen.record.span))
            if same_span is not None and seen.record.span:
                keys[id(seen)] = keys[id(same_span)]
        tellers: dict[str, list[_Seen]] = {}
        for seen in self._seen:
            tellers.setdefault(keys[id(seen)], []).append(seen)
        for same in tellers.values():
            if any(genai.tells_usage(seen.attributes) or seen.is_event for seen in same):
                yield sorted(same, key=lambda seen: seen.told_best, reverse=True)


def _began(seen: _Seen) -> str | None:
    if seen.record.began is not None or seen.record.ended is None:
        return seen.record.began
    took = number(seen.attributes.get("duration_ms")) or 0
    return f"{float(seen.record.ended) - took / 1000:.6f}"


def _add(runs: Runs, tellers: list[_Seen], knows: set[str]) -> None:
    best = tellers[0]
    run = _run_of(runs, tellers)
    ids = [next((seen.ids[n] for seen in tellers if seen.ids[n]), None) for n in (0, 1)]
    attributes = best.attributes
    prompt = next((p for seen in tellers if (p := genai.prompt_of(seen.attributes)) is not None), None)
    wrote = next((w for seen in tellers if (w := genai.answer_of(seen.attributes))), [])
    speed = word(attributes.get("speed"))
    told = ToldCall(
        line=best.line,
        model=genai.first(attributes, ("model", *genai.MODEL)),
        counters=_event(attributes)
        if best.is_event
        else genai.counters_of(attributes, knows_cache=best.record.scope in knows),
        began=_began(best),
        ended=best.record.ended,
        first_token_s=next(filter(None, (genai.first_token_s(seen.attributes) for seen in tellers)), None),
        message_id=ids[0] if ids[0] or ids[1] else best.key,
        request_id=ids[1],
        stop_reason=genai.first(attributes, genai.STOP) or "end_turn",
        tier=word(genai.first(attributes, genai.TIER)),
        speed=None if speed == "normal" else speed,
        effort=word(attributes.get("effort")),
        recorded_usd=attributes.get("cost_usd") if best.is_event else None,
    )
    if prompt is not None:
        run.prompt(best.line, prompt)
    run.called(told, wrote)


def _run_of(runs: Runs, tellers: list[_Seen]) -> Run:
    """Return the run of a call; calls of Claude Code beside its main loop are runs under the session."""
    named = next((word(v) for seen in tellers if (v := genai.first(seen.attributes, genai.RUN))), None)
    session = named or tellers[0].record.trace or f"line {tellers[0].line}"
    query = next((word(v) for seen in tellers if (v := seen.attributes.get("query_source"))), None)
    user = next((word(v) for seen in tellers if (v := seen.attributes.get("user.email"))), None)
    if query is None or query.startswith(_MAIN):
        run = runs.of(session)
    else:
        run = runs.of(f"{session}/{query}")
        run.parent, run.agent = session, query
    run.user = run.user or user
    return run


def _event(attributes: Mapping[str, Any]) -> Counters:
    """Return the counters of an event of Claude Code, which stand side by side."""
    plain, output, cache_read, written = (
        number(attributes.get(f"{name}_tokens"))
        for name in ("input", "output", "cache_read", "cache_creation")
    )
    hour = number(attributes.get("cache_creation_1h_tokens", 0))
    short = None if written is None or hour is None else max(written - hour, 0)
    ttl = UNKNOWN_TTL if short and "cache_creation_1h_tokens" not in attributes else None
    return Counters(plain, cache_read, short, hour, output, None, 0, contradictory=False, cache_write_ttl=ttl)
