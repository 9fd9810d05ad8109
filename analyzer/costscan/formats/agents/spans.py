"""The model calls among spans and log records: each once, however many tell it."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from costscan.formats.agents import cli_events, genai
from costscan.formats.agents.blocks import word
from costscan.formats.agents.otlp import Record
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.interface import LogFile
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.rows import Rows


class _Seen(Struct):
    """A call as a span or a log record tells it; `event`: the counters that an event of a client tells."""

    line: int
    record: Record
    event: Counters | None = None

    @property
    def is_span(self) -> bool:
        return self.record.began is not None

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
        """What tells the call from others: an id; else the span, or what a log record says and when."""
        message, request = self.ids
        span = f"{self.record.trace} {self.record.span}"
        moment = self.record.began or self.record.ended
        said = "" if self.is_span and self.record.span else f" {moment} {sorted(self._said, key=repr)}"
        return message or request or span + said

    @property
    def _said(self) -> list[tuple[str, Any]]:
        named = (*genai.RUN, "model", "event.sequence")
        told = self.attributes.items()
        return [(name, value) for name, value in told if name in named or "token" in name]

    @property
    def told_best(self) -> tuple[bool, ...]:
        """How much of the usage is told: the greatest tells most; a span goes before a log record."""
        own = self.attributes
        return (
            self.event is not None,
            genai.tells_lifetime(own),
            genai.tells_usage(own),
            genai.tells_cache(own),
            self.is_span,
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
        if (event := cli_events.counters_of(log)) is not None:
            self._seen.append(_Seen(line, log, event))
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
        keys = self._keys()
        tellers: dict[str, list[_Seen]] = {}
        for seen in self._seen:
            tellers.setdefault(keys[id(seen)], []).append(seen)
        for same in tellers.values():
            if any(genai.tells_usage(seen.attributes) or seen.event is not None for seen in same):
                yield sorted(same, key=lambda seen: seen.told_best, reverse=True)

    def _keys(self) -> dict[int, str]:
        """Return what the call is known by that each tells."""
        spans = {(seen.record.trace, seen.record.span): seen for seen in self._seen if seen.is_span}
        keys = {id(seen): seen.key for seen in self._seen}
        for seen in spans.values():
            above = spans.get((seen.record.trace, seen.record.parent or ""))
            if above is not None and above is not seen:
                # One that has several inside it tells what they tell.
                keys[id(above)] = keys[id(seen)]
        for seen in self._seen:
            same_span = spans.get((seen.record.trace, seen.record.span))
            if same_span is not None and seen.record.span:
                keys[id(seen)] = keys[id(same_span)]
        return keys | self._restated(keys)

    def _restated(self, keys: Mapping[int, str]) -> dict[int, str]:
        """Return the keys of log records that tell again what an event of Gemini CLI tells, one each."""
        events: dict[tuple[str, ...], list[_Seen]] = {}
        for seen in self._seen:
            if seen.event is not None and (told := cli_events.restated_as(seen.record)) is not None:
                events.setdefault(told, []).append(seen)
        again: dict[int, str] = {}
        for seen in self._seen if events else ():
            same = events.get(genai.restated_as(seen.attributes))
            if same and seen.event is None and not seen.is_span:
                again[id(seen)] = keys[id(same.pop(0))]
        return again


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
        counters=best.event or genai.counters_of(attributes, knows_cache=best.record.scope in knows),
        began=_began(best),
        ended=best.record.ended,
        first_token_s=next(filter(None, (genai.first_token_s(seen.attributes) for seen in tellers)), None),
        message_id=ids[0] if ids[0] or ids[1] else best.key,
        request_id=ids[1],
        stop_reason=genai.first(attributes, genai.STOP) or "end_turn",
        tier=word(genai.first(attributes, genai.TIER)),
        speed=None if speed == "normal" else speed,
        effort=word(attributes.get("effort")),
        recorded_usd=attributes.get("cost_usd") if best.event is not None else None,
    )
    if prompt is not None:
        run.prompt(best.line, prompt)
    run.called(told, wrote)


def _run_of(runs: Runs, tellers: list[_Seen]) -> Run:
    """Return the run of a call; calls beside the main loop of a client are runs under the session."""
    named = next((word(v) for seen in tellers if (v := genai.first(seen.attributes, genai.RUN))), None)
    session = named or tellers[0].record.trace or f"line {tellers[0].line}"
    beside = next((told for seen in tellers if (told := cli_events.side_call(seen.attributes))), None)
    user = next((word(v) for seen in tellers if (v := seen.attributes.get("user.email"))), None)
    if beside is None:
        run = runs.of(session)
    else:
        run = runs.of(f"{session}/{beside}")
        run.parent, run.agent = session, beside
    run.user = run.user or user
    return run
