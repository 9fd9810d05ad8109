"""When nobody waits for an answer: the limits of waves and of nights, each with a case at it and one beyond."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from costscan.levers.batching.single_shots import _nightly, _reason, _waves

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def begun(*after: timedelta) -> pl.DataFrame:
    """Single shots of one task, so long after the first."""
    told = pl.DataFrame({"task": "nightly", "at": [NOON + gap for gap in (timedelta(0), *after)]})
    return told.with_columns(*_waves(), nightly_days=_nightly())


@pytest.mark.parametrize(("seconds", "waves"), [(300, 1), (301, 2)])
def test_five_minutes_are_one_wave(seconds: int, waves: int) -> None:
    """A client that waits for an answer, or tries again, does so within the five minutes that a cache lives."""
    assert begun(timedelta(seconds=seconds))["wave"].n_unique() == waves


@pytest.mark.parametrize(("minutes", "days"), [(29, 2), (30, 1)])
def test_half_an_hour_is_the_same_time_of_day(minutes: int, days: int) -> None:
    """A job of a clock begins late where the machine is busy, and seldom later than that."""
    assert begun(timedelta(days=1, minutes=minutes))["nightly_days"][0] == days


@pytest.mark.parametrize(("runs", "days", "waits"), [(4, 2, True), (5, 2, False), (4, 3, False)])
def test_five_at_once_or_three_nights_are_no_persons(runs: int, days: int, *, waits: bool) -> None:
    told = pl.DataFrame({"wave_runs": [runs], "nightly_days": [days]})
    assert (told.select(_reason()).item() is None) == waits
