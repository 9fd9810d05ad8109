"""Times as logs write them: none is taken for another, none at which no model answered is taken at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costscan.reading.io.timestamps import time_of
from hypothesis_profile import examples

START = datetime(1970, 1, 1, tzinfo=UTC)


@examples(200)
@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 12, 31)))  # noqa: DTZ001 - naive by contract
@example(START.replace(tzinfo=None) + timedelta(milliseconds=1_796_032_632_035))  # 20:35 on 26 March 1796?
def test_a_moment_is_the_same_however_it_is_written(naive: datetime) -> None:
    ms = (naive.replace(tzinfo=UTC) - START) // timedelta(milliseconds=1)
    moment = START + timedelta(milliseconds=ms)
    assert time_of(str(ms)) == moment
    assert time_of(f"{ms}.0") == moment
    assert time_of(str(ms // 1000)) == moment.replace(microsecond=0)
    for text in (moment.isoformat(), moment.isoformat().replace("+00:00", "Z"), f"{moment:%Y%m%dT%H%M%SZ}"):
        assert time_of(text) == moment.replace(microsecond=0 if "-" not in text else moment.microsecond)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30T10:15:00+02:00", datetime(2026, 11, 30, 8, 15, tzinfo=UTC)),
        ("2026-11-30 10:15:00", datetime(2026, 11, 30, 10, 15, tzinfo=UTC)),
        ("20261130", datetime(2026, 11, 30, tzinfo=UTC)),
        ("1.796032632e9", datetime(2026, 11, 30, 9, 57, 12, tzinfo=UTC)),
        ("1796-03-26T20:35:00Z", None),
        ("0", None),
        ("12345678901234567890", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_or_none(text: str | None, moment: datetime | None) -> None:
    assert time_of(text) == moment
