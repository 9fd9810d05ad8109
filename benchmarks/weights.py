"""Compare the offline weight of tool results with the tokens that logs recorded for them.

    python benchmarks/weights.py DIR_OR_FILE...

Reads Claude Code transcripts, headless streams and request logs (JSONL, also compressed) and prints Markdown.
A turn counts when its only news is one tool result of text: the tokens of the result are the growth of the
prompt less the logged output of the call before, which must have ended and written one tool call.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from costscan.errors import CostscanError
from costscan.models import model_info, resolve
from costscan.reading.content.kind import KINDS, content_kind
from costscan.reading.content.token_estimate import weigh
from costscan.reading.io.files import open_log
from costscan.tokenizers import FAMILIES

FIT_MIN_TURNS: Final = 20
FIT_MIN_TOKENS: Final = 50
SHORT_CHARS: Final = 200
OLD_RESULT_TOKENS: Final = 16
_USAGE_INPUTS: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass(slots=True)
class Call:
    """One call of a thread with what was sent before it and what it wrote."""

    model: str
    prompt: int
    output: int
    ended: bool
    news: list[dict[str, Any]]
    wrote: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Turn:
    """One tool result: the log it is from, what its text weighs and what it took."""

    log: str
    family: str
    text: str
    kind: str
    weight: int
    tokens: int
    fitted: float | None = None


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a log, skipping what is none."""
    try:
        with open_log(path) as stream:
            for line in stream:
                try:
                    found = json.loads(line[max(line.find(b"{"), 0) :])
                except ValueError:
                    continue
                if isinstance(found, dict):
                    yield found
    except (CostscanError, OSError):
        return


def blocks(content: object) -> list[dict[str, Any]]:
    """Return the content blocks of a message."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def call_of(message: dict[str, Any], news: list[dict[str, Any]]) -> Call:
    """Return the call that a message with usage answers."""
    usage = message["usage"]
    prompt = sum(usage.get(name) or 0 for name in _USAGE_INPUTS)
    ended = message.get("stop_reason") is not None
    return Call(str(message.get("model")), prompt, usage.get("output_tokens") or 0, ended, news)


def threads(path: Path) -> Iterable[list[Call]]:
    """Return the calls of each thread of a transcript or stream, in order."""
    found: dict[str, dict[str, Call]] = defaultdict(dict)
    news: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seen: set[object] = set()
    for line in objects(path):
        kind, message = line.get("type"), line.get("message")
        thread = str(
            line.get("parent_tool_use_id") or (line.get("isSidechain") and line.get("agentId")) or ""
        )
        if kind in {"attachment", "system"}:
            news[thread].append({"type": kind})
        if not isinstance(message, dict) or (line.get("uuid") or object()) in seen:
            continue
        seen.add(line.get("uuid"))
        if kind == "user":
            news[thread] += blocks(message.get("content"))
        elif kind == "assistant" and message.get("usage"):
            _add(found[thread], message, news, thread)
    return [list(calls.values()) for calls in found.values()]


def _add(
    calls: dict[str, Call], message: dict[str, Any], news: dict[str, list[dict[str, Any]]], thread: str
) -> None:
    key = str(message.get("id"))
    if key not in calls:
        calls[key] = call_of(message, news.pop(thread, []))
    call = calls[key]
    call.output = max(call.output, message["usage"].get("output_tokens") or 0)
    call.ended = call.ended or message.get("stop_reason") is not None
    call.wrote += blocks(message.get("content"))


def requests(path: Path) -> Iterable[list[Call]]:
    """Yield pairs of calls of a request log; the second sends the messages of the first and two more."""
    before: dict[str, tuple[dict[str, Any], Call]] = {}
    for line in objects(path):
        request, response = line.get("request"), line.get("response")
        if not isinstance(request, dict) or not isinstance(response, dict) or not response.get("usage"):
            continue
        sent = request.get("messages") or []
        run = str(line.get("run_id"))
        call = call_of(response, blocks(sent[-1].get("content")) if sent else [])
        call.wrote = blocks(response.get("content"))
        earlier, first = before.get(run, ({}, call))
        same = all(earlier.get(name) == request.get(name) for name in ("tools", "system", "tool_choice"))
        if same and earlier and sent[:-2] == earlier.get("messages"):
            yield [first, call]
        before[run] = (request, call)


def text_of(result: dict[str, Any]) -> str | None:
    """Return the text of a tool result, None when it holds anything else."""
    content = result.get("content")
    if isinstance(content, str):
        return content
    parts = blocks(content)
    return (
        "".join(p.get("text") or "" for p in parts) if all(p.get("type") == "text" for p in parts) else None
    )


def family_of(model: str) -> str | None:
    """Return the tokenizer family of a model."""
    found = resolve(model)
    info = model_info(found.model) if found else None
    return info.tokenizer if info else None


def turn_of(log: str, before: Call, call: Call) -> Turn | None:
    """Return the turn between two calls when its only news is one tool result of text."""
    tool_calls = sum(b.get("type") == "tool_use" for b in before.wrote)
    if not before.ended or before.model != call.model or tool_calls != 1:
        return None
    if len(call.news) != 1 or call.news[0].get("type") != "tool_result":
        return None
    text, family = text_of(call.news[0]), family_of(call.model)
    tokens = call.prompt - before.prompt - before.output
    if not text or family is None or tokens <= 0:
        return None
    weight = weigh(text)[list(FAMILIES).index(family)] + FAMILIES[family].result_tokens
    return Turn(log, family, text, content_kind(text), weight, tokens)


def turns_of(paths: Iterable[Path]) -> list[Turn]:
    """Return the turns of all logs, each once, whichever of several logs tell it."""
    found: dict[tuple[int, int, str], Turn] = {}
    for path in paths:
        for calls in (*threads(path), *requests(path)):
            for before, call in pairwise(calls):
                if (turn := turn_of(path.name, before, call)) is not None:
                    found.setdefault((call.prompt, turn.tokens, turn.text), turn)
    return list(found.values())


def fitted(turns: list[Turn]) -> list[Turn]:
    """Scale each weight by the median of recorded over estimated text of the other turns of its log."""
    groups = defaultdict(list)
    for turn in turns:
        groups[turn.log, turn.family].append(turn)
    return [replace(turn, fitted=_fit(turn, groups[turn.log, turn.family])) for turn in turns]


def _fit(turn: Turn, of_log: list[Turn]) -> float | None:
    around = FAMILIES[turn.family].result_tokens
    scales = [
        (other.tokens - around) / (other.weight - around)
        for other in of_log
        if other is not turn and other.weight - around >= FIT_MIN_TOKENS
    ]
    if len(scales) < FIT_MIN_TURNS:
        return None
    return (turn.weight - around) * median(scales) + around


def old_weight(turn: Turn) -> float:
    """Return the weight by length alone, for comparison."""
    return len(turn.text) / FAMILIES[turn.family].chars_per_token + OLD_RESULT_TOKENS


def figures(errors: list[float]) -> str:
    """Return median and p90 of the absolute error and the median error, in percent, as table cells."""
    if not errors:
        return "n/a | n/a | n/a"
    sizes = [abs(e) for e in errors]
    p90 = quantiles(sizes, n=10, method="inclusive")[-1] if len(sizes) > 1 else sizes[0]
    return f"{median(sizes):.1%} | {p90:.1%} | {median(errors):+.1%}"


def row(name: str, family: str, turns: list[Turn]) -> str:
    """Return a row of the first table."""
    old = figures([old_weight(t) / t.tokens - 1 for t in turns])
    new = figures([t.weight / t.tokens - 1 for t in turns])
    return f"| {family} | {name} | {len(turns)} | {old} | {new} |"


def fit_row(name: str, family: str, turns: list[Turn]) -> str:
    """Return a row of the second table."""
    before = figures([t.weight / t.tokens - 1 for t in turns])
    after = figures([t.fitted / t.tokens - 1 for t in turns if t.fitted is not None])
    return f"| {family} | {name} | {len(turns)} | {before} | {after} |"


def report(turns: list[Turn]) -> Iterator[str]:
    """Yield the lines of the report."""
    cells = "median | p90 | bias"
    yield f"| family | content | turns | by length: {cells} | weight: {cells} |"
    yield "|---|---|--:|" + "--:|" * 6
    for family in FAMILIES:
        own = [t for t in turns if t.family == family]
        long = [t for t in own if len(t.text) >= SHORT_CHARS]
        for kind in KINDS:
            if of_kind := [t for t in long if t.kind == kind]:
                yield row(kind, family, of_kind)
        yield row(f"all of {SHORT_CHARS} characters and more", family, long)
        yield row("shorter", family, [t for t in own if len(t.text) < SHORT_CHARS])
        yield row("**all**", family, own)
    yield ""
    yield f"| family | log with over {FIT_MIN_TURNS} turns | turns | before: {cells} | fitted: {cells} |"
    yield "|---|---|--:|" + "--:|" * 6
    for family in FAMILIES:
        able = [
            t for t in turns if t.family == family and t.fitted is not None and len(t.text) >= SHORT_CHARS
        ]
        for log in sorted({t.log for t in able}):
            yield fit_row(log, family, [t for t in able if t.log == log])
        yield fit_row("**all**", family, able)


def main() -> None:
    """Print the report for the logs named on the command line."""
    paths = [
        path
        for name in sys.argv[1:]
        for path in (
            sorted(p for p in Path(name).rglob("*") if p.is_file()) if Path(name).is_dir() else [Path(name)]
        )
    ]
    print("\n".join(report(fitted(turns_of(paths)))))


if __name__ == "__main__":
    main()
