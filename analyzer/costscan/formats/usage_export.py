"""Usage and cost exports of providers: sums of a period and a model, totals only, without runs and turns.

Read are Anthropic's `usage_report/messages` and `cost_report` (pages, buckets, or results one by one), the
newer `analytics/usage` and `analytics/cost`, the CSV files of the Claude Console, OpenAI's
`organization/usage/completions` and `organization/costs`, and OpenRouter's `/api/v1/activity`, as JSON or
CSV.

What the numbers mean, and what is counted once:
- They tell how much was used, not by which calls: what they say is billed by day, model, workspace and key,
  in runs called `totals only …/unlogged`. Such a run is no run and its turn no call; nothing in it is
  explained, replayed or advised on.
- `uncached_input_tokens` leaves out what was read from and written to the cache; OpenAI's `input_tokens`
  holds both. Writes are told by their lifetime, searches by their number.
- The price depends on tier, place and prompt length. What an export is not grouped by it does not tell: then
  the standard tier, no place and prompts below the limit of a higher price are taken, and such a sum is
  `estimated`. A tier that is not known has no price. Of a model that is not told nothing is billed.
- Costs are kept as recorded, in dollars; Anthropic's interface has them in cents. Of a day of which usage was
  read too, only what they are beyond the bill is told. They hold discounts, and what is not billed by tokens.
- The same bucket in two exports is counted once, at the larger sum; results of one bucket that differ in
  nothing told here are added. Exports that are grouped in different ways, or into hours and days, tell the
  same usage: read one of them. So do the logs of the same calls.
- OpenRouter's sums tell prompts and answers, and not what of the prompts was cached: the answers are billed,
  at the prices of the maker of the model; the rest is unknown, and the sum a lower bound. `usage`, with what
  a key of one's own cost beside it (`byok_usage_inference`), is kept as the recorded cost of the day.
  Endpoints and providers of one model are added.
- Images, audio, embeddings and other usage that is not in tokens of a model is skipped, and said so.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.agents.buckets import Cost, Usage, charged, told
from costscan.formats.interface import Format, LogFile
from costscan.reading.content.redaction import label
from costscan.reading.io.row_types import RecordedRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.tables import ENDINGS, feed_rows

_TOTALS_ONLY: Final = "totals only"
_VARIANT: Final = " · "
"""Stands between the day and what sets a sum apart within it (`recorded_cost.unlogged` parts it there)."""
_TIMES: Final = ("starting_at", "ending_at", "start_time", "end_time")


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are usage or costs in sums."""
    return any(
        _is_empty(line) or any(told(result) is not None for result in _results(line)) for line in objects
    )


def _is_bucket(line: Mapping[str, Any]) -> bool:
    """Whether a line is a period, with results or without."""
    is_timed = ("starting_at" in line and "ending_at" in line) or line.get("object") == "bucket"
    return is_timed and isinstance(line.get("results"), list)


def _is_empty(line: Mapping[str, Any]) -> bool:
    """Whether a line is a page or a period in which nothing was used."""
    listed: list[Any] = blocks.list_in(line, "data") or [line]
    return all(isinstance(one, dict) and _is_bucket(one) and not one["results"] for one in listed)


def _results(line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the results in a page, a period or a line, each with the times of its period."""
    inner: list[Mapping[str, Any]] = [one for one in blocks.list_in(line, "data") if isinstance(one, dict)]
    for one in inner or [line]:
        times = {name: one[name] for name in _TIMES if name in one}
        if _is_bucket(one):
            yield from ({**times, **result} for result in one["results"] if isinstance(result, dict))
        elif isinstance(one.get("group"), dict):
            parts = (blocks.mapping_in(one, name) for name in ("group", "usage", "cost"))
            yield {**times, **{key: value for part in parts for key, value in part.items()}}
        else:
            yield one


def read(file: LogFile, rows: Rows) -> None:
    """Read one export."""
    sums = _Sums()

    def take(at: int, line: Mapping[str, Any]) -> bool:
        results = [(result, told(result)) for result in _results(line)]
        for result, one in results:
            if isinstance(one, str):
                rows.skip(file.path, at, one)
            elif one is not None:
                sums.add(at, one)
            if (cost := charged(result)) is not None:
                sums.add(at, cost)
        return any(one is not None for _, one in results) or _is_empty(line)

    feed_rows(file.on_disk, file.path, rows, take)
    rows.recorded.extend(sums.rows(file.path))


FORMAT = Format(
    name="usage_export",
    expected='usage exports such as {"data":[{"starting_at":…,"results":[{"uncached_input_tokens":…}]}]}',
    sniff=sniff,
    read=read,
    totals=("bucket", "costs"),
    in_tables=True,
    endings=ENDINGS,
)


class _Sums:
    """The sums of a file: by the name of a total and by model, and the first line that tells each."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, str], list[Usage]] = defaultdict(list)
        self._costs: dict[str, Decimal] = defaultdict(Decimal)
        self._first: dict[str, tuple[int, Any]] = {}

    def add(self, at: int, one: Usage | Cost) -> None:
        """Add a result."""
        day = (
            f"{_TOTALS_ONLY}: {one.provider} {one.at:%Y-%m-%d}"
            if one.at
            else f"{_TOTALS_ONLY}: {one.provider}"
        )
        if isinstance(one, Cost):
            name = day
            if one.usd is not None:
                self._costs[name] += one.usd
        else:
            name = _VARIANT.join([day, *_apart(one)])
            self._usage[name, one.model].append(one)
        self._first.setdefault(name, (at, one.at))

    def rows(self, path: str) -> Iterator[RecordedRow]:
        """Yield the rows of what was recorded."""
        for (name, model), results in self._usage.items():
            line, at = self._first[name]
            first = results[0]
            columns = zip(*(result.counters for result in results), strict=True)
            plain, read_tokens, short, hour, output, searches = map(_sum, columns)
            yield RecordedRow(
                session=name,
                path=path,
                line=line,
                at=at,
                event="bucket",
                part="model",
                model_raw=model,
                input_tokens=plain,
                cache_read_tokens=read_tokens,
                cache_write_tokens=_sum((short, hour)),
                cache_write_1h_tokens=hour,
                output_tokens=output,
                web_searches=searches,
                tier=first.mode[0] or "standard",
                speed=first.mode[1] or "standard",
                geo=None if first.mode[2] == "not_available" else first.mode[2],
                billed="known" if first.is_known else "assumed",
                is_long=first.is_long,
                project=first.project,
                user=label(first.user) if first.user else None,
            )
        for name, amount in self._costs.items():
            line, at = self._first[name]
            yield RecordedRow(
                session=name, path=path, line=line, at=at, event="costs", usd=f"{amount:f}", billed="known"
            )


def _apart(one: Usage) -> list[str]:
    """Return what sets a sum apart from others of its day: its hour, whose it is, what sets its price."""
    hour = f"{one.at:%H:00}" if one.at and one.at.hour else None
    length = {True: "long prompts", False: "short prompts", None: None}[one.is_long]
    told_known = None if one.is_known else "price assumed"
    user = label(one.user) if one.user else None
    return [part for part in (hour or "all day", one.project, user, *one.mode, length, told_known) if part]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
