"""The front door: what the command line does, for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from costscan.pipeline import analyzed, diagnosed
from costscan.report import Report
from costscan.request import Request
from costscan.settings.keys import Settings
from costscan.settings.load import load
from costscan.times import moment
from costscan.zones import zone, zone_named

if TYPE_CHECKING:
    from costscan.analysis import Analysis
    from costscan.gate import Comparison
    from costscan.gate_pipeline import Read

Paths: TypeAlias = str | Path | Sequence[str | Path]
Moment: TypeAlias = str | datetime | date | None
Set: TypeAlias = Settings | Mapping[str, object] | None


def analyze(
    paths: Paths,
    *,
    settings: Set = None,
    rules: Paths | None = None,
    since: Moment = None,
    until: Moment = None,
    tz: str | None = None,
    tasks: Sequence[str] = (),
    projects: Sequence[str] = (),
    models: Sequence[str] = (),
    source: str | None = None,
    rank: str = "cost",
    anonymize: bool = False,
    trials: Paths = (),
    workers: int | None = None,
    engine: str = "local",
) -> Report:
    """Read logs and say what they cost, where the money went, why, and what each fix would have saved.

    Args:
        paths: files, folders or patterns.
        settings: settings by their keys (`{"prices.discount": 0.1}`), on top of those of the settings file
            that counts in the current folder; or `Settings`, which are taken as they are.
        rules: folders of rules, beside those that come along.
        since: only turns from this time on: a datetime, a date, or a text like 2026-11-01 or 7d.
        until: only turns before this time; a date counts whole.
        tz: the time zone of days and of dates without one, like Asia/Tokyo; UTC if not set.
        tasks: only runs of these tasks, with their sub-agents; `*` and `?` stand for any text.
        projects: only runs in these folders, with their sub-agents: by their paths or the last part of them.
        models: only turns of these models.
        source: the format of all files, instead of what each looks like.
        rank: what runs are ranked by: cost, waste, or a lever.
        anonymize: have short hashes for names, paths, ids and excerpts in the report; numbers stay.
        trials: what `costscan trial` wrote: actions are judged by it.
        workers: processes to read with; by default one a core.
        engine: who reads: `local` processes, `ray`, or `ray:ADDRESS` of a cluster that runs.

    Raises:
        CostscanError: something cannot be read, a setting or a rule is wrong, or no call is chosen.
    """
    request = _request(paths, settings, rules, since, until, tz)
    request = replace(request, trials=tuple(map(Path, _paths(trials))))
    request = replace(request, tasks=tuple(tasks), projects=tuple(projects), models=tuple(models))
    request = replace(request, source=source, anonymize=anonymize, workers=workers, engine=engine)
    with diagnosed(request, rank=rank) as (diagnosis, summary):
        return Report.of(diagnosis, summary)


def read(
    paths: Paths,
    *,
    settings: Set = None,
    since: Moment = None,
    until: Moment = None,
    tz: str | None = None,
    source: str | None = None,
    workers: int | None = None,
    engine: str = "local",
) -> "Analysis":
    """Read logs and price them, without scenarios and findings: several times faster than `analyze`.

    Args:
        paths: files, folders or patterns.
        settings: as for `analyze`.
        since: as for `analyze`.
        until: as for `analyze`.
        tz: as for `analyze`.
        source: the format of all files, instead of what each looks like.
        workers: processes to read with; by default one a core.
        engine: who reads: `local` processes, `ray`, or `ray:ADDRESS` of a cluster that runs.

    Returns:
        The canonical frames `runs`, `turns`, `growth`, `tool_calls` as attributes, all others that need no
        scenario with `frame(NAME)`; nothing of it depends on temporary files.

    Raises:
        CostscanError: something cannot be read, a setting is wrong, or no call is chosen.
    """
    request = _request(paths, settings, None, since, until, tz)
    with analyzed(replace(request, source=source, workers=workers, engine=engine)) as analysis:
        blocks, costs = analysis.blocks.collect(), analysis.block_costs.collect()
        return replace(analysis, blocks=blocks.lazy(), block_costs=costs.lazy())


def compare(
    before: Paths | Report,
    after: Paths | Report,
    *,
    settings: Set = None,
    rules: Paths | None = None,
    tz: str | None = None,
    tasks: Sequence[str] = (),
    projects: Sequence[str] = (),
) -> "Comparison":
    """Compare two sides: what changed, and why it costs more or less.

    Args:
        before: logs, a run report (.parquet), or what `analyze` returned.
        after: the same.
        settings: as for `analyze`.
        rules: as for `analyze`.
        tz: as for `analyze`.
        tasks: only runs of these tasks, as for `analyze`.
        projects: only runs of these projects, as for `analyze`.

    Raises:
        CostscanError: a side cannot be read, or has no run.
    """
    return check(
        after,
        baseline=before,
        fail_on=(),
        settings=settings,
        rules=rules,
        tz=tz,
        tasks=tasks,
        projects=projects,
    )


def check(
    paths: Paths | Report,
    *,
    baseline: Paths | Report | None = None,
    fail_on: Sequence[str] | None = None,
    settings: Set = None,
    rules: Paths | None = None,
    since: Moment = None,
    until: Moment = None,
    tz: str | None = None,
    tasks: Sequence[str] = (),
    projects: Sequence[str] = (),
) -> "Comparison":
    """Hold runs against a baseline or budgets.

    Args:
        paths: logs, a run report (.parquet), or what `analyze` returned.
        baseline: what to compare with.
        fail_on: limits, like `usd:+10%` or `usd_per_run.p95:2`; None for those of the settings, else the
            usual one; none at all for an empty sequence.
        settings: as for `analyze`.
        rules: as for `analyze`.
        since: as for `analyze`, not for the baseline.
        until: as for `analyze`, not for the baseline.
        tz: as for `analyze`.
        tasks: only runs of these tasks, as for `analyze`.
        projects: only runs of these projects, as for `analyze`.

    Returns:
        The verdict (`passed`, `failed` or `undecided`), what came of each limit, and why the bill moved.

    Raises:
        CostscanError: a side cannot be read or has no run, or a limit means nothing.
    """
    from costscan.gate_pipeline import compared, limits_of, refuse_unfound  # noqa: PLC0415 - imports Polars

    own = () if isinstance(paths, Report) else paths
    request = _request(own, settings, rules, since, until, tz)
    request = replace(request, tasks=tuple(tasks), projects=tuple(projects))
    empty = fail_on is not None and not fail_on
    limits = [] if empty else limits_of(fail_on, request, has_baseline=baseline is not None)
    before = None if baseline is None else _side(baseline, replace(request, since=None, until=None)).side
    after = _side(paths, request)
    refuse_unfound(limits, after)
    return compared(before, after.side, limits, request)


def _side(given: Paths | Report, request: Request) -> "Read":
    from costscan.gate import of_logs  # noqa: PLC0415 - imports Polars
    from costscan.gate_pipeline import Read, chosen, side  # noqa: PLC0415

    if isinstance(given, Report):
        own = chosen(of_logs(given.summary, given.diagnosis), request)
        return Read(own, given.summary, given.diagnosis)
    with side(replace(request, paths=_paths(given))) as read:
        return read


def _request(  # noqa: PLR0917 - what all of them share
    paths: Paths, settings: Set, rules: Paths | None, since: Moment, until: Moment, tz: str | None
) -> Request:
    chosen = settings if isinstance(settings, Settings) else load(Path.cwd(), assignments=_assigned(settings))
    if tz is not None:
        chosen = replace(chosen, tz=zone_named(tz, f"tz={tz!r}"))
    now = datetime.now(UTC)
    return Request(
        paths=_paths(paths),
        since=_moment("since", since, now, chosen.tz),
        until=_moment("until", until, now, chosen.tz, whole_day=True),
        rules=tuple(map(Path, _paths(rules))) if rules is not None else (),
        settings=chosen,
        now=now,
    )


def _paths(paths: Paths) -> tuple[str, ...]:
    return (str(paths),) if isinstance(paths, str | Path) else tuple(map(str, paths))


def _assigned(settings: Mapping[str, object] | None) -> list[str]:
    """Return settings as --set takes them: KEY=VALUE, lists with commas."""
    return [f"{key}={_word(value)}" for key, value in (settings or {}).items()]


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def _moment(name: str, value: Moment, now: datetime, tz: str, *, whole_day: bool = False) -> datetime | None:
    """Return the moment that is meant; of a date that ends a span, the end of its day."""
    if value is None or isinstance(value, str):
        return moment(name, value, now, zone(tz), whole_day=whole_day)
    if isinstance(value, datetime):
        return (value.replace(tzinfo=zone(tz)) if value.tzinfo is None else value).astimezone(UTC)
    day = value + timedelta(days=1) if whole_day else value
    return datetime(day.year, day.month, day.day, tzinfo=zone(tz)).astimezone(UTC)
