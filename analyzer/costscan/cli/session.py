"""What every command on logs does first: read, analyze, sum up."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from costscan.cli.progress import progress
from costscan.cli.warn import warn
from costscan.errors import CostscanError, near
from costscan.settings.keys import Settings
from costscan.settings.load import load
from costscan.times import moment
from costscan.zones import zone, zone_named

if TYPE_CHECKING:
    import polars as pl

    from costscan.analysis import Analysis, Pricing, Selection
    from costscan.ingest import Reading
    from costscan.rulebook import Rule
    from costscan.summary import Summary


@dataclass(frozen=True, slots=True)
class Logs:
    """What a command reads: the logs, which turns of them, and the settings."""

    paths: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    source: str | None
    rules: tuple[Path, ...]
    settings: Settings
    workers: int | None
    now: datetime

    @classmethod
    def chosen(  # noqa: PLR0917 - as many as a user may choose
        cls,
        path: Sequence[str],
        since: str | None,
        until: str | None,
        task: Sequence[str] | None,
        model: Sequence[str] | None,
        source: str | None,
        rules: Sequence[Path] | None,
        settings: Sequence[str] | None,
        config: Path | None,
        workers: int | None,
        *,
        tz: str | None = None,
    ) -> Self:
        """Give what the options of a command mean.

        Raises:
            CostscanError: a time or a setting is wrong.
        """
        now = datetime.now(UTC)
        chosen = with_zone(load(Path.cwd(), file=config, assignments=settings or ()), tz)
        here = zone(chosen.tz)
        return cls(
            paths=tuple(path),
            since=moment("--since", since, now, here),
            until=moment("--until", until, now, here, whole_day=True),
            tasks=tuple(task or ()),
            models=tuple(model or ()),
            source=source,
            rules=tuple(rules or ()),
            settings=chosen,
            workers=workers,
            now=now,
        )


def with_zone(settings: Settings, tz: str | None) -> Settings:
    """Return the settings with the time zone of --tz, where it is given.

    Raises:
        CostscanError: there is no such zone.
    """
    return settings if tz is None else replace(settings, tz=zone_named(tz, f"--tz {tz}"))


@contextmanager
def analyzed(logs: Logs, *, rank: str = "cost") -> "Iterator[tuple[Analysis, Summary]]":
    """Read and analyze logs; the blocks of the analysis are there as long as the context is.

    Args:
        logs: what to read.
        rank: what runs are ranked by.

    Raises:
        CostscanError: something cannot be read or priced.
    """
    from costscan import ingest  # noqa: PLC0415 - not needed to start

    meanwhile = _Meanwhile(logs)
    with (
        progress(logs.paths) as told,
        ingest.read(logs.paths, source=logs.source, workers=logs.workers, on_bytes=told.read) as reading,
    ):
        told.adding_up()
        x, summary = _summed(logs, reading, meanwhile.rules(), rank)
        _warn_of(x)
        yield x, summary


@contextmanager
def read(logs: Logs) -> "Iterator[Analysis]":
    """Read and analyze logs, without rules and scenarios.

    Raises:
        CostscanError: something cannot be read or priced.
    """
    from costscan import ingest  # noqa: PLC0415 - not needed to start

    with (
        progress(logs.paths) as told,
        ingest.read(logs.paths, source=logs.source, workers=logs.workers, on_bytes=told.read) as reading,
    ):
        told.adding_up()
        x = _analysis(logs, reading)
        _warn_of(x)
        yield x


def _warn_of(x: "Analysis") -> None:
    """Tell of what was not read, and of what could not be worked out."""
    warn(f"{path}: not read: {reason}" for path, reason in x.reading.unread.items())
    parts: dict[str, list[str]] = {}
    for part, reason in x.reasons.items():
        parts.setdefault(reason, []).append(part)
    warn(f"{', '.join(some)}: {reason}" for reason, some in parts.items())


def _analysis(logs: Logs, reading: "Reading") -> "Analysis":
    from costscan.analysis import analyze  # noqa: PLC0415 - imports Polars

    x = analyze(reading, pricing=_pricing(logs.settings), selection=_selection(logs))
    _refuse_unknown(x, logs, reading)
    return x


class _Meanwhile:
    """Imports Polars, which is slow and needed late, and loads the rules while the logs are read."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._rules: list[Rule] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            from costscan.rulebook import load_rules  # noqa: PLC0415 - imports Polars

            self._rules = load_rules(self._logs.rules, self._logs.settings.rules)
        except BaseException as error:  # noqa: BLE001 - Polars raises an interrupt in any thread
            self._error = error

    def rules(self) -> "list[Rule]":
        """Give the rules.

        Raises:
            CostscanError: a rule or its settings are wrong.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._rules


def _summed(logs: Logs, reading: "Reading", rules: "list[Rule]", rank: str) -> "tuple[Analysis, Summary]":
    from costscan.rulebook import find  # noqa: PLC0415 - imports Polars
    from costscan.scenarios import attach, price_scenarios  # noqa: PLC0415
    from costscan.summary import summarize  # noqa: PLC0415

    pricing, selection = _pricing(logs.settings), _selection(logs)
    x = _analysis(logs, reading)
    attach(x, price_scenarios(x, logs.settings))
    x.findings = find(x, rules, frozenset(logs.settings.findings.accepted))
    return x, summarize(
        x,
        pricing=pricing,
        selection=selection,
        paths=logs.paths,
        now=logs.now,
        rank=rank,
        rules=rules,
        tz=logs.settings.tz,
    )


def _pricing(settings: Settings) -> "Pricing":
    from costscan.analysis import Pricing  # noqa: PLC0415

    return Pricing(discount=settings.prices.share_paid, overrides=settings.prices.models or None)


def _selection(logs: Logs) -> "Selection | None":
    from costscan.analysis import Selection  # noqa: PLC0415
    from costscan.prices import identify  # noqa: PLC0415

    if logs.since is None and logs.until is None and not logs.tasks and not logs.models:
        return None
    found = [(name, identify(name)) for name in logs.models]
    models = [ref.model if ref else name for name, ref in found]
    return Selection(since=logs.since, until=logs.until, tasks=logs.tasks, models=models)


def _refuse_unknown(x: "Analysis", logs: Logs, reading: "Reading") -> None:
    """Refuse logs without a call, and tell a misspelt task or model from one that had nothing to do.

    Raises:
        CostscanError: there is no call, or none of those that were asked for.
    """
    if x.turns.height or (x.recorded and _selection(logs) is None):
        return
    from costscan.analysis import analyze  # noqa: PLC0415

    every = analyze(reading).turns
    for option, column, wanted in (("--task", "task", logs.tasks), ("--model", "model", logs.models)):
        known = every[column].unique().sort().to_list()
        raw = set(every["model_raw"]) if column == "model" else set()
        for name in wanted:
            if known and name not in {*known, *raw} and not _same_model(column, name, known):
                raise CostscanError(f"{option} {name}: none of these logs has it", near(name, known))
    raise CostscanError(f"{', '.join(logs.paths)}: no model call in these logs", _what_there_is(every))


def _what_there_is(every: "pl.DataFrame") -> str:
    """Say what calls there would be without a selection."""
    if every.is_empty():
        return "costscan reads model calls: the lines of these files tell none"
    first, last = every["at"].min(), every["at"].max()
    days = ""
    if isinstance(first, datetime) and isinstance(last, datetime):
        days = f", from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"without --since, --until, --task and --model there are {every.height:,}{days}"


def _same_model(column: str, name: str, known: list[str]) -> bool:
    from costscan.prices import identify  # noqa: PLC0415

    ref = identify(name) if column == "model" else None
    return ref is not None and ref.model in known
