"""The single lines that record costs, each put together from the rows that the sources gave of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from costscan.prices import meant

PROMPT_COUNTERS: Final = ("input_tokens", "cache_read_tokens", "cache_write_tokens")
COUNTERS: Final = (*PROMPT_COUNTERS, "output_tokens")
TOKENS: Final = (*COUNTERS, "web_searches")
HOUR: Final = "cache_write_1h_tokens"
"""Those of the cache writes that live for an hour, where the client tells them apart."""
UNTIMED: Final = timedelta(seconds=5)
"""A `result` line has no time of its own but that of the line before: about when its last call began."""
LATEST: Final = datetime.max.replace(tzinfo=UTC) - UNTIMED

Counters: TypeAlias = dict[str, int | None]
"""The counters of `TOKENS` and `HOUR`, None where unknown."""


@dataclass
class Recorded:
    """A recorded total, by model, and the last line that recorded it; `ends` are those of each file.

    `usage` is what the lines say of their main loop, `usage_model` the model that ran it, `mode` its tier,
    speed and place. `by_usage` is whether that is all they say, `lacking` the models whose own counters were
    not all told. `processes` are the totals that were added up, where there are several. `billed` and
    `is_long` are what the provider's bill tells of them (see `RecordedRow`), `project` and `user` whose they
    are where that tells it.

    The rest is what the log proves of it: `usd_here`, what the same calls cost at list prices;
    `unproven_usd`, what was recorded beyond that; `filled`, the models whose tokens are complete;
    `is_proven`, whether the dollars prove all that is billed beside the logged calls.
    """

    session: str
    path: str
    line: int
    at: datetime | None
    event: str = "result"
    uuid: str | None = None
    index: int | None = None
    usd: Decimal | None = None
    models: dict[str, Counters] = field(default_factory=dict)
    model_usd: dict[str, Decimal] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    usage: Counters | None = None
    usage_model: str | None = None
    mode: tuple[str | None, str | None, str | None] | None = None
    by_usage: bool = False
    lacking: set[str] = field(default_factory=set)
    processes: "list[Recorded]" = field(default_factory=list)
    billed: str | None = None
    is_long: bool | None = None
    project: str | None = None
    user: str | None = None
    usd_here: Decimal = Decimal(0)
    unproven_usd: Decimal = Decimal(0)
    filled: set[str] = field(default_factory=set)
    is_proven: bool = True

    @property
    def amount(self) -> Decimal:
        """The recorded dollars: the total, else the sum over the models."""
        return self.usd if self.usd is not None else sum(self.model_usd.values(), Decimal(0))

    def prompt_tokens(self, models: Collection[str]) -> int:
        """Return the input, cache reads and cache writes of some models."""
        return sum(self.models[m][name] or 0 for m in models if m in self.models for name in PROMPT_COUNTERS)

    def tells_the_same(self, other: "Recorded") -> bool:
        """Whether two lines record the same, and are not known to be two."""
        if self.uuid is not None and other.uuid is not None:
            return self.uuid == other.uuid
        return (self.models, self.usd, self.usage) == (other.models, other.usd, other.usage)


def events(rows: Iterable[Mapping[str, Any]]) -> list[Recorded]:
    """Return the lines of the `recorded` table."""
    by_place: dict[tuple[str, str, str, int], Recorded] = {}
    for row in rows:
        key = (row["session"], row["event"], row["path"], row["line"])
        _add(by_place.setdefault(key, _event(row)), row)
    for event in by_place.values():
        _complete(event)
    return list(by_place.values())


def plus(a: Mapping[str, int | None] | None, b: Mapping[str, int | None]) -> Counters:
    """Add counters; what one of the two does not know is not known of the sum."""
    if a is None:
        return dict(b)
    return {name: None if (counter := a[name]) is None or n is None else counter + n for name, n in b.items()}


def _event(row: Mapping[str, Any]) -> Recorded:
    at = row["at"]
    if at is not None and row["event"] == "result":
        at = min(at, LATEST) + UNTIMED
    return Recorded(
        row["session"],
        row["path"],
        row["line"],
        at,
        row["event"],
        row["uuid"],
        row["result_index"],
        **{name: row[name] for name in ("billed", "is_long", "project", "user")},
    )


def _add(event: Recorded, row: Mapping[str, Any]) -> None:
    usd = None if row["usd"] is None else Decimal(row["usd"])
    counters: Counters = {name: row[name] for name in (*TOKENS, HOUR)}
    if row["part"] == "total":
        event.usd = usd
        return
    ref = meant(row["model_raw"], row["at"]) if row["model_raw"] is not None else None
    model = ref.model if ref else row["model_raw"]
    if model is not None:
        event.spelling.setdefault(model, row["model_raw"])
    if row["part"] == "usage":
        event.usage, event.usage_model = counters, model
        event.mode = (row["tier"], row["speed"], row["geo"])
        return
    if event.billed is not None:
        event.mode = (row["tier"], row["speed"], row["geo"])
    event.models[model] = plus(event.models.get(model), counters)
    if usd is not None:
        event.model_usd[model] = event.model_usd.get(model, Decimal(0)) + usd


def _complete(event: Recorded) -> None:
    """Take from the usage of the main loop what the line does not tell by model."""
    usage = event.usage
    event.lacking = {m for m, own in event.models.items() if any(own[name] is None for name in COUNTERS)}
    if usage is None or not any(usage.values()):
        return
    if not event.models and event.usage_model is not None:
        event.models[event.usage_model] = dict(usage)
        event.by_usage = True
    elif (main := _lacking_main_model(event, usage)) is not None:
        event.models[main] = {name: usage[name] if n is None else n for name, n in event.models[main].items()}


def _lacking_main_model(event: Recorded, usage: Counters) -> str | None:
    """Return the model that ran the main loop, if counters of it were left out."""
    if event.usage_model in event.models:
        return event.usage_model if event.usage_model in event.lacking else None
    if any(covers(own, usage) for model, own in event.models.items() if model not in event.lacking):
        return None
    fitting = [m for m in event.lacking if covers(event.models[m], usage)]
    return max(fitting, key=lambda m: (event.models[m]["output_tokens"] or 0, m), default=None)


def covers(total: Mapping[str, int | None], part: Mapping[str, int | None]) -> bool:
    """Whether no known counter of a total is below that of its part."""
    return all(n is None or n >= (part[name] or 0) for name in COUNTERS for n in (total[name],))
