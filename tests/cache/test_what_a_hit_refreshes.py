"""A rule that the documentation leaves open: what a log tells of it is used, and where it tells nothing, both count."""

from decimal import Decimal
from pathlib import Path

import pytest

from applied import alone, read, told
from logs import write
from workloads import Calls, lines, loops, marked, usd

NAME = "the next one after nine minutes"


def talks() -> Calls:
    """Two runs of one task: the second begins after more than five minutes, and the first still goes on."""
    return loops(NAME, runs=2, turns=6, gap_s=110, apart_s=540, system=6000)


def test_where_the_log_tells_nothing_both_readings_are_in_the_range(tmp_path: Path) -> None:
    found = read(tmp_path, {NAME: talks()}, alone("caching"))
    low, saved, high = (
        found.usd(NAME, "caching/breakpoints", column)
        for column in ("saved_low_usd", "saved_usd", "saved_high_usd")
    )
    before = usd(lines(talks()))
    every, longest = (before - usd(lines(marked(talks()), longest_only=alone)) for alone in (False, True))
    assert every > longest, "the second run writes what the first one has kept alive"
    assert saved == pytest.approx(every, rel=Decimal("0.005"))
    assert low == pytest.approx(longest, rel=Decimal("0.02"))
    assert high == pytest.approx(every, rel=Decimal("0.02"))


@pytest.mark.parametrize("longest_only", [False, True])
def test_the_reading_that_the_log_bears_out_is_taken(tmp_path: Path, longest_only: bool) -> None:
    log = lines(marked(talks()), longest_only=longest_only)
    found = told(write(tmp_path / "calls.jsonl", *log), {NAME: log}, alone("caching"))
    agreed = found.x.agreement
    assert agreed.exact == agreed.compared == len(log)
    assert agreed.refresh.longest_only is longest_only
    assert (agreed.refresh.every, agreed.refresh.longest) == ((0, 1) if longest_only else (1, 0))
    low, saved = (found.usd(NAME, "caching/ttl", column) for column in ("saved_low_usd", "saved_usd"))
    # Where an hour ends with the system prompt, no bill tells to the token.
    assert low == pytest.approx(saved, rel=Decimal("0.05"))
