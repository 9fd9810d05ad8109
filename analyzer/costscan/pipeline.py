"""From logs to a diagnosis: read, analyze, price scenarios, run rules, sum up. It knows no command line."""

import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from costscan import known_logs
from costscan.filters import refuse_empty, selection
from costscan.request import Request, Watch
from costscan.settings.keys import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costscan.actions import Advised
    from costscan.actions.measured import Measurements
    from costscan.analysis import Analysis
    from costscan.billing import Pricing
    from costscan.ingest import Moments, Reading
    from costscan.ingest.found import Found
    from costscan.rulebook import Rule
    from costscan.summary import Summary
    from costscan.totals import Totals


@contextmanager
def analyzed(request: Request, watch: Watch | None = None) -> "Iterator[Analysis]":
    """Read and analyze logs; the blocks of the analysis are there as long as the context is.

    Raises:
        CostscanError: something cannot be read or priced, or no call is chosen.
    """
    with _read(request, watch or Watch()) as reading:
        yield _analysis(request, reading)


@contextmanager
def diagnosed(
    request: Request, watch: Watch | None = None, *, rank: str = "cost"
) -> "Iterator[tuple[Advised, Summary]]":
    """Read and analyze logs, price scenarios, run rules and sum up; blocks last as long as the context.

    Args:
        request: what to read.
        watch: whom to tell how far it is.
        rank: what runs are ranked by: cost, waste (what all levers save) or a lever.

    Raises:
        CostscanError: something cannot be read or priced, no call is chosen, or a rule is wrong.
    """
    meanwhile = _Meanwhile(request)
    found = known_logs.logs_found(request)
    state = known_logs.state_of(request, found)
    with _read(request, watch or Watch(), found=found) as reading:
        rules = meanwhile.rules()
        yield _diagnosis(request, reading, rules, rank, state)


def total(request: Request, by: str, watch: Watch | None = None) -> "Totals":
    """Read no more of logs than is billed, and sum that up.

    Args:
        request: what to read.
        by: what to sum by (see `totals.KEYS`).
        watch: whom to tell how far it is.

    Raises:
        CostscanError: something cannot be read or priced, or no call is chosen.
    """
    from costscan.totals import kept  # noqa: PLC0415 - not needed to start

    found = known_logs.logs_found(request)
    place = known_logs.place_of_totals(request, by, known_logs.state_of(request, found))
    if place is not None and (known := kept.take(place, request.now)) is not None:
        return known
    threading.Thread(target=_import_totals, daemon=True).start()
    # Only texts tell of tasks.
    bill_only = not request.tasks
    with _read(request, watch or Watch(), bill_only=bill_only, found=found) as reading:
        summed, is_lasting = _totals(request, by, reading)
    if (
        place is not None
        and is_lasting
        and place
        == known_logs.place_of_totals(
            request, by, known_logs.state_of(request, known_logs.logs_found(request))
        )
    ):
        kept.keep(place, summed)
    return summed


def _totals(request: Request, by: str, reading: "Reading") -> "tuple[Totals, bool]":
    """Return the totals of what was read, and whether they are the same tomorrow."""
    from costscan.billing import billed  # noqa: PLC0415 - imports Polars
    from costscan.totals.sums import totals  # noqa: PLC0415

    prices = pricing(request.settings)
    chosen = selection(request)
    bill = billed(reading, prices, chosen)[1]
    refuse_empty(bill.turns, bill.runs, bill.recorded, request, reading)
    summed = totals(
        bill,
        reading,
        by=by,
        tz=request.settings.tz,
        paths=request.shown_paths,
        prices=prices.basis,
        now=request.now,
        selection=chosen,
    )
    # What has no time is billed at the prices of today.
    return summed, not bill.turns["at"].has_nulls()


def _import_totals() -> None:
    """Import Polars, which is slow, while the logs are read."""
    with suppress(BaseException):  # whoever needs it imports it again, and is told
        import costscan.totals.sums  # noqa: F401, PLC0415


@contextmanager
def _read(
    request: Request, watch: Watch, *, bill_only: bool = False, found: "Found | None" = None
) -> "Iterator[Reading]":
    with _reading(request, watch, bill_only=bill_only, found=found) as reading:
        watch.adding_up()
        yield reading


def _reading(request: Request, watch: Watch, *, bill_only: bool, found: "Found | None") -> "Reading":
    """Return what is to be analyzed: of a store what it keeps, else the logs, read."""
    if store := known_logs.store_of(request):
        from costscan.store import reading  # noqa: PLC0415 - imports Polars

        moments = _chosen_moments(request)
        return reading.read(store, moments=moments, bill_only=bill_only, on_bytes=watch.read)
    from costscan import ingest  # noqa: PLC0415 - not needed to start

    return ingest.read(
        request.paths,
        source=request.source,
        workers=request.workers,
        engine=request.engine,
        bill_only=bill_only,
        keep=request.keep,
        found=found,
        moments=known_logs.moments_of(request),
        on_bytes=watch.read,
    )


def _chosen_moments(request: Request) -> "Moments | None":
    """Return the moments that are looked at; None where that is all of them."""
    from costscan.ingest import Moments  # noqa: PLC0415 - not needed to start

    if request.since is None and request.until is None:
        return None
    return Moments(request.since, request.until or datetime.max.replace(tzinfo=UTC))


def _diagnosis(
    request: Request, reading: "Reading", rules: "Sequence[Rule]", rank: str, state: bytes | None
) -> "tuple[Advised, Summary]":
    from costscan import actions, scenarios  # noqa: PLC0415 - import Polars
    from costscan.anonymous import names_in, without_names, without_places  # noqa: PLC0415
    from costscan.kept_stages import ADVICE, PRICED, contents  # noqa: PLC0415
    from costscan.rulebook import find  # noqa: PLC0415
    from costscan.summary import summarize  # noqa: PLC0415

    settings, analysis = request.settings, _analysis(request, reading)
    kept = known_logs.stages_of(request, state, analysis.turns)
    found = kept.of(PRICED, lambda: scenarios.priced(analysis, settings), lambda made: not made.reasons)
    priced = scenarios.beside(analysis, found)
    names = names_in(priced) if request.anonymize else None
    name = names.in_text if names else str
    found_too = find(priced, rules, frozenset(settings.findings.accepted), name)
    advice = kept.of(
        ADVICE,
        lambda: actions.advice(found_too, settings, name, _measured(request)),
        lambda made: made.reason is None,
        rules,
        contents(request.trials),
    )
    diagnosis = actions.beside(found_too, advice)
    diagnosis = without_names(diagnosis, names) if names else diagnosis
    summary = summarize(
        diagnosis,
        pricing=pricing(settings),
        selection=selection(request),
        paths=request.shown_paths,
        now=request.now,
        rank=rank,
        rules=rules,
        tz=settings.tz,
    )
    return diagnosis, without_places(summary, names) if names else summary


def _measured(request: Request) -> "Measurements | None":
    if not request.trials:
        return None
    from costscan.trial.measurements import measurements  # noqa: PLC0415 - seldom needed

    return measurements(request.trials)


def _analysis(request: Request, reading: "Reading") -> "Analysis":
    from costscan.analysis import analyze  # noqa: PLC0415 - imports Polars

    settings = request.settings
    analysis = analyze(
        reading,
        pricing=pricing(settings),
        selection=selection(request),
        calibration=settings.calibrated,
    )
    refuse_empty(analysis.turns, analysis.runs, analysis.recorded, request, reading)
    return analysis


class _Meanwhile:
    """Imports Polars, which is slow and needed late, and loads the rules while the logs are read."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._rules: list[Rule] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            from costscan.rulebook import load_rules  # noqa: PLC0415 - imports Polars

            self._rules = load_rules(self._request.rules, self._request.settings.rules, cases=False)
        except BaseException as error:  # noqa: BLE001 - Polars raises an interrupt in any thread
            self._error = error

    def rules(self) -> "list[Rule]":
        """Return the rules.

        Raises:
            CostscanError: a rule or its settings are wrong.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._rules


def pricing(settings: Settings) -> "Pricing":
    """Return the prices that settings ask for."""
    from costscan.billing import Pricing  # noqa: PLC0415

    return Pricing(discount=settings.prices.share_paid, overrides=settings.prices.models or None)
