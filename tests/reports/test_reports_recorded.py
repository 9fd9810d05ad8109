"""What the first lines say of recorded costs: like with like, and what is not proven beside the bill."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from billed import billed
from costscan.billing import Pricing, Selection
from costscan.reports.analysis.terminal import render
from logs import OPUS, Json, assistant, cost_state, result, totals, usage, user, write
from recording import STEPS, STEPS_USD, ended, own, used

STEP, USD = STEPS[1], STEPS_USD[1]
TWICE = ended(STEP, 2 * USD, times=2)
LACKING = result(
    USD + Decimal("0.0101"),
    {OPUS: {"inputTokens": 6, "outputTokens": 500, "costUSD": float(USD) + 0.0101}},
    usage=used(STEP),
)
# 0.1 USD in 20,000 tokens of input, all of them logged.
# 50 USD, a million tokens of input a call.
TEN_MILLION = [assistant(f"msg_{n}", usage(1_000_000), content=[]) for n in range(10)]
LOGGED = [user("go"), assistant("msg_1", usage(20_000), content=[])]


def recorded(cost: float) -> list[Json]:
    return [*LOGGED, cost_state(cost)]


def managed(cost: float) -> Json:
    return cost_state(cost, {OPUS: totals(20_000, cost=cost)})


@pytest.mark.parametrize(
    ("lines", "told", "said", "exact"),
    [
        ([TWICE], "at least $0.24   $0.24 more is recorded, not proven by the log",
         "$0.49 by the client in 1 session, $0.24 here for the same calls;", False),
        ([LACKING], "about $0.25   cache tokens of 1 call estimated from recorded dollars",
         "$0.25 by the client in 1 session, $0.25 here, in part estimated from it;", False),
        ([result(USD, usage=used(STEP))],
         "at least $0.00   no model call in these logs, or none that was asked for   $0.24 more is recorded",
         "$0.24 by the client in 1 session, $0.00 here for the same calls", False),
        ([result(0.5, {OPUS: own(STEP, 0.2)})], "at least $0.16   $0.34 more is recorded, not proven by the log",
         "$0.50 by the client in 1 session, $0.16 here", False),
        ([result(0, {OPUS: own(STEP, 0)})], "$0.16   what 1 session recorded does not follow from tokens and list",
         "$0.00 by the client in 1 session, $0.16 here", False),
        (recorded(0.1), "$0.10   every call priced at list", ", and the same here", True),
        (recorded(0.10009), "at least $0.10   $0.0001 more is recorded", ", and the same here", False),
        # To the cent, but not to a thousandth; and to a thousandth, but not to the cent.
        (recorded(0.1002), "at least $0.10", "$0.10 by the client in 1 session, $0.1000 here for the same calls", False),
        ([*LOGGED, managed(0.07)], "$0.10   every call priced", "$0.0700 by the client in 1 session, $0.10 here for the", True),
        ([user("go"), *TEN_MILLION, cost_state(50.03)],
         "at least $50.00", "$50.03 by the client in 1 session, $50.00 here", False),
    ],
)  # fmt: skip
def test_the_first_lines(tmp_path: Path, lines: Sequence[Json], told: str, said: str, exact: bool) -> None:
    found = billed([write(tmp_path / "s1.jsonl", *lines)])
    text = "\n".join(line.plain for line in render(found.summary, width=200))
    assert f"billed      {told}" in text
    assert said in text
    assert found.summary.totals.usd_exact == exact


def test_clients_record_at_list_prices(tmp_path: Path) -> None:
    log = write(tmp_path / "s1.jsonl", *recorded(0.1))
    half = Pricing(discount=Decimal("0.5"), overrides={"nova-9": {"input": 1}})
    found = billed([log], pricing=half).summary
    assert (found.totals.usd, found.totals.recorded_billed_usd) == (Decimal("0.05"), Decimal("0.1"))
    assert "and the same here by the price list" in "\n".join(line.plain for line in render(found, width=200))


def test_a_model_with_a_price_of_its_own(tmp_path: Path) -> None:
    line = result(0.02, {"nova-9": totals(20_000, cost=0.02)})
    log = write(tmp_path / "s.jsonl", line)
    known = billed([log], pricing=Pricing(overrides={"nova-9": {"input": 1}})).summary.totals
    assert (known.usd, known.unproven_recorded_usd) == (Decimal("0.02"), Decimal(0))
    assert known.usd_exact
    unknown = billed([log]).summary.totals
    assert (unknown.usd, unknown.unproven_recorded_usd) == (None, Decimal("0.02"))


def test_a_part_of_a_session_is_not_compared(tmp_path: Path) -> None:
    log = write(tmp_path / "s1.jsonl", *recorded(0.5))
    part = billed([log], selection=Selection(models=(OPUS,))).summary.totals
    assert (part.recorded_usd, part.unproven_recorded_usd, part.usd_exact) == (None, None, False)
