"""The first lines of the terminal report: what it cost, what was read, where the money went."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rich.text import Text

from costscan.days import UNKNOWN_DAY
from costscan.levers import ALL
from costscan.meters import ALL_METERS, MODALITY_METERS
from costscan.reports.analysis.bill_lines import Pieces, billed, has_sums, recorded
from costscan.reports.analysis.cache_model import cache_model, policies, side_calls
from costscan.reports.text.headings import named, other_writes, price_basis
from costscan.reports.text.numbers import bar, count, percent, plural, usd
from costscan.reports.text.sanitize import cells, inert, shorten
from costscan.summary import Summary
from costscan.zones import DEFAULT

LABEL: Final = 14
METER_WORDS: Final = {meter.name: meter.words for meter in (*ALL_METERS, *MODALITY_METERS)}
_MOST_CACHES: Final = 5
GAP: Final = 3
_FEW_RUNS: Final = 5
_KIND_CHARS: Final = 36
_MOST_PARTS: Final = 4


def title(summary: Summary, width: int, *, prices: bool = True) -> list[Text]:
    """Return the heading: the logs, how much is in them, and the prices."""
    parts, basis = sizes(summary), [price_basis(summary.prices)] if prices else []
    counts = " · ".join(parts)
    paths = inert(named(summary.paths))
    line = Text.assemble(("costscan", "bold"), "  ", (shorten(paths, width - 10), "bold"))
    if cells(line.plain) + GAP + cells(counts) > width:
        return [line, *laid_out("", [(part, "") for part in (*parts, *basis)], " · ", width)]
    line.append(f"   {counts}")
    for said in basis:
        gap = width - cells(line.plain) - cells(said)
        if gap >= GAP:
            return [Text.assemble(line, " " * gap, (said, "dim"))]
        return [line, *laid_out("", [(said, "dim")], "", width)]
    return [line]


def sizes(summary: Summary) -> list[str]:
    """Say how much is in the logs, and of which days it is."""
    totals = summary.totals
    agents = [plural(totals.sub_agents, "sub-agent")] if totals.sub_agents else []
    counts = [plural(totals.root_runs, "run"), *agents, plural(totals.turns, "call")]
    if has_sums(summary):
        counts = [*counts, "totals only among them"] if len(summary.inputs.formats) > 1 else ["totals only"]
    return [
        *counts,
        plural(summary.by_model.height, "model"),
        *_dates(summary),
    ]


def _dates(summary: Summary) -> list[str]:
    """Return the first and the last day, and whose days they are where they are not those of UTC."""
    days = [day for day in summary.by_day["day"] if day != UNKNOWN_DAY]
    zone = "" if summary.inputs.tz == DEFAULT else f" {summary.inputs.tz}"
    return [dates(days[0], days[-1]) + zone] if days else []


def dates(first: str, last: str) -> str:
    """Return two days, without what the second has in common with the first."""
    if first == last:
        return first
    same = 8 if first[:7] == last[:7] else 5 if first[:4] == last[:4] else 0
    return f"{first}..{last[same:]}"


def headline(summary: Summary, width: int) -> list[Text]:
    """Return one paragraph per question, each under its label."""
    lines: list[Text] = []
    for label, pieces, separator in paragraphs(summary):
        lines += laid_out(label, pieces, separator, width)
    return lines


def paragraphs(summary: Summary) -> Iterator[tuple[str, Pieces, str]]:
    """Yield the label, the pieces and the separator of each answer."""
    yield "billed", billed(summary), ""
    if summary.totals.recorded_usd is not None:
        yield "recorded", recorded(summary), ""
    yield "read", [(part, "") for part in _read(summary)], " · "
    if any(summary.meters.values()):
        yield "where", _where(summary), " · "
    yield from _sent(summary)
    if summary.distribution.priced_runs >= _FEW_RUNS:
        yield "per run", _spread(summary), " · "
    yield from _cache(summary)
    yield from _not_worked_out(summary)
    if summary.defects:
        yield "not done", _not_done(summary), ""


def _cache(summary: Summary) -> Iterator[tuple[str, Pieces, str]]:
    if summary.replay.exact_share is not None:
        yield "cache model", cache_model(summary), ""
    if fits := [(said.removeprefix("cache of "), "") for _, said in policies(summary)]:
        more = [(f"{len(fits) - _MOST_CACHES} more", "")] if len(fits) > _MOST_CACHES else []
        yield "cache", [*fits[:_MOST_CACHES], *more], " · "
    if hidden := side_calls(summary):
        yield "not logged", hidden, ""
    if cached := _without_caching(summary):
        yield "no caching", cached, ""


def _sent(summary: Summary) -> Iterator[tuple[str, Pieces, str]]:
    if summary.totals.carried_share:
        yield "re-sent", _again(summary), ""
    if other := summary.totals.cache_write_other_tokens:
        yield "written", [(other_writes(other), "")], ""


def _not_worked_out(summary: Summary) -> Iterator[tuple[str, Pieces, str]]:
    for label, why in (("levers", unruled(summary)), ("no runs", totals_only(summary))):
        if why:
            yield label, [(why, "")], ""


def totals_only(summary: Summary) -> str:
    """Say of what a provider tells in sums that there are no calls in it."""
    if not has_sums(summary):
        return ""
    return "totals only: sums of an export by day and model, no runs, no turns to analyze"


def unruled(summary: Summary) -> str:
    """Say of which runs no lever is worked out, as their cache has no known rules."""
    failed = any(defect.part.endswith(f" {ALL}") for defect in summary.defects)
    every = summary.scenario(ALL)
    return "" if failed or every is None else inert(every.reason or "")


def _read(summary: Summary) -> list[str]:
    inputs = summary.inputs
    files = f"{''.join(inputs.formats)} file" if len(inputs.formats) == 1 else "file"
    parts = [f"{plural(inputs.lines, 'line')} in {plural(inputs.files, files)}"]
    if len(inputs.formats) > 1:
        parts += [f"{count(n)} {name}" for name, n in inputs.formats.items()]
    parts.append(f"{count(inputs.skipped_lines)} skipped")
    if inputs.unknown_lines:
        parts.append(f"{plural(inputs.unknown_lines, 'line')} of no known kind: {_kinds(inputs.unknown)}")
    if inputs.unusable_files:
        parts.append(f"{plural(inputs.unusable_files, 'other file')} not read")
    if inputs.repaired_lines:
        parts.append(f"{count(inputs.repaired_lines)} repaired")
    if inputs.duplicate_turns:
        parts.append(f"{plural(inputs.duplicate_turns, 'copied call')} counted once")
    if summary.totals.undated_turns:
        parts.append(f"{plural(summary.totals.undated_turns, 'call')} without an own time")
    return parts


def _kinds(unknown: Sequence[Mapping[str, Any]]) -> str:
    """Name the kinds that most lines are of, as many as fit on a line."""
    named = [f"{inert(row['kind'])} {count(row['lines'])}" for row in unknown]
    shown = [name for n, name in enumerate(named) if n == 0 or len(", ".join(named[: n + 1])) <= _KIND_CHARS]
    return ", ".join([*shown, "…"] if len(shown) < len(named) else shown)


def _where(summary: Summary) -> Pieces:
    whole = summary.totals.usd or Decimal(1)
    spent = {m: v for m, v in summary.meters.items() if v}
    ranked = sorted(spent.items(), key=lambda item: -item[1])
    shares = [(METER_WORDS[meter], float(amount / whole)) for meter, amount in ranked]
    return [(f"{word} {percent(share)} {bar(share)}", "") for word, share in shares]


def _again(summary: Summary) -> Pieces:
    totals = summary.totals
    pieces: Pieces = [(f"{percent(totals.carried_share)} of input tokens had been sent before", "")]
    if totals.usd and totals.carried_usd:
        cost = f"{usd(totals.carried_usd)} ({percent(float(totals.carried_usd / totals.usd))} of the bill)"
        pieces.append((f", which cost {cost}", ""))
    return pieces


def _spread(summary: Summary) -> Pieces:
    distribution = summary.distribution
    ranks = [(f"{name} {usd(distribution.usd_per_run[name])}", "") for name in ("p50", "p90", "p99", "max")]
    top = -(-distribution.priced_runs // 100)
    who = "the most expensive run is" if top == 1 else f"the most expensive {top:,} (1%) are"
    return [*ranks, (f"{who} {percent(distribution.top_1pct_share)} of the bill", "")]


def _without_caching(summary: Summary) -> Pieces:
    scenario = summary.scenario("no_caching")
    if (
        scenario is None
        or not scenario.runs
        or scenario.usd is None
        or scenario.saved_usd is None
        or not scenario.usd
    ):
        return []
    saved = -scenario.saved_usd
    if saved >= 0:
        rest = f"caching saved {usd(saved)} ({percent(float(saved / scenario.usd))})"
        return [(usd(scenario.usd), "bold"), (f"   with nothing cached; {rest}", "")]
    return [
        (usd(scenario.usd), "bold"),
        (f"   with nothing cached; caching cost {usd(-saved)} more than that", "yellow"),
    ]


def _not_done(summary: Summary) -> Pieces:
    """Say what could not be worked out, and why the first of it."""
    parts = [defect.part for defect in summary.defects]
    more = f" and {len(parts) - _MOST_PARTS} more" if len(parts) > _MOST_PARTS else ""
    phrase = inert(", ".join(parts[:_MOST_PARTS])) + more
    return [(phrase, "yellow"), (f" ({inert(summary.defects[0].reason)})", "")]


def laid_out(label: str, pieces: Pieces, separator: str, width: int, *, indent: int = LABEL) -> list[Text]:
    """Lay pieces out after a label, broken between them where a separator sets them apart, else at spaces."""
    lines = [Text.assemble("  ", (label.ljust(indent - 2), "dim"))]
    start = True
    for text, style in pieces:
        piece = text if start or not separator else separator + text
        for part in [piece] if separator else _words(piece):
            if not start and cells(lines[-1].plain) + cells(part.rstrip()) > width:
                lines[-1].rstrip()
                lines.append(Text(" " * indent))
                start = True
            shown = part.removeprefix(separator) if start and separator else part.lstrip() if start else part
            lines[-1].append(shorten(shown, max(width - indent, 1)), style=style)
            start = False
    return lines


def _words(text: str) -> list[str]:
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


__all__ = ["METER_WORDS", "headline", "laid_out", "paragraphs", "sizes", "title", "totals_only", "unruled"]
